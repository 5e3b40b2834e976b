package mu.micro.jdbc;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

import mu.micro.MicroException;
import mu.micro.Subscription;
import mu.micro.store.Change;
import mu.micro.store.Entry;
import mu.micro.store.Query;
import mu.micro.store.Store;
import mu.micro.store.When;
import mu.micro.store.Write;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Several processes on one file.
 */
class SqliteProcessesTests {

	private static final Duration PATIENCE = Duration.ofSeconds(60);

	private static final int COUNTERS = 4;

	@TempDir
	private Path directory;

	private final List<StoreProcess> processes = new ArrayList<>();

	private Path file() {
		return this.directory.resolve("store.db");
	}

	@AfterEach
	void endProcesses() throws Exception {
		for (StoreProcess process : this.processes) {
			process.close();
		}
	}

	@Test
	void eightProcessesLoseNoIncrementAndStallNoReader() throws Exception {
		Duration time = Duration.ofSeconds((Integer.getInteger("micro.torture", 0) > 20) ? 60 : 5);
		try (JdbcDatabases databases = StoreProcess.open(file())) {
			Store counters = databases.in("ns").table("counters");
			for (int i = 0; i < COUNTERS; i++) {
				counters.put("counter-" + i, bytes(0));
			}
			List<StoreProcess> started = start(8, Counting.class, file(), time);
			long increments = 0;
			long slowestRead = 0;
			long slowestWrite = 0;
			long reads = 0;
			for (StoreProcess process : started) {
				assertThat(process.await(time.plus(PATIENCE))).as(process::errors).isZero();
				String[] result = process.said().get(1).split(" ");
				increments += Long.parseLong(result[0]);
				reads += Long.parseLong(result[1]);
				slowestRead = Math.max(slowestRead, Long.parseLong(result[2]));
				slowestWrite = Math.max(slowestWrite, Long.parseLong(result[3]));
			}
			long sum = counters.list(Query.ALL).entries().stream().mapToLong(SqliteProcessesTests::number).sum();
			System.out.printf(
					"fault: 8 processes, %d s: %d increments/s, %d reads/s, slowest read %d ms, slowest write %d ms%n",
					time.toSeconds(), increments / time.toSeconds(), reads / time.toSeconds(), slowestRead,
					slowestWrite);
			assertThat(sum).isEqualTo(increments).isPositive();
			// A busy machine stops them for longer than other users of the file do.
			assertThat(slowestRead).isLessThan(5_000);
		}
	}

	@Test
	void manyMakeTheFileAtOnce() throws Exception {
		List<StoreProcess> started = start(6, Making.class, file());
		for (int i = 0; i < started.size(); i++) {
			assertThat(started.get(i).await(PATIENCE)).as(started.get(i)::errors).isZero();
		}
		try (JdbcDatabases databases = StoreProcess.open(file()); Stream<Path> left = Files.list(this.directory)) {
			assertThat(databases.in("ns").table("made").list(Query.ALL).entries()).hasSize(started.size());
			assertThat(left.map(Path::getFileName).map(Path::toString))
				.allMatch((name) -> name.startsWith("store.db") && !name.endsWith(".new"));
		}
	}

	@Test
	@DisabledOnOs(OS.WINDOWS)
	void aProcessThatIsStoppedInsideAWriteHoldsUpWritersForTheirTimeoutAndReadersNotAtAll() throws Exception {
		Duration timeout = Duration.ofMillis(400);
		try (JdbcDatabases databases = StoreProcess.open(file(), timeout);
				JdbcDatabases patient = StoreProcess.open(file())) {
			Store table = databases.in("ns").table("table");
			table.put("there", bytes(1));
			StoreProcess writer = start(1, Filling.class, file()).get(0);
			Awaitility.await().atMost(PATIENCE).until(() -> writer.lines() > 2);
			String key = stopInsideAWrite(writer, table);
			for (int i = 0; i < 20; i++) {
				long begin = System.nanoTime();
				assertThat(number(Objects.requireNonNull(table.get("there")))).isOne();
				assertThat(table.list(Query.prefix("t")).entries()).hasSize(1);
				assertThat(millisSince(begin)).isLessThan(timeout.toMillis());
			}
			long begin = System.nanoTime();
			assertThatExceptionOfType(MicroException.Unavailable.class)
				.isThrownBy(() -> table.put("not written", bytes(1)))
				.withMessageContainingAll(file().toString(), "another process", "stopped");
			assertThat(millisSince(begin)).isBetween(timeout.toMillis(), timeout.toMillis() + 2_000);
			writer.signal("CONT");
			int lines = writer.lines();
			patient.in("ns").table("table").put("written", bytes(1));
			Awaitility.await().atMost(PATIENCE).until(() -> writer.lines() > lines);
			assertThat(patient.in("ns").table("table").list(Query.ALL).entries()).extracting(Entry::key)
				.doesNotContain(key, "not written")
				.contains("there", "written");
		}
	}

