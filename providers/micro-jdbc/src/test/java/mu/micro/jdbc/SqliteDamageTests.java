package mu.micro.jdbc;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.Callable;

import mu.micro.Message;
import mu.micro.MicroException;
import mu.micro.core.EventLog;
import mu.micro.events.Group;
import mu.micro.events.Retention;
import mu.micro.store.Database;
import mu.micro.store.Entry;
import mu.micro.store.Page;
import mu.micro.store.Query;
import mu.micro.store.Store;
import mu.micro.store.TableWrite;
import mu.micro.store.Write;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A file that was changed behind everybody's back: what is read of it is right, or an
 * error that names it. Read in another process, so that the JVM's end would be seen.
 */
@Timeout(600)
class SqliteDamageTests {

	@TempDir
	private Path directory;

	private final List<StoreProcess> processes = new ArrayList<>();

	@AfterEach
	void endProcesses() throws Exception {
		for (StoreProcess process : this.processes) {
			process.close();
		}
	}

	@Test
	void aFlippedBitIsAnErrorOrHarmless() throws Exception {
		assertThat(damage("flip")).startsWith("done ");
	}

	@Test
	void anOverwrittenPageIsAnErrorOrHarmless() throws Exception {
		assertThat(damage("page")).startsWith("done ");
	}

	@Test
	void aFileThatWasCutOffIsAnError() throws Exception {
		assertThat(damage("cut")).startsWith("done ");
	}

	@Test
	void aFlippedBitInTheLogOfAKilledProcessIsAnErrorOrHarmless() throws Exception {
		assertThat(damage("log")).startsWith("done ");
	}

	@Test
	void aLogOfAKilledProcessThatWasCutOffOrDeletedIsAnErrorIfAnythingIsLost() throws Exception {
		assertThat(damage("cut log")).startsWith("done ");
	}

	private String damage(String how) throws Exception {
		Path file = this.directory.resolve("store.db");
		run(Filling.class, file, how.contains("log"));
		String last = run(Reading.class, file, how);
		System.out.println("fault: " + how + ": " + last);
		return last;
	}

	private String run(Class<? extends StoreProcess.Job> job, Object... args) throws Exception {
		StoreProcess process = StoreProcess.prepare(job, args);
		this.processes.add(process);
		process.go();
		assertThat(process.await(Duration.ofSeconds(300))).as(process::errors).isZero();
		return process.said().get(process.lines() - 1);
	}

	/**
	 * Fills a file, of which some is in its log when the process ends without closing it.
	 */
	public static final class Filling implements StoreProcess.Job {

		@Override
		public StoreProcess.Work prepare(Path path, String[] args) {
			return () -> {
				Random random = new Random(1);
				try (JdbcDatabases databases = StoreProcess.open(path)) {
					fill(databases, random, 0);
				}
				JdbcDatabases databases = StoreProcess.open(path);
				fill(databases, random, 1);
				if (!Boolean.parseBoolean(args[0])) {
					databases.close();
				}
				Runtime.getRuntime().halt(0);
			};
		}

		private static void fillTopics(JdbcDatabases databases, Random random) {
			try (JdbcEventLog logs = new JdbcEventLog(databases, Retention.DEFAULT)) {
				EventLog log = logs.in("ns");
				for (int i = 0; i < 60; i++) {
					byte[] body = new byte[random.nextInt((i == 30) ? 50_000 : 400)];
					random.nextBytes(body);
					log.append("topic-" + (i % 2), Message.of(body).withHeaders(Map.of("n", "v" + i)));
				}
				Group group = Group.of("group").withMaxInFlight(10);
				long token = log.exchange("topic-0", group, List.of(), 10).token();
				log.exchange("topic-0", group, List.of(new EventLog.Failed(2, token, "error", Duration.ofDays(1))), 0);
			}
		}

