package mu.micro.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import mu.micro.core.StoreLocks;
import mu.micro.core.StoreSync;
import mu.micro.sync.Lock;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

@Timeout(60)
class LockCommandsTests {

	private static final String LOST = "The lock 'x' was lost: it could not be renewed in time, or was deleted. ";

	private final List<Process> processes = new ArrayList<>();

	@TempDir
	Path folder;

	private Stage stage;

	@BeforeEach
	void start() throws IOException {
		this.stage = new Stage("sync");
		this.stage.environment().put("PATH", System.getenv("PATH"));
		this.stage.environment().put("OUT", file("out").toString());
	}

	@AfterEach
	void stop() throws InterruptedException {
		this.processes.forEach((process) -> {
			process.descendants().forEach(ProcessHandle::destroyForcibly);
			process.destroyForcibly();
		});
		this.stage.close();
	}

	@Test
	void aCommandRunsWithTheLockAndItsToken() throws IOException {
		assertThat(run("x", "echo $MICRO_LOCK_TOKEN > $OUT; exit 7")).isEqualTo(new Stage.Ran(7, "", ""));
		assertThat(this.stage.header("micro-service")).isEqualTo("sync");
		long first = Long.parseLong(Files.readString(file("out")).strip());
		assertThat(first).isPositive();
		assertThat(run("x", "echo $MICRO_LOCK_TOKEN > $OUT").code()).isZero();
		assertThat(Long.parseLong(Files.readString(file("out")).strip())).isGreaterThan(first);
		assertThat(free("x")).isTrue();
	}

	@Test
	void theLockIsHeldWhileTheCommandRuns() throws Exception {
		CompletableFuture<Stage.Ran> ran = async("x", "touch $OUT; while [ ! -e $OUT.go ]; do sleep 0.05; done",
				"--ttl=2s");
		await("out");
		assertThat(free("x")).isFalse();
		assertThat(free("y")).isTrue();
		Awaitility.await().during(Duration.ofMillis(2500)).until(() -> !free("x"));
		Files.createFile(file("out.go"));
		assertThat(ran.get(10, TimeUnit.SECONDS)).isEqualTo(Stage.Ran.of(""));
		assertThat(free("x")).isTrue();
	}

	@Test
	void aCommandHasItsOptionsForItself() throws IOException {
		assertThat(this.stage.micro("lock", "run", "x", "--", "sh", "-c", "echo \"$*\" > $OUT", "sh", "--help", "--ttl",
				"--", "-h", "a b"))
			.isEqualTo(Stage.Ran.of(""));
		assertThat(Files.readString(file("out"))).isEqualTo("--help --ttl -- -h a b\n");
	}

	@Test
	void whatAnotherHasExitsWith75() {
		try (StoreSync other = this.stage.somebody();
				Lock lock = other.in("micro").lock("x", Duration.ofSeconds(30), Duration.ZERO)) {
			assertThat(lock).isNotNull();
			assertThat(run("x", "touch $OUT")).isEqualTo(new Stage.Ran(75, "",
					"The lock 'x' in 'micro' is taken by another: try again later, or wait for it with --wait.\n"));
			assertThat(run("x", "touch $OUT", "--wait", "200ms")).isEqualTo(new Stage.Ran(75, "",
					"The lock 'x' in 'micro' is taken by another, and was for all of the wait: try again later.\n"));
			assertThat(file("out")).doesNotExist();
			assertThat(run("x", "touch $OUT", "--namespace", "shop").code()).isZero();
			assertThat(file("out")).exists();
		}
	}

	@Test
	void whoWaitsHasTheLockWhenItIsGivenBack() throws Exception {
		try (StoreSync other = this.stage.somebody()) {
			Lock lock = other.in("micro").lock("x", Duration.ofSeconds(30), Duration.ZERO);
			CompletableFuture<Stage.Ran> ran = async("x", "touch $OUT", "--wait=forever");
			Awaitility.await().until(() -> this.stage.headers("micro-service").size() == 2);
			assertThat(file("out")).doesNotExist();
			lock.close();
			assertThat(ran.get(10, TimeUnit.SECONDS)).isEqualTo(Stage.Ran.of(""));
			assertThat(file("out")).exists();
		}
	}

	@Test
	void aCommandThatCannotBeStartedExitsAsShellsDoAndKeepsNoLock() throws IOException {
		assertThat(this.stage.micro("lock", "run", "x", "--", "/no/such/program"))
			.isEqualTo(new Stage.Ran(127, "", "There is no file /no/such/program.\n"));
		assertThat(this.stage.micro("lock", "run", "x", "--", "no-such-program"))
			.isEqualTo(new Stage.Ran(127, "", "There is no program 'no-such-program' on the PATH.\n"));
		Path plain = Files.writeString(file("plain"), "no program");
		assertThat(this.stage.micro("lock", "run", "x", "--", plain.toString()))
			.isEqualTo(new Stage.Ran(126, "", "The file " + plain + " may not be executed: chmod +x permits it.\n"));
		assertThat(this.stage.micro("lock", "run", "x", "--", this.folder.toString()))
			.isEqualTo(new Stage.Ran(126, "", this.folder + " is a directory.\n"));
		Path foreign = Files.writeString(file("foreign"), "#!/no/such/interpreter\n");
		assertThat(foreign.toFile().setExecutable(true)).isTrue();
		Stage.Ran ran = this.stage.micro("lock", "run", "x", "--", foreign.toString());
		assertThat(ran.code()).isEqualTo(126);
		assertThat(ran.err()).startsWith("Cannot start " + foreign + ": ").hasLineCount(1);
		assertThat(free("x")).isTrue();
	}

