package mu.micro.remote;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

import io.grpc.Context;
import io.grpc.Server;
import mu.micro.MicroException;
import mu.micro.config.Config;
import mu.micro.config.Json;
import mu.micro.memory.MemoryDatabases;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

@Timeout(60)
class RemoteConfigFailureTests {

	private static final String MARKER = "hunter2-marker";

	private final List<AutoCloseable> open = new ArrayList<>();

	private final MemoryDatabases databases = new MemoryDatabases();

	private TestServer server = new TestServer(0, new MemoryDatabases(this.databases));

	@AfterEach
	void close() throws Exception {
		for (AutoCloseable closeable : this.open) {
			closeable.close();
		}
		this.server.close();
		this.databases.close();
	}

	@Test
	void aWatchHearsWhatChangedWhileTheServerWasAway() {
		Config mine = config().in("micro");
		mine.set("a", Json.of(1), false);
		mine.set("b", Json.of(MARKER), true);
		List<Json> hidden = new CopyOnWriteArrayList<>();
		List<Json> revealed = new CopyOnWriteArrayList<>();
		mine.watch("a", false, hidden::add);
		mine.watch("", true, revealed::add);
		TestServer.await(() -> hidden.size() == 1 && revealed.size() == 1);
		int port = this.server.port();
		this.server.close();
		assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(() -> mine.get("a", false));
		try (TestServer elsewhere = new TestServer(0, new MemoryDatabases(this.databases))) {
			elsewhere.config("micro").set("a", Json.of(2), false);
		}
		assertThat(hidden).containsExactly(Json.of(1));
		this.server = new TestServer(port, new MemoryDatabases(this.databases));
		Json expected = Json.of(Map.of("a", Json.of(2), "b", Json.of(MARKER)));
		TestServer.await(() -> hidden.equals(List.of(Json.of(1), Json.of(2))) && expected.equals(last(revealed)));
		this.server.config("micro").remove("a");
		TestServer.await(() -> hidden.size() == 3);
		assertThat(hidden.get(2)).isNull();
	}

	@Test
	void aWatcherKeepsTheLastStateWhileTheServerIsAwayAndHearsItOnce() {
		Config mine = config().in("micro");
		mine.set("a", Json.of(1), false);
		List<Json> seen = new CopyOnWriteArrayList<>();
		mine.watch("a", false, seen::add);
		TestServer.await(() -> seen.size() == 1);
		int port = this.server.port();
		this.server.close();
		this.server = new TestServer(port, new MemoryDatabases(this.databases));
		TestServer.await(() -> Json.of(1).equals(mine.get("a", false)));
		this.server.config("micro").set("a", Json.of(2), false);
		TestServer.await(() -> Json.of(2).equals(last(seen)));
		assertThat(seen).containsExactly(Json.of(1), Json.of(2));
	}

	@Test
	void aWatchOpenedWhileTheServerIsAwayBeginsWhenItIsThere() {
		int port = this.server.port();
		this.server.close();
		Config mine = config().in("micro");
		List<Json> seen = new CopyOnWriteArrayList<>();
		mine.watch("a", false, seen::add);
		assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(() -> mine.get("a", false));
		assertThat(seen).isEmpty();
		this.server = new TestServer(port, new MemoryDatabases(this.databases));
		this.server.config("micro").set("a", Json.of(1), false);
		TestServer.await(() -> Json.of(1).equals(last(seen)));
	}

	@Test
	void aWatchOutlivesTheCallItWasOpenedInAndAConnectionThatDiesInSilence() throws Exception {
		Relay relay = keep(new Relay(this.server.port()));
		Config mine = keep(new RemoteConfig(relay.address(), Duration.ofSeconds(1), Duration.ofSeconds(2))).in("micro");
		List<Json> seen = new CopyOnWriteArrayList<>();
		try (Context.CancellableContext context = Context.current().withCancellation()) {
			context.run(() -> mine.watch("a", false, seen::add));
		}
		TestServer.await(() -> seen.size() == 1);
		relay.fallSilent();
		this.server.config("micro").set("a", Json.of(1), false);
		TestServer.await(() -> Json.of(1).equals(last(seen)));
		assertThat(seen).hasSize(2);
	}

	@Test
	void aServerThatIsAwayIsNamedAtOnceAndNothingIsDone() {
		this.server.close();
		Config mine = config().in("micro");
		for (Runnable call : List.<Runnable>of(() -> mine.get("a", false), () -> mine.set("a", Json.of(MARKER), true),
				() -> mine.remove("a"))) {
			long start = System.nanoTime();
			assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(call::run)
				.withMessageContainingAll("127.0.0.1:" + this.server.port(), "Connection refused",
						"start it with 'micro server'", "micro.remote.address");
			assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
		}
	}

	@Test
	void aChangeThatIsNotAnsweredIsUnknownAndMayBeRepeated() {
		Config mine = keep(new RemoteConfig(this.server.address(), Duration.ofMillis(300))).in("micro");
		mine.set("b", Json.of(1), false);
		this.server.pause();
		assertThatExceptionOfType(MicroException.OutcomeUnknown.class)
			.isThrownBy(() -> mine.set("a", Json.of(MARKER), true))
			.withMessageContainingAll(this.server.address(), "nothing within 300 ms")
			.satisfies((ex) -> assertThat(texts(ex)).doesNotContain(MARKER));
		TestServer.await(() -> Json.of(MARKER).equals(this.server.config("micro").get("a", true)));
		assertThatExceptionOfType(MicroException.OutcomeUnknown.class).isThrownBy(() -> mine.remove("a"));
		TestServer.await(() -> this.server.config("micro").get("a", true) == null);
		assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(() -> mine.get("b", false));
		this.server.resume();
		mine.set("a", Json.of(MARKER), true);
		assertThat(mine.get("a", true)).isEqualTo(Json.of(MARKER));
	}

