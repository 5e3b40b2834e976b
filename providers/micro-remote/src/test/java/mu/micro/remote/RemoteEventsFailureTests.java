package mu.micro.remote;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

import io.grpc.Server;
import mu.micro.Message;
import mu.micro.MicroException;
import mu.micro.Subscription;
import mu.micro.events.Delivery;
import mu.micro.events.Event;
import mu.micro.events.Events;
import mu.micro.events.Group;
import mu.micro.events.GroupState;
import mu.micro.events.Retention;
import mu.micro.memory.MemoryEvents;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

@Timeout(60)
class RemoteEventsFailureTests {

	private final List<AutoCloseable> open = new ArrayList<>();

	private final MemoryEvents data = new MemoryEvents();

	private final Events there = this.data.in("micro");

	private final List<Delivery> heard = new CopyOnWriteArrayList<>();

	private TestServer server = server(0);

	@AfterEach
	void close() throws Exception {
		for (AutoCloseable closeable : this.open) {
			closeable.close();
		}
		this.server.close();
		this.data.close();
	}

	@Test
	void aConsumerGoesOnWhereItWasWhenTheServerIsBack() {
		Events mine = events(Duration.ofSeconds(10)).in("micro");
		mine.consume("t", Group.of("g"), this.heard::add);
		append("1");
		TestServer.await(() -> this.heard.size() == 1);
		TestServer.await(() -> this.there.groups("t").get(0).next() == 2);
		int port = this.server.port();
		this.server.close();
		append("2");
		append("3");
		this.server = server(port);
		TestServer.await(() -> this.heard.size() == 3);
		append("4");
		TestServer.await(() -> this.heard.size() == 4);
		assertThat(this.heard).extracting((delivery) -> delivery.event().offset()).containsExactly(1L, 2L, 3L, 4L);
		assertThat(this.heard).allMatch((delivery) -> delivery.attempt() == 1);
	}

	@Test
	void whatRanWhenTheServerWentAwayIsInterruptedAndComesAgain() {
		Events mine = events(Duration.ofSeconds(10)).in("micro");
		AtomicBoolean interrupted = new AtomicBoolean();
		mine.consume("t", Group.of("g").withAckWait(Duration.ofHours(1)), (delivery) -> {
			this.heard.add(delivery);
			if (this.heard.size() == 1) {
				try {
					new CountDownLatch(1).await();
				}
				catch (InterruptedException ex) {
					interrupted.set(true);
				}
			}
		});
		append("1");
		TestServer.await(() -> this.heard.size() == 1);
		int port = this.server.port();
		this.server.close();
		TestServer.await(interrupted::get);
		this.server = server(port);
		TestServer.await(() -> this.heard.size() == 2);
		assertThat(this.heard.get(1).attempt()).isEqualTo(2);
		assertThat(this.heard.get(1).error()).isNotBlank();
		TestServer.await(() -> this.there.groups("t").equals(List.of(new GroupState("g", 2, 0, 0))));
	}

	@Test
	void nothingIsLostAndNothingHandledTwiceByHalvesHoweverOftenTheServerIsStartedAgain() {
		Events mine = events(Duration.ofSeconds(10)).in("micro");
		Map<Long, Integer> handled = new ConcurrentHashMap<>();
		mine.consume("t", Group.of("g").withMaxInFlight(4).withMaxDeliveries(100),
				(delivery) -> handled.merge(delivery.event().offset(), 1, Integer::sum));
		for (int round = 1; round <= 4; round++) {
			for (int i = 0; i < 50; i++) {
				append("m");
			}
			int port = this.server.port();
			this.server.close();
			this.server = server(port);
			int all = 50 * round;
			TestServer.await(() -> this.there.groups("t").equals(List.of(new GroupState("g", all + 1, 0, 0))));
			assertThat(handled).hasSize(all);
		}
		assertThat(this.there.topics()).containsExactly("t");
	}

	@Test
	void aHandlerThatHungOnThroughARestartKeepsItsPlace() {
		Events mine = events(Duration.ofSeconds(10)).in("micro");
		CountDownLatch hang = new CountDownLatch(1);
		this.open.add(hang::countDown);
		mine.consume("t", Group.of("g").withAckWait(Duration.ofSeconds(30)), (delivery) -> {
			this.heard.add(delivery);
			while (hang.getCount() > 0) {
				try {
					hang.await();
				}
				catch (InterruptedException ex) {
					// Does not hear it.
				}
			}
		});
		append("1");
		TestServer.await(() -> this.heard.size() == 1);
		int port = this.server.port();
		this.server.close();
		this.server = server(port);
		TestServer.await(() -> this.there.groups("t").get(0).inFlight() == 1);
		Awaitility.await()
			.during(Duration.ofSeconds(1))
			.atMost(Duration.ofSeconds(10))
			.until(() -> this.heard.size() == 1);
		hang.countDown();
		TestServer.await(() -> this.there.groups("t").equals(List.of(new GroupState("g", 2, 0, 0))));
		assertThat(this.heard).hasSize(2);
	}

