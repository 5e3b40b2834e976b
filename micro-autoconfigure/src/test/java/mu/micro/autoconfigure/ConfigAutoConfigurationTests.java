package mu.micro.autoconfigure;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;

import mu.micro.MicroException;
import mu.micro.Scoped;
import mu.micro.config.Config;
import mu.micro.config.Json;
import mu.micro.core.Keyring;
import mu.micro.core.StoreConfig;
import mu.micro.jdbc.JdbcDatabases;
import mu.micro.remote.RemoteConfig;
import mu.micro.store.Databases;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.cloud.context.config.annotation.RefreshScope;
import org.springframework.cloud.context.refresh.ContextRefresher;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

@ExtendWith(OutputCaptureExtension.class)
class ConfigAutoConfigurationTests {

	@TempDir
	private Path data;

	private Databases databases;

	private Scoped<Config> configs;

	private Config config;

	@BeforeEach
	void openAsAnotherProcess() {
		this.databases = JdbcDatabases.sqlite(this.data.resolve("store.db"), Duration.ofSeconds(5), Clock.systemUTC());
		this.configs = new StoreConfig(this.databases, Keyring.file(this.data.resolve("config-keys")));
		this.config = this.configs.in("micro");
	}

	@AfterEach
	void close() {
		this.configs.close();
		this.databases.close();
	}

	@Test
	void theConfigurationIsInTheStoreByDefault() {
		try (ConfigurableApplicationContext context = start()) {
			context.getBean(Config.class).set("greeting.text", Json.of("Hello"), false);
		}
		assertThat(this.config.get("greeting.text", false)).isEqualTo(Json.of("Hello"));
	}

	@Test
	void theProfileChoosesTheProvider() {
		try (ConfigurableApplicationContext context = start("micro.profile=service")) {
			assertThat(context.getBeanProvider(Scoped.class).stream().toList())
				.hasAtLeastOneElementOfType(RemoteConfig.class);
		}
	}

	@Test
	void importedPropertiesStandAboveFilesAndBelowTheCommandLine() throws Exception {
		this.config.set("", object(Map.of("one", Json.of("config"), "two", Json.of("config"))), false);
		Path file = Files.writeString(this.data.resolve("application.properties"), """
				one=file
				three=file
				spring.config.import=micro:
				""");
		Files.writeString(this.data.resolve("application-blue.properties"), "one=blue file\n");
		try (ConfigurableApplicationContext context = start("spring.config.location=" + file.getParent() + "/",
				"spring.profiles.active=blue", "two=command line")) {
			assertThat(context.getEnvironment().getProperty("one")).isEqualTo("config");
			assertThat(context.getEnvironment().getProperty("two")).isEqualTo("command line");
			assertThat(context.getEnvironment().getProperty("three")).isEqualTo("file");
		}
	}

	@Test
	void aPartIsImportedByItsPathWithItsTypesAndItsSecrets() {
		this.config.set("orders", object(Map.of("limit", Json.of(9_007_199_254_740_993L), "fast", Json.of(true),
				"names", Json.of(List.of(Json.of("a"), Json.of("b"))), "none", Json.NULL)), false);
		this.config.set("orders.password", Json.of("hunter2"), true);
		this.config.set("others.limit", Json.of(1), false);
		try (ConfigurableApplicationContext context = start("spring.config.import=micro:orders")) {
			assertThat(context.getEnvironment().getProperty("limit", Long.class)).isEqualTo(9_007_199_254_740_993L);
			assertThat(context.getEnvironment().getProperty("fast", Boolean.class)).isTrue();
			assertThat(context.getEnvironment().getProperty("names[1]")).isEqualTo("b");
			assertThat(context.getEnvironment().getProperty("none")).isEmpty();
			assertThat(context.getEnvironment().getProperty("password")).isEqualTo("hunter2");
			assertThat(context.getEnvironment().containsProperty("others.limit")).isFalse();
		}
	}

	@Test
	void aChangeReachesRefreshedBeansAndBoundProperties(CapturedOutput output) {
		this.config.set("greeting.text", Json.of("Hello"), false);
		try (ConfigurableApplicationContext context = start("spring.config.import=micro:")) {
			Greeter greeter = context.getBean(Greeter.class);
			GreetingProperties properties = context.getBean(GreetingProperties.class);
			assertThat(greeter.text()).isEqualTo("Hello");
			assertThat(properties.getText()).isEqualTo("Hello");
			this.config.set("greeting.text", Json.of("Servus"), true);
			Awaitility.await().atMost(Duration.ofSeconds(10)).untilAsserted(() -> {
				assertThat(properties.getText()).isEqualTo("Servus");
				assertThat(greeter.text()).isEqualTo("Servus");
			});
			this.config.remove("greeting");
			Awaitility.await()
				.atMost(Duration.ofSeconds(10))
				.untilAsserted(() -> assertThat(greeter.text()).isEqualTo("nothing"));
		}
		assertThat(output).contains("Changed in micro:: greeting.text").doesNotContain("Servus");
	}

