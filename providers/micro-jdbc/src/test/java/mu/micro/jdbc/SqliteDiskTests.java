package mu.micro.jdbc;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

import mu.micro.MicroException;
import mu.micro.store.Store;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Disks that are full, may not be written to, fail or are slow. What makes them so are
 * tools of the system, and where one is missing or may not be used its test is skipped.
 */
@EnabledOnOs(OS.LINUX)
@Timeout(180)
class SqliteDiskTests {

	private static final Duration PATIENCE = Duration.ofSeconds(90);

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
	void whereAFileMayNotGrowWritesAreRefusedAndNothingIsLost() throws Exception {
		List<String> said = run(List.of("bash", "-c", "ulimit -f 6000; exec \"$@\"", "limited"), Filling.class, file(),
				"");
		assertThat(said).element(0).asString().startsWith("Unavailable").contains(file().toString());
		int acknowledged = Integer.parseInt(said.get(1));
		assertThat(acknowledged).isPositive();
		try (JdbcDatabases databases = StoreProcess.open(file())) {
			Store table = databases.in("ns").table("table");
			Filling.check(table, acknowledged);
			table.put("after", new byte[50_000]);
			assertThat(table.get("after")).isNotNull();
		}
	}

	@Test
	void onAFullDiskWritesAreRefusedAndOnceThereIsSpaceTheyAreDone() throws Exception {
		List<String> wrapper = List.of("unshare", "--map-root-user", "--mount", "bash", "-c",
				"mount -t tmpfs -o size=12m tmpfs " + this.directory + " && exec \"$@\"", "limited");
		assumeWorks(wrapper);
		List<String> said = run(wrapper, Filling.class, file(), "ballast");
		assertThat(said).element(0).asString().startsWith("Unavailable").contains(file().toString(), "no space");
		assertThat(Integer.parseInt(said.get(1))).isPositive();
		assertThat(said).element(2).isEqualTo("went on");
	}

	@Test
	void aDirectoryThatMayNotBeWrittenToIsSaid() throws Exception {
		StoreProcess.open(file()).close();
		List<String> wrapper = new ArrayList<>();
		Files.setPosixFilePermissions(this.directory, PosixFilePermissions.fromString("r-x------"));
		try {
			if (Files.isWritable(this.directory)) {
				// Root may write everywhere, unless it gives that up.
				wrapper.addAll(List.of("setpriv", "--bounding-set=-all", "--inh-caps=-all"));
				assumeWorks(wrapper);
			}
			for (Path file : List.of(file(), this.directory.resolve("other.db"),
					this.directory.resolve("below/store.db"))) {
				assertThat(run(wrapper, Opening.class, file)).element(0)
					.asString()
					.startsWith("Unavailable")
					.contains(file.toString(), "this user may read and write", "micro.data-dir");
			}
		}
		finally {
			Files.setPosixFilePermissions(this.directory, PosixFilePermissions.fromString("rwx------"));
		}
		assertThat(this.directory.resolve("other.db")).doesNotExist();
		assertThat(run(List.of(), Opening.class, file())).element(0).isEqualTo("opened");
	}

	@Test
	void aFileThatMayNotBeWrittenToIsSaid() throws Exception {
		StoreProcess.open(file()).close();
		List<String> wrapper = new ArrayList<>();
		Files.setPosixFilePermissions(file(), PosixFilePermissions.fromString("r--------"));
		if (Files.isWritable(file())) {
			wrapper.addAll(List.of("setpriv", "--bounding-set=-all", "--inh-caps=-all"));
			assumeWorks(wrapper);
		}
		assertThat(run(wrapper, Opening.class, file())).element(0)
			.asString()
			.startsWith("Unavailable")
			.contains(file().toString(), "not writable");
	}

	@Test
	void aCommitThatTheDiskDoesNotConfirmIsUnknown() throws Exception {
		List<String> wrapper = List.of("strace", "--follow-forks", "--output=/dev/null", "--trace=fsync,fdatasync",
				"--inject=fsync,fdatasync:error=EIO:when=40+");
		assumeWorks(wrapper);
		List<String> said = run(wrapper, Filling.class, file(), "");
		assertThat(said).element(0).asString().startsWith("OutcomeUnknown").contains(file().toString());
		int acknowledged = Integer.parseInt(said.get(1));
		assertThat(acknowledged).isPositive();
		try (JdbcDatabases databases = StoreProcess.open(file())) {
			Filling.check(databases.in("ns").table("table"), acknowledged);
		}
	}

	@Test
	void aSlowDiskHoldsUpWritersForTheirTimeoutAndReadersNotAtAll() throws Exception {
		List<String> wrapper = List.of("strace", "--follow-forks", "--output=/dev/null", "--trace=fsync,fdatasync",
				"--inject=fsync,fdatasync:delay_enter=4000000:when=40+");
		assumeWorks(wrapper);
		List<String> said = run(wrapper, Waiting.class, file());
		assertThat(said).element(0).asString().startsWith("OutcomeUnknown").contains(file().toString(), "under way");
		assertThat(said).element(1).asString().startsWith("Unavailable").contains(file().toString(), "slowly");
		assertThat(said).element(2).isEqualTo("all went on");
	}

