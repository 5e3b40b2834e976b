package mu.micro.local;

import java.io.IOException;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;

import mu.micro.Limits;
import mu.micro.Message;
import mu.micro.broker.Broker;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Processes that publish to each other, and that are stopped and killed. The property
 * {@code micro.torture}, above 0, makes more of it.
 */
@Timeout(120)
class BrokerProcessesTests {

	private static final String NAMESPACE = "namespace";

	private static final String TOPIC = "topic";

	private static final String QUEUE = "queue";

	private static final int TORTURE = Integer.getInteger("micro.torture", 0);

	@TempDir
	private Path directory;

	private final List<AutoCloseable> opened = new ArrayList<>();

	private Broker broker;

	@BeforeEach
	void open() {
		this.broker = view();
	}

	@AfterEach
	void close() throws Exception {
		for (AutoCloseable each : this.opened) {
			each.close();
		}
	}

	@Test
	void processesPublishToEachOther() throws Exception {
		BrokerProcess one = process("");
		BrokerProcess other = process("");
		Set<String> here = subscribe(view(), null);
		one.publish(TOPIC, "from one");
		other.publish(TOPIC, "from the other");
		this.broker.publish(TOPIC, message("from here"));
		Set<String> all = Set.of("from one", "from the other", "from here");
		await(() -> here.equals(all));
		await(() -> Set.copyOf(one.received()).equals(all));
		await(() -> Set.copyOf(other.received()).equals(all));
	}

	@Test
	void processesShareAQueue() throws Exception {
		List<BrokerProcess> members = List.of(process(QUEUE), process(QUEUE));
		int published = 300;
		for (int i = 0; i < published; i++) {
			this.broker.publish(TOPIC, message("m" + i));
		}
		await(() -> members.stream().mapToInt((member) -> member.received().size()).sum() >= published);
		assertThat(members.stream().flatMap((member) -> member.received().stream()))
			.containsExactlyInAnyOrderElementsOf(IntStream.range(0, published).mapToObj((i) -> "m" + i).toList());
		assertThat(members).allMatch((member) -> member.received().size() > 50);
	}

	@Test
	void theMessagesOfAKilledProcessGoElsewhereAndItsLeaseVanishes() throws Exception {
		BrokerProcess member = process(QUEUE);
		BrokerProcess alone = process("");
		Set<String> here = subscribe(view(), QUEUE);
		for (int i = 0; member.received().isEmpty() && i < 1000; i++) {
			this.broker.publish(TOPIC, message("before-" + i));
		}
		await(() -> !member.received().isEmpty());
		member.kill();
		alone.kill();
		here.clear();
		Set<String> published = new HashSet<>();
		for (int i = 0; i < 100; i++) {
			this.broker.publish(TOPIC, message("after-" + i));
			published.add("after-" + i);
		}
		await(() -> here.containsAll(published));
		assertThat(files()).noneMatch((file) -> file.contains("-" + member.pid() + "-"))
			.noneMatch((file) -> file.contains("-" + alone.pid() + "-"));
	}

	@Test
	void whatAProcessLeftThatDiedEarlierIsRemoved() throws Exception {
		BrokerProcess process = process("");
		process.kill();
		assertThat(files()).anyMatch((file) -> file.contains("-" + process.pid() + "-"));
		view().publish("another topic", message("1"));
		assertThat(files()).containsExactly("secret");
	}

