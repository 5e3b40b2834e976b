package mu.micro.autoconfigure;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

import mu.micro.Subscription;
import mu.micro.config.Config;
import mu.micro.config.Json;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;

import org.springframework.cloud.context.environment.EnvironmentChangeEvent;
import org.springframework.cloud.context.scope.refresh.RefreshScope;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.SmartLifecycle;

/**
 * Brings changes of the configuration into the Environment, to
 * {@code @ConfigurationProperties} and to {@code @RefreshScope} beans.
 */
class ConfigRefresh implements SmartLifecycle {

	private static final Log logger = LogFactory.getLog(ConfigRefresh.class);

	private final ConfigurableApplicationContext context;

	private final Config config;

	private final RefreshScope scope;

	private final List<Subscription> subscriptions = new ArrayList<>();

	private volatile boolean running;

	ConfigRefresh(ConfigurableApplicationContext context, Config config, RefreshScope scope) {
		this.context = context;
		this.config = config;
		this.scope = scope;
	}

	@Override
	public void start() {
		this.running = true;
		this.context.getEnvironment()
			.getPropertySources()
			.stream()
			.filter(ConfigPropertySource.class::isInstance)
			.map(ConfigPropertySource.class::cast)
			.forEach((source) -> this.subscriptions
				.add(this.config.watch(source.path(), true, (json) -> changed(source, json))));
	}

	private void changed(ConfigPropertySource source, @Nullable Json json) {
		Set<String> names = source.update(json);
		if (!names.isEmpty()) {
			logger.info("Changed in " + source.getName() + ": " + String.join(", ", new TreeSet<>(names)));
			this.context.publishEvent(new EnvironmentChangeEvent(this.context, names));
			this.scope.refreshAll();
		}
	}

	@Override
	public void stop() {
		this.running = false;
		this.subscriptions.forEach(Subscription::close);
		this.subscriptions.clear();
	}

	@Override
	public boolean isRunning() {
		return this.running;
	}

}
