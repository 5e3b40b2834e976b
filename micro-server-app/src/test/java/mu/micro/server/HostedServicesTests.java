package mu.micro.server;

import java.time.Duration;

import mu.micro.Message;
import mu.micro.MicroException;
import mu.micro.config.Json;
import mu.micro.registry.Instance;
import mu.micro.registry.Registry;
import mu.micro.remote.RemoteBroker;
import mu.micro.remote.RemoteConfig;
import mu.micro.remote.RemoteDatabases;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ConfigurableApplicationContext;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class HostedServicesTests {

	private static final Duration TIMEOUT = Duration.ofSeconds(20);

	@Test
	void theServicesThatAreNamedAnswerAndTheOthersDoNot() {
		try (ConfigurableApplicationContext server = start("store,config")) {
			Registry registry = server.getBean(Registry.class);
			assertThat(registry.services()).containsExactlyInAnyOrder("store", "config");
			Instance store = registry.instances("store").get(0);
			String address = store.host() + ":" + store.port();
			try (RemoteConfig config = new RemoteConfig(address, TIMEOUT);
					RemoteDatabases databases = new RemoteDatabases(address, TIMEOUT);
					RemoteBroker broker = new RemoteBroker(address, TIMEOUT)) {
				config.in("shop").set("price", Json.of(3), false);
				assertThat(config.in("shop").get("price", false)).isEqualTo(Json.of(3));
				assertThat(databases.in("shop").tables()).isNotEmpty();
				assertThatExceptionOfType(MicroException.Unimplemented.class)
					.isThrownBy(() -> broker.in("shop").publish("prices", Message.of(new byte[0])));
			}
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "broker", "config", "events", "registry", "store", "sync" })
	void eachServiceNeedsNoOther(String service) {
		try (ConfigurableApplicationContext server = start(service)) {
			assertThat(server.getBean(Registry.class).services()).containsExactly(service);
		}
	}

	@Test
	@ExtendWith(OutputCaptureExtension.class)
	void aServiceThatThereIsNotEndsInAnAnalysisThatListsThoseThereAre(CapturedOutput output) {
		assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(() -> start("store,stor"));
		assertThat(output).containsSubsequence("APPLICATION FAILED TO START", "micro.server.services", "'stor'",
				"broker, config, events, registry, store, sync");
	}

	private static ConfigurableApplicationContext start(String services) {
		return SpringApplication.run(ServerApplication.class, "--micro.profile=test", "--micro.server.port=0",
				"--micro.server.management-port=0", "--micro.server.services=" + services);
	}

}
