package mu.micro.cli;

import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;

/**
 * Other programs in micro's place: the server, and {@code micro-x} for the command x.
 * They get micro's own standard streams.
 */
final class Launch {

	private static final String SERVER = "micro-server-app.jar";

	private static final int UNSAFE_WARNS_FROM = 24;

	private static final int STOP_SECONDS = 30;

	private Launch() {
	}

	/**
	 * Runs the server until it ends.
	 * @param args its settings
	 * @param environment the process's environment
	 * @return its exit code
	 * @throws Failure if one is no setting
	 */
	static int server(List<String> args, Map<String, String> environment) {
		for (String arg : args) {
			if (!arg.startsWith("--")) {
				throw Failure.usage("The server takes settings such as --micro.gateway.port=8090, not '"
						+ Terminal.plain(arg) + "'; see 'micro help server'.");
			}
		}
		List<Path> places = places();
		Path jar = places.stream()
			.filter(Files::isRegularFile)
			.findFirst()
			.orElseThrow(() -> new Failure(Failure.OTHER,
					"The server is not there; looked for "
							+ String.join(" and ", places.stream().map(Path::toString).toList())
							+ ": build the distribution, or name its folder with -Dmicro.home."));
		List<String> command = new ArrayList<>();
		command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
		if (Runtime.version().feature() >= UNSAFE_WARNS_FROM) {
			command.add("--sun-misc-unsafe-memory-access=allow");
		}
		command.addAll(List.of("-jar", jar.toString()));
		command.addAll(args);
		return run(command, environment);
	}

	// In the distribution (micro.home, else beside the folder of our own jar), else in
	// the
	// build tree.
	private static List<Path> places() {
		List<Path> places = new ArrayList<>();
		String home = System.getProperty("micro.home");
		if (home != null) {
			places.add(Path.of(home, "apps", SERVER));
			return places;
		}
		CodeSource source = Launch.class.getProtectionDomain().getCodeSource();
		try {
			Path self = Path.of(source.getLocation().toURI()).toAbsolutePath();
			Path above = self.resolve("../..").normalize();
			places.add(above.resolve("apps").resolve(SERVER));
			places.add(above.resolve("../micro-server-app/target").normalize().resolve(SERVER));
		}
		catch (URISyntaxException ex) {
			throw new Failure(Failure.OTHER, "Cannot tell where micro is installed: start it with -Dmicro.home.", ex);
		}
		return places;
	}

	/**
	 * Looks for a plugin.
	 * @param name the command
	 * @param environment the process's environment
	 * @return the program, or null if there is none
	 */
	static @Nullable Path plugin(String name, Map<String, String> environment) {
		if (name.contains("/") || name.contains(File.separator)) {
			return null;
		}
		for (String folder : environment.getOrDefault("PATH", "").split(File.pathSeparator)) {
			try {
				// An empty or relative entry would run whatever lies in the current
				// folder.
				Path program = Path.of(folder, "micro-" + name);
				if (program.isAbsolute() && Files.isRegularFile(program) && Files.isExecutable(program)) {
					return program;
				}
			}
			catch (InvalidPathException ex) {
				continue;
			}
		}
		return null;
	}

	/**
	 * Runs a program until it ends, and ends it when micro is told to end.
	 * @param command the program and its arguments
	 * @param environment its environment
	 * @return its exit code
	 */
	static int run(List<String> command, Map<String, String> environment) {
		Process process = start(command, environment);
		Thread end = new Thread(() -> end(process));
		Runtime.getRuntime().addShutdownHook(end);
		try {
			int code = process.waitFor();
			Runtime.getRuntime().removeShutdownHook(end);
			return code;
		}
		catch (InterruptedException ex) {
			process.destroy();
			Thread.currentThread().interrupt();
			throw new Failure(Failure.OTHER, "Interrupted.", ex);
		}
		catch (IllegalStateException ex) {
			return Failure.OTHER;
		}
	}

	/**
	 * Starts a program.
	 * @param command the program and its arguments
	 * @param environment its environment
	 * @return the program, running
	 * @throws Failure if it cannot be started, with the exit code that a shell has for
	 * that
	 */
	static Process start(List<String> command, Map<String, String> environment) {
		ProcessBuilder builder = new ProcessBuilder(command).inheritIO();
		builder.environment().clear();
		builder.environment().putAll(environment);
		try {
			return builder.start();
		}
		catch (IOException ex) {
			throw cannotStart(command.get(0), environment, ex);
		}
	}

	private static Failure cannotStart(String program, Map<String, String> environment, IOException cause) {
		String name = Terminal.plain(program);
		File file = new File(program);
		if (!program.contains(File.separator)) {
			boolean found = Stream.of(environment.getOrDefault("PATH", "").split(File.pathSeparator))
				.anyMatch((folder) -> new File(folder, program).isFile());
			if (!found) {
				return new Failure(Failure.NO_PROGRAM, "There is no program '" + name + "' on the PATH.", cause);
			}
		}
		else if (!file.exists()) {
			return new Failure(Failure.NO_PROGRAM, "There is no file " + name + ".", cause);
		}
		else if (file.isDirectory()) {
			return new Failure(Failure.CANNOT_RUN, name + " is a directory.", cause);
		}
		else if (!file.canExecute()) {
			return new Failure(Failure.CANNOT_RUN, "The file " + name + " may not be executed: chmod +x permits it.",
					cause);
		}
		return new Failure(Failure.CANNOT_RUN,
				"Cannot start " + name + ": check that it is a program this machine can run.", cause);
	}

	private static void end(Process process) {
		process.destroy();
		try {
			process.waitFor(STOP_SECONDS, TimeUnit.SECONDS);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

}