	@Test
	void aServerThatDrainsHearsOfWhatRuns() {
		Events mine = events(Duration.ofSeconds(10)).in("micro");
		CountDownLatch release = new CountDownLatch(1);
		mine.consume("t", Group.of("g"), (delivery) -> {
			this.heard.add(delivery);
			release.await();
		});
		append("1");
		append("2");
		TestServer.await(() -> this.heard.size() == 1);
		this.server.endWatches();
		release.countDown();
		TestServer.await(() -> this.there.groups("t").equals(List.of(new GroupState("g", 2, 0, 1))));
		this.server.resumeWatches();
		TestServer.await(() -> this.heard.size() == 2);
		assertThat(this.heard).allMatch((delivery) -> delivery.attempt() == 1);
	}

	@Test
	void aConsumerGoesOnThoughItsConnectionDiedInSilence() throws Exception {
		Relay relay = keep(new Relay(this.server.port()));
		Events behind = keep(new RemoteEvents(relay.address(), Duration.ofSeconds(2), Duration.ofSeconds(3)))
			.in("micro");
		behind.consume("t", Group.of("g").withAckWait(Duration.ofSeconds(1)).withMaxDeliveries(100), this.heard::add);
		relay.fallSilent();
		append("1");
		TestServer.await(() -> this.there.groups("t").equals(List.of(new GroupState("g", 2, 0, 0))));
		assertThat(this.heard).hasSize(1);
	}

	@Test
	void aQuietConsumerKeepsItsCall() {
		Events mine = keep(new RemoteEvents(this.server.address(), Duration.ofSeconds(5), Duration.ofSeconds(3)))
			.in("micro");
		mine.consume("t", Group.of("g"), this.heard::add);
		int calls = this.server.calls();
		Awaitility.await()
			.during(Duration.ofSeconds(5))
			.atMost(Duration.ofSeconds(10))
			.until(() -> this.server.calls() == calls);
	}

	@Test
	void theEventsOfAClientThatVanishedGoToTheOthersAtOnce() throws Exception {
		Relay relay = new Relay(this.server.port());
		Group group = Group.of("g").withAckWait(Duration.ofHours(1));
		Events vanishing = keep(new RemoteEvents(relay.address(), Duration.ofSeconds(5))).in("micro");
		CountDownLatch begun = new CountDownLatch(1);
		vanishing.consume("t", group, (delivery) -> {
			begun.countDown();
			new CountDownLatch(1).await();
		});
		append("1");
		assertThat(begun.await(10, TimeUnit.SECONDS)).isTrue();
		events(Duration.ofSeconds(10)).in("micro").consume("t", group, this.heard::add);
		relay.close();
		TestServer.await(() -> this.heard.size() == 1);
		assertThat(this.heard.get(0).attempt()).isEqualTo(2);
	}

	@Test
	void aServerThatIsAwayIsNamedAndNothingIsAnsweredInItsPlace() {
		Events mine = events(Duration.ofSeconds(5)).in("micro");
		mine.append("t", message("1"));
		this.server.close();
		// The end of the connection may be noticed by the first call.
		TestServer.await(() -> {
			try {
				mine.append("t", message("2"));
				return false;
			}
			catch (MicroException.OutcomeUnknown ex) {
				return false;
			}
			catch (MicroException.Unavailable ex) {
				return true;
			}
		});
		List<ThrowingCallable> calls = List.of(() -> mine.append("t", message("2")), () -> mine.read("t", 1, 1),
				() -> mine.offsetAt("t", Instant.EPOCH), mine::topics, () -> mine.groups("t"),
				() -> mine.removeGroup("t", "g"), () -> mine.consume("t", Group.of("g"), this.heard::add));
		for (ThrowingCallable call : calls) {
			assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(call)
				.withMessageContainingAll(this.server.address(), "start it with 'micro server'");
		}
		assertThat(this.there.read("t", 1, 10)).hasSize(1);
	}

