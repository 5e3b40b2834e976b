package mu.micro.local;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;

import mu.micro.Message;
import mu.micro.Scoped;
import mu.micro.broker.Broker;
import mu.micro.broker.BrokerSubscription;
import org.awaitility.Awaitility;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A process of its own that subscribes to a topic, says which messages it gets, publishes
 * what it is told, and lives until it is killed or its parent is gone.
 */
public final class BrokerProcess implements AutoCloseable {

	private static final String READY = "ready";

	/**
	 * What it says that is no message's id begins with this, and what it is told that is
	 * none to publish.
	 */
	private static final String MARK = "* ";

	private static final String DROPPED = MARK + "dropped ";

	private static final String HOLD = MARK + "hold";

	private static final String RELEASE = MARK + "release";

	private static final String SUBSCRIBE = MARK + "subscribe ";

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
		command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx64m"));
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
		return this.said.stream().filter((line) -> !line.startsWith(MARK)).toList();
	}

	/**
	 * What it last said that its subscriptions dropped, asking it to say so again.
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

	/**
	 * Has its handlers end no call until they are released.
	 */
	void hold() throws IOException {
		tell(HOLD);
		awaitSaid(HOLD);
	}

	void release() throws IOException {
		tell(RELEASE);
	}

	/**
	 * Has it subscribe to as many topics, which are called by their number. It says of
	 * each what has the topic's name for an id.
	 */
	void subscribe(int topics) throws IOException {
		tell(SUBSCRIBE + topics);
		awaitSaid(SUBSCRIBE + topics);
	}

	private void awaitSaid(String line) {
		Awaitility.await().atMost(Duration.ofSeconds(60)).until(() -> this.said.contains(line));
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
			ReentrantLock handling = new ReentrantLock();
			List<BrokerSubscription> subscriptions = new ArrayList<>();
			subscriptions.add(broker.subscribe(args[2], args[3].isEmpty() ? null : args[3], (message) -> {
				handling.lock();
				handling.unlock();
				say(message.id());
			}));
			say(READY);
			BufferedReader told = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
			for (String line = told.readLine(); line != null; line = told.readLine()) {
				if (line.isEmpty()) {
					say(DROPPED + subscriptions.stream().mapToLong(BrokerSubscription::dropped).sum());
				}
				else if (line.equals(HOLD)) {
					handling.lock();
					say(line);
				}
				else if (line.equals(RELEASE)) {
					handling.unlock();
				}
				else if (line.startsWith(SUBSCRIBE)) {
					for (int i = 0; i < Integer.parseInt(line.substring(SUBSCRIBE.length())); i++) {
						String topic = String.valueOf(i);
						subscriptions.add(broker.subscribe(topic,
								(message) -> say(message.id().equals(topic) ? topic : "strayed")));
					}
					say(line);
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
