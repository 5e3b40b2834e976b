package mu.micro.autoconfigure;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

import mu.micro.MicroException;
import mu.micro.config.Config;
import org.apache.commons.logging.Log;
import org.jspecify.annotations.Nullable;

import org.springframework.boot.EnvironmentPostProcessor;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.bootstrap.BootstrapRegistry.InstanceSupplier;
import org.springframework.boot.bootstrap.ConfigurableBootstrapContext;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.source.InvalidConfigurationPropertyValueException;
import org.springframework.boot.logging.DeferredLogFactory;
import org.springframework.core.Ordered;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.MapPropertySource;
import org.springframework.core.env.MutablePropertySources;
import org.springframework.core.env.StandardEnvironment;

/**
 * Adds the profile's defaults at the lowest precedence, so that whatever a user says
 * wins, and fills in what {@code spring.config.import=micro:} asks for, secrets revealed.
 */
class MicroEnvironmentPostProcessor implements EnvironmentPostProcessor, Ordered {

	static final String SOURCE = "microProfile";

	private static final String PROPERTY = "micro.profile";

	private final Log logger;

	private final ConfigurableBootstrapContext bootstrap;

	MicroEnvironmentPostProcessor(DeferredLogFactory logs, ConfigurableBootstrapContext bootstrap) {
		this.logger = logs.getLog(MicroEnvironmentPostProcessor.class);
		this.bootstrap = bootstrap;
	}

	@Override
	public int getOrder() {
		return Ordered.LOWEST_PRECEDENCE;
	}

	@Override
	public void postProcessEnvironment(ConfigurableEnvironment environment, SpringApplication application) {
		MicroProfile profile = profile(environment);
		environment.getPropertySources().addLast(new MapPropertySource(SOURCE, defaults(profile)));
		List<ConfigPropertySource> imported = environment.getPropertySources()
			.stream()
			.filter(ConfigPropertySource.class::isInstance)
			.map(ConfigPropertySource.class::cast)
			.toList();
		if (!imported.isEmpty()) {
			fill(imported, Binder.get(environment).bind("micro", MicroProperties.class).get());
			lift(imported, environment.getPropertySources());
		}
	}

	private void fill(List<ConfigPropertySource> imported, MicroProperties properties) {
		ImportedConfig opened = this.bootstrap.getOrElse(ImportedConfig.class, null);
		if (opened == null) {
			opened = ImportedConfig.open(properties);
			this.bootstrap.register(ImportedConfig.class, InstanceSupplier.of(opened));
			this.bootstrap.addCloseListener(opened::promote);
		}
		Config config = opened.configs().in(properties.namespace());
		for (ConfigPropertySource source : imported) {
			try {
				source.update(config.get(source.path(), true));
			}
			catch (MicroException.Unavailable | MicroException.TimedOut ex) {
				if (!source.optional()) {
					throw ex;
				}
				this.logger.warn(source.getName() + " is away, and taken once it is there: " + ex.getMessage());
			}
		}
	}

	/*
	 * An import stands above the file that asks for it, yet below files for a profile.
	 */
	private static void lift(List<ConfigPropertySource> imported, MutablePropertySources sources) {
		if (sources.contains(StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME)) {
			String above = StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME;
			for (ConfigPropertySource source : imported) {
				sources.remove(source.getName());
				sources.addAfter(above, source);
				above = source.getName();
			}
		}
	}

	private static Map<String, Object> defaults(MicroProfile profile) {
		Map<String, Object> defaults = new HashMap<>(profile.defaults());
		defaults.put(PROPERTY, profile.id());
		defaults.put("micro.data-dir", "${user.home}/.micro");
		defaults.put("micro.sqlite.file", "${micro.data-dir}/store.db");
		defaults.put("micro.blob.directory", "${micro.data-dir}/blobs");
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