	@Test
	void anAppendThatIsNotAnsweredIsUnknownAndHarmlessToRepeat() {
		Events mine = events(Duration.ofMillis(500)).in("micro");
		mine.append("t", message("warm"));
		this.server.pause();
		Message message = message("1");
		assertThatExceptionOfType(MicroException.OutcomeUnknown.class).isThrownBy(() -> mine.append("t", message))
			.withMessageContaining(this.server.address());
		assertThatExceptionOfType(MicroException.OutcomeUnknown.class).isThrownBy(() -> mine.removeGroup("t", "g"));
		assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(() -> mine.read("t", 1, 1));
		this.server.resume();
		Event event = mine.append("t", message);
		assertThat(event.offset()).isEqualTo(2);
		assertThat(this.there.read("t", 1, 10)).hasSize(2);
	}

	@Test
	void aConsumerThatCouldNotJoinIsNotTriedOn() {
		Events mine = events(Duration.ofMillis(500)).in("micro");
		mine.append("t", message("1"));
		this.server.pause();
		assertThatExceptionOfType(MicroException.Unavailable.class)
			.isThrownBy(() -> mine.consume("t", Group.of("g"), this.heard::add))
			.withMessageContaining("nothing within 500 ms");
		this.server.resume();
		int calls = this.server.calls();
		Awaitility.await()
			.during(Duration.ofSeconds(1))
			.atMost(Duration.ofSeconds(5))
			.until(() -> this.server.calls() == calls && this.heard.isEmpty());
		mine.consume("t", Group.of("g"), this.heard::add);
		TestServer.await(() -> this.heard.size() == 1);
	}

	@Test
	void anInterruptionEndsTheWaitToJoin() throws Exception {
		Events mine = events(Duration.ofSeconds(30)).in("micro");
		mine.append("t", message("1"));
		this.server.pause();
		CompletableFuture<Throwable> failure = new CompletableFuture<>();
		Thread thread = new Thread(() -> {
			try {
				mine.consume("t", Group.of("g"), this.heard::add);
			}
			catch (MicroException ex) {
				failure.complete(ex);
			}
		});
		thread.setDaemon(true);
		int kept = this.server.kept();
		thread.start();
		TestServer.await(() -> this.server.kept() > kept);
		thread.interrupt();
		assertThat(failure.get(10, TimeUnit.SECONDS)).isInstanceOf(MicroException.Cancelled.class);
		this.server.resume();
	}

	@Test
	void closingIsQuickThoughTheServerIsAway() {
		RemoteEvents leaving = events(Duration.ofSeconds(10));
		Subscription first = leaving.in("micro").consume("t0", Group.of("g"), this.heard::add);
		for (int i = 1; i < 20; i++) {
			leaving.in("micro").consume("t" + i, Group.of("g"), this.heard::add);
		}
		this.server.close();
		long start = System.nanoTime();
		first.close();
		leaving.close();
		assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
	}

	@Test
	void whatIsNoMicroServerIsNamed() throws Exception {
		Server other = TestServer.withoutServices();
		this.open.add(other::shutdownNow);
		String address = "127.0.0.1:" + other.getPort();
		Events events = keep(new RemoteEvents(address, Duration.ofSeconds(10))).in("micro");
		for (ThrowingCallable call : List.<ThrowingCallable>of(() -> events.append("t", message("1")),
				() -> events.consume("t", Group.of("g"), this.heard::add))) {
			assertThatExceptionOfType(MicroException.Unimplemented.class).isThrownBy(call)
				.withMessageContainingAll(address, "events", "micro.remote.address");
		}
	}

	@Test
	void aServerThatSaysNothingIsNamedWithinTheTimeout() throws Exception {
		ServerSocket silent = keep(new ServerSocket(0, 1, InetAddress.getLoopbackAddress()));
		String address = "127.0.0.1:" + silent.getLocalPort();
		Events events = keep(new RemoteEvents(address, Duration.ofMillis(300))).in("micro");
		for (ThrowingCallable call : List.<ThrowingCallable>of(() -> events.append("t", message("1")), events::topics,
				() -> events.consume("t", Group.of("g"), this.heard::add))) {
			assertThatExceptionOfType(MicroException.class).isThrownBy(call)
				.withMessageContainingAll(address, "nothing within 300 ms");
		}
	}

	private TestServer server(int port) {
		return new TestServer(port, new MemoryEvents(this.data, Retention.DEFAULT));
	}

	private RemoteEvents events(Duration timeout) {
		return keep(new RemoteEvents(this.server.address(), timeout));
	}

	private <T extends AutoCloseable> T keep(T closeable) {
		this.open.add(0, closeable);
		return closeable;
	}

	private void append(String text) {
		this.there.append("t", message(text));
	}

	private static Message message(String text) {
		return Message.of(text.getBytes(StandardCharsets.UTF_8));
	}

}