	// Whether it is in a write shows in that nobody else can write.
	private static String stopInsideAWrite(StoreProcess process, Store table) throws Exception {
		for (int i = 0; i < 1_000; i++) {
			process.signal("STOP");
			String key = "probe-" + i;
			try {
				table.put(key, bytes(1));
				table.delete(key);
			}
			catch (MicroException.Unavailable ex) {
				return key;
			}
			process.signal("CONT");
		}
		throw new AssertionError("never stopped inside a write");
	}

	@Test
	void whoeverHasTheTurnIsWaitedFor() throws Exception {
		Duration timeout = Duration.ofMillis(400);
		try (JdbcDatabases databases = StoreProcess.open(file(), timeout)) {
			Store table = databases.in("ns").table("table");
			StoreProcess holder = start(1, TakingTheTurn.class, file()).get(0);
			Awaitility.await().atMost(PATIENCE).until(() -> holder.lines() > 1);
			long begin = System.nanoTime();
			assertThatExceptionOfType(MicroException.Unavailable.class)
				.isThrownBy(() -> table.put("not written", bytes(1)))
				.withMessageContainingAll(file().toString(), "another process", "stopped");
			assertThat(millisSince(begin)).isBetween(timeout.toMillis(), timeout.toMillis() + 2_000);
			holder.kill();
			Awaitility.await().atMost(PATIENCE).ignoreExceptions().until(() -> table.put("written", bytes(1)) > 0);
			assertThat(table.list(Query.ALL).entries()).extracting(Entry::key).containsExactly("written");
		}
	}

	@Test
	void anothersChangesAreHeardWithinMilliseconds() throws Exception {
		int count = 200;
		Queue<Long> latencies = new ConcurrentLinkedQueue<>();
		try (JdbcDatabases databases = StoreProcess.open(file())) {
			Store table = databases.in("ns").table("times");
			StoreProcess writer = prepare(1, Telling.class, file(), count).get(0);
			try (Subscription watch = table.watch("", 0, (change) -> {
				long now = System.nanoTime();
				if (change instanceof Change.Put put) {
					latencies.add(now - number(put.entry()));
				}
			})) {
				writer.go();
				Awaitility.await().atMost(PATIENCE).until(() -> latencies.size() == count);
				assertThat(writer.await(PATIENCE)).as(writer::errors).isZero();
			}
		}
		List<Long> sorted = latencies.stream().sorted().toList();
		long median = TimeUnit.NANOSECONDS.toMicros(sorted.get(count / 2));
		System.out.printf("fault: heard of another process's writes after %d us in the median, %d us of 99 %%%n",
				median, TimeUnit.NANOSECONDS.toMicros(sorted.get(count * 99 / 100)));
		assertThat(median).isLessThan(100_000);
	}

	private List<StoreProcess> start(int count, Class<? extends StoreProcess.Job> job, Object... args)
			throws Exception {
		List<StoreProcess> started = prepare(count, job, args);
		for (StoreProcess process : started) {
			process.go();
		}
		return started;
	}

	private List<StoreProcess> prepare(int count, Class<? extends StoreProcess.Job> job, Object... args)
			throws Exception {
		List<StoreProcess> started = new ArrayList<>();
		for (int i = 0; i < count; i++) {
			StoreProcess process = StoreProcess.prepare(job, args);
			started.add(process);
			this.processes.add(process);
		}
		for (StoreProcess process : started) {
			Awaitility.await().atMost(PATIENCE).until(() -> process.lines() > 0);
		}
		return started;
	}