	private List<String> run(List<String> wrapper, Class<? extends StoreProcess.Job> job, Object... args)
			throws Exception {
		StoreProcess process = StoreProcess.prepare(wrapper, job, args);
		this.processes.add(process);
		process.go();
		assertThat(process.await(PATIENCE)).as(process::errors).isZero();
		// What it said after that it is ready.
		return process.said().subList(1, process.lines());
	}

	private static void assumeWorks(List<String> wrapper) throws InterruptedException {
		List<String> command = new ArrayList<>(wrapper);
		command.add("true");
		boolean works;
		try {
			works = new ProcessBuilder(command).start().waitFor() == 0;
		}
		catch (IOException ex) {
			works = false;
		}
		Assumptions.assumeTrue(works, wrapper.get(0) + " is not here or may not be used");
	}

	private static String describe(MicroException ex) {
		return ex.getClass().getSimpleName() + " " + ex.getMessage();
	}

	/**
	 * Writes until that fails, and says how, and how many writes were acknowledged. With
	 * a ballast, it then throws that off and goes on.
	 */
	public static final class Filling implements StoreProcess.Job {

		@Override
		public StoreProcess.Work prepare(Path file, String[] args) {
			return () -> {
				Path ballast = file.resolveSibling("ballast");
				if (!args[0].isEmpty()) {
					Files.write(ballast, new byte[4_000_000]);
				}
				JdbcDatabases databases = StoreProcess.open(file, Duration.ofSeconds(5));
				Store table = databases.in("ns").table("table");
				int acknowledged = fill(table);
				if (!args[0].isEmpty()) {
					Files.delete(ballast);
					Awaitility.await().ignoreExceptions().until(() -> table.put("after", value(0)) > 0);
					check(table, acknowledged);
					StoreProcess.say("went on");
				}
				databases.close();
			};
		}

		private static int fill(Store table) {
			for (int i = 0; true; i++) {
				try {
					table.put("key-" + i, value(i));
				}
				catch (MicroException ex) {
					StoreProcess.say(describe(ex));
					// Also while nothing can be written.
					check(table, i);
					StoreProcess.say(String.valueOf(i));
					return i;
				}
			}
		}

		static void check(Store table, int acknowledged) {
			for (int i = 0; i < acknowledged; i++) {
				assertThat(table.get("key-" + i).value()).isEqualTo(value(i));
			}
		}

		private static byte[] value(int i) {
			return String.valueOf(i).repeat(10_000).getBytes(StandardCharsets.UTF_8);
		}

	}

	/**
	 * Opens the file, and says how that went.
	 */
	public static final class Opening implements StoreProcess.Job {

		@Override
		public StoreProcess.Work prepare(Path file, String[] args) {
			return () -> {
				try (JdbcDatabases databases = StoreProcess.open(file, Duration.ofSeconds(1))) {
					StoreProcess.say("opened");
				}
				catch (MicroException ex) {
					StoreProcess.say(describe(ex));
				}
			};
		}

	}

	/**
	 * Writes until a write takes too long, and sees what others make of that.
	 */
	public static final class Waiting implements StoreProcess.Job {

		private static final Duration TIMEOUT = Duration.ofSeconds(1);

		@Override
		public StoreProcess.Work prepare(Path file, String[] args) {
			return () -> {
				JdbcDatabases databases = StoreProcess.open(file, TIMEOUT);
				Store table = databases.in("ns").table("table");
				table.put("key", new byte[10]);
				ExecutorService threads = Executors.newCachedThreadPool();
				StoreProcess.say(failure(table));
				Future<String> other = threads.submit(() -> failure(table));
				for (int i = 0; i < 100; i++) {
					long begin = System.nanoTime();
					assertThat(table.get("key")).isNotNull();
					assertThat(System.nanoTime() - begin).isLessThan(TIMEOUT.toNanos());
				}
				StoreProcess.say(other.get(20, TimeUnit.SECONDS));
				try (JdbcDatabases patient = StoreProcess.open(file, PATIENCE)) {
					patient.in("ns").table("table").put("after", new byte[10]);
					assertThat(table.get("after")).isNotNull();
				}
				StoreProcess.say("all went on");
				Runtime.getRuntime().halt(0);
			};
		}

		private static String failure(Store table) {
			while (true) {
				long begin = System.nanoTime();
				try {
					table.put("key", new byte[10]);
				}
				catch (MicroException ex) {
					assertThat(System.nanoTime() - begin).isBetween(TIMEOUT.toNanos(), TIMEOUT.toNanos() * 3);
					return describe(ex);
				}
			}
		}

	}

}
