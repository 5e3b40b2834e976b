package mu.micro.dist;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.awaitility.Awaitility;

/**
 * A process under test and what it printed.
 */
final class App implements AutoCloseable {

	static final Path ROOT = Path.of("").toAbsolutePath().getParent();

	static final Path MICRO = ROOT.resolve("target/micro/bin/micro");

	private static final Duration LIMIT = Duration.ofSeconds(90);

	private final Process process;

	private final List<String> lines = new CopyOnWriteArrayList<>();

	private final Thread reader;

	private App(Process process) {
		this.process = process;
		this.reader = new Thread(this::read);
		this.reader.setDaemon(true);
		this.reader.start();
	}

	static App start(Map<String, String> environment, String... command) {
		return start(environment, Path.of("").toAbsolutePath(), command);
	}

	static App start(Map<String, String> environment, Path directory, String... command) {
		ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true).directory(directory.toFile());
		builder.environment().putAll(environment);
		try {
			return new App(builder.start());
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	static App java(Map<String, String> environment, Path jar, String... arguments) {
		List<String> command = new ArrayList<>(
				List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-jar", jar.toString()));
		command.addAll(List.of(arguments));
		return start(shortLived(environment), command.toArray(String[]::new));
	}

	/**
	 * An environment for a JVM and those it starts, which start in half of the time if
	 * they are not compiled for a long life. It has them say so in their first line.
	 */
	static Map<String, String> shortLived(Map<String, String> environment) {
		Map<String, String> all = new HashMap<>(environment);
		all.put("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC");
		return all;
	}

	private void read() {
		try (BufferedReader output = new BufferedReader(
				new InputStreamReader(this.process.getInputStream(), StandardCharsets.UTF_8))) {
			for (String line = output.readLine(); line != null; line = output.readLine()) {
				this.lines.add(line);
			}
		}
		catch (IOException ex) {
			this.lines.add("(output ended: " + ex.getMessage() + ")");
		}
	}

	ProcessHandle handle() {
		return this.process.toHandle();
	}

	String output() {
		return String.join("\n", this.lines);
	}

	/**
	 * Waits for a line and gives its first group.
	 */
	String await(String regex) {
		Pattern pattern = Pattern.compile(regex);
		Awaitility.await("'" + regex + "' in the output")
			.atMost(LIMIT)
			.conditionEvaluationListener(null)
			.until(() -> find(pattern) != null || !this.process.isAlive());
		Matcher found = find(pattern);
		if (found == null) {
			throw new AssertionError("ended without '" + regex + "':\n" + output());
		}
		return (found.groupCount() > 0) ? found.group(1) : found.group();
	}

	private Matcher find(Pattern pattern) {
		for (String line : this.lines) {
			Matcher matcher = pattern.matcher(line);
			if (matcher.find()) {
				return matcher;
			}
		}
		return null;
	}

	int exitCode() {
		try {
			if (!this.process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)) {
				throw new AssertionError("still running:\n" + output());
			}
			this.reader.join(LIMIT.toMillis());
			return this.process.exitValue();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new AssertionError(ex);
		}
	}

	void kill() {
		this.process.destroyForcibly();
		exitCode();
	}

	@Override
	public void close() {
		List<ProcessHandle> family = new ArrayList<>(this.process.descendants().toList());
		this.process.destroy();
		try {
			if (!this.process.waitFor(20, TimeUnit.SECONDS)) {
				this.process.destroyForcibly();
			}
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
		family.forEach(ProcessHandle::destroyForcibly);
	}

}