	@Test
	void aValueThatOneBeanCannotTakeReachesTheOthersAndNoLog(CapturedOutput output) {
		try (ConfigurableApplicationContext context = start("spring.config.import=micro:")) {
			this.config.set("",
					object(Map.of("greeting", object(Map.of("text", Json.of("Servus"), "limit", Json.of("hunter2"))))),
					true);
			Awaitility.await()
				.atMost(Duration.ofSeconds(10))
				.untilAsserted(() -> assertThat(context.getBean(Greeter.class).text()).isEqualTo("Servus"));
			Awaitility.await()
				.atMost(Duration.ofSeconds(10))
				.untilAsserted(() -> assertThat(output).contains("Not every bean could take the change of"));
		}
		assertThat(output).doesNotContain("hunter2");
	}

	@Test
	void aRefreshOfTheWholeContextLeavesTheImportAlive() {
		this.config.set("greeting.text", Json.of("Hello"), false);
		try (ConfigurableApplicationContext context = start("spring.config.import=micro:")) {
			context.getBean(ContextRefresher.class).refresh();
			this.config.set("greeting.text", Json.of("Servus"), false);
			Awaitility.await()
				.atMost(Duration.ofSeconds(10))
				.untilAsserted(() -> assertThat(context.getBean(Greeter.class).text()).isEqualTo("Servus"));
		}
	}

	@Test
	void theImportAndTheBeansAreWhereAFileForAProfileSays() throws Exception {
		Path elsewhere = this.data.resolve("elsewhere");
		Path file = Files.writeString(this.data.resolve("application.properties"), "spring.config.import=micro:\n");
		Files.writeString(this.data.resolve("application-blue.properties"), "micro.dataDir=" + elsewhere + "\n");
		SpringApplication application = new SpringApplication(Application.class);
		try (ConfigurableApplicationContext context = application
			.run("--spring.config.location=" + file.getParent() + "/", "--spring.profiles.active=blue")) {
			context.getBean(Config.class).set("secret", Json.of("x"), true);
			assertThat(elsewhere.resolve("store.db")).exists();
			assertThat(elsewhere.resolve("config-keys")).exists();
			assertThat(context.getBean(MicroProperties.class).dataDir()).isEqualTo(elsewhere);
		}
	}

	@Test
	void whatIsImportedAndTheBeansAreOneAndTheSame() {
		try (ConfigurableApplicationContext context = start("spring.config.import=micro:")) {
			ImportedConfig imported = context.getBean(ImportedConfig.class);
			assertThat(context.getBean(Databases.class)).isSameAs(imported.databases());
			assertThat(context.getBean("microConfigs")).isSameAs(imported.configs());
		}
	}

	@Test
	void aConfigurationThatIsAwayEndsTheStartUnlessItIsOptional(CapturedOutput output) {
		assertThatThrownBy(
				() -> start("micro.profile=service", "micro.remote.address=127.0.0.1:1", "spring.config.import=micro:"))
			.hasRootCauseInstanceOf(Exception.class)
			.satisfies((ex) -> assertThat(ex).isInstanceOfAny(MicroException.class, IllegalStateException.class));
		assertThat(output).contains("APPLICATION FAILED TO START").contains("127.0.0.1:1").contains("micro server");
		start("micro.profile=service", "micro.remote.address=127.0.0.1:1", "spring.config.import=optional:micro:")
			.close();
		assertThat(output).contains("micro: is away, and taken once it is there");
	}

	private static Json object(Map<String, ? extends Json> members) {
		return Json.of(members);
	}

	private ConfigurableApplicationContext start(String... properties) {
		SpringApplication application = new SpringApplication(Application.class);
		String[] arguments = new String[properties.length + 1];
		arguments[0] = "--micro.data-dir=" + this.data;
		for (int i = 0; i < properties.length; i++) {
			arguments[i + 1] = "--" + properties[i];
		}
		return application.run(arguments);
	}

	@Configuration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	@EnableConfigurationProperties(GreetingProperties.class)
	static class Application {

		@Bean
		@RefreshScope
		Greeter greeter(@Value("${greeting.text:nothing}") String text) {
			return new Greeter(text);
		}

	}

	static class Greeter {

		private final @Nullable String text;

		Greeter() {
			this(null);
		}

		Greeter(@Nullable String text) {
			this.text = text;
		}

		@Nullable String text() {
			return this.text;
		}

	}

	@ConfigurationProperties("greeting")
	static class GreetingProperties {

		private @Nullable String text;

		private int limit;

		int getLimit() {
			return this.limit;
		}

		void setLimit(int limit) {
			this.limit = limit;
		}

		@Nullable String getText() {
			return this.text;
		}

		void setText(@Nullable String text) {
			this.text = text;
		}

	}

}
