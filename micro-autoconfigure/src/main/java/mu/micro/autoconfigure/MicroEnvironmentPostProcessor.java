package mu.micro.autoconfigure;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

import org.jspecify.annotations.Nullable;

import org.springframework.boot.EnvironmentPostProcessor;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.context.properties.source.InvalidConfigurationPropertyValueException;
import org.springframework.core.Ordered;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.MapPropertySource;

/**
 * Adds the profile's defaults at the lowest precedence, so that whatever a user says
 * wins.
 */
class MicroEnvironmentPostProcessor implements EnvironmentPostProcessor, Ordered {

	static final String SOURCE = "microProfile";

	private static final String PROPERTY = "micro.profile";

	@Override
	public int getOrder() {
		return Ordered.LOWEST_PRECEDENCE;
	}

	@Override
	public void postProcessEnvironment(ConfigurableEnvironment environment, SpringApplication application) {
		MicroProfile profile = profile(environment);
		Map<String, Object> defaults = new HashMap<>(profile.defaults());
		defaults.put(PROPERTY, profile.id());
		defaults.put("micro.data-dir", "${user.home}/.micro");
		// It logs each registration, and what its peers do wrong.
		defaults.put("logging.level.javax.jmdns", "off");
		// What Micro v3 took, and what gateway and proxy pass on.
		defaults.put("spring.grpc.server.inbound.message.max-size", "32MB");
		defaults.put("spring.grpc.server.port", "0");
		defaults.put("spring.grpc.server.address", "${micro.listen-address}");
		environment.getPropertySources().addLast(new MapPropertySource(SOURCE, defaults));
	}

	private static MicroProfile profile(ConfigurableEnvironment environment) {
		String set = environment.getProperty(PROPERTY);
		if (set != null) {
			return find(set).orElseThrow(() -> new InvalidConfigurationPropertyValueException(PROPERTY, set,
					"it is one of " + Arrays.stream(MicroProfile.values())
						.map(MicroProfile::id)
						.collect(Collectors.joining(", "))));
		}
		return Arrays.stream(environment.getActiveProfiles())
			.flatMap((active) -> find(active).stream())
			.findFirst()
			.orElse(MicroProfile.LOCAL);
	}

	private static Optional<MicroProfile> find(@Nullable String id) {
		return Arrays.stream(MicroProfile.values()).filter((profile) -> profile.id().equalsIgnoreCase(id)).findFirst();
	}

}
