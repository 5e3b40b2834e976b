package mu.micro.dist;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

import org.awaitility.Awaitility;
import org.awaitility.core.ThrowingRunnable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What a developer does on the first day, over one running platform with helloworld and
 * greeting.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DistributionTests {

	private static final String HELLO = "{\"msg\":\"Hello Jane\"}";

	private Platform platform;

	private App helloworld;

	private App greeting;

	@BeforeAll
	void start(@TempDir Path data) {
		this.platform = new Platform(data);
		this.platform.start();
		this.helloworld = this.platform.helloworld();
		this.greeting = this.platform.greeting();
		eventually(() -> assertThat(this.platform.ask("services").lines()).containsExactly("api", "broker", "config",
				"events", "greeting", "helloworld", "proxy", "registry", "store", "sync"));
		eventually(() -> assertThat(this.platform.get("/greeting?name=Jane").statusCode()).isEqualTo(200));
		eventually(() -> assertThat(this.platform.get("/helloworld?name=Jane").statusCode()).isEqualTo(200));
		eventually(() -> assertThat(this.platform.ask("helloworld", "--name", "Jane")).isEqualTo(HELLO));
	}

	@AfterAll
	void stop() {
		this.greeting.close();
		this.helloworld.close();
		this.platform.close();
	}

	@Test
	void curlCallsAService() {
		assertThat(this.platform.get("/helloworld/call?name=Jane").body()).isEqualTo(HELLO);
		assertThat(this.platform.get("/helloworld?name=Jane").body()).isEqualTo(HELLO);
		assertThat(this.platform.post("/helloworld/call", "{\"name\":\"Jane\"}").body()).isEqualTo(HELLO);
	}

	@Test
	void theShellCallsAService() {
		assertThat(this.platform.ask("helloworld", "--name", "Jane")).isEqualTo(HELLO);
		assertThat(this.platform.ask("helloworld", "call", "--name=Jane")).isEqualTo(HELLO);
		assertThat(this.platform.ask("call", "helloworld", "Helloworld.Call", "{\"name\":\"Jane\"}")).isEqualTo(HELLO);
		assertThat(this.platform.ask("helloworld", "stream", "--count", "3").lines()).hasSize(3);
	}

	@Test
	void anotherServiceCallsAService() {
		assertThat(this.platform.get("/greeting?name=Jane").body()).isEqualTo("{\"greeting\":\"Hello Jane, welcome\"}");
	}

	@Test
	void theShellShowsWhatAServiceOffers() {
		eventually(() -> assertThat(this.platform.ask("get", "service", "helloworld")).contains("Helloworld.Call")
			.contains("Helloworld.Stream")
			.contains("name string")
			.contains("127.0.0.1:"));
		assertThat(this.platform.ask("helloworld", "--help")).contains("call").contains("stream").contains("ping");
		assertThat(this.platform.ask("get", "service", "api")).contains("http=" + this.platform.gateway() + ",");
	}

	@Test
	void everyServiceAnswersDebug() {
		for (String service : List.of("helloworld", "registry", "store", "api", "proxy")) {
			assertThat(this.platform.ask("debug", "health", service)).as(service).contains("ok");
		}
		assertThat(this.platform.ask("debug", "stats", "helloworld")).contains("UPTIME");
	}

	@Test
	void whatIsNotThereIsSaidPlainly() {
		assertThat(this.platform.get("/nobody/call").statusCode()).isEqualTo(404);
		assertThat(this.platform.get("/nobody/call").body()).contains("\"code\":404").contains("nobody");
		try (App app = this.platform.micro("nobody", "--name", "Jane")) {
			assertThat(app.exitCode()).isEqualTo(4);
			assertThat(app.output()).contains("nobody").doesNotContain("Exception").doesNotContain("\tat ");
		}
		try (App app = this.platform.micro("helloworld", "--nme", "Jane")) {
			assertThat(app.exitCode()).isNotZero();
			assertThat(app.output()).contains("--nme").contains("--name");
		}
	}

	@Test
	void theServerTakesSettingsAndNothingElse() {
		try (App app = this.platform.micro("server", "foo")) {
			assertThat(app.exitCode()).isEqualTo(1);
			assertThat(app.output()).contains("takes settings").contains("'foo'");
		}
	}

	@Test
	void theServersHealthTellsOfItsApps() {
		assertThat(this.platform.server().output()).doesNotContain("ERROR").doesNotContain("WARN");
	}

	@Test
	void noWarningOfTheJdkReachesTheTerminal() {
		assertThat(this.platform.ask("version")).doesNotContain("WARNING");
		assertThat(this.platform.server().output()).doesNotContain("WARNING: ");
	}

	@Test
	void aKilledServiceIsForgottenAndComesBack() {
		// A ttl that nobody waits for here: it is forgotten because it is dead.
		try (App victim = this.platform.helloworld("--spring.application.name=victim", "--micro.registry.ttl=10m")) {
			eventually(
					() -> assertThat(this.platform.get("/victim/helloworld/call?name=Jane").body()).isEqualTo(HELLO));
			victim.kill();
			long killed = System.nanoTime();
			assertThat(this.platform.get("/victim/helloworld/call?name=Jane").statusCode()).isIn(404, 503);
			assertThat(Duration.ofNanos(System.nanoTime() - killed)).isLessThan(Duration.ofSeconds(5));
			eventually(() -> assertThat(this.platform.ask("services").lines()).doesNotContain("victim"));
		}
		try (App again = this.platform.helloworld("--spring.application.name=victim")) {
			eventually(
					() -> assertThat(this.platform.get("/victim/helloworld/call?name=Jane").body()).isEqualTo(HELLO));
			eventually(() -> assertThat(this.platform.ask("victim", "helloworld", "call", "--name", "Jane"))
				.isEqualTo(HELLO));
			assertThat(again.handle().isAlive()).isTrue();
		}
	}

	@Test
	void theDistributionHasNoVersionsInItsNames() throws IOException {
		try (var files = Files.walk(App.ROOT.resolve("target/micro"))) {
			assertThat(files.map((file) -> file.getFileName().toString()))
				.noneMatch((name) -> name.matches(".*\\d\\.\\d.*\\.jar"));
		}
		assertThat(App.ROOT.resolve("target/micro.tar.gz")).isRegularFile();
	}

	static void eventually(ThrowingRunnable assertion) {
		Awaitility.await().atMost(Duration.ofSeconds(60)).pollInterval(Duration.ofMillis(100)).untilAsserted(assertion);
	}

}