	@Test
	void aCommandIsToldToEndWhenTheLockIsLost() {
		Terminal terminal = new Terminal(Options.of(Map.of()), this.stage.environment(), InputStream.nullInputStream(),
				System.out, System.err);
		try (StoreSync sync = this.stage.somebody();
				Lock lock = sync.in("micro").lock("x", Duration.ofSeconds(2), Duration.ZERO);
				LockedProgram program = new LockedProgram(terminal, Duration.ofSeconds(30))) {
			delete("x");
			assertThatExceptionOfType(Failure.class)
				.isThrownBy(() -> program.run(
						List.of("sh", "-c", "trap 'touch $OUT; exit 3' TERM; while :; do sleep 0.02; done"),
						this.stage.environment(), lock, "x"))
				.withMessage(LOST + "The command was told to end.")
				.satisfies((ex) -> assertThat(ex.code()).isEqualTo(76));
		}
		assertThat(file("out")).exists();
	}

	@Test
	void aCommandThatDoesNotHeedIsKilledWithAllThatItStarted() throws Exception {
		CompletableFuture<Stage.Ran> ran = async("x",
				"trap '' TERM; sleep 1000 & echo $! > $OUT.part; mv $OUT.part $OUT; while :; do sleep 1000; done",
				"--ttl=2s");
		await("out");
		ProcessHandle started = ProcessHandle.of(Long.parseLong(Files.readString(file("out")).strip())).orElseThrow();
		delete("x");
		assertThat(ran.get(10, TimeUnit.SECONDS))
			.isEqualTo(new Stage.Ran(76, "", LOST + "The command was told to end, and killed when it did not.\n"));
		assertThat(started.isAlive()).isFalse();
	}

	@Test
	void aLockIsLostWhenTheServerIsAwayForTooLong() throws Exception {
		CompletableFuture<Stage.Ran> ran = async("x", "touch $OUT; exec sleep 1000", "--ttl=2s");
		await("out");
		this.stage.answer(0);
		Stage.Ran lost = ran.get(20, TimeUnit.SECONDS);
		assertThat(lost.code()).isEqualTo(76);
		assertThat(lost.err()).startsWith(LOST + "The command was told to end").hasLineCount(1);
	}

	@Test
	void aLockThatWasLostWhileMicroStoodStillIsNoticed() throws Exception {
		Process micro = process("x", "touch $OUT; while [ ! -e $OUT.go ]; do sleep 0.05; done", "--ttl=2s");
		await("out");
		signal("STOP", micro.toHandle());
		Awaitility.await().atMost(Duration.ofSeconds(10)).until(() -> free("x"));
		ProcessHandle command = micro.children().findFirst().orElseThrow();
		Files.createFile(file("out.go"));
		Awaitility.await().until(() -> !running(command));
		signal("CONT", micro.toHandle());
		assertThat(micro.waitFor()).isEqualTo(76);
		assertThat(Files.readString(file("err"))).startsWith(LOST);
	}

	@Test
	void ctrlCIsTheCommandsToHeed() throws Exception {
		Process micro = process("x", "trap 'touch $OUT.told; exit 9' INT; touch $OUT; while :; do sleep 0.05; done");
		await("out");
		signal("INT", micro.toHandle());
		signal("INT", micro.children().findFirst().orElseThrow());
		assertThat(micro.waitFor()).isEqualTo(9);
		assertThat(file("out.told")).exists();
		assertThat(Files.readString(file("err"))).isEmpty();
		assertThat(free("x")).isTrue();
	}

	@Test
	void aCommandThatCtrlCDoesNotEndGoesOnWithTheLock() throws Exception {
		Process micro = process("x",
				"trap 'touch $OUT.told' INT; touch $OUT; while [ ! -e $OUT.go ]; do sleep 0.05; done; exit 5");
		await("out");
		signal("INT", micro.toHandle());
		signal("INT", micro.children().findFirst().orElseThrow());
		await("out.told");
		assertThat(free("x")).isFalse();
		Files.createFile(file("out.go"));
		assertThat(micro.waitFor()).isEqualTo(5);
		assertThat(free("x")).isTrue();
	}

	@Test
	void whoEndsMicroEndsTheCommandFirstAndThenTheLock() throws Exception {
		Process micro = process("x",
				"trap 'sleep 0.5; touch $OUT.told; exit 9' TERM; touch $OUT;" + " while :; do sleep 0.05; done");
		await("out");
		micro.destroy();
		assertThat(micro.waitFor()).isEqualTo(143);
		assertThat(file("out.told")).exists();
		assertThat(free("x")).isTrue();
	}

