package mu.micro.local;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.channels.ServerSocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

import mu.micro.Message;
import mu.micro.core.Audience;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;

@Timeout(60)
class BrokerSenderTests {

	private static final Audience.Topic TOPIC = new Audience.Topic("namespace", "topic");

	private final ExecutorService threads = Executors.newCachedThreadPool();

	private final Node node = Node.create(UUID.randomUUID());

	private final byte[] secret = new byte[32];

	private final Queue<Batch> taken = new ConcurrentLinkedQueue<>();

	private final AtomicBoolean lives = new AtomicBoolean(true);

	private final List<AutoCloseable> opened = new ArrayList<>();

	@AfterEach
	void close() throws Exception {
		for (AutoCloseable each : this.opened) {
			each.close();
		}
		this.threads.shutdownNow();
	}

	@Test
	void whatWaitsForAConnectionGoesElsewhereUnlessThereIsNobodyElse() throws Exception {
		try (ServerSocket silent = new ServerSocket()) {
			silent.bind(new InetSocketAddress(SealedConnection.loopback(), 0));
			BrokerSender sender = sender(silent.getLocalPort(), this.threads);
			BrokerSender.Sending sending = sender.send(delivery(Map.of("other", false, "last", true)));
			TimeUnit.MILLISECONDS.sleep(300);
			assertThat(sender.fallBehind(sending)).containsExactly("other");
			assertThat(sender.isBehind()).isTrue();
			this.lives.set(false);
			assertThat(sending.refused().get(20, TimeUnit.SECONDS)).containsExactly("last");
			await(() -> !sender.isBehind());
		}
	}

	@Test
	void itIsTriedAgainToConnectAsLongAsTheNodeLives() throws Exception {
		int port;
		try (ServerSocketChannel free = ServerSocketChannel.open()) {
			free.bind(new InetSocketAddress(SealedConnection.loopback(), 0));
			port = free.socket().getLocalPort();
		}
		BrokerSender sender = sender(port, this.threads);
		BrokerSender.Sending sending = sender.send(delivery(Map.of("queue", false)));
		TimeUnit.MILLISECONDS.sleep(300);
		assertThat(sending.refused()).isNotDone();
		this.lives.set(false);
		assertThat(sending.refused().get(10, TimeUnit.SECONDS)).containsExactly("queue");
	}

	@Test
	void whoAnswersIsNotBehindAndHearsWhatNobodyElseWasAskedFor() throws Exception {
		CountDownLatch answering = new CountDownLatch(1);
		BrokerSender sender = sender(server(answering).port(), this.threads);
		BrokerSender.Sending sending = sender.send(delivery(Map.of("queue", false)));
		await(() -> !this.taken.isEmpty());
		assertThat(sender.fallBehind(sending)).isEmpty();
		assertThat(sender.isBehind()).isTrue();
		answering.countDown();
		await(() -> this.taken.size() == 2);
		await(() -> !sender.isBehind());
		assertThat(sending.refused()).isDone();
		assertThat(this.taken.stream().flatMap((batch) -> batch.missed().stream()))
			.containsExactly(new Batch.Missed(TOPIC, "queue", 1));
	}

	@Test
	void whatFindsNoThreadGoesElsewhereAndTheNextIsSent() throws Exception {
		AtomicBoolean none = new AtomicBoolean(true);
		BrokerSender sender = sender(server(new CountDownLatch(0)).port(), (task) -> {
			if (none.get()) {
				throw new Error("no thread, on purpose");
			}
			this.threads.execute(task);
		});
		assertThat(sender.send(delivery(Map.of("queue", false))).refused().getNow(List.of())).containsExactly("queue");
		none.set(false);
		sender.send(delivery(Map.of("queue", false))).refused().get(10, TimeUnit.SECONDS);
		assertThat(this.taken).hasSize(1);
	}

	private BrokerSender sender(int port, Executor executor) {
		BrokerSender sender = new BrokerSender(this.node, port, this.secret, executor, (other) -> this.lives.get());
		this.opened.add(sender::close);
		return sender;
	}

	/*
	 * Nobody there takes anything for a queue.
	 */
	private BrokerServer server(CountDownLatch answering) throws IOException {
		BrokerServer server = new BrokerServer(this.node, this.secret, BrokerServer.MOST_PROVEN, this.threads,
				(request) -> {
					Batch batch = Batch.read(request);
					this.taken.add(batch);
					try {
						answering.await();
					}
					catch (InterruptedException ex) {
						Thread.currentThread().interrupt();
					}
					return Batch.writeAnswer(
							batch.deliveries().stream().map((each) -> List.copyOf(each.queues().keySet())).toList());
				});
		this.opened.add(server);
		return server;
	}

	private static Batch.Delivery delivery(Map<String, Boolean> queues) {
		return new Batch.Delivery(TOPIC, false, queues, new Message("id", Map.of(), new byte[0]));
	}

	private static void await(Callable<Boolean> condition) {
		Awaitility.await().atMost(Duration.ofSeconds(20)).pollInterval(Duration.ofMillis(10)).until(condition);
	}

}
