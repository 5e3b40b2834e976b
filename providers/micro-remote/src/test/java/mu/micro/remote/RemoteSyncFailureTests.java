package mu.micro.remote;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

import io.grpc.Context;
import io.grpc.Server;
import mu.micro.MicroException;
import mu.micro.core.LeasedSync;
import mu.micro.core.StoreLocks;
import mu.micro.core.StoreSync;
import mu.micro.memory.MemoryDatabases;
import mu.micro.store.Entry;
import mu.micro.store.Store;
import mu.micro.sync.Lock;
import mu.micro.sync.Sync;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

@Timeout(60)
class RemoteSyncFailureTests {

	private static final Duration TTL = Duration.ofSeconds(30);

	private final List<AutoCloseable> open = new ArrayList<>();

	private final MemoryDatabases databases = new MemoryDatabases();

	private final Store table = this.databases.in("micro").table(StoreLocks.TABLE);

	private final StoreSync others = new StoreSync(this.databases, Clock.systemUTC());

	private final Sync theirs = this.others.in("micro");

	private TestServer server = server(0);

	private final Sync mine = sync(Duration.ofSeconds(10)).in("micro");

	@AfterEach
	void close() throws Exception {
		for (AutoCloseable closeable : this.open) {
			closeable.close();
		}
		this.server.close();
		this.others.close();
		this.databases.close();
	}

	@Test
	void aLockIsKeptWhenTheServerWasStartedAgainWithinTheTtl() {
		Lock lock = this.mine.lock("a", Duration.ofSeconds(3), Duration.ZERO);
		AtomicBoolean lost = new AtomicBoolean();
		lock.onLost(() -> lost.set(true));
		this.server.close();
		during(Duration.ofSeconds(1), lock::held);
		this.server = server(this.server.port());
		during(Duration.ofSeconds(4), lock::held);
		assertThat(lost).isFalse();
		assertThat(this.theirs.lock("a", TTL, Duration.ZERO)).isNull();
		lock.close();
		assertThat(this.theirs.lock("a", TTL, Duration.ZERO)).isNotNull();
	}

	@Test
	void aLockIsLostBeforeAnotherCanHaveItWhenTheServerWasAwayForLonger() throws Exception {
		Lock lock = this.mine.lock("a", Duration.ofSeconds(3), Duration.ZERO);
		CompletableFuture<Entry> then = new CompletableFuture<>();
		lock.onLost(() -> then.complete(this.table.get("a")));
		this.server.close();
		assertThat(then.get(10, TimeUnit.SECONDS)).as("what the store had when the loss was told").isNotNull();
		assertThat(lock.held()).isFalse();
		Lock successor = this.theirs.lock("a", TTL, Duration.ofSeconds(10));
		this.server = server(this.server.port());
		lock.close();
		assertThat(successor.held()).isTrue();
		assertThat(this.mine.lock("a", TTL, Duration.ofMillis(500))).isNull();
	}

	@Test
	void aLockOfAServerThatForgotItIsLost() {
		Lock lock = this.mine.lock("a", Duration.ofSeconds(3), Duration.ZERO);
		this.server.close();
		this.server = new TestServer(this.server.port());
		TestServer.await(() -> !lock.held());
		assertThat(this.mine.lock("a", TTL, Duration.ofSeconds(5)).held()).isTrue();
	}

	@Test
	void aLockIsKeptThoughItsConnectionDiedInSilence() throws Exception {
		Relay relay = keep(new Relay(this.server.port()));
		Sync behind = keep(new RemoteSync(relay.address(), Duration.ofSeconds(10), Clock.systemUTC())).in("micro");
		Lock lock = behind.lock("a", Duration.ofSeconds(3), Duration.ZERO);
		relay.fallSilent();
		during(Duration.ofSeconds(6), lock::held);
		assertThat(this.theirs.lock("a", TTL, Duration.ZERO)).isNull();
	}

	@Test
	void whoWaitsOverAConnectionThatDiedInSilenceIsServedOverAnother() throws Exception {
		Relay relay = keep(new Relay(this.server.port()));
		Sync behind = keep(new RemoteSync(relay.address(), Duration.ofSeconds(10), Clock.systemUTC())).in("micro");
		Lock lock = this.theirs.lock("a", TTL, Duration.ZERO);
		CompletableFuture<Lock> waiting = queued(() -> behind.lock("a", Duration.ofSeconds(2), TTL));
		relay.fallSilent();
		lock.close();
		assertThat(waiting.get(10, TimeUnit.SECONDS).held()).isTrue();
	}