	@Test
	void whoStopsWaitingTakesNoLock() throws Exception {
		try (StoreSync other = this.stage.somebody()) {
			Lock lock = other.in("micro").lock("x", Duration.ofSeconds(30), Duration.ZERO);
			Process micro = process("x", "touch $OUT", "--wait=forever");
			Awaitility.await()
				.atMost(Duration.ofSeconds(20))
				.until(() -> this.stage.headers("micro-service").size() == 2);
			signal("INT", micro.toHandle());
			assertThat(micro.waitFor()).isEqualTo(130);
			lock.close();
			Awaitility.await().until(() -> free("x"));
			assertThat(file("out")).doesNotExist();
		}
	}

	@ParameterizedTest
	@CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
			lock | 'micro lock' wants one more word; see 'micro help lock'.
			lock run | Missing required parameters: 'NAME', 'COMMAND'; see 'micro help lock run'.
			lock run x | Missing required parameter: 'COMMAND'; see 'micro help lock run'.
			lock run x -- | Missing required parameter: 'COMMAND'; see 'micro help lock run'.
			lock run x touch y | Write the command behind '--', so that its options are not taken for micro's:
			lock run x --ttl 0s -- true | --ttl wants a time such as 5s, 200ms or 1m30s, from 1s to a day, not '0s'.
			lock run x --ttl 25h -- true | --ttl wants a time such as 5s, 200ms or 1m30s, from 1s to a day, not '25h'.
			lock run x --wait soon -- true | --wait wants a time such as 5s, 200ms or 1m30s, at most a hundred years, or
			lock run x --wait -1s -- true | --wait wants a time such as
			""")
	void wrongUseExitsWith1AndSaysWhatIsRight(String args, String message) {
		Stage.Ran ran = this.stage.micro(args.split(" "));
		assertThat(ran.err()).startsWith(message).hasLineCount(1);
		assertThat(ran.code()).isEqualTo(1);
		assertThat(ran.out()).isEmpty();
	}

	@Test
	void aNameThatIsNoneIsRefused() {
		assertThat(run(" ", "true"))
			.isEqualTo(new Stage.Ran(1, "", "Micro does not take this: the lock's name is blank.\n"));
	}

	@Test
	void aSyncThatIsNotRunningExitsWith4() throws Exception {
		try (Stage without = new Stage()) {
			assertThat(without.micro("lock", "run", "x", "--wait=forever", "--", "true"))
				.isEqualTo(new Stage.Ran(4, "", "The service 'sync' is not running: start it with 'micro server'.\n"));
		}
	}

	@Test
	void theCommandHasAHelpPage() {
		Stage.Ran help = this.stage.micro("lock", "run", "--help");
		assertThat(help.code()).isZero();
		assertThat(help.lines()).allMatch((line) -> line.length() <= 80);
		assertThat(help.out()).contains("micro lock run [OPTIONS] NAME -- COMMAND...").contains("75").contains("76");
		assertThat(help).isEqualTo(this.stage.micro("help", "lock", "run"));
	}

	private Stage.Ran run(String name, String script, String... options) {
		return this.stage.micro(args(name, script, options));
	}

	private CompletableFuture<Stage.Ran> async(String name, String script, String... options) {
		return CompletableFuture.supplyAsync(() -> run(name, script, options));
	}

	private static String[] args(String name, String script, String... options) {
		List<String> args = new ArrayList<>(List.of("lock", "run", name));
		args.addAll(List.of(options));
		args.addAll(List.of("--", "sh", "-c", script));
		return args.toArray(new String[0]);
	}

	private Process process(String name, String script, String... options) throws IOException {
		List<String> command = new ArrayList<>(
				List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp",
						System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
						Micro.class.getName()));
		command.addAll(List.of(args(name, script, options)));
		ProcessBuilder builder = new ProcessBuilder(command).redirectOutput(file("stdout").toFile())
			.redirectError(file("err").toFile());
		builder.environment().putAll(this.stage.environment());
		Process process = builder.start();
		this.processes.add(process);
		return process;
	}

	private static void signal(String signal, ProcessHandle process) throws Exception {
		assertThat(new ProcessBuilder("kill", "-" + signal, "" + process.pid()).start().waitFor()).isZero();
	}

	// Whose parent stands still is not alive, and not gone either.
	private static boolean running(ProcessHandle process) throws IOException {
		Path stat = Path.of("/proc/" + process.pid() + "/stat");
		return (Files.exists(stat)) ? !Files.readString(stat).matches("(?s).*\\) Z .*") : process.isAlive();
	}

	private void delete(String name) {
		assertThat(this.stage.database("micro").table(StoreLocks.TABLE).delete(name)).isTrue();
	}

	private boolean free(String name) {
		try (StoreSync other = this.stage.somebody();
				Lock lock = other.in("micro").lock(name, Duration.ofSeconds(5), Duration.ZERO)) {
			return lock != null;
		}
	}

	private void await(String name) {
		Awaitility.await().atMost(Duration.ofSeconds(20)).until(() -> Files.exists(file(name)));
	}

	private Path file(String name) {
		return this.folder.resolve(name);
	}

}
