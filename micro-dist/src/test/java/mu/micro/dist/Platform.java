package mu.micro.dist;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;

/**
 * A server with its gateway and proxy, on ports of their own and in a namespace of its
 * own, so that it meets no other on this machine.
 */
final class Platform implements AutoCloseable {

	private static final HttpClient HTTP = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();

	private final Map<String, String> environment = new HashMap<>();

	private App server;

	Platform(Path data) {
		this.environment.put("MICRO_NAMESPACE", "test-" + UUID.randomUUID());
		this.environment.put("MICRO_DATA_DIR", data.toString());
		for (String app : new String[] { "SERVER", "GATEWAY", "PROXY" }) {
			this.environment.put("MICRO_" + app + "_PORT", "0");
			this.environment.put("MICRO_" + app + "_MANAGEMENT_PORT", "0");
		}
	}

	Map<String, String> environment() {
		return this.environment;
	}

	Platform start(String... arguments) {
		String[] command = new String[arguments.length + 2];
		command[0] = App.MICRO.toString();
		command[1] = "server";
		System.arraycopy(arguments, 0, command, 2, arguments.length);
		return run(App.start(App.shortLived(this.environment), command));
	}

	Platform run(App app) {
		this.server = app;
		this.environment.put("MICRO_PROXY", proxy());
		gateway();
		return this;
	}

	App server() {
		return this.server;
	}

	String gateway() {
		return this.server.await("gateway \\| .*http://([\\d.]+:\\d+)");
	}

	String proxy() {
		return this.server.await("proxy \\| .* at ([\\d.]+:\\d+)");
	}

	App helloworld(String... arguments) {
		return App.java(this.environment, App.ROOT.resolve("samples/helloworld/target/helloworld.jar"), arguments);
	}

	App greeting() {
		return App.java(this.environment, App.ROOT.resolve("samples/greeting/target/greeting.jar"));
	}

	HttpResponse<String> get(String path) {
		return send(request(path).GET().build());
	}

	HttpResponse<String> post(String path, String json) {
		return send(request(path).header("Content-Type", "application/json")
			.POST(HttpRequest.BodyPublishers.ofString(json))
			.build());
	}

	private HttpRequest.Builder request(String path) {
		return HttpRequest.newBuilder(URI.create("http://" + gateway() + path)).timeout(Duration.ofSeconds(15));
	}

	/**
	 * The body of a page.
	 */
	static String get(URI page) {
		return send(HttpRequest.newBuilder(page).timeout(Duration.ofSeconds(15)).build()).body();
	}

	private static HttpResponse<String> send(HttpRequest request) {
		try {
			return HTTP.send(request, HttpResponse.BodyHandlers.ofString());
		}
		catch (IOException ex) {
			throw new AssertionError(request + ": " + ex, ex);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new AssertionError(ex);
		}
	}

	/**
	 * Runs the command line.
	 */
	App micro(String... arguments) {
		String[] command = new String[arguments.length + 1];
		command[0] = App.MICRO.toString();
		System.arraycopy(arguments, 0, command, 1, arguments.length);
		return App.start(this.environment, command);
	}

	/**
	 * Runs a command that must succeed, and gives what it printed.
	 */
	String ask(String... arguments) {
		try (App app = micro(arguments)) {
			int exit = app.exitCode();
			if (exit != 0) {
				throw new AssertionError("micro " + String.join(" ", arguments) + " ended with " + exit + ":\n"
						+ app.output() + ((this.server != null) ? "\n" + this.server.output() : ""));
			}
			return app.output();
		}
	}

	@Override
	public void close() {
		if (this.server != null) {
			this.server.close();
		}
	}

}
