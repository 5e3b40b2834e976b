package mu.micro.benchmarks;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;

import mu.micro.Message;
import mu.micro.broker.Broker;
import mu.micro.broker.BrokerSubscription;
import mu.micro.local.LocalBroker;

/**
 * The local broker, beside a socket over which each message is answered by a byte.
 */
final class BrokerBench {

	static final String SUBSCRIBER = "broker-subscriber";

	static final String PUBLISHER = "broker-publisher";

	private static final String TOPIC = "bench";

	private static final String WARMING = "warming";

	private static final byte[] SMALL = new byte[100];

	/**
	 * Messages until all that sends and takes them is compiled. Not a time: how long that
	 * takes depends on who else runs.
	 */
	private static final int UNTIL_WARM = 50_000;

	private static final Duration TIME = Duration.ofSeconds(3);

	void run() throws Exception {
		Table table = new Table();
		double bare = bare();
		table.add("published by one caller, one subscriber in another process", published(1, 1), bare, 0);
		table.add("published by eight callers, the same", published(8, 1), bare, 0);
		double one = delivered(1, 1);
		for (int subscribers : new int[] { 1, 10, 100, 1000 }) {
			table.add("delivered to %,d subscribers, beside one".formatted(subscribers), delivered(1, subscribers), one,
					0);
		}
		for (int publishers : new int[] { 1, 2, 4, 8 }) {
			table.add("delivered from " + publishers + " processes to one subscriber, beside one",
					delivered(publishers, 1), one, 0);
		}
		System.out.println("The local broker, messages a second");
		System.out.println();
		table.print();
	}

	private static double bare() throws Exception {
		try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
			Thread answering = new Thread(() -> answer(server));
			answering.start();
			try (Socket socket = new Socket(server.getInetAddress(), server.getLocalPort())) {
				socket.setTcpNoDelay(true);
				DataOutputStream out = new DataOutputStream(socket.getOutputStream());
				DataInputStream in = new DataInputStream(socket.getInputStream());
				byte[] frame = new byte[Integer.BYTES + SMALL.length];
				frame[Integer.BYTES - 1] = (byte) SMALL.length;
				double rate = Rate.of(1, () -> {
					out.write(frame);
					if (in.read() < 0) {
						throw new IOException("not answered");
					}
				});
				socket.close();
				answering.join();
				return rate;
			}
		}
	}

	private static void answer(ServerSocket server) {
		try (Socket socket = server.accept()) {
			socket.setTcpNoDelay(true);
			DataInputStream in = new DataInputStream(socket.getInputStream());
			while (true) {
				int length = in.read() << 24 | in.read() << 16 | in.read() << 8 | in.read();
				if (length < 0 || in.readNBytes(length).length < length) {
					return;
				}
				socket.getOutputStream().write(1);
			}
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	private static double published(int callers, int subscribers) throws Exception {
		return Rate.inDirectory((directory) -> {
			try (LocalBroker brokers = new LocalBroker(directory);
					Program subscriber = Program.start(1, SUBSCRIBER, directory, subscribers).get(0)) {
				Broker broker = brokers.in("micro");
				warm(broker);
				return Rate.of(callers, () -> broker.publish(TOPIC, Message.of(SMALL)));
			}
		});
	}

	private static void warm(Broker broker) {
		for (int i = 0; i < UNTIL_WARM; i++) {
			broker.publish(WARMING, Message.of(SMALL));
		}
	}

	private static double delivered(int publishers, int subscribers) throws Exception {
		return Rate.inDirectory((directory) -> {
			List<Program> programs = new ArrayList<>();
			try (Program subscriber = Program.start(1, SUBSCRIBER, directory, subscribers).get(0)) {
				programs.addAll(Program.start(publishers, PUBLISHER, directory));
				for (Program program : programs) {
					program.go();
				}
				long published = 0;
				for (Program program : programs) {
					published += program.result()[0];
				}
				subscriber.go();
				long[] result = subscriber.result();
				if (result[0] + result[1] != published * subscribers) {
					throw new IllegalStateException(published + " messages for " + subscribers + " subscribers are not "
							+ result[0] + " delivered and " + result[1] + " dropped");
				}
				return result[0] * 1e3 / TIME.toMillis();
			}
			finally {
				programs.forEach(Program::close);
			}
		});
	}

	/*
	 * A process that subscribes, and tells in the end how many messages came and how many
	 * were dropped.
	 */
	static void subscribe(String[] args) throws Exception {
		LongAdder received = new LongAdder();
		List<BrokerSubscription> subscriptions = new ArrayList<>();
		try (LocalBroker brokers = new LocalBroker(Path.of(args[1]))) {
			for (int i = 0; i < Integer.parseInt(args[2]); i++) {
				subscriptions.add(brokers.in("micro").subscribe(TOPIC, (message) -> received.increment()));
			}
			subscriptions.add(brokers.in("micro").subscribe(WARMING, (message) -> {
			}));
			Program.ready();
			long before;
			do {
				before = received.sum();
				Thread.sleep(200);
			}
			while (received.sum() != before);
			System.out.println(received.sum() + " " + dropped(subscriptions));
		}
	}

	// The last one is for warming up.
	private static long dropped(List<BrokerSubscription> subscriptions) {
		return subscriptions.subList(0, subscriptions.size() - 1).stream().mapToLong(BrokerSubscription::dropped).sum();
	}

	/*
	 * A process that publishes for some time, and tells how many.
	 */
	static void publish(String[] args) throws Exception {
		try (LocalBroker brokers = new LocalBroker(Path.of(args[1]))) {
			Broker broker = brokers.in("micro");
			warm(broker);
			Program.ready();
			long count = 0;
			for (long end = System.nanoTime() + TIME.toNanos(); System.nanoTime() < end; count++) {
				broker.publish(TOPIC, Message.of(SMALL));
			}
			System.out.println(count);
		}
	}

}