		private static void fill(JdbcDatabases databases, Random random, int part) {
			Database database = databases.in("ns");
			for (int i = 0; i < 3; i++) {
				List<TableWrite> writes = new ArrayList<>();
				for (int j = part; j < 100; j += 2) {
					byte[] value = new byte[random.nextInt(400)];
					random.nextBytes(value);
					Write write = Write.put("key-" + i + "-" + j, value);
					write = (j % 5 == 0) ? write.withMetadata(Map.of("n", "v" + j)) : write;
					writes.add(
							new TableWrite("table-" + i, (j % 7 == 0) ? write.withTtl(Duration.ofDays(1 + j)) : write));
				}
				database.apply(writes);
			}
			fillTopics(databases, random);
			byte[] large = new byte[50_000];
			random.nextBytes(large);
			database.table("large").put("large", large);
			databases.in("other").table("table-1").put("a", large);
			for (int j = part; j < 50; j += 2) {
				database.table("table-1").delete("key-1-" + j);
			}
		}

	}

	/**
	 * Damages a file in many ways and reads it each time.
	 */
	public static final class Reading implements StoreProcess.Job {

		private static final int ROUNDS = Math.max(300, Integer.getInteger("micro.torture", 0) * 10);

		private Path file;

		private Path log;

		private byte[] sound;

		private byte[] soundLog = {};

		private List<Object> expected;

		private int errors;

		@Override
		public StoreProcess.Work prepare(Path path, String[] args) {
			this.file = path;
			this.log = path.resolveSibling(path.getFileName() + "-wal");
			return () -> {
				look();
				Random random = new Random(42);
				switch (args[0]) {
					case "flip" -> flip(random);
					case "page" -> pages(random);
					case "cut" -> cut(random);
					case "log" -> flipLog(random);
					case "cut log" -> cutLog(random);
					default -> throw new IllegalArgumentException(args[0]);
				}
				StoreProcess.say("done with " + this.errors + " errors");
			};
		}

		private void look() throws Exception {
			this.sound = Files.readAllBytes(this.file);
			if (Files.exists(this.log)) {
				this.soundLog = Files.readAllBytes(this.log);
			}
			try (JdbcDatabases databases = StoreProcess.open(this.file)) {
				this.expected = read(databases);
			}
		}

		private void flipLog(Random random) throws Exception {
			for (int i = 0; i < ROUNDS; i++) {
				byte[] bytes = this.soundLog.clone();
				int bit = (i < 32 * Byte.SIZE) ? i : random.nextInt(bytes.length * Byte.SIZE);
				bytes[bit / Byte.SIZE] ^= (byte) (1 << (bit % Byte.SIZE));
				tryBytes(this.sound, bytes, "bit " + bit + " of the log flipped", false);
			}
		}

		private void cutLog(Random random) throws Exception {
			for (int i = 0; i < 50; i++) {
				int length = (i == 0) ? 0 : random.nextInt(this.soundLog.length);
				tryBytes(this.sound, Arrays.copyOf(this.soundLog, length), "log cut to " + length, true);
			}
		}

		private void flip(Random random) throws Exception {
			for (int i = 0; i < 100 * Byte.SIZE; i++) {
				tryBit(i);
			}
			for (int i = 0; i < ROUNDS; i++) {
				tryBit(random.nextInt(this.sound.length * Byte.SIZE));
			}
		}

		private void tryBit(int bit) throws Exception {
			byte[] bytes = this.sound.clone();
			bytes[bit / Byte.SIZE] ^= (byte) (1 << (bit % Byte.SIZE));
			tryBytes(bytes, this.soundLog, "bit " + bit + " flipped", false);
		}

		private void pages(Random random) throws Exception {
			int pages = this.sound.length / 4096;
			for (int i = 0; i < ROUNDS / 4; i++) {
				byte[] bytes = this.sound.clone();
				int page = random.nextInt(pages);
				int other = random.nextInt(pages);
				switch (i % 3) {
					case 0 -> Arrays.fill(bytes, page * 4096, (page + 1) * 4096, (byte) 0);
					case 1 -> {
						byte[] noise = new byte[4096];
						random.nextBytes(noise);
						System.arraycopy(noise, 0, bytes, page * 4096, 4096);
					}
					default -> System.arraycopy(this.sound, other * 4096, bytes, page * 4096, 4096);
				}
				tryBytes(bytes, this.soundLog, "page " + page + " overwritten in way " + i % 3, false);
			}
		}

