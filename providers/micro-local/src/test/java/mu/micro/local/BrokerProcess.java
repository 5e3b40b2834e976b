package mu.micro.local;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

import mu.micro.Message;
import mu.micro.Scoped;
import mu.micro.broker.Broker;
import mu.micro.broker.BrokerSubscription;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A process of its own that subscribes to a topic, says which messages it gets, publishes
 * what it is told, and lives until it is killed or its parent is gone.
 */
public final class BrokerProcess implements AutoCloseable {

	private static final String READY = "ready";

	private static final String DROPPED = "dropped ";

	private final Process process;

	private final Path errors;

	private final Queue<String> said = new ConcurrentLinkedQueue<>();

	private final BufferedReader lines;

	private BrokerProcess(Process process, Path errors) {
		this.process = process;
		this.errors = errors;
		this.lines = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
	}

	/**
	 * Starts the process and waits until it subscribed.
	 * @param queue its queue, empty for none
	 */
	static BrokerProcess start(Path directory, String namespace, String topic, String queue) throws IOException {
		Path errors = Files.createTempFile("broker-process", ".err");
		errors.toFile().deleteOnExit();
		List<String> command = new ArrayList<>();
		command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
		command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx128m"));
		command.addAll(List.of("-cp", System.getProperty("java.class.path"), BrokerProcess.class.getName()));
		command.addAll(List.of(directory.toString(), namespace, topic, queue));
		Process process = new ProcessBuilder(command).redirectError(errors.toFile()).start();
		BrokerProcess started = new BrokerProcess(process, errors);
		assertThat(started.lines.readLine()).as(() -> started.errors()).isEqualTo(READY);
		Thread listening = new Thread(started::listen);
		listening.setDaemon(true);
		listening.start();
		return started;
	}

	private void listen() {
		try {
			for (String line = this.lines.readLine(); line != null; line = this.lines.readLine()) {
				this.said.add(line);
			}
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	long pid() {
		return this.process.pid();
	}

	/**
	 * The ids of the messages it got so far, in its order.
	 */
	List<String> received() {
		return this.said.stream().filter((line) -> !line.startsWith(DROPPED)).toList();
	}

	/**
	 * What it last said that its subscription dropped, asking it to say so again.
	 */
	long dropped() throws IOException {
		tell("");
		return this.said.stream()
			.filter((line) -> line.startsWith(DROPPED))
			.mapToLong((line) -> Long.parseLong(line.substring(DROPPED.length())))
			.max()
			.orElse(0);
	}

	/**
	 * Has it publish a message with this id to a topic.
	 */
	void publish(String topic, String id) throws IOException {
		tell(topic + " " + id);
	}

	private void tell(String line) throws IOException {
		this.process.getOutputStream().write((line + "\n").getBytes(StandardCharsets.UTF_8));
		this.process.getOutputStream().flush();
	}

	/**
	 * Sends a signal, such as STOP.
	 */
	void signal(String name) throws IOException, InterruptedException {
		new ProcessBuilder("kill", "-" + name, String.valueOf(this.process.pid())).start().waitFor();
	}

	/**
	 * How many files and sockets it has open.
	 */
	long descriptors() throws IOException {
		try (Stream<Path> descriptors = Files.list(Path.of("/proc/" + this.process.pid() + "/fd"))) {
			return descriptors.count();
		}
	}

	/**
	 * Lets it open no more files and sockets than so many.
	 */
	void limitDescriptors(long most) throws IOException, InterruptedException {
		assertThat(new ProcessBuilder("prlimit", "--pid", String.valueOf(this.process.pid()), "--nofile=" + most)
			.inheritIO()
			.start()
			.waitFor()).isZero();
	}

	/**
	 * Ends the process as SIGKILL does.
	 */
	void kill() throws InterruptedException {
		// Its streams stay open: what it said last is still to be read.
		this.process.toHandle().destroyForcibly();
		this.process.waitFor(10, TimeUnit.SECONDS);
	}

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
		kill();
	}

	public static void main(String[] args) throws IOException {
		try (Scoped<Broker> scoped = new LocalBroker(Path.of(args[0]))) {
			Broker broker = scoped.in(args[1]);
			BrokerSubscription subscription = broker.subscribe(args[2], args[3].isEmpty() ? null : args[3],
					(message) -> say(message.id()));
			say(READY);
			BufferedReader told = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
			for (String line = told.readLine(); line != null; line = told.readLine()) {
				if (line.isEmpty()) {
					say(DROPPED + subscription.dropped());
				}
				else {
					String[] words = line.split(" ", 2);
					broker.publish(words[0], new Message(words[1], Map.of(), new byte[0]));
				}
			}
		}
	}

	private static void say(String line) {
		System.out.println(line);
		System.out.flush();
	}

}
