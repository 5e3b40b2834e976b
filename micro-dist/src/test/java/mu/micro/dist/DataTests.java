package mu.micro.dist;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What is kept, by processes of their own and by the server, through the end of all of
 * them.
 */
class DataTests {

	private static final Path NOTES = App.ROOT.resolve("samples/notes/target/notes.jar");

	@TempDir
	private Path data;

	@Test
	void twoProcessesShareTablesSettingsAndALockWithNoServer() {
		Map<String, String> environment = Map.of("MICRO_DATA_DIR", this.data.toString());
		try (App one = App.java(environment, NOTES, "--micro.sync.leader-ttl=3s")) {
			one.await("You have: nothing yet");
			try (App two = App.java(environment, NOTES, "--micro.sync.leader-ttl=3s", "--add=milk", "--add=bread",
					"--greet=Think of")) {
				one.await("Think of: bread, milk");
				assertThat(two.output()).doesNotContain("milk");
				one.kill();
				two.await("Think of: bread, milk");
				two.kill();
			}
		}
		try (App again = App.java(environment, NOTES)) {
			again.await("Think of: bread, milk");
		}
	}

	@Test
	void whatWasWrittenIsReadAfterEverythingWasKilled() {
		Map<String, String> environment = new HashMap<>();
		try (Platform platform = new Platform(this.data).start()) {
			environment.putAll(platform.environment());
			DistributionTests
				.eventually(() -> assertThat(platform.ask("store", "write", "greeting", "Hello")).isEmpty());
			platform.ask("config", "set", "notes.limit", "3");
			platform.ask("blob", "put", "programs/notes.jar", NOTES.toString());
			assertThat(platform.ask("lock", "run", "one", "--", "echo", "locked")).isEqualTo("locked");
			platform.server().kill();
		}
		try (Platform platform = new Platform(this.data)) {
			platform.environment().put("MICRO_NAMESPACE", environment.get("MICRO_NAMESPACE"));
			platform.start();
			DistributionTests
				.eventually(() -> assertThat(platform.ask("store", "read", "greeting")).isEqualTo("Hello"));
			assertThat(platform.ask("config", "get", "notes.limit")).isEqualTo("3");
			assertThat(platform.ask("store", "list")).isEqualTo("greeting");
			Path got = this.data.resolve("got.jar");
			platform.ask("blob", "get", "programs/notes.jar", got.toString());
			assertThat(got).hasSameBinaryContentAs(NOTES);
		}
	}

}