	@Test
	void whoWaitsAndStandsForLeaderDoesSoThroughARestartOfTheServer() throws Exception {
		Lock first = this.theirs.lock("a", TTL, Duration.ZERO);
		Lock second = this.theirs.lock("b", TTL, Duration.ZERO);
		CompletableFuture<Lock> waiting = queued(() -> this.mine.lock("a", TTL, Duration.ofSeconds(30)));
		List<Lock> terms = new CopyOnWriteArrayList<>();
		keep(this.mine.lead("b", TTL, terms::add));
		this.server.close();
		first.close();
		second.close();
		this.server = server(this.server.port());
		assertThat(waiting.get(15, TimeUnit.SECONDS).held()).isTrue();
		TestServer.await(() -> terms.size() == 1 && terms.get(0).held());
	}

	@Test
	void aServerThatIsAwayIsNamedAtOnceAndAtTheEndOfAWait() throws Exception {
		Lock lock = this.theirs.lock("a", TTL, Duration.ZERO);
		CompletableFuture<Lock> waiting = queued(() -> this.mine.lock("a", TTL, Duration.ofSeconds(2)));
		this.server.close();
		long start = System.nanoTime();
		// Unknown where the request was sent before the connection's end was noticed.
		assertThatExceptionOfType(MicroException.class)
			.isThrownBy(() -> this.mine.lock("b", TTL, Duration.ofSeconds(30)))
			.withMessageContainingAll(this.server.address(), "start it with 'micro server'");
		assertThatExceptionOfType(MicroException.Unavailable.class)
			.isThrownBy(() -> this.mine.lock("a", TTL, Duration.ofSeconds(30)))
			.withMessageContainingAll(this.server.address(), "start it with 'micro server'");
		assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
		assertThat(waiting.handle((nothing, failure) -> failure).get(10, TimeUnit.SECONDS))
			.isInstanceOf(MicroException.Unavailable.class);
		assertThat(lock.held()).isTrue();
	}

	@Test
	void aLockThatIsAnsweredTooLateIsUnknownAndSoonFree() {
		Sync impatient = sync(Duration.ofMillis(500)).in("micro");
		impatient.lock("warm", TTL, Duration.ZERO);
		this.server.pause();
		assertThatExceptionOfType(MicroException.OutcomeUnknown.class)
			.isThrownBy(() -> impatient.lock("a", TTL, Duration.ZERO))
			.withMessageContaining(this.server.address());
		assertThat(this.theirs.lock("a", TTL, Duration.ofSeconds(10))).isNotNull();
	}

	@Test
	void anInterruptionWhileTheServerIsSilentEndsTheCallAndLeavesNoLock() throws Exception {
		this.mine.lock("warm", TTL, Duration.ZERO);
		this.server.pause();
		CompletableFuture<Thread> caller = new CompletableFuture<>();
		CompletableFuture<Lock> waiting = waiting(() -> {
			caller.complete(Thread.currentThread());
			return this.mine.lock("a", TTL, Duration.ZERO);
		});
		TestServer.await(() -> this.table.get("a") != null);
		caller.get().interrupt();
		assertThat(waiting.handle((nothing, failure) -> failure).get(10, TimeUnit.SECONDS))
			.isInstanceOf(MicroException.Cancelled.class);
		assertThat(this.theirs.lock("a", TTL, Duration.ofSeconds(10))).isNotNull();
	}

	@Test
	void theCallersDeadlineAndItsGivingUpEndAWait() {
		Lock lock = this.theirs.lock("a", TTL, Duration.ZERO);
		ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
		this.open.add(timer::shutdownNow);
		try (Context.CancellableContext context = Context.current()
			.withDeadlineAfter(500, TimeUnit.MILLISECONDS, timer)) {
			context.run(() -> assertThatExceptionOfType(MicroException.TimedOut.class)
				.isThrownBy(() -> this.mine.lock("a", TTL, Duration.ofSeconds(30))));
		}
		try (Context.CancellableContext context = Context.current().withCancellation()) {
			timer.schedule(() -> context.cancel(null), 300, TimeUnit.MILLISECONDS);
			context.run(() -> assertThatExceptionOfType(MicroException.Cancelled.class)
				.isThrownBy(() -> this.mine.lock("a", TTL, Duration.ofSeconds(30))));
		}
		lock.close();
		assertThat(this.theirs.lock("a", TTL, Duration.ofSeconds(5))).isNotNull();
	}

	@Test
	void aLockOutlivesTheCallItWasTakenIn() {
		Lock lock;
		try (Context.CancellableContext context = Context.current().withCancellation()) {
			lock = context.wrap(() -> this.mine.lock("a", Duration.ofSeconds(1), Duration.ZERO)).call();
		}
		catch (Exception ex) {
			throw new IllegalStateException(ex);
		}
		during(Duration.ofSeconds(2), lock::held);
		Context.CancellableContext over = Context.current().withCancellation();
		over.cancel(null);
		over.run(lock::close);
		assertThat(this.table.get("a")).isNull();
	}

