package mu.micro.server;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

import mu.micro.autoconfigure.PortTakenException;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

import static org.assertj.core.api.Assertions.assertThat;

@ExtendWith(OutputCaptureExtension.class)
class ChildAppTests {

	private static final Duration DELAY = Duration.ofMillis(1);

	@TempDir
	private Path directory;

	@Test
	void itsLinesArePrefixed(CapturedOutput output) {
		ChildApp app = shell("echo one; echo two >&2; read line", DELAY);
		app.start();
		Awaitility.await().untilAsserted(() -> assertThat(output.getOut().lines()).contains("app | one", "app | two"));
		stop(app);
	}

	@Test
	void itEndsWhenItsPipeCloses() {
		ChildApp app = shell("read line; exit 0", DELAY);
		app.start();
		Awaitility.await().until(() -> app.state().startsWith("running as process"));
		ProcessHandle process = ProcessHandle.of(Long.parseLong(app.state().replaceAll("\\D", ""))).orElseThrow();
		stop(app);
		assertThat(process.isAlive()).isFalse();
		assertThat(app.state()).isEqualTo("stopped");
	}

	@Test
	void oneThatDiesIsStartedAgain(CapturedOutput output) throws IOException {
		Path count = this.directory.resolve("count");
		ChildApp app = shell("echo x >> " + count + "; [ $(wc -l < " + count + ") -lt 3 ] && exit 7; read line", DELAY);
		app.start();
		Awaitility.await().until(() -> Files.exists(count) && Files.readAllLines(count).size() == 3);
		Awaitility.await().until(() -> app.state().startsWith("running as process"));
		assertThat(output).contains("The app ended with exit code 7; started again in 1 ms.")
			.contains("started again in 2 ms");
		stop(app);
	}

	@Test
	void oneThatNeverLivesLongIsGivenUpWithItsReason(CapturedOutput output) {
		ChildApp app = shell("exit 7", DELAY);
		app.start();
		Awaitility.await().until(app::gaveUp);
		assertThat(app.state()).isEqualTo("gave up: ended with exit code 7");
		Awaitility.await()
			.untilAsserted(() -> assertThat(output).contains("6 times in a row, and is not started again"));
		stop(app);
	}

	@Test
	void oneWhosePortIsTakenIsGivenUpAtOnce(CapturedOutput output) {
		ChildApp app = shell("exit " + PortTakenException.EXIT_CODE, Duration.ofHours(1));
		app.start();
		Awaitility.await().until(app::gaveUp);
		assertThat(app.state()).isEqualTo("gave up: ended because its port is taken");
		Awaitility.await()
			.untilAsserted(() -> assertThat(output)
				.contains("The app ended because its port is taken and is not started again."));
		stop(app);
	}

	@Test
	void oneThatCannotBeStartedIsGivenUpWithItsReason() {
		ChildApp app = new ChildApp("app", List.of(this.directory.resolve("nothing").toString()), DELAY);
		app.start();
		Awaitility.await().until(app::gaveUp);
		assertThat(app.state()).contains("cannot be started").contains("No such file");
	}

	@Test
	@Timeout(value = 20, unit = TimeUnit.SECONDS)
	void stoppingDoesNotWaitForTheNextStart() {
		ChildApp app = shell("exit 7", Duration.ofHours(1));
		app.start();
		Awaitility.await().until(() -> app.state().startsWith("starting again"));
		stop(app);
		assertThat(app.state()).isEqualTo("stopped");
	}

	private static ChildApp shell(String script, Duration delay) {
		return new ChildApp("app", List.of("sh", "-c", script), delay);
	}

	private static void stop(ChildApp app) {
		app.beginStop();
		app.awaitStop();
	}

}
