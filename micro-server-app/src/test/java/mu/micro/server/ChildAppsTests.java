package mu.micro.server;

import java.util.Map;

import org.junit.jupiter.api.Test;

import org.springframework.core.env.MapPropertySource;
import org.springframework.core.env.SimpleCommandLinePropertySource;
import org.springframework.core.env.StandardEnvironment;

import static org.assertj.core.api.Assertions.assertThat;

class ChildAppsTests {

	@Test
	void childrenGetWhatWasSaidByFlagAndSystemPropertyAndNothingElse() {
		StandardEnvironment environment = new StandardEnvironment();
		environment.getPropertySources()
			.replace(StandardEnvironment.SYSTEM_PROPERTIES_PROPERTY_SOURCE_NAME,
					new MapPropertySource(StandardEnvironment.SYSTEM_PROPERTIES_PROPERTY_SOURCE_NAME,
							Map.of("micro.namespace", "by-property", "micro.gateway.port", "1", "user.name", "jane")));
		environment.getPropertySources()
			.addFirst(new SimpleCommandLinePropertySource("--micro.gateway.port=2", "--spring.profiles.active=blue",
					"--server.port=3", "--micro.exit-with-parent=false"));
		environment.getPropertySources().addLast(new MapPropertySource("defaults", Map.of("micro.data-dir", "/x")));
		assertThat(ChildApps.arguments(environment)).containsExactlyInAnyOrder("--micro.exit-with-parent=true",
				"--micro.gateway.port=2", "--micro.namespace=by-property", "--spring.profiles.active=blue");
	}

}
