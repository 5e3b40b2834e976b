package mu.micro.autoconfigure;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

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
import org.springframework.core.env.PropertySource;

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
		sources().filter(ConfigPropertySource.class::isInstance)
			.map(ConfigPropertySource.class::cast)
			.forEach((source) -> this.subscriptions
				.add(this.config.watch(source.path(), true, (json) -> changed(source.getName(), json))));
	}

	private Stream<PropertySource<?>> sources() {
		return this.context.getEnvironment().getPropertySources().stream();
	}

	/*
	 * By its name: a refresh of the whole context puts another source in its place.
	 */
	private void changed(String name, @Nullable Json json) {
		Set<String> changed = new TreeSet<>();
		sources().filter((source) -> source.getName().equals(name))
			.filter(ConfigPropertySource.class::isInstance)
			.forEach((source) -> changed.addAll(((ConfigPropertySource) source).update(json)));
		if (!changed.isEmpty()) {
			logger.info("Changed in " + name + ": " + String.join(", ", changed));
			attempt(changed, () -> this.context.publishEvent(new EnvironmentChangeEvent(this.context, changed)));
			attempt(changed, this.scope::refreshAll);
		}
	}

	/*
	 * What one bean cannot take is no reason to keep it from the others; and the
	 * failure's text may quote a secret.
	 */
	private static void attempt(Set<String> changed, Runnable step) {
		try {
			step.run();
		}
		catch (RuntimeException ex) {
			logger.warn("Not every bean could take the change of " + String.join(", ", changed) + " ("
					+ ex.getClass().getName() + "); see whether the values have the right types");
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