	private static long millisSince(long begin) {
		return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin);
	}

	private static long number(Entry entry) {
		return Long.parseLong(new String(entry.value(), StandardCharsets.UTF_8));
	}

	private static byte[] bytes(long number) {
		return String.valueOf(number).getBytes(StandardCharsets.UTF_8);
	}

	/**
	 * Increments counters that all have in common, and reads them.
	 */
	public static final class Counting implements StoreProcess.Job {

		private final AtomicBoolean done = new AtomicBoolean();

		private final AtomicLong reads = new AtomicLong();

		private final AtomicLong slowestRead = new AtomicLong();

		private long increments;

		private long slowestWrite;

		@Override
		public StoreProcess.Work prepare(Path file, String[] args) {
			Store counters = StoreProcess.open(file).in("ns").table("counters");
			Duration time = Duration.parse(args[0]);
			return () -> {
				Thread reader = new Thread(() -> read(counters));
				reader.start();
				count(counters, time);
				this.done.set(true);
				reader.join();
				StoreProcess.say(this.increments + " " + this.reads + " " + this.slowestRead + " " + this.slowestWrite);
			};
		}

		private void read(Store counters) {
			while (!this.done.get()) {
				long begin = System.nanoTime();
				if (counters.list(Query.ALL).entries().size() != COUNTERS) {
					throw new IllegalStateException("counters are gone");
				}
				this.slowestRead.accumulateAndGet(millisSince(begin), Math::max);
				this.reads.incrementAndGet();
				LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
			}
		}

		private void count(Store counters, Duration time) {
			long end = System.nanoTime() + time.toNanos();
			for (int i = 0; System.nanoTime() < end; i++) {
				String key = "counter-" + (i % COUNTERS);
				Entry entry = Objects.requireNonNull(counters.get(key));
				long begin = System.nanoTime();
				try {
					counters.put(Write.put(key, bytes(number(entry) + 1)).withWhen(When.revision(entry.revision())));
					this.increments++;
				}
				catch (MicroException.Conflict ex) {
					// Another was faster: the next one.
				}
				this.slowestWrite = Math.max(this.slowestWrite, millisSince(begin));
			}
		}

	}

	/**
	 * Opens the file and writes one entry.
	 */
	public static final class Making implements StoreProcess.Job {

		@Override
		public StoreProcess.Work prepare(Path file, String[] args) {
			return () -> {
				try (JdbcDatabases databases = StoreProcess.open(file)) {
					databases.in("ns").table("made").put("by " + ProcessHandle.current().pid(), bytes(1));
				}
			};
		}

	}

	/**
	 * Is hardly ever not inside a write.
	 */
	public static final class Filling implements StoreProcess.Job {

		@Override
		public StoreProcess.Work prepare(Path file, String[] args) {
			Store table = StoreProcess.open(file).in("ns").table("large");
			return () -> {
				for (int i = 0; true; i++) {
					table.put("key-" + (i % 4), new byte[4 * 1024 * 1024]);
					StoreProcess.say("put");
				}
			};
		}

	}

	/**
	 * Takes the turn to write and keeps it.
	 */
	public static final class TakingTheTurn implements StoreProcess.Job {

		@Override
		public StoreProcess.Work prepare(Path file, String[] args) {
			SqliteTurn turn = new SqliteFile(file, Clock.systemUTC()).turn();
			return () -> {
				turn.take();
				StoreProcess.say("taken");
				Thread.sleep(PATIENCE.toMillis());
			};
		}

	}

	/**
	 * Writes the time, which all processes of a machine have in common, again and again.
	 */
	public static final class Telling implements StoreProcess.Job {

		@Override
		public StoreProcess.Work prepare(Path file, String[] args) {
			Store table = StoreProcess.open(file).in("ns").table("times");
			return () -> {
				for (int i = 0; i < Integer.parseInt(args[0]); i++) {
					table.put("time-" + i, bytes(System.nanoTime()));
					TimeUnit.MILLISECONDS.sleep(i % 20);
				}
			};
		}

	}

}
