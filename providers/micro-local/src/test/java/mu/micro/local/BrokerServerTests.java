package mu.micro.local;

import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;

import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

/**
 * What a port does when there are too many, when there is no thread, and when it closes.
 */
@Timeout(60)
class BrokerServerTests {

	private static final byte[] REQUEST = "request".getBytes(StandardCharsets.UTF_8);

	private final ExecutorService threads = Executors.newCachedThreadPool();

	private final Node node = Node.create(UUID.randomUUID());

	private final byte[] secret = new byte[32];

	private final List<AutoCloseable> opened = new ArrayList<>();

	@AfterEach
	void close() throws Exception {
		for (AutoCloseable each : this.opened) {
			each.close();
		}
		this.threads.shutdownNow();
	}

	@Test
	void aPublisherForWhomThereIsNoThreadTakesNoPlaceAndOthersAreServed() throws IOException {
		AtomicBoolean none = new AtomicBoolean(true);
		BrokerServer server = server(2, (task) -> {
			if (none.get()) {
				throw new Error("no thread, on purpose");
			}
			this.threads.execute(task);
		}, (request) -> request);
		assertThatIOException().isThrownBy(() -> connect(server));
		none.set(false);
		// As many as may be there unproven, with the one that follows.
		for (int i = 0; i < BrokerServer.MOST_UNPROVEN - 1; i++) {
			Socket silent = new Socket(SealedConnection.loopback(), server.port());
			this.opened.add(silent);
		}
		assertAnswered(connect(server));
	}

	@Test
	void onePublisherTooManyIsRefusedUntilAnotherLeaves() throws IOException {
		BrokerServer server = server(3, this.threads, (request) -> request);
		List<SealedConnection> served = List.of(connect(server), connect(server), connect(server));
		assertThatIOException().isThrownBy(() -> connect(server));
		for (SealedConnection each : served) {
			assertAnswered(each);
		}
		served.get(0).close();
		await(() -> {
			try {
				assertAnswered(connect(server));
				return true;
			}
			catch (IOException ex) {
				return false;
			}
		});
	}

	@Test
	void whatWasSentBeforeThePortClosedIsAnswered() throws Exception {
		// Once more where this machine stood still for as long as those who leave get.
		boolean answered = false;
		for (int i = 0; i < 5 && !answered; i++) {
			answered = isAnsweredWhileClosing();
		}
		assertThat(answered).isTrue();
	}

	private boolean isAnsweredWhileClosing() throws Exception {
		Thread[] closing = new Thread[1];
		BrokerServer server = server(1, this.threads, (request) -> {
			closing[0].start();
			await(() -> List.of(Thread.State.TIMED_WAITING, Thread.State.TERMINATED).contains(closing[0].getState()));
			return request;
		});
		closing[0] = new Thread(server::close);
		SealedConnection connection = connect(server);
		connection.write(REQUEST);
		try {
			assertThat(connection.read()).isEqualTo(REQUEST);
			return true;
		}
		catch (IOException ex) {
			return false;
		}
		finally {
			closing[0].join();
		}
	}

	private BrokerServer server(int most, Executor executor, BrokerServer.Answering answering) throws IOException {
		BrokerServer server = new BrokerServer(this.node, this.secret, most, executor, answering);
		this.opened.add(server);
		return server;
	}

	private SealedConnection connect(BrokerServer server) throws IOException {
		SealedConnection connection = SealedConnection.connect(this.node, server.port(), this.secret,
				Duration.ofSeconds(5));
		this.opened.add(0, connection);
		return connection;
	}

	private static void assertAnswered(SealedConnection connection) throws IOException {
		connection.write(REQUEST);
		assertThat(connection.read()).isEqualTo(REQUEST);
	}

	private static void await(Callable<Boolean> condition) {
		Awaitility.await().atMost(Duration.ofSeconds(20)).pollInterval(Duration.ofMillis(1)).until(condition);
	}

}