	@Test
	void whoGivesUpDoesNotKnow() throws Exception {
		Config mine = config().in("micro");
		assertThat(mine.get("a", false)).isNull();
		this.server.pause();
		AtomicReference<Throwable> failure = new AtomicReference<>();
		Thread caller = new Thread(() -> {
			try {
				mine.set("a", Json.of(1), false);
			}
			catch (MicroException ex) {
				failure.set(ex);
			}
		});
		caller.start();
		TestServer.await(() -> Json.of(1).equals(this.server.config("micro").get("a", false)));
		caller.interrupt();
		caller.join(10_000);
		assertThat(failure.get()).isInstanceOf(MicroException.OutcomeUnknown.class);
		ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
		this.open.add(timer::shutdownNow);
		try (Context.CancellableContext context = Context.current()
			.withDeadlineAfter(200, TimeUnit.MILLISECONDS, timer)) {
			context.run(() -> assertThatExceptionOfType(MicroException.TimedOut.class)
				.isThrownBy(() -> mine.get("a", false)));
		}
		this.server.resume();
	}

	@Test
	void aServerThatSaysNothingIsNamedWithinTheTimeout() throws Exception {
		ServerSocket silent = keep(new ServerSocket(0, 50, InetAddress.getLoopbackAddress()));
		Config mine = keep(new RemoteConfig("127.0.0.1:" + silent.getLocalPort(), Duration.ofMillis(300))).in("micro");
		for (Runnable call : List.<Runnable>of(() -> mine.get("a", false), () -> mine.set("a", Json.of(1), false))) {
			long start = System.nanoTime();
			assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(call::run)
				.withMessageContainingAll("127.0.0.1:" + silent.getLocalPort(), "nothing within 300 ms");
			assertThat(Duration.ofNanos(System.nanoTime() - start)).isBetween(Duration.ofMillis(250),
					Duration.ofSeconds(4));
		}
	}

	@Test
	void whatIsNoMicroServerIsSaid() throws Exception {
		Server other = TestServer.withoutServices();
		this.open.add(() -> other.shutdownNow().awaitTermination());
		RemoteConfig config = keep(new RemoteConfig("127.0.0.1:" + other.getPort(), Duration.ofSeconds(5)));
		for (Runnable call : List.<Runnable>of(() -> config.in("micro").get("a", false),
				() -> config.in("micro").set("a", Json.of(1), false))) {
			assertThatExceptionOfType(MicroException.Unimplemented.class).isThrownBy(call::run)
				.withMessageContainingAll("127.0.0.1:" + other.getPort(), "no Micro server with a config");
		}
	}

	@Test
	void noSecretIsToldToLogsOrInExceptions() {
		List<String> told = new CopyOnWriteArrayList<>();
		Logger micro = Logger.getLogger("mu.micro");
		Handler handler = new Handler() {

			@Override
			public void publish(LogRecord entry) {
				told.add(entry.getMessage() + ((entry.getThrown() != null) ? texts(entry.getThrown()) : ""));
			}

			@Override
			public void flush() {
			}

			@Override
			public void close() {
			}

		};
		micro.addHandler(handler);
		micro.setLevel(Level.ALL);
		try {
			RemoteConfig config = keep(new RemoteConfig(this.server.address(), Duration.ofMillis(500)));
			Config mine = config.in("micro");
			List<Json> seen = new CopyOnWriteArrayList<>();
			mine.set("a", Json.of(MARKER), true);
			mine.watch("", true, seen::add);
			TestServer.await(() -> Json.of(Map.of("a", Json.of(MARKER))).equals(last(seen)));
			tell(told, () -> mine.set("b", Json.of(Map.of("c.d", Json.of(MARKER))), true));
			tell(told, () -> mine.set("b", Json.of(MARKER.repeat(100_000)), true));
			tell(told, () -> mine.set("", Json.of(MARKER), true));
			this.server.pause();
			tell(told, () -> mine.set("b", Json.of(MARKER), true));
			tell(told, () -> mine.get("a", true));
			this.server.close();
			tell(told, () -> mine.set("b", Json.of(MARKER), true));
			tell(told, () -> mine.get("a", true));
			told.add(config + " " + mine + " " + seen);
		}
		finally {
			micro.removeHandler(handler);
			micro.setLevel(null);
		}
		assertThat(told).hasSizeGreaterThan(8).noneMatch((text) -> text.contains(MARKER));
	}

	private static void tell(List<String> told, Runnable call) {
		assertThatExceptionOfType(RuntimeException.class).isThrownBy(call::run).satisfies((ex) -> told.add(texts(ex)));
	}

	private static String texts(Throwable failure) {
		StringBuilder texts = new StringBuilder();
		for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
			texts.append(cause).append('\n');
		}
		return texts.toString();
	}

	private RemoteConfig config() {
		return keep(new RemoteConfig(this.server.address(), Duration.ofSeconds(5)));
	}

	private <T extends AutoCloseable> T keep(T closeable) {
		this.open.add(closeable);
		return closeable;
	}

	private static Json last(List<Json> seen) {
		return (seen.isEmpty()) ? null : seen.get(seen.size() - 1);
	}

}
