package mu.micro.local;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

import mu.micro.Lease;
import mu.micro.Scoped;
import mu.micro.registry.Instance;
import mu.micro.registry.Registry;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A process of its own that registers one instance and keeps it until it is killed or its
 * parent is gone.
 */
public final class RegistryProcess {

	private static final String READY = "registered";

	private final Process process;

	private final Path errors;

	private RegistryProcess(Process process, Path errors) {
		this.process = process;
		this.errors = errors;
	}

	/**
	 * Starts the process and waits until it registered.
	 */
	static RegistryProcess start(Kind kind, Path directory, String namespace, Instance instance, Duration ttl,
			String... options) throws IOException {
		Path errors = Files.createTempFile("registry-process", ".err");
		errors.toFile().deleteOnExit();
		List<String> command = new ArrayList<>();
		command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
		command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx64m"));
		command.addAll(List.of(options));
		command.addAll(List.of("-cp", System.getProperty("java.class.path"), RegistryProcess.class.getName()));
		command.addAll(List.of(kind.name(), directory.toString(), namespace, instance.service(), instance.id(),
				String.valueOf(instance.port()), ttl.toString()));
		Process process = new ProcessBuilder(command).redirectError(errors.toFile()).start();
		RegistryProcess started = new RegistryProcess(process, errors);
		String said = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))
			.readLine();
		assertThat(said).as(() -> started.errors()).isEqualTo(READY);
		return started;
	}

	/**
	 * Ends the process as SIGKILL does.
	 */
	void kill() {
		try {
			this.process.destroyForcibly().waitFor(10, TimeUnit.SECONDS);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	/**
	 * Has the process close its registry.
	 */
	void end() throws IOException {
		this.process.getOutputStream().close();
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

	public static void main(String[] args) throws IOException {
		Instance instance = new Instance(args[3], "latest", args[4], "127.0.0.1", Integer.parseInt(args[5]), Map.of());
		try (Scoped<Registry> registry = Kind.valueOf(args[0]).open(Path.of(args[1]));
				Lease lease = registry.in(args[2]).register(instance, Duration.parse(args[6]))) {
			lease.onLost(() -> System.err.println("lost"));
			String lock = System.getProperty("micro.try");
			if (lock != null) {
				System.err.println(isFree(Path.of(lock)) ? "free" : "locked");
			}
			System.out.println(READY);
			while (System.in.read() >= 0) {
				continue;
			}
		}
	}

	private static boolean isFree(Path lock) throws IOException {
		try (FileChannel channel = FileChannel.open(lock, StandardOpenOption.WRITE);
				FileLock taken = channel.tryLock()) {
			return taken != null;
		}
	}

	/**
	 * The registries there are.
	 */
	enum Kind {

		DIRECTORY {

			@Override
			Scoped<Registry> open(Path directory) {
				return new DirectoryRegistry(directory);
			}

		},
		MDNS {

			@Override
			Scoped<Registry> open(Path directory) {
				return new MdnsRegistry();
			}

		},
		LOCAL {

			@Override
			Scoped<Registry> open(Path directory) {
				return new LocalRegistry(directory);
			}

		};

		abstract Scoped<Registry> open(Path directory);

	}

}
