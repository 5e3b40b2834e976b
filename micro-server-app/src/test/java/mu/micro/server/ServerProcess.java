package mu.micro.server;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.awaitility.Awaitility;

/**
 * A server without apps and management port, in a process that ends with this one.
 */
final class ServerProcess implements AutoCloseable {

	private static final Duration PATIENCE = Duration.ofMinutes(2);

	private static final Pattern READY = Pattern.compile("core services at 127\\.0\\.0\\.1:(\\d+)");

	private final Process process;

	private final Path output;

	private ServerProcess(Path data, int port) throws IOException {
		this.output = data.resolve("output");
		List<String> command = List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
				"-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m", "-cp", System.getProperty("java.class.path"),
				ServerApplication.class.getName(), "--micro.data-dir=" + data,
				"--micro.namespace=" + data.getFileName(), "--micro.server.port=" + port, "--micro.server.apps=",
				"--spring.main.web-application-type=none", "--micro.exit-with-parent=true");
		this.process = new ProcessBuilder(command).redirectErrorStream(true)
			.redirectOutput(this.output.toFile())
			.start();
	}

	/**
	 * Starts one, and waits until it serves.
	 * @param data where its data is
	 * @param port its port, or 0 for any; a client of somebody's may have it for a moment
	 */
	static ServerProcess start(Path data, int port) {
		return Awaitility.await()
			.atMost(PATIENCE)
			.pollDelay(Duration.ZERO)
			.until(() -> new ServerProcess(data, port).serving(), Objects::nonNull);
	}

	private ServerProcess serving() throws InterruptedException {
		try {
			Awaitility.await()
				.atMost(PATIENCE)
				.pollInterval(Duration.ofMillis(10))
				.until(() -> ready().find() || !this.process.isAlive());
			if (ready().find()) {
				return this;
			}
			if (!output().contains("already in use")) {
				throw new AssertionError("the server ended: " + output());
			}
			return null;
		}
		finally {
			if (!ready().find()) {
				kill();
			}
		}
	}

	private Matcher ready() {
		return READY.matcher(output());
	}

	int port() {
		Matcher ready = ready();
		ready.find();
		return Integer.parseInt(ready.group(1));
	}

	/**
	 * All that it wrote.
	 */
	String output() {
		try {
			return Files.readString(this.output);
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	/**
	 * Ends it as SIGKILL does.
	 */
	void kill() throws InterruptedException {
		this.process.destroyForcibly();
		if (!this.process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
			throw new AssertionError("the server does not end");
		}
	}

	@Override
	public void close() throws InterruptedException {
		kill();
	}

}
