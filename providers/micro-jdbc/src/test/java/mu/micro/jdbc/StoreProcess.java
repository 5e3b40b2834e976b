package mu.micro.jdbc;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;

/**
 * A process of its own that does one of several things with a file, says on its standard
 * output how that goes, and ends when it is done, killed, or its parent is gone.
 */
public final class StoreProcess implements AutoCloseable {

	private static final Duration TIMEOUT = Duration.ofSeconds(20);

	private final Process process;

	private final Path errors;

	private final Queue<String> said = new ConcurrentLinkedQueue<>();

	private final Thread listening = new Thread(this::listen);

	private StoreProcess(Process process, Path errors) {
		this.process = process;
		this.errors = errors;
		this.listening.setDaemon(true);
		this.listening.start();
	}

	/**
	 * Starts a process, which prepares its job.
	 * @param wrapper what the command begins with, such as what limits the process
	 * @param job what it does
	 * @param args the job's arguments
	 */
	static StoreProcess prepare(List<String> wrapper, Class<? extends Job> job, Object... args) throws IOException {
		Path errors = Files.createTempFile("store-process", ".err");
		errors.toFile().deleteOnExit();
		List<String> command = new ArrayList<>(wrapper);
		command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
		command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m", "-Xshare:auto"));
		command.addAll(List.of("-cp", System.getProperty("java.class.path"), StoreProcess.class.getName()));
		command.add(job.getName());
		for (Object arg : args) {
			command.add(arg.toString());
		}
		return new StoreProcess(new ProcessBuilder(command).redirectError(errors.toFile()).start(), errors);
	}

	static StoreProcess prepare(Class<? extends Job> job, Object... args) throws IOException {
		return prepare(List.of(), job, args);
	}

	private void listen() {
		try (BufferedReader lines = new BufferedReader(
				new InputStreamReader(this.process.getInputStream(), StandardCharsets.UTF_8))) {
			for (String line = lines.readLine(); line != null; line = lines.readLine()) {
				this.said.add(line);
			}
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	/**
	 * What it has said so far, line by line.
	 */
	List<String> said() {
		return List.copyOf(this.said);
	}

	int lines() {
		return this.said.size();
	}

	/**
	 * Waits until it has ended and all it said is known.
	 * @return its exit code
	 */
	int await(Duration time) throws InterruptedException {
		if (!this.process.waitFor(time.toMillis(), TimeUnit.MILLISECONDS)) {
			throw new AssertionError("the process does not end; it wrote " + errors());
		}
		this.listening.join(time.toMillis());
		return this.process.exitValue();
	}

	/**
	 * Ends the process as SIGKILL does.
	 */
	void kill() throws InterruptedException {
		// Its streams stay open: what it said last is still to be read.
		this.process.toHandle().destroyForcibly();
		await(Duration.ofSeconds(10));
	}

	/**
	 * Sends a signal, such as STOP.
	 */
	void signal(String name) throws IOException, InterruptedException {
		Process kill = new ProcessBuilder("kill", "-" + name, String.valueOf(this.process.pid())).start();
		kill.waitFor();
	}

	/**
	 * Has the process do its job. What it prepared may not be done yet.
	 */
	void go() throws IOException {
		this.process.getOutputStream().write('\n');
		this.process.getOutputStream().flush();
	}

	/**
	 * What the process wrote to its standard error.
	 */
	String errors() {
		try {
			return Files.readString(this.errors);
		}
		catch (IOException ex) {
			return ex.toString();
		}
	}

	@Override
	public void close() throws Exception {
		signal("CONT");
		kill();
	}

	public static void main(String[] args) throws Exception {
		Job job = Class.forName(args[0]).asSubclass(Job.class).getDeclaredConstructor().newInstance();
		Thread orphan = new Thread(StoreProcess::endWithTheParent);
		orphan.setDaemon(true);
		String[] rest = List.of(args).subList(2, args.length).toArray(String[]::new);
		Path file = Path.of(args[1]);
		Work work = job.prepare(file, rest);
		say("ready");
		System.in.read();
		orphan.start();
		work.run();
		System.exit(0);
	}

	private static void endWithTheParent() {
		try {
			while (System.in.read() >= 0) {
				continue;
			}
		}
		catch (IOException ex) {
			// The same.
		}
		Runtime.getRuntime().halt(9);
	}

	/**
	 * Says a line to the parent, as a whole.
	 */
	static void say(String line) {
		byte[] bytes = (line + "\n").getBytes(StandardCharsets.UTF_8);
		OutputStream out = System.out;
		try {
			out.write(bytes);
			out.flush();
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	static JdbcDatabases open(Path file) {
		return open(file, TIMEOUT);
	}

	static JdbcDatabases open(Path file, Duration timeout) {
		return JdbcDatabases.sqlite(file, timeout, Clock.systemUTC());
	}

	/**
	 * What a process prepares, before it says that it is ready.
	 */
	@FunctionalInterface
	interface Job {

		Work prepare(Path file, String[] args) throws Exception;

	}

	/**
	 * What it then does, once it is told to go.
	 */
	@FunctionalInterface
	interface Work {

		void run() throws Exception;

	}

}
