package mu.micro.autoconfigure;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
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
import org.springframework.core.env.MutablePropertySources;
import org.springframework.core.env.PropertySource;
import org.springframework.core.env.StandardEnvironment;

/**
 * Adds the profile's defaults at the lowest precedence, so that whatever a user says
 * wins.
 */
class MicroEnvironmentPostProcessor implements EnvironmentPostProcessor, Ordered {

	static final String SOURCE = "microProfile";

	static final String PROPERTY = "micro.profile";

	@Override
	public int getOrder() {
		return Ordered.LOWEST_PRECEDENCE;
	}

	@Override
	public void postProcessEnvironment(ConfigurableEnvironment environment, SpringApplication application) {
		MicroProfile profile = profile(environment.getProperty(PROPERTY), List.of(environment.getActiveProfiles()));
		environment.getPropertySources().addLast(new MapPropertySource(SOURCE, defaults(profile)));
		liftImported(environment.getPropertySources());
	}

	/*
	 * An import stands above the file that asks for it, yet below files for a profile.
	 */
	private static void liftImported(MutablePropertySources sources) {
		List<PropertySource<?>> imported = sources.stream()
			.<PropertySource<?>>filter(ConfigPropertySource.class::isInstance)
			.toList();
		if (sources.contains(StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME)) {
			String above = StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME;
			for (PropertySource<?> source : imported) {
				sources.remove(source.getName());
				sources.addAfter(above, source);
				above = source.getName();
			}
		}
	}

	static Map<String, Object> defaults(MicroProfile profile) {
		Map<String, Object> defaults = new HashMap<>(profile.defaults());
		defaults.put(PROPERTY, profile.id());
		defaults.put("micro.data-dir", "${user.home}/.micro");
		defaults.put("micro.sqlite.file", "${micro.data-dir}/store.db");
		// It logs each registration, and what its peers do wrong.
		defaults.put("logging.level.javax.jmdns", "off");
		// Neither is made anew when settings change; the first is Spring Cloud's own
		// default.
		defaults.put("spring.cloud.refresh.never-refreshable",
				"com.zaxxer.hikari.HikariDataSource," + MicroProperties.class.getName());
		// What Micro v3 took, and what gateway and proxy pass on.
		defaults.put("spring.grpc.server.inbound.message.max-size", "32MB");
		defaults.put("spring.grpc.server.port", "0");
		defaults.put("spring.grpc.server.address", "${micro.listen-address}");
		return defaults;
	}

	static MicroProfile profile(@Nullable String set, List<String> active) {
		if (set != null) {
			return find(set).orElseThrow(() -> new InvalidConfigurationPropertyValueException(PROPERTY, set,
					"it is one of " + Arrays.stream(MicroProfile.values())
						.map(MicroProfile::id)
						.collect(Collectors.joining(", "))));
		}
		return active.stream().flatMap((profile) -> find(profile).stream()).findFirst().orElse(MicroProfile.LOCAL);
	}

	private static Optional<MicroProfile> find(@Nullable String id) {
		return Arrays.stream(MicroProfile.values()).filter((profile) -> profile.id().equalsIgnoreCase(id)).findFirst();
	}

}
