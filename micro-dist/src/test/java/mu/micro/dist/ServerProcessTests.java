package mu.micro.dist;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * The server and its child processes: started, stopped, killed, and started wrongly.
 */
class ServerProcessTests {

	private static final Path SERVER = App.ROOT.resolve("micro-server-app/target/micro-server-app.jar");

	@TempDir
	private Path data;

	@Test
	void theJarAloneBringsEverythingUpAndKilledLeavesNothingBehind() {
		try (Platform platform = new Platform(this.data)) {
			platform.run(App.java(platform.environment(), SERVER));
			DistributionTests.eventually(() -> assertThat(platform.ask("services").lines()).containsExactly("api",
					"broker", "config", "events", "proxy", "registry", "store", "sync"));
			List<ProcessHandle> children = platform.server().handle().descendants().toList();
			assertThat(children).hasSize(2);
			platform.server().kill();
			Awaitility.await()
				.atMost(Duration.ofSeconds(15))
				.until(() -> children.stream().noneMatch(ProcessHandle::isAlive));
		}
	}

	@Test
	void aChildThatDiesIsStartedAgainAndATerminatedServerStopsAll() {
		try (Platform platform = new Platform(this.data).start()) {
			String before = platform.gateway();
			ProcessHandle gateway = child(platform, "micro-gateway-app.jar");
			gateway.destroyForcibly();
			platform.server().await("The gateway ended with exit code 137; started again in 250 ms");
			Awaitility.await()
				.atMost(Duration.ofSeconds(60))
				.untilAsserted(() -> assertThat(platform.ask("get", "service", "api")).contains("http=")
					.doesNotContain("http=" + before + ","));
			assertThat(child(platform, "micro-gateway-app.jar").pid()).isNotEqualTo(gateway.pid());
			List<ProcessHandle> family = platform.server().handle().descendants().toList();
			assertThat(family).hasSize(2);
			platform.server().handle().destroy();
			assertThat(platform.server().exitCode()).isEqualTo(143);
			assertThat(family).noneMatch(ProcessHandle::isAlive);
		}
	}

	@Test
	@EnabledOnOs(OS.LINUX)
	void aPortInUseIsExplainedByServerAndChildren() throws IOException {
		try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
				Platform platform = new Platform(this.data)) {
			String port = String.valueOf(taken.getLocalPort());
			platform.environment().put("MICRO_SERVER_PORT", port);
			try (App app = App.java(platform.environment(), SERVER)) {
				assertThat(app.exitCode()).isNotZero();
				assertThat(app.output()).doesNotContain("gateway |").doesNotContain("proxy |");
				assertThat(app.output()).contains("Port " + port + " is already in use by process")
					.doesNotContain("\tat ");
			}
			platform.environment().put("MICRO_SERVER_PORT", "0");
			try (App app = App.java(platform.environment(), SERVER, "--micro.gateway.port=" + port,
					"--micro.server.apps=gateway")) {
				app.await("gateway \\| .*Port " + port + " is already in use by process");
				app.await("micro.gateway.port or MICRO_GATEWAY_PORT");
				app.await("The gateway ended because its port is taken and is not started again");
			}
		}
	}

	@Test
	@EnabledOnOs(OS.LINUX)
	void aSecondServerSaysThatOneIsRunning() {
		try (Platform platform = new Platform(this.data);
				App first = App.java(platform.environment(), SERVER, "--micro.server.apps=")) {
			String port = first.await("core services at 127.0.0.1:(\\d+)");
			try (App second = App.java(platform.environment(), SERVER, "--micro.server.port=" + port,
					"--micro.server.apps=")) {
				assertThat(second.exitCode()).isNotZero();
				assertThat(second.output())
					.contains("A Micro server is running already at 127.0.0.1:" + port + ": process "
							+ first.handle().pid())
					.contains("MICRO_SERVER_PORT");
			}
		}
	}

	@Test
	void aDataDirectoryThatIsNoneIsExplained() throws IOException {
		Path file = Files.writeString(this.data.resolve("file"), "in the way");
		try (App app = App.java(Map.of("MICRO_SERVER_PORT", "0", "MICRO_SERVER_MANAGEMENT_PORT", "0"), SERVER,
				"--micro.data-dir=" + file, "--micro.server.apps=")) {
			assertThat(app.exitCode()).isNotZero();
			assertThat(app.output()).contains("micro.data-dir").contains(file.toString()).doesNotContain("\tat ");
		}
	}

	@Test
	void appsThatAreNotThereAreMissedAloudAndTheServerServesWithoutThem() {
		try (Platform platform = new Platform(this.data);
				App app = App.java(platform.environment(), SERVER, "--micro.server.apps-dir=" + this.data)) {
			app.await("The gateway is not started: no jar at " + this.data);
			app.await("The proxy is not started: no jar at " + this.data);
			app.await("core services at 127.0.0.1:(\\d+)");
			assertThat(app.handle().isAlive()).isTrue();
		}
	}

	@Test
	void servicesFindEachOtherWithoutAServer() {
		try (Platform platform = new Platform(this.data);
				App helloworld = platform.helloworld();
				App greeting = App.java(platform.environment(),
						App.ROOT.resolve("samples/greeting/target/greeting.jar"), "--logging.level.mu.micro=debug");
				App gateway = App.java(platform.environment(),
						App.ROOT.resolve("micro-gateway-app/target/micro-gateway-app.jar"))) {
			String address = gateway.await("http://([\\d.]+:\\d+)");
			DistributionTests
				.eventually(() -> assertThat(Platform.get(URI.create("http://" + address + "/greeting?name=Jane")))
					.isEqualTo("{\"greeting\":\"Hello Jane, welcome\"}"));
			assertThat(helloworld.handle().isAlive()).isTrue();
			assertThat(greeting.handle().isAlive()).isTrue();
		}
	}

	@Test
	void withoutAServerTheShellStillCallsAndSaysWhatIsMissing() {
		try (Platform platform = new Platform(this.data);
				App helloworld = platform.helloworld();
				App proxy = App.java(platform.environment(),
						App.ROOT.resolve("micro-proxy-app/target/micro-proxy-app.jar"))) {
			platform.environment().put("MICRO_PROXY", proxy.await(" at ([\\d.]+:\\d+)"));
			DistributionTests.eventually(() -> assertThat(platform.ask("helloworld", "--name", "Jane"))
				.isEqualTo("{\"msg\":\"Hello Jane\"}"));
			try (App services = platform.micro("services")) {
				assertThat(services.exitCode()).isEqualTo(4);
				assertThat(services.output()).isEqualTo("The registry is not running: start it with 'micro server'.");
			}
			assertThat(helloworld.handle().isAlive()).isTrue();
		}
	}

	private static ProcessHandle child(Platform platform, String jar) {
		return platform.server()
			.handle()
			.children()
			.filter((child) -> child.info().commandLine().orElse("").contains(jar))
			.findFirst()
			.orElseThrow();
	}

}
