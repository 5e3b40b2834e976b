package mu.micro.local;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;

import mu.micro.Message;
import mu.micro.core.Audience;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

/**
 * Who may not read the secret neither sends messages nor reads them, whatever port it
 * knows or has.
 */
@Timeout(60)
class BrokerGuardTests {

	private static final Duration TIME = Duration.ofSeconds(5);

	private static final String NAMESPACE = "namespace";

	private static final String TOPIC = "topic";

	@TempDir
	private Path directory;

	private final ExecutorService threads = Executors.newCachedThreadPool();

	private final Node node = Node.create(UUID.randomUUID());

	private final byte[] secret = secret(1);

	private final Queue<String> requests = new ConcurrentLinkedQueue<>();

	private BrokerServer server;

	@BeforeEach
	void open() throws IOException {
		this.server = new BrokerServer(this.node, this.secret, BrokerServer.MOST_PROVEN, this.threads, (request) -> {
			this.requests.add(new String(request, StandardCharsets.UTF_8));
			return request;
		});
	}

	@AfterEach
	void close() {
		this.server.close();
		this.threads.shutdownNow();
	}

	@Test
	void whoKnowsTheSecretIsAnswered() throws IOException {
		try (SealedConnection connection = connect(this.node, this.server.port(), this.secret)) {
			for (String request : List.of("one", "", "two".repeat(1_000_000))) {
				connection.write(bytes(request));
				assertThat(connection.read()).isEqualTo(bytes(request));
			}
			assertThat(connection.isBroken()).isFalse();
			assertThatIOException().isThrownBy(() -> connection.write(new byte[SealedConnection.MOST + 1]));
			this.server.close();
			await(connection::isBroken);
		}
	}

	@Test
	void whoDoesNotKnowTheSecretIsRefused() {
		assertThatIOException().isThrownBy(() -> connect(this.node, this.server.port(), secret(2)));
		assertThat(this.requests).isEmpty();
	}

	@Test
	void whatIsForAnotherNodeIsRefused() {
		assertThatIOException()
			.isThrownBy(() -> connect(Node.create(UUID.randomUUID()), this.server.port(), this.secret));
		assertThat(this.requests).isEmpty();
	}

	@Test
	void whatIsNoFrameIsRefused() throws IOException {
		ByteArrayOutputStream large = new ByteArrayOutputStream();
		new DataOutputStream(large).writeInt(Integer.MAX_VALUE);
		ByteArrayOutputStream negative = new ByteArrayOutputStream();
		new DataOutputStream(negative).writeInt(-1);
		List<byte[]> forged = List.of(bytes("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"),
				join(new byte[16], new byte[1000]), join(new byte[16], large.toByteArray()),
				join(new byte[16], negative.toByteArray()),
				join(new byte[16], new byte[] { 0, 0, 0, 16 }, new byte[16]),
				join(new byte[16], new byte[] { 0, 0, 0, 17 }, new byte[17]));
		for (byte[] bytes : forged) {
			try (Socket socket = socket()) {
				socket.getOutputStream().write(bytes);
				socket.setSoTimeout(10_000);
				assertThat(isClosed(socket)).isTrue();
			}
		}
		assertThat(this.requests).isEmpty();
	}

	@Test
	void whatWasSentBeforeIsRefusedWhenItIsSentAgain() throws Exception {
		ByteArrayOutputStream recorded = new ByteArrayOutputStream();
		try (ServerSocket relay = new ServerSocket()) {
			relay.bind(new InetSocketAddress(SealedConnection.loopback(), 0));
			this.threads.execute(() -> relay(relay, recorded));
			try (SealedConnection connection = connect(this.node, relay.getLocalPort(), this.secret)) {
				connection.write(bytes("request"));
				assertThat(connection.read()).isEqualTo(bytes("request"));
			}
		}
		assertThat(this.requests).containsExactly("request");
		byte[] sent = recorded.toByteArray();
		assertThat(new String(sent, StandardCharsets.ISO_8859_1)).doesNotContain("request");
		try (Socket socket = socket()) {
			socket.getOutputStream().write(sent);
			socket.setSoTimeout(10_000);
			assertThat(isClosed(socket)).isTrue();
		}
		assertThat(this.requests).containsExactly("request");
	}

	@Test
	void whoTookThePortOfADeadProcessReadsNothing() throws Exception {
		BrokerProcess process = BrokerProcess.start(this.directory, NAMESPACE, TOPIC, "");
		process.signal("STOP");
		ByteArrayOutputStream heard = new ByteArrayOutputStream();
		try (process; LocalBroker broker = new LocalBroker(this.directory); ServerSocket taken = new ServerSocket()) {
			taken.bind(new InetSocketAddress(SealedConnection.loopback(), 0));
			this.threads.execute(() -> listen(taken, heard));
			Path lease = lease();
			BrokerLease told = BrokerLease.read(Files.readAllBytes(lease));
			Files.write(lease, new BrokerLease(taken.getLocalPort(), told.topics()).write());
			broker.in(NAMESPACE).publish(TOPIC, new Message("id", Map.of(), bytes("confidential")));
			await(() -> heard.size() > 0);
			assertThat(heard.toString(StandardCharsets.ISO_8859_1)).doesNotContain("confidential")
				.doesNotContain(TOPIC)
				.doesNotContain(NAMESPACE);
			// What says who it is, and the proof.
			assertThat(heard.size()).isLessThanOrEqualTo(16 + 4 + 16);
		}
	}