		private void cut(Random random) throws Exception {
			List<Integer> lengths = new ArrayList<>(List.of(0, 1, 99, 100, 512, 4095, 4096, 4097, 8192,
					this.sound.length - 1, this.sound.length - 4096));
			for (int i = 0; i < 50; i++) {
				lengths.add(random.nextInt(this.sound.length));
			}
			for (int length : lengths) {
				tryBytes(Arrays.copyOf(this.sound, length), this.soundLog, "cut to " + length, true);
			}
		}

		private void tryBytes(byte[] bytes, byte[] logBytes, String what, boolean mustFail) throws Exception {
			Files.deleteIfExists(this.file.resolveSibling(this.file.getFileName() + "-shm"));
			Files.deleteIfExists(this.log);
			Files.write(this.file, bytes);
			if (logBytes.length > 0) {
				Files.write(this.log, logBytes);
			}
			int before = this.errors;
			try (JdbcDatabases databases = StoreProcess.open(this.file, Duration.ofMillis(300))) {
				List<Object> seen = read(databases);
				for (int i = 0; i < seen.size(); i++) {
					if (!(seen.get(i) instanceof MicroException) && !seen.get(i).equals(this.expected.get(i))) {
						throw new AssertionError(what + ": read " + seen.get(i) + " and not " + this.expected.get(i));
					}
				}
			}
			catch (MicroException.Unavailable ex) {
				isError(ex);
				// All is left as it was, for somebody who can repair it.
				if (!Arrays.equals(Files.readAllBytes(this.file), bytes)
						|| (logBytes.length > 0 && !Arrays.equals(Files.readAllBytes(this.log), logBytes))) {
					throw new AssertionError(what + ": the file or its log was changed");
				}
			}
			if (mustFail && this.errors == before) {
				throw new AssertionError(what + ": no error");
			}
		}

		/*
		 * All there is, read in all ways.
		 */
		private List<Object> read(JdbcDatabases databases) {
			List<Object> all = new ArrayList<>();
			all.add(tried(databases::names));
			for (String namespace : List.of("ns", "other")) {
				Database database = databases.in(namespace);
				all.add(tried(database::tables));
				all.add(tried(() -> {
					List<Entry> entries = new ArrayList<>();
					database.snapshot((table, entry) -> entries.add(entry));
					return entries;
				}));
				readTopics(databases, namespace, all);
				for (String name : List.of("table-0", "table-1", "table-2", "large")) {
					Store store = database.table(name);
					all.add(tried(() -> store.list(Query.ALL)));
					all.add(tried(() -> keys(store.list(Query.ALL.withKeysOnly().withDescending()))));
					all.add(tried(() -> keys(store.list(Query.prefix("key-1").withOffset(3).withLimit(20)))));
					for (int i = 0; i < 100; i++) {
						String key = "key-" + name.charAt(name.length() - 1) + "-" + i;
						all.add(tried(() -> List.of(Objects.requireNonNullElse(store.get(key), "none"))));
					}
					all.add(tried(() -> List.of(Objects.requireNonNullElse(store.get("large"), "none"))));
				}
			}
			return all;
		}

		private void readTopics(JdbcDatabases databases, String namespace, List<Object> all) {
			try (JdbcEventLog logs = new JdbcEventLog(databases, Retention.DEFAULT)) {
				EventLog log = logs.in(namespace);
				all.add(tried(log::topics));
				for (String topic : List.of("topic-0", "topic-1")) {
					all.add(tried(() -> log.groups(topic)));
					all.add(tried(() -> log.offsetAt(topic, Instant.EPOCH)));
					for (int i = 1; i < 60; i += 7) {
						long from = i;
						all.add(tried(() -> log.read(topic, from, 7)));
					}
				}
			}
		}

		private static List<Object> keys(Page page) {
			List<Object> keys = new ArrayList<>();
			page.entries().forEach((entry) -> keys.add(entry.key() + "@" + entry.revision()));
			return keys;
		}

		private Object tried(Callable<?> call) {
			try {
				return call.call();
			}
			catch (MicroException ex) {
				isError(ex);
				return ex;
			}
			catch (Exception ex) {
				throw new AssertionError(ex);
			}
		}

		private void isError(MicroException ex) {
			if (!(ex instanceof MicroException.Unavailable) || !ex.getMessage().contains(this.file.toString())) {
				throw new AssertionError("an error of another kind, or without the file's name", ex);
			}
			this.errors++;
		}

	}

}
