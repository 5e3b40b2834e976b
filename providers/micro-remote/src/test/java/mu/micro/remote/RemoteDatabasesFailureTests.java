package mu.micro.remote;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

import io.grpc.Context;
import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import mu.micro.Limits;
import mu.micro.MicroException;
import mu.micro.grpc.Errors;
import mu.micro.memory.MemoryDatabases;
import mu.micro.store.Change;
import mu.micro.store.Database;
import mu.micro.store.Databases;
import mu.micro.store.Query;
import mu.micro.store.Store;
import mu.micro.store.TableWrite;
import mu.micro.store.Watch;
import mu.micro.store.When;
import mu.micro.store.Write;
import mu.micro.wire.store.ApplyRequest;
import mu.micro.wire.store.ApplyResponse;
import mu.micro.wire.store.DatabaseGrpc;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class RemoteDatabasesFailureTests {

	private final List<AutoCloseable> open = new ArrayList<>();

	private final MemoryDatabases data = new MemoryDatabases();

	private final Store there = this.data.in("micro").table("t");

	private TestServer server = new TestServer(0, new MemoryDatabases(this.data));

	@AfterEach
	void close() throws Exception {
		for (AutoCloseable closeable : this.open) {
			closeable.close();
		}
		this.server.close();
		this.data.close();
	}

	// Watches.

	@Test
	void aWatchGoesOnWhereItWasWhenTheServerIsBack() {
		Store mine = databases().in("micro").table("t");
		List<Change> heard = new CopyOnWriteArrayList<>();
		this.there.put("a", bytes("1"));
		mine.watch("", 0, heard::add);
		TestServer.await(() -> heard.size() == 1);
		int port = this.server.port();
		this.server.close();
		this.there.put("b", bytes("1"));
		this.there.delete("a");
		assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(() -> mine.get("b"));
		this.there.put("c", bytes("1"));
		assertThat(heard).hasSize(1);
		startAgain(port);
		TestServer.await(() -> heard.size() == 4);
		this.there.put("d", bytes("1"));
		TestServer.await(() -> heard.size() == 5);
		assertThat(heard).extracting(RemoteDatabasesFailureTests::text)
			.containsExactly("put a", "put b", "deleted a", "put c", "put d");
	}

	@Test
	void aWatchOfAServerThatDrainsGoesOnWhereItWas() {
		Store mine = databases().in("micro").table("t");
		List<Change> heard = new CopyOnWriteArrayList<>();
		mine.watch("", 0, heard::add);
		this.there.put("a", bytes("1"));
		TestServer.await(() -> heard.size() == 1);
		this.server.endWatches();
		this.there.put("b", bytes("1"));
		assertThat(mine.get("b")).isNotNull();
		this.server.resumeWatches();
		TestServer.await(() -> heard.size() == 2);
		assertThat(heard).extracting(RemoteDatabasesFailureTests::text).containsExactly("put a", "put b");
	}

	@Test
	void aWatchOfWhatTheServerHasForgottenHasLagged() {
		Store mine = databases().in("micro").table("t");
		List<Change> heard = new CopyOnWriteArrayList<>();
		mine.watch("", 0, heard::add);
		long last = this.there.put("a", bytes("1"));
		TestServer.await(() -> heard.size() == 1);
		int port = this.server.port();
		this.server.close();
		this.server = new TestServer(port);
		TestServer.await(() -> heard.size() == 2);
		assertThat(heard.get(1)).isInstanceOf(Change.Lagged.class);
		assertThat(heard.get(1).revision()).isGreaterThan(last);
		assertThat(mine.list(Query.ALL).entries()).isEmpty();
		mine.put("b", bytes("1"));
		TestServer.await(() -> heard.size() == 3);
		assertThat(text(heard.get(2))).isEqualTo("put b");
	}

	@Test
	void aWatchOfWhatSeldomChangesKeepsItsPlace() {
		Store mine = keep(new RemoteDatabases(this.server.address(), Duration.ofSeconds(5), Duration.ofSeconds(3)))
			.in("micro")
			.table("t");
		List<Change> heard = new CopyOnWriteArrayList<>();
		Watch watch = mine.watch("seldom", 0, heard::add);
		this.there.put("seldom", bytes("1"));
		TestServer.await(() -> heard.size() == 1);
		// In steps, so that it is the client who keeps its place and not one who lags
		// because all is done between two looks.
		for (int i = 0; i < 3; i++) {
			forget(4);
			long now = this.there.list(Query.ALL).revision();
			TestServer.await(() -> watch.revision() > now - 4_000);
		}
		int port = this.server.port();
		this.server.close();
		this.there.put("seldom", bytes("2"));
		startAgain(port);
		TestServer.await(() -> heard.size() == 2);
		assertThat(heard).extracting(RemoteDatabasesFailureTests::text).containsExactly("put seldom", "put seldom");
	}

	@Test
	void aWatchOpenedWhileTheServerIsAwayBeginsWhenItIsThere() {
		int port = this.server.port();
		this.server.close();
		Store mine = databases().in("micro").table("t");
		List<Change> heard = new CopyOnWriteArrayList<>();
		mine.watch("", 0, heard::add);
		assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(() -> mine.get("a"));
		this.there.put("a", bytes("1"));
		startAgain(port);
		TestServer.await(() -> heard.size() == 1);
		assertThat(text(heard.get(0))).isEqualTo("put a");
	}

	@Test
	void aWatchWhoseConnectionDiedInSilenceGoesOnOverANewOne() throws Exception {
		Relay relay = keep(new Relay(this.server.port()));
		Store mine = keep(new RemoteDatabases(relay.address(), Duration.ofMillis(500), Duration.ofSeconds(3)))
			.in("micro")
			.table("t");
		List<Change> heard = new CopyOnWriteArrayList<>();
		mine.watch("", 0, heard::add);
		this.there.put("a", bytes("1"));
		TestServer.await(() -> heard.size() == 1);
		relay.fallSilent();
		this.there.put("b", bytes("1"));
		TestServer.await(() -> heard.size() == 2);
		assertThat(heard).extracting(RemoteDatabasesFailureTests::text).containsExactly("put a", "put b");
	}

	@Test
	void aWatchThatIsQuietIsNotTakenForDead() {
		Store mine = keep(new RemoteDatabases(this.server.address(), Duration.ofSeconds(5), Duration.ofSeconds(3)))
			.in("micro")
			.table("t");
		List<Change> heard = new CopyOnWriteArrayList<>();
		mine.watch("", 0, heard::add);
		this.there.put("a", bytes("1"));
		TestServer.await(() -> heard.size() == 1);
		int calls = this.server.calls();
		Awaitility.await()
			.during(Duration.ofSeconds(5))
			.atMost(Duration.ofSeconds(15))
			.until(() -> this.server.calls() == calls);
	}

	@Test
	void aListenerThatIsSlowIsToldTheRestAfterTheServerIsBack() throws Exception {
		Store mine = databases().in("micro").table("t");
		List<Change> heard = new CopyOnWriteArrayList<>();
		CountDownLatch blocked = new CountDownLatch(1);
		CountDownLatch release = new CountDownLatch(1);
		mine.watch("", 0, (change) -> {
			blocked.countDown();
			awaitLatch(release);
			heard.add(change);
		});
		for (int i = 0; i < 5; i++) {
			this.there.put("key-" + i, bytes("1"));
		}
		blocked.await();
		int port = this.server.port();
		this.server.close();
		this.there.put("key-5", bytes("1"));
		startAgain(port);
		TestServer.await(() -> mine.get("key-5") != null);
		release.countDown();
		TestServer.await(() -> heard.size() == 6);
		assertThat(heard).extracting(RemoteDatabasesFailureTests::text)
			.containsExactly("put key-0", "put key-1", "put key-2", "put key-3", "put key-4", "put key-5");
	}

	@Test
	void aWatchOutlivesTheCallItWasOpenedIn() {
		Store mine = databases().in("micro").table("t");
		List<Change> heard = new CopyOnWriteArrayList<>();
		try (Context.CancellableContext context = Context.current().withCancellation()) {
			context.run(() -> mine.watch("", 0, heard::add));
		}
		this.there.put("a", bytes("1"));
		TestServer.await(() -> heard.size() == 1);
	}

	// A server that is away, or says nothing.

	@Test
	void aServerThatIsAwayIsNamedAtOnceAndNothingIsDone() {
		this.server.close();
		for (Runnable call : calls(databases())) {
			long start = System.nanoTime();
			assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(call::run)
				.withMessageContainingAll("127.0.0.1:" + this.server.port(), "Connection refused",
						"start it with 'micro server'", "micro.remote.address");
			assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
		}
	}

	@Test
	void aServerThatSaysNothingIsNamedWithinTheTimeoutAndNothingIsDone() throws Exception {
		ServerSocket silent = silent();
		RemoteDatabases databases = keep(
				new RemoteDatabases("127.0.0.1:" + silent.getLocalPort(), Duration.ofMillis(300)));
		for (Runnable call : calls(databases)) {
			long start = System.nanoTime();
			assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(call::run)
				.withMessageContainingAll("127.0.0.1:" + silent.getLocalPort(), "nothing within 300 ms");
			assertThat(Duration.ofNanos(System.nanoTime() - start)).isBetween(Duration.ofMillis(250),
					Duration.ofSeconds(4));
		}
	}

	@Test
	void aWriteThatIsNotAnsweredInTimeIsUnknownAndMayBeDone() {
		Database mine = keep(new RemoteDatabases(this.server.address(), Duration.ofMillis(300))).in("micro");
		this.there.put("old", bytes("1"));
		assertThat(mine.table("t").get("old")).isNotNull();
		this.server.pause();
		for (Runnable call : writes(mine)) {
			assertThatExceptionOfType(MicroException.OutcomeUnknown.class).isThrownBy(call::run)
				.withMessageContainingAll(this.server.address(), "nothing within 300 ms", "look before trying again");
		}
		TestServer.await(() -> this.there.get("put") != null && this.there.get("old") == null
				&& this.data.in("micro").table("other").get("applied") != null);
		assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(() -> mine.table("t").get("put"));
		this.server.resume();
		TestServer.await(() -> mine.table("t").get("put") != null);
	}

	@Test
	void aWriteWhoseServerGoesAwayIsUnknownAndAReadIsUnavailable() throws Exception {
		RemoteDatabases databases = databases();
		Store mine = databases.in("micro").table("t");
		assertThat(mine.get("a")).isNull();
		this.server.pause();
		Attempt write = new Attempt(() -> mine.put("a", bytes("1")));
		Attempt read = new Attempt(() -> mine.get("a"));
		Attempt snapshot = new Attempt(() -> databases.in("micro").snapshot((table, entry) -> {
		}));
		TestServer.await(() -> this.server.kept() == 3);
		this.server.close();
		assertThat(write.failure()).isInstanceOf(MicroException.OutcomeUnknown.class);
		assertThat(read.failure()).isInstanceOf(MicroException.Unavailable.class);
		assertThat(snapshot.failure()).isInstanceOf(MicroException.Unavailable.class);
		assertThat(this.there.get("a")).isNotNull();
	}

	@Test
	void aWriteIsUnknownWhenTheDatabasesAreClosedMeanwhile() throws Exception {
		RemoteDatabases databases = databases();
		Store mine = databases.in("micro").table("t");
		this.server.pause();
		Attempt write = new Attempt(() -> mine.put("a", bytes("1")));
		TestServer.await(() -> this.server.kept() == 1);
		databases.close();
		assertThat(write.failure()).isInstanceOf(MicroException.OutcomeUnknown.class);
	}

	@Test
	void whatTheServerItselfSaysGoesBeforeWhatMayHaveHappened() {
		Database mine = databases().in("micro");
		assertThat(mine.tables()).isEmpty();
		this.server.databases().close();
		for (Runnable call : calls(databases())) {
			assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(call::run)
				.withMessageContaining("closed")
				.withMessageNotContaining("micro.remote.address");
		}
	}

	@Test
	void theWordOfSomethingInBetweenDoesNotSayThatNothingWasDone() throws Exception {
		Server between = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
			.addService(new DatabaseGrpc.DatabaseImplBase() {

				@Override
				public void apply(ApplyRequest request, StreamObserver<ApplyResponse> call) {
					call.onError(Errors.toStatus("proxy", new MicroException.Unavailable("the store is away")));
				}

			})
			.build()
			.start();
		this.open.add(() -> between.shutdownNow().awaitTermination());
		Database mine = keep(new RemoteDatabases("127.0.0.1:" + between.getPort(), Duration.ofSeconds(5))).in("micro");
		for (Runnable call : writes(mine)) {
			assertThatExceptionOfType(MicroException.OutcomeUnknown.class).isThrownBy(call::run)
				.withMessageContaining("the store is away");
		}
	}

	// Callers that give up.

	@Test
	void interruptionEndsACallThatHasNotReachedTheServer() throws Exception {
		ServerSocket silent = silent();
		RemoteDatabases databases = keep(
				new RemoteDatabases("127.0.0.1:" + silent.getLocalPort(), Duration.ofSeconds(60)));
		for (Runnable call : calls(databases)) {
			Attempt attempt = new Attempt(call);
			attempt.interrupt();
			assertThat(attempt.failure()).isInstanceOf(MicroException.Cancelled.class);
		}
	}

	@Test
	void interruptionOfAWriteUnderWayLeavesItUnknown() throws Exception {
		Store mine = databases().in("micro").table("t");
		this.server.pause();
		Attempt write = new Attempt(() -> mine.put("a", bytes("1")));
		Attempt read = new Attempt(() -> mine.get("a"));
		TestServer.await(() -> this.server.kept() == 2);
		write.interrupt();
		read.interrupt();
		assertThat(write.failure()).isInstanceOf(MicroException.OutcomeUnknown.class)
			.hasMessageContaining("interrupted");
		assertThat(read.failure()).isInstanceOf(MicroException.Cancelled.class);
		assertThat(this.there.get("a")).isNotNull();
	}

	@Test
	void aThreadThatIsInterruptedAlreadyWritesNothing() {
		Store mine = databases().in("micro").table("t");
		assertThat(mine.get("a")).isNull();
		Thread.currentThread().interrupt();
		try {
			assertThatExceptionOfType(MicroException.Cancelled.class).isThrownBy(() -> mine.put("a", bytes("1")));
		}
		finally {
			assertThat(Thread.interrupted()).isTrue();
		}
		mine.put("b", bytes("1"));
		assertThat(this.there.get("a")).isNull();
	}

	@Test
	void theCallersOwnDeadlineEndsACallSooner() throws Exception {
		ServerSocket silent = silent();
		RemoteDatabases databases = keep(
				new RemoteDatabases("127.0.0.1:" + silent.getLocalPort(), Duration.ofSeconds(60)));
		for (Runnable call : calls(databases)) {
			withDeadline(() -> assertThatExceptionOfType(MicroException.TimedOut.class).isThrownBy(call::run));
		}
	}

	@Test
	void theCallersOwnDeadlineLeavesAWriteUnderWayUnknown() {
		Store mine = databases().in("micro").table("t");
		assertThat(mine.get("a")).isNull();
		this.server.pause();
		withDeadline(() -> assertThatExceptionOfType(MicroException.OutcomeUnknown.class)
			.isThrownBy(() -> mine.put("a", bytes("1"))));
		withDeadline(() -> assertThatExceptionOfType(MicroException.TimedOut.class).isThrownBy(() -> mine.get("a")));
		TestServer.await(() -> this.there.get("a") != null);
	}

	@Test
	void aCallerWhoGaveUpAlreadyWritesNothing() {
		Store mine = databases().in("micro").table("t");
		assertThat(mine.get("a")).isNull();
		try (Context.CancellableContext context = Context.current().withCancellation()) {
			context.cancel(null);
			context.run(() -> assertThatExceptionOfType(MicroException.Cancelled.class)
				.isThrownBy(() -> mine.put("a", bytes("1"))));
		}
		mine.put("b", bytes("1"));
		assertThat(this.there.get("a")).isNull();
	}

	// Snapshots.

	@Test
	void aSnapshotWhoseServerGoesAwayIsUnavailable() {
		Database mine = databases().in("micro");
		for (int i = 0; i < 40; i++) {
			this.there.put("key-" + i, new byte[200_000]);
		}
		AtomicInteger seen = new AtomicInteger();
		assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(() -> mine.snapshot((table, entry) -> {
			if (seen.incrementAndGet() == 1) {
				this.server.close();
			}
		}));
		assertThat(seen.get()).isBetween(1, 39);
	}

	@Test
	void aSnapshotMayLastLongerThanTheTimeout() {
		Database mine = keep(new RemoteDatabases(this.server.address(), Duration.ofMillis(500))).in("micro");
		for (int i = 0; i < 40; i++) {
			this.there.put("key-" + (10 + i), new byte[200_000]);
		}
		List<String> seen = new ArrayList<>();
		long start = System.nanoTime();
		long revision = mine.snapshot((table, entry) -> {
			seen.add(entry.key());
			// A sink that is slow.
			awaitLatch(new CountDownLatch((seen.size() % 10 == 0) ? 1 : 0), Duration.ofMillis(300));
		});
		assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThan(Duration.ofSeconds(1));
		assertThat(seen).hasSize(40).isSorted();
		assertThat(revision).isEqualTo(this.there.list(Query.ALL).revision());
	}

	// The rest.

	@Test
	void closingIsQuickThoughTheServerIsAway() {
		RemoteDatabases databases = databases();
		databases.in("micro").table("t").watch("", 0, (change) -> {
		});
		this.server.close();
		long start = System.nanoTime();
		databases.close();
		assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(2));
	}

	@Test
	void whatIsWrongIsSaidWithoutAskingTheServer() {
		this.server.close();
		Databases databases = databases();
		Store mine = databases.in("micro").table("t");
		for (Runnable call : List.<Runnable>of(() -> databases.in(" "), () -> databases.in("micro").table(""),
				() -> mine.get(""), () -> mine.put(Write.delete("a")), () -> mine.delete("", When.ALWAYS),
				() -> databases.in("micro").apply(List.of()), () -> mine.watch("", -1, (change) -> {
				}), () -> mine.watch("k".repeat(Limits.KEY + 1), 0, (change) -> {
				}))) {
			assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(call::run);
		}
	}

	@Test
	void whatIsNoMicroServerIsSaid() throws Exception {
		Server other = TestServer.withoutServices();
		this.open.add(() -> other.shutdownNow().awaitTermination());
		RemoteDatabases databases = keep(new RemoteDatabases("127.0.0.1:" + other.getPort(), Duration.ofSeconds(5)));
		for (Runnable call : calls(databases)) {
			assertThatExceptionOfType(MicroException.Unimplemented.class).isThrownBy(call::run)
				.withMessageContainingAll("127.0.0.1:" + other.getPort(), "no Micro server with a store");
		}
	}

	@Test
	void whatIsNoAddressIsRefused() {
		assertThatExceptionOfType(MicroException.Invalid.class)
			.isThrownBy(() -> new RemoteDatabases("localhost", Duration.ofSeconds(5)))
			.withMessageContaining("host:port");
	}

	private static List<Runnable> calls(Databases databases) {
		Database mine = databases.in("micro");
		List<Runnable> calls = new ArrayList<>(writes(mine));
		calls.add(databases::names);
		calls.add(mine::tables);
		calls.add(() -> mine.table("t").get("a"));
		calls.add(() -> mine.table("t").list(Query.ALL));
		calls.add(() -> mine.snapshot((table, entry) -> {
		}));
		return calls;
	}

	private static List<Runnable> writes(Database mine) {
		return List.of(() -> mine.table("t").put("put", bytes("1")), () -> mine.table("t").delete("old"),
				() -> mine.apply(List.of(new TableWrite("other", Write.put("applied", bytes("1"))))));
	}

	/*
	 * More deletes than the databases in memory keep.
	 */
	private void forget(int rounds) {
		for (int round = 0; round < rounds; round++) {
			List<TableWrite> puts = new ArrayList<>();
			List<TableWrite> deletes = new ArrayList<>();
			for (int i = 0; i < Limits.BATCH; i++) {
				puts.add(new TableWrite("t", Write.put("often-" + i, bytes("1"))));
				deletes.add(new TableWrite("t", Write.delete("often-" + i)));
			}
			this.data.in("micro").apply(puts);
			this.data.in("micro").apply(deletes);
		}
	}

	private void startAgain(int port) {
		this.server = new TestServer(port, new MemoryDatabases(this.data));
	}

	private RemoteDatabases databases() {
		return keep(new RemoteDatabases("127.0.0.1:" + this.server.port(), Duration.ofSeconds(5)));
	}

	private ServerSocket silent() throws IOException {
		return keep(new ServerSocket(0, 50, InetAddress.getLoopbackAddress()));
	}

	private <T extends AutoCloseable> T keep(T closeable) {
		this.open.add(closeable);
		return closeable;
	}

	private void withDeadline(Runnable task) {
		ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
		this.open.add(timer::shutdownNow);
		try (Context.CancellableContext context = Context.current()
			.withDeadlineAfter(300, TimeUnit.MILLISECONDS, timer)) {
			context.run(task);
		}
	}

	private static String text(Change change) {
		if (change instanceof Change.Put put) {
			return "put " + put.entry().key();
		}
		return (change instanceof Change.Deleted deleted) ? "deleted " + deleted.key() : change.toString();
	}

	private static byte[] bytes(String text) {
		return text.getBytes(StandardCharsets.UTF_8);
	}

	private static void awaitLatch(CountDownLatch latch) {
		awaitLatch(latch, Duration.ofSeconds(30));
	}

	private static void awaitLatch(CountDownLatch latch, Duration time) {
		try {
			latch.await(time.toMillis(), TimeUnit.MILLISECONDS);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	/**
	 * A call on a thread of its own.
	 */
	private static final class Attempt {

		private final AtomicReference<Throwable> failure = new AtomicReference<>();

		private final Thread thread;

		Attempt(Runnable call) {
			this.thread = new Thread(() -> {
				try {
					call.run();
				}
				catch (MicroException ex) {
					this.failure.set(ex);
				}
			});
			this.thread.setDaemon(true);
			this.thread.start();
		}

		void interrupt() {
			this.thread.interrupt();
		}

		Throwable failure() throws InterruptedException {
			this.thread.join(Duration.ofSeconds(10).toMillis());
			return this.failure.get();
		}

	}

}
