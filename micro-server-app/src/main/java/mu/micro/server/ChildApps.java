package mu.micro.server;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;

import org.springframework.boot.health.contributor.AbstractHealthIndicator;
import org.springframework.boot.health.contributor.Health;
import org.springframework.context.SmartLifecycle;

/**
 * The apps that this server runs as child processes. They get the server's own
 * {@code --micro.*} and {@code --spring.profiles.active} arguments. Started after the
 * core services answer, stopped before them.
 */
class ChildApps extends AbstractHealthIndicator implements SmartLifecycle {

	private static final Log logger = LogFactory.getLog(ChildApps.class);

	/**
	 * Newer JDKs warn of Unsafe, which protobuf uses; older ones do not know that flag.
	 */
	private static final List<String> JVM = (Runtime.version().feature() >= 24)
			? List.of("-XX:+UseSerialGC", "--sun-misc-unsafe-memory-access=allow") : List.of("-XX:+UseSerialGC");

	private final List<String> names;

	private final AppFinder finder;

	private final List<String> arguments;

	private final Map<String, ChildApp> running = new LinkedHashMap<>();

	private volatile boolean started;

	ChildApps(List<String> names, AppFinder finder, String[] arguments) {
		super("the apps cannot be looked at");
		this.names = names;
		this.finder = finder;
		this.arguments = Stream.of(arguments)
			.filter((argument) -> argument.startsWith("--micro.") || argument.startsWith("--spring.profiles.active"))
			.toList();
	}

	@Override
	public void start() {
		this.started = true;
		for (String name : this.names) {
			this.finder.find(name).ifPresentOrElse((jar) -> {
				List<String> command = new ArrayList<>();
				command.add(ProcessHandle.current().info().command().orElse("java"));
				command.addAll(JVM);
				command.addAll(List.of("-jar", jar.toString(), "--micro.exit-with-parent=true"));
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
