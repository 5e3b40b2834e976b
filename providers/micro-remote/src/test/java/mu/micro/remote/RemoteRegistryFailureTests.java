package mu.micro.remote;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

import io.grpc.Context;
import io.grpc.Server;
import mu.micro.Lease;
import mu.micro.MicroException;
import mu.micro.registry.Instance;
import mu.micro.registry.Registry;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class RemoteRegistryFailureTests {

	private static final Duration TTL = Duration.ofSeconds(3);

	private final List<AutoCloseable> open = new ArrayList<>();

	private TestServer server = new TestServer();

	@AfterEach
	void close() throws Exception {
		for (AutoCloseable closeable : this.open) {
			closeable.close();
		}
		this.server.close();
	}

	@Test
	void allIsRegisteredAgainWhenTheServerHasBeenStartedAgain() {
		Registry mine = registry().in("micro");
		Registry others = registry().in("micro");
		Lease a = mine.register(instance("a", 1), TTL);
		Lease b = others.register(instance("b", 2), TTL);
		List<List<Instance>> seen = new CopyOnWriteArrayList<>();
		List<Set<String>> names = new CopyOnWriteArrayList<>();
		mine.watch("foo", seen::add);
		others.watch(names::add);
		TestServer.await(() -> !seen.isEmpty() && !names.isEmpty());
		int port = this.server.port();
		this.server.close();
		assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(() -> mine.instances("foo"));
		this.server = new TestServer(port);
		TestServer.await(() -> mine.instances("foo").equals(List.of(instance("a", 1), instance("b", 2))));
		assertThat(a.held()).isTrue();
		assertThat(b.held()).isTrue();
		Lease c = this.server.in("micro").register(instance("c", 3), TTL);
		TestServer.await(() -> seen.get(seen.size() - 1).size() == 3);
		a.close();
		b.close();
		c.close();
		TestServer.await(() -> seen.get(seen.size() - 1).isEmpty());
		TestServer.await(() -> names.get(names.size() - 1).isEmpty());
	}

	@Test
	void aWatcherKeepsTheLastStateWhileTheServerIsAway() {
		Registry mine = registry().in("micro");
		this.server.in("micro").register(instance("a", 1), TTL);
		List<List<Instance>> seen = new CopyOnWriteArrayList<>();
		mine.watch("foo", seen::add);
		TestServer.await(() -> seen.size() == 1);
		int port = this.server.port();
		this.server.close();
		Awaitility.await()
			.during(Duration.ofMillis(500))
			.atMost(Duration.ofSeconds(5))
			.until(() -> seen.equals(List.of(List.of(instance("a", 1)))));
		this.server = new TestServer(port);
		this.server.in("micro").register(instance("b", 2), TTL);
		TestServer.await(() -> seen.get(seen.size() - 1).equals(List.of(instance("b", 2))));
	}

	@Test
	void aWatchOpenedWhileTheServerIsAwayBeginsWhenItIsThere() {
		int port = this.server.port();
		this.server.close();
		Registry mine = registry().in("micro");
		List<List<Instance>> seen = new CopyOnWriteArrayList<>();
		mine.watch("foo", seen::add);
		assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(() -> mine.instances("foo"));
		assertThat(seen).isEmpty();
		this.server = new TestServer(port);
		TestServer.await(() -> seen.equals(List.of(List.of())));
		this.server.in("micro").register(instance("a", 1), TTL);
		TestServer.await(() -> seen.get(seen.size() - 1).equals(List.of(instance("a", 1))));
	}

	@Test
	void aServerThatIsAwayIsNamedAtOnce() {
		this.server.close();
		Registry mine = keep(new RemoteRegistry(this.server.address(), Duration.ofSeconds(60))).in("micro");
		for (Runnable call : List.<Runnable>of(() -> mine.instances("foo"), mine::services,
				() -> mine.register(instance("a", 1), TTL))) {
			long start = System.nanoTime();
			assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(call::run)
				.withMessageContainingAll("127.0.0.1:" + this.server.port(), "Connection refused",
						"start it with 'micro server'", "micro.remote.address");
			assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(15));
		}
	}

	@Test
	void aServerThatSaysNothingIsNamedWithinTheTimeout() throws Exception {
		ServerSocket silent = silent();
		RemoteRegistry registry = keep(
				new RemoteRegistry("127.0.0.1:" + silent.getLocalPort(), Duration.ofMillis(300)));
		long start = System.nanoTime();
		assertThatExceptionOfType(MicroException.Unavailable.class)
			.isThrownBy(() -> registry.in("micro").instances("foo"))
			.withMessageContainingAll("127.0.0.1:" + silent.getLocalPort(), "nothing within 300 ms");
		assertThat(Duration.ofNanos(System.nanoTime() - start)).isBetween(Duration.ofMillis(250),
				Duration.ofSeconds(4));
	}

	@Test
	void aConnectionThatDiedInSilenceIsGivenUpForANewOne() throws Exception {
		Relay relay = keep(new Relay(this.server.port()));
		Registry mine = keep(new RemoteRegistry(relay.address(), Duration.ofSeconds(2))).in("micro");
		Lease lease = mine.register(instance("a", 1), Duration.ofSeconds(4));
		TestServer.await(() -> mine.instances("foo").size() == 1);
		relay.fallSilent();
		assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(() -> mine.instances("foo"))
			.withMessageContaining("nothing within 2000 ms");
		TestServer.await(() -> mine.instances("foo").equals(List.of(instance("a", 1))));
		// Longer than the ttl, so that only a renewal over another connection counts.
		long silent = System.nanoTime();
		TestServer.await(() -> System.nanoTime() - silent > Duration.ofSeconds(5).toNanos()
				&& this.server.in("micro").instances("foo").equals(List.of(instance("a", 1))));
		assertThat(lease.held()).isTrue();
	}

	@Test
	void interruptionEndsABlockingCall() throws Exception {
		ServerSocket silent = silent();
		RemoteRegistry registry = keep(
				new RemoteRegistry("127.0.0.1:" + silent.getLocalPort(), Duration.ofSeconds(60)));
		for (Runnable call : List.<Runnable>of(() -> registry.in("micro").instances("foo"),
				() -> registry.in("micro").register(instance("a", 1), TTL))) {
			AtomicReference<Throwable> failure = new AtomicReference<>();
			CountDownLatch started = new CountDownLatch(1);
			Thread caller = new Thread(() -> {
				started.countDown();
				try {
					call.run();
				}
				catch (MicroException ex) {
					failure.set(ex);
				}
			});
			caller.start();
			started.await();
			caller.interrupt();
			caller.join(Duration.ofSeconds(10).toMillis());
			assertThat(failure.get()).isInstanceOf(MicroException.Cancelled.class);
		}
	}

	@Test
	void theCallersOwnDeadlineEndsACallSooner() throws Exception {
		ServerSocket silent = silent();
		RemoteRegistry registry = keep(
				new RemoteRegistry("127.0.0.1:" + silent.getLocalPort(), Duration.ofSeconds(60)));
		ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
		this.open.add(timer::shutdownNow);
		try (Context.CancellableContext context = Context.current()
			.withDeadlineAfter(200, TimeUnit.MILLISECONDS, timer)) {
			context.run(() -> assertThatExceptionOfType(MicroException.TimedOut.class)
				.isThrownBy(() -> registry.in("micro").services()));
		}
	}

	@Test
	void aRegistrationThatIsAnsweredLateIsUnknownAndLeavesNoInstance() {
		Registry mine = keep(new RemoteRegistry(this.server.address(), Duration.ofSeconds(2))).in("micro");
		assertThat(mine.instances("foo")).isEmpty();
		this.server.pause();
		assertThatExceptionOfType(MicroException.OutcomeUnknown.class)
			.isThrownBy(() -> mine.register(instance("a", 1), Duration.ofSeconds(60)))
			.withMessageContainingAll(this.server.address(), "nothing within 2000 ms");
		TestServer.await(() -> this.server.in("micro").instances("foo").size() == 1);
		this.server.resume();
		TestServer.await(() -> this.server.in("micro").instances("foo").isEmpty());
		Lease lease = mine.register(instance("a", 1), TTL);
		assertThat(lease.held()).isTrue();
	}

	@Test
	void aRegistrationGivenUpByItsCallerLeavesNoInstance() {
		Registry mine = registry().in("micro");
		this.server.pause();
		ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
		this.open.add(timer::shutdownNow);
		try (Context.CancellableContext context = Context.current().withDeadlineAfter(1, TimeUnit.SECONDS, timer)) {
			context.run(() -> assertThatExceptionOfType(MicroException.TimedOut.class)
				.isThrownBy(() -> mine.register(instance("a", 1), Duration.ofSeconds(60))));
		}
		try (Context.CancellableContext context = Context.current().withCancellation()) {
			context.cancel(null);
			context.run(() -> assertThatExceptionOfType(MicroException.Cancelled.class)
				.isThrownBy(() -> mine.register(instance("b", 1), Duration.ofSeconds(60))));
		}
		TestServer.await(() -> !this.server.in("micro").instances("foo").isEmpty());
		this.server.resume();
		TestServer.await(() -> this.server.in("micro").instances("foo").isEmpty());
	}

	@Test
	void aWatchOutlivesTheCallItWasOpenedIn() {
		Registry mine = registry().in("micro");
		List<List<Instance>> seen = new CopyOnWriteArrayList<>();
		try (Context.CancellableContext context = Context.current().withCancellation()) {
			context.run(() -> mine.watch("foo", seen::add));
		}
		TestServer.await(() -> seen.size() == 1);
		this.server.in("micro").register(instance("a", 1), TTL);
		TestServer.await(() -> seen.size() == 2);
	}

	@Test
	void aNodeRegisteredElsewhereSinceIsLost() {
		Registry mine = registry().in("micro");
		Registry others = registry().in("micro");
		CountDownLatch lost = new CountDownLatch(1);
		Lease first = mine.register(instance("a", 1), Duration.ofSeconds(1));
		first.onLost(lost::countDown);
		Lease second = others.register(instance("a", 2), Duration.ofSeconds(1));
		TestServer.await(() -> lost.getCount() == 0);
		assertThat(first.held()).isFalse();
		first.close();
		assertThat(second.held()).isTrue();
		TestServer.await(() -> mine.instances("foo").equals(List.of(instance("a", 2))));
	}

	@Test
	void theLaterLeaseStaysWhenTheServerHasForgottenBoth() {
		Registry mine = registry().in("micro");
		Registry others = registry().in("micro");
		Lease first = mine.register(instance("a", 1), Duration.ofSeconds(2));
		int port = this.server.port();
		Lease second = others.register(instance("a", 2), Duration.ofSeconds(2));
		this.server.close();
		this.server = new TestServer(port);
		TestServer.await(() -> !first.held());
		TestServer.await(() -> mine.instances("foo").equals(List.of(instance("a", 2))));
		assertThat(second.held()).isTrue();
	}

	@Test
	void closingIsQuickThoughTheServerIsAway() {
		RemoteRegistry registry = registry();
		for (int i = 0; i < 50; i++) {
			registry.in("micro").register(instance("i" + i, 1 + i), TTL);
		}
		registry.in("micro").watch("foo", (instances) -> {
		});
		this.server.close();
		long start = System.nanoTime();
		registry.close();
		assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(15));
	}

	@Test
	void closingEndsAllLeasesAtTheServer() {
		RemoteRegistry registry = registry();
		for (int i = 0; i < 200; i++) {
			registry.in("micro").register(instance("i" + i, 1 + i), Duration.ofSeconds(3));
		}
		TestServer.await(() -> this.server.in("micro").instances("foo").size() == 200);
		registry.close();
		assertThat(this.server.in("micro").instances("foo")).isEmpty();
	}

	@Test
	void whatIsNoMicroServerIsSaid() throws Exception {
		Server other = TestServer.withoutServices();
		this.open.add(() -> other.shutdownNow().awaitTermination());
		RemoteRegistry registry = keep(new RemoteRegistry("127.0.0.1:" + other.getPort(), Duration.ofSeconds(5)));
		assertThatExceptionOfType(MicroException.Unimplemented.class).isThrownBy(() -> registry.in("micro").services())
			.withMessageContainingAll("127.0.0.1:" + other.getPort(), "no Micro server");
	}

	@Test
	void whatIsNoAddressIsRefused() {
		for (String address : List.of("", "localhost", "localhost:", ":10001", "http://localhost:x")) {
			assertThatExceptionOfType(MicroException.Invalid.class)
				.isThrownBy(() -> new RemoteRegistry(address, Duration.ofSeconds(5)))
				.withMessageContaining("host:port");
		}
		keep(new RemoteRegistry("[::1]:10001", Duration.ofSeconds(5)));
	}

	private RemoteRegistry registry() {
		return keep(new RemoteRegistry("127.0.0.1:" + this.server.port(), Duration.ofSeconds(5)));
	}

	private ServerSocket silent() throws IOException {
		return keep(new ServerSocket(0, 50, InetAddress.getLoopbackAddress()));
	}

	private <T extends AutoCloseable> T keep(T closeable) {
		this.open.add(closeable);
		return closeable;
	}

	private static Instance instance(String id, int port) {
		return new Instance("foo", "latest", id, "127.0.0.1", port, Map.of());
	}

}