	@Test
	void thoseWhoSayNothingAreFewAndNotWaitedForLong() throws Exception {
		List<Socket> silent = new ArrayList<>();
		try {
			for (int i = 0; i < 200; i++) {
				silent.add(socket());
			}
			// All but a few are closed at once, the others within some seconds.
			await(() -> silent.stream().filter(BrokerGuardTests::isClosedNow).count() >= 100);
			await(() -> silent.stream().allMatch(BrokerGuardTests::isClosedNow));
			whoKnowsTheSecretIsAnswered();
		}
		finally {
			for (Socket socket : silent) {
				socket.close();
			}
		}
	}

	@Test
	void whatIsNoBatchIsRefused() throws IOException {
		Audience.Topic topic = new Audience.Topic(NAMESPACE, TOPIC);
		Batch batch = new Batch(List.of(new Batch.Missed(topic, null, 1), new Batch.Missed(topic, "queue", 2)),
				List.of(new Batch.Delivery(topic, true, Map.of("queue", true),
						new Message("id", Map.of("a", "b"), bytes("body")))));
		byte[] whole = batch.write();
		assertThat(Batch.read(whole)).isEqualTo(batch);
		for (int length = 0; length < whole.length; length++) {
			byte[] part = Arrays.copyOf(whole, length);
			assertThatIOException().isThrownBy(() -> Batch.read(part));
		}
		BrokerLease lease = new BrokerLease(1, Map.of(topic, new BrokerLease.Seats(true, Map.of("queue", 3))));
		byte[] told = lease.write();
		assertThat(BrokerLease.read(told)).isEqualTo(lease);
		for (int length = 0; length < told.length; length++) {
			assertThat(BrokerLease.read(Arrays.copyOf(told, length)).topics()).isEmpty();
		}
		byte[] removed = join(told, BrokerLease.write(topic, BrokerLease.Seats.NONE));
		assertThat(BrokerLease.read(removed)).isEqualTo(new BrokerLease(1, Map.of()));
		assertThat(BrokerLease.read(Arrays.copyOf(removed, removed.length - 1))).isEqualTo(lease);
		assertThat(BrokerLease.read(new byte[100])).isEqualTo(BrokerLease.NOTHING);
	}

	private Path lease() throws IOException {
		try (Stream<Path> files = Files.list(this.directory)) {
			return files.filter((file) -> file.toString().endsWith(".lease")).findFirst().orElseThrow();
		}
	}

	private Socket socket() throws IOException {
		return new Socket(SealedConnection.loopback(), this.server.port());
	}

	private void relay(ServerSocket from, ByteArrayOutputStream recorded) {
		try (Socket caller = from.accept(); Socket target = socket()) {
			this.threads.execute(() -> copy(target, caller, new ByteArrayOutputStream()));
			copy(caller, target, recorded);
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	private static void copy(Socket from, Socket to, ByteArrayOutputStream recorded) {
		byte[] bytes = new byte[1000];
		try {
			for (int n = from.getInputStream().read(bytes); n >= 0; n = from.getInputStream().read(bytes)) {
				recorded.write(bytes, 0, n);
				to.getOutputStream().write(bytes, 0, n);
			}
		}
		catch (IOException ex) {
			// Closed: done.
		}
	}

	private static void listen(ServerSocket at, ByteArrayOutputStream heard) {
		try (Socket caller = at.accept()) {
			// As a node would begin.
			caller.getOutputStream().write(new byte[16]);
			caller.getOutputStream().write(new byte[] { 0, 0, 0, 16 });
			caller.getOutputStream().write(new byte[16]);
			InputStream in = caller.getInputStream();
			for (int next = in.read(); next >= 0; next = in.read()) {
				heard.write(next);
			}
		}
		catch (IOException ex) {
			// Closed: done.
		}
	}

	private static boolean isClosed(Socket socket) throws IOException {
		try {
			while (socket.getInputStream().read() >= 0) {
				continue;
			}
			return true;
		}
		catch (SocketTimeoutException ex) {
			return false;
		}
		catch (SocketException ex) {
			return true;
		}
	}

	private static boolean isClosedNow(Socket socket) {
		try {
			socket.setSoTimeout(1);
			return isClosed(socket);
		}
		catch (IOException ex) {
			return true;
		}
	}

	private static SealedConnection connect(Node node, int port, byte[] secret) throws IOException {
		return SealedConnection.connect(node, port, secret, TIME);
	}

	private static byte[] secret(int fill) {
		byte[] secret = new byte[32];
		Arrays.fill(secret, (byte) fill);
		return secret;
	}

	private static byte[] bytes(String text) {
		return text.getBytes(StandardCharsets.UTF_8);
	}

	private static byte[] join(byte[]... parts) {
		ByteArrayOutputStream joined = new ByteArrayOutputStream();
		for (byte[] part : parts) {
			joined.writeBytes(part);
		}
		return joined.toByteArray();
	}

	private static void await(Callable<Boolean> condition) {
		Awaitility.await().atMost(Duration.ofSeconds(20)).pollInterval(Duration.ofMillis(10)).until(condition);
	}

}
