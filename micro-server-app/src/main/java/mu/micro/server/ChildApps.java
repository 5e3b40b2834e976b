package mu.micro.server;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;

import org.springframework.boot.health.contributor.AbstractHealthIndicator;
import org.springframework.boot.health.contributor.Health;
import org.springframework.context.SmartLifecycle;
import org.springframework.core.env.CommandLinePropertySource;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.EnumerablePropertySource;
import org.springframework.core.env.StandardEnvironment;

/**
 * The apps that this server runs as child processes. They get what was said of
 * {@code micro.*}, profiles and the place of the configuration by flag or system
 * property; the environment and the working directory they have anyway. Started once the
 * core services answer, so that a server that cannot start leaves nothing behind.
 */
class ChildApps extends AbstractHealthIndicator implements SmartLifecycle {

	private static final Log logger = LogFactory.getLog(ChildApps.class);

	/**
	 * Newer JDKs warn of Unsafe, which protobuf uses; older ones do not know that flag.
	 */
	private static final List<String> JVM = (Runtime.version().feature() >= 24)
			? List.of("-XX:+UseSerialGC", "--sun-misc-unsafe-memory-access=allow") : List.of("-XX:+UseSerialGC");

	private static final List<String> PASSED_ON = List.of("micro.", "spring.profiles.", "spring.config.");

	private final List<String> names;

	private final AppFinder finder;

	private final List<String> arguments;

	private final Map<String, ChildApp> running = new LinkedHashMap<>();

	private volatile boolean started;

	ChildApps(List<String> names, AppFinder finder, ConfigurableEnvironment environment) {
		super("the apps cannot be looked at");
		this.names = names;
		this.finder = finder;
		this.arguments = arguments(environment);
	}

	static List<String> arguments(ConfigurableEnvironment environment) {
		Map<String, String> said = new TreeMap<>();
		for (String source : List.of(CommandLinePropertySource.COMMAND_LINE_PROPERTY_SOURCE_NAME,
				StandardEnvironment.SYSTEM_PROPERTIES_PROPERTY_SOURCE_NAME)) {
			if (environment.getPropertySources().get(source) instanceof EnumerablePropertySource<?> properties) {
				for (String name : properties.getPropertyNames()) {
					if (PASSED_ON.stream().anyMatch(name::startsWith)) {
						said.putIfAbsent(name, environment.getProperty(name, ""));
					}
				}
			}
		}
		said.put("micro.exit-with-parent", "true");
		return said.entrySet().stream().map((entry) -> "--" + entry.getKey() + "=" + entry.getValue()).toList();
	}

	@Override
	public boolean isAutoStartup() {
		return false;
	}

	@Override
	public void start() {
		this.started = true;
		for (String name : this.names) {
			this.finder.find(name).ifPresentOrElse((jar) -> {
				List<String> command = new ArrayList<>();
				command.add(ProcessHandle.current().info().command().orElse("java"));
				command.addAll(JVM);
				command.addAll(List.of("-jar", jar.toString()));
				command.addAll(this.arguments);
				ChildApp app = new ChildApp(name, command, ChildApp.FIRST_DELAY);
				this.running.put(name, app);
				app.start();
			}, () -> logger.warn("The " + name + " is not started: no jar at "
					+ String.join(" or ", this.finder.candidates(name).stream().map(Object::toString).toList())
					+ ". Build it, or say where it is with micro.server.apps-dir."));
		}
	}

	@Override
	public void stop() {
		this.started = false;
		this.running.values().forEach(ChildApp::beginStop);
		this.running.values().forEach(ChildApp::awaitStop);
		this.running.clear();
	}

	@Override
	public boolean isRunning() {
		return this.started;
	}

	@Override
	public int getPhase() {
		return Integer.MAX_VALUE;
	}

	@Override
	protected void doHealthCheck(Health.Builder builder) {
		builder.up();
		this.running.forEach((name, app) -> {
			builder.withDetail(name, app.state());
			if (app.gaveUp()) {
				builder.down();
			}
		});
	}

}