	@Test
	@DisabledOnOs(OS.WINDOWS)
	void aStoppedProcessHoldsUpNobodyAndCountsWhatItMissed() throws Exception {
		BrokerProcess stopped = process("");
		Set<String> here = subscribe(view(), null);
		this.broker.publish(TOPIC, message("before"));
		await(() -> stopped.received().equals(List.of("before")));
		stopped.signal("STOP");
		long began = System.nanoTime();
		int published = 2000;
		for (int i = 0; i < published; i++) {
			this.broker.publish(TOPIC, new Message("m" + i, Map.of(), new byte[20_000]));
		}
		assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(15));
		await(() -> here.size() == published + 1);
		stopped.signal("CONT");
		await(() -> stopped.received().size() + stopped.dropped() == published + 1);
		// What waited: 16 MB of it, and what was on its way.
		assertThat(stopped.received().size()).isBetween(500, 1000);
		assertThat(stopped.received()).doesNotHaveDuplicates();
		this.broker.publish(TOPIC, message("after"));
		await(() -> stopped.received().contains("after"));
	}

	@Test
	@DisabledOnOs(OS.WINDOWS)
	void whatAStoppedMemberDoesNotTakeGoesToAnother() throws Exception {
		BrokerProcess stopped = process(QUEUE);
		Set<String> here = subscribe(view(), QUEUE);
		stopped.signal("STOP");
		int published = 200;
		for (int i = 0; i < published; i++) {
			this.broker.publish(TOPIC, message("m" + i));
		}
		// Nothing was sent to it, as there was no connection yet.
		await(() -> here.size() == published);
		stopped.signal("CONT");
		await(() -> {
			this.broker.publish(TOPIC, message("after-" + System.nanoTime()));
			return !stopped.received().isEmpty();
		});
		assertThat(stopped.received()).allMatch((id) -> id.startsWith("after-")).noneMatch(here::contains);
	}

	@Test
	@DisabledOnOs(OS.WINDOWS)
	void aQueueOfAStoppedProcessAloneWaitsForIt() throws Exception {
		BrokerProcess stopped = process(QUEUE);
		stopped.signal("STOP");
		int published = 1500;
		for (int i = 0; i < published; i++) {
			this.broker.publish(TOPIC, message("m" + i));
		}
		stopped.signal("CONT");
		await(() -> stopped.received().size() + stopped.dropped() == published);
		assertThat(stopped.received().size()).isGreaterThanOrEqualTo(Broker.BACKLOG);
	}

	@Test
	@DisabledOnOs(OS.WINDOWS)
	void aStoppedProcessThatIsKilledIsForgotten() throws Exception {
		BrokerProcess stopped = process("");
		stopped.signal("STOP");
		this.broker.publish(TOPIC, message("1"));
		this.broker.publish(TOPIC, message("2"));
		stopped.kill();
		await(() -> {
			this.broker.publish(TOPIC, message("3"));
			return files().equals(Set.of("secret"));
		});
	}

	@Test
	void manyTopicsOfAProcessGetWhatIsTheirs() throws Exception {
		int topics = (TORTURE > 0) ? 10_000 : 1000;
		BrokerProcess process = process("");
		process.subscribe(topics);
		for (int i = 0; i < topics; i++) {
			this.broker.publish(String.valueOf(i), message(String.valueOf(i)));
		}
		await(() -> process.received().size() + process.dropped() == topics);
		assertThat(process.received()).doesNotHaveDuplicates().doesNotContain("strayed");
		assertThat(process.received().size()).isGreaterThanOrEqualTo(Math.min(topics, Broker.BACKLOG));
	}

	@Test
	void aSlowProcessHoldsNoMoreThanItMayAndCountsTheRest() throws Exception {
		BrokerProcess slow = process("");
		slow.hold();
		Set<String> here = subscribe(view(), null);
		// More than its heap of 64 MB.
		int published = (TORTURE > 0) ? 500 : 80;
		for (int i = 0; i < published; i++) {
			this.broker.publish(TOPIC, new Message("m" + i, Map.of(), new byte[Limits.BODY]));
			int count = i + 1;
			await(() -> here.size() == count);
		}
		assertThat(slow.received()).isEmpty();
		slow.release();
		await(() -> slow.received().size() + slow.dropped() == published);
		// As much again may have been on its way to where it waits.
		int fit = Limits.BATCH_BYTES / Limits.BODY;
		assertThat(slow.received().size()).isBetween(fit, 3 * fit);
		assertThat(slow.received()).startsWith("m0", "m1").doesNotHaveDuplicates();
		this.broker.publish(TOPIC, message("after"));
		await(() -> slow.received().contains("after"));
	}

	@Test
	@EnabledOnOs(OS.LINUX)
	void nothingIsKeptOfThoseWhoVanishAgainAndAgain() throws Exception {
		Set<String> here = subscribe(view(), null);
		this.broker.publish(TOPIC, message("first"));
		await(() -> here.size() == 1);
		Set<String> files = files();
		long sockets = sockets();
		int published = 1;
		for (int round = 0; round < ((TORTURE > 0) ? 20 : 2); round++) {
			BrokerProcess one = process("");
			BrokerProcess member = process(QUEUE);
			BrokerProcess quiet = BrokerProcess.start(this.directory, NAMESPACE, "of its own", "");
			this.opened.add(quiet);
			while (one.received().isEmpty() || member.received().isEmpty()) {
				this.broker.publish(TOPIC, message("m" + published++));
			}
			this.broker.publish("of its own", message("reply"));
			await(() -> !quiet.received().isEmpty());
			one.kill();
			member.kill();
			quiet.kill();
			try (LocalBroker next = new LocalBroker(this.directory)) {
				// Finds out that one is dead to whom nobody sends any more.
				next.in(NAMESPACE).publish(TOPIC, message("m" + published++));
			}
			for (int i = 0; i < 100; i++) {
				this.broker.publish(TOPIC, message("m" + published++));
			}
			int count = published;
			await(() -> here.size() == count);
			await(() -> files().equals(files) && sockets() == sockets);
		}
	}

	@Test
	@EnabledOnOs(OS.LINUX)
	void aProcessThatRanOutOfDescriptorsTakesMessagesOnceItHasSome() throws Exception {
		BrokerProcess process = process("");
		this.broker.publish(TOPIC, message("before"));
		await(() -> process.received().equals(List.of("before")));
		long most = process.descriptors() + 10;
		process.limitDescriptors(most);
		int port = port(process);
		List<Socket> silent = new ArrayList<>();
		try {
			for (int i = 0; i < 20; i++) {
				silent.add(new Socket(SealedConnection.loopback(), port));
			}
			await(() -> process.descriptors() == most);
		}
		finally {
			for (Socket each : silent) {
				each.close();
			}
		}
		view().publish(TOPIC, message("after"));
		await(() -> process.received().contains("after"));
	}

	private int port(BrokerProcess process) throws IOException {
		try (Stream<Path> files = Files.list(this.directory)) {
			Path lease = files.filter((file) -> file.toString().matches(".*-" + process.pid() + "-.*\\.lease"))
				.findFirst()
				.orElseThrow();
			return BrokerLease.read(Files.readAllBytes(lease)).port();
		}
	}

	private Broker view() {
		LocalBroker view = new LocalBroker(this.directory);
		this.opened.add(view);
		return view.in(NAMESPACE);
	}

	private BrokerProcess process(String queue) throws IOException {
		BrokerProcess process = BrokerProcess.start(this.directory, NAMESPACE, TOPIC, queue);
		this.opened.add(process);
		return process;
	}

	private static Set<String> subscribe(Broker broker, String queue) {
		Set<String> ids = ConcurrentHashMap.newKeySet();
		broker.subscribe(TOPIC, queue, (message) -> ids.add(message.id()));
		return ids;
	}

	private Set<String> files() throws IOException {
		Set<String> names = new HashSet<>();
		try (Stream<Path> files = Files.list(this.directory)) {
			files.forEach((file) -> names.add(file.getFileName().toString()));
		}
		return names;
	}

	/*
	 * Those of this process.
	 */
	private static long sockets() throws IOException {
		long sockets = 0;
		try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
			for (Path descriptor : (Iterable<Path>) open::iterator) {
				try {
					sockets += Files.readSymbolicLink(descriptor).toString().startsWith("socket:") ? 1 : 0;
				}
				catch (NoSuchFileException ex) {
					// Closed meanwhile.
				}
			}
		}
		return sockets;
	}

	private static Message message(String id) {
		return new Message(id, Map.of(), new byte[0]);
	}

	private static void await(Callable<Boolean> condition) {
		Awaitility.await()
			.atMost(Duration.ofSeconds(15))
			.pollDelay(Duration.ZERO)
			.pollInterval(Duration.ofMillis(20))
			.until(condition);
	}

}