	@Test
	void whoGoesAwayWhileWaitingGetsNoLock() throws Exception {
		Lock lock = this.theirs.lock("a", TTL, Duration.ZERO);
		RemoteSync leaving = sync(Duration.ofSeconds(10));
		CompletableFuture<Lock> waiting = queued(() -> leaving.in("micro").lock("a", TTL, Duration.ofSeconds(30)));
		leaving.close();
		assertThat(waiting.handle((nothing, failure) -> failure).get(10, TimeUnit.SECONDS))
			.isInstanceOf(MicroException.Unavailable.class);
		lock.close();
		assertThat(this.theirs.lock("a", TTL, Duration.ofSeconds(5))).isNotNull();
	}

	@Test
	void closingIsQuickThoughTheServerIsAway() {
		RemoteSync leaving = sync(Duration.ofSeconds(10));
		for (int i = 0; i < 50; i++) {
			leaving.in("micro").lock("a" + i, TTL, Duration.ZERO);
		}
		leaving.in("micro").lead("b", TTL, (lock) -> {
		});
		this.server.close();
		long start = System.nanoTime();
		leaving.close();
		assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(4));
	}

	@Test
	void closingGivesAllLocksBack() {
		RemoteSync leaving = sync(Duration.ofSeconds(10));
		for (int i = 0; i < 200; i++) {
			leaving.in("micro").lock("a" + i, TTL, Duration.ZERO);
		}
		leaving.close();
		assertThat(this.databases.in("micro").tables()).isEmpty();
	}

	@Test
	void whatIsNoMicroServerIsNamed() throws Exception {
		Server other = TestServer.withoutServices();
		this.open.add(other::shutdownNow);
		RemoteSync sync = keep(
				new RemoteSync("127.0.0.1:" + other.getPort(), Duration.ofSeconds(10), Clock.systemUTC()));
		assertThatExceptionOfType(MicroException.Unimplemented.class)
			.isThrownBy(() -> sync.in("micro").lock("a", TTL, Duration.ZERO))
			.withMessageContainingAll("127.0.0.1:" + other.getPort(), "sync", "micro.remote.address");
	}

	@Test
	void aServerThatSaysNothingIsNamedWithinTheTimeout() throws Exception {
		ServerSocket silent = keep(new ServerSocket(0, 1, InetAddress.getLoopbackAddress()));
		RemoteSync sync = keep(
				new RemoteSync("127.0.0.1:" + silent.getLocalPort(), Duration.ofMillis(300), Clock.systemUTC()));
		long start = System.nanoTime();
		assertThatExceptionOfType(MicroException.class)
			.isThrownBy(() -> sync.in("micro").lock("a", TTL, Duration.ofSeconds(30)))
			.withMessageContainingAll("127.0.0.1:" + silent.getLocalPort(), "nothing within 300 ms");
		assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(4));
	}

	private TestServer server(int port) {
		return new TestServer(port, new MemoryDatabases(this.databases));
	}

	private RemoteSync sync(Duration timeout) {
		return keep(new RemoteSync(this.server.address(), timeout, Clock.systemUTC()));
	}

	private <T extends AutoCloseable> T keep(T closeable) {
		this.open.add(0, closeable);
		return closeable;
	}

	/*
	 * Returns once it waits: for a lock, and not for an answer of the server.
	 */
	private CompletableFuture<Lock> queued(Supplier<Lock> call) {
		CompletableFuture<Thread> caller = new CompletableFuture<>();
		CompletableFuture<Lock> lock = waiting(() -> {
			caller.complete(Thread.currentThread());
			return call.get();
		});
		TestServer.await(() -> {
			List<String> frames = Arrays.stream(caller.join().getStackTrace())
				.map(StackTraceElement::getClassName)
				.toList();
			return frames.contains(CompletableFuture.class.getName()) && frames.contains(LeasedSync.class.getName())
					&& !frames.contains(Connection.class.getName());
		});
		return lock;
	}

	private CompletableFuture<Lock> waiting(Supplier<Lock> call) {
		CompletableFuture<Lock> lock = new CompletableFuture<>();
		Thread thread = new Thread(() -> {
			try {
				lock.complete(call.get());
			}
			catch (RuntimeException ex) {
				lock.completeExceptionally(ex);
			}
		});
		thread.setDaemon(true);
		thread.start();
		return lock;
	}

	private static void during(Duration time, BooleanSupplier condition) {
		Awaitility.await()
			.during(time)
			.atMost(time.plusSeconds(5))
			.pollInterval(Duration.ofMillis(20))
			.until(condition::getAsBoolean);
	}

}
