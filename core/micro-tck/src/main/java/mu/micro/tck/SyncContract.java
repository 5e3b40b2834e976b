package mu.micro.tck;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

import mu.micro.MicroException;
import mu.micro.Scoped;
import mu.micro.Subscription;
import mu.micro.sync.Lock;
import mu.micro.sync.Sync;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * What every {@link Sync} promises. A provider's test fills the hooks and overrides
 * nothing else.
 */
@Timeout(60)
public abstract class SyncContract {

	/**
	 * What a loaded machine may add to any stated time.
	 */
	private static final Duration SLACK = Duration.ofSeconds(5);

	private static final Duration PATIENCE = Duration.ofSeconds(10);

	private static final Duration TTL = Duration.ofSeconds(30);

	/**
	 * Half of what asking each half second would take on average.
	 */
	private static final Duration PROMPTLY = Duration.ofMillis(125);

	private final String namespace = "ns-" + UUID.randomUUID();

	private final String name = "lock-" + UUID.randomUUID();

	private final List<Scoped<Sync>> opened = new ArrayList<>();

	private final List<Node> nodes = new ArrayList<>();

	private final ExecutorService threads = Executors.newCachedThreadPool();

	private Sync here;

	private Sync there;

	/**
	 * Opens one more view of the locks under test, as another process would.
	 * @return the view, closed by the contract
	 * @throws Exception if it cannot be opened
	 */
	protected abstract Scoped<Sync> open() throws Exception;

	/**
	 * The shortest ttl that is not raised.
	 * @return the provider's shortest ttl, two seconds at most
	 */
	protected abstract Duration shortestTtl();

	/**
	 * Has a lock taken by a node that can be stopped and killed: another process where
	 * the provider allows for one.
	 * @param namespace the namespace
	 * @param name the lock's name, not taken
	 * @param ttl the lock's time to live
	 * @return the node, which has the lock; killed by the contract
	 * @throws Exception if it cannot be started
	 */
	protected abstract Node start(String namespace, String name, Duration ttl) throws Exception;

	@BeforeEach
	void openTwoViews() throws Exception {
		this.here = view().in(this.namespace);
		this.there = view().in(this.namespace);
	}

	@AfterEach
	void closeViews() {
		this.threads.shutdownNow();
		this.nodes.forEach(Node::kill);
		this.opened.forEach(Scoped::close);
	}

	// Locks.

	@Test
	void aLockHasOneHolderAtATime() {
		Lock first = lock(this.here);
		assertThat(first.held()).isTrue();
		assertThat(this.there.lock(this.name, TTL, Duration.ZERO)).isNull();
		assertThat(this.here.lock(this.name, TTL, Duration.ZERO)).as("no re-entry").isNull();
		first.close();
		assertThat(first.held()).isFalse();
		Lock second = lock(this.there);
		assertThat(second.held()).isTrue();
		assertThat(this.here.lock(this.name, TTL, Duration.ZERO)).isNull();
	}

	@Test
	void theTokenGrowsWithEachHolder() throws Exception {
		long last = 0;
		for (int i = 0; i < 20; i++) {
			try (Lock lock = lock((i % 2 == 0) ? this.here : this.there)) {
				assertThat(lock.token()).isGreaterThan(last);
				last = lock.token();
			}
		}
		Node node = node(ttl());
		node.kill();
		try (Lock lock = waitFor(this.here)) {
			assertThat(lock.token()).isGreaterThan(last + 1);
		}
	}

	@Test
	void theTokenStaysWhileTheLockIsRenewed() {
		Lock lock = lock(this.here, ttl(), Duration.ZERO);
		long token = lock.token();
		Awaitility.await().during(ttl()).atMost(ttl().plus(SLACK)).until(() -> lock.held() && lock.token() == token);
	}

	@Test
	void whatIsStillTakenAfterTheWaitIsNull() {
		lock(this.here);
		Duration wait = Duration.ofMillis(300);
		long start = System.nanoTime();
		assertThat(this.there.lock(this.name, TTL, wait)).isNull();
		assertThat(since(start)).isBetween(wait, wait.plus(SLACK));
	}

	@Test
	void aFreeLockIsNotWaitedForHoweverLongTheWaitIs() {
		try (Lock lock = lock(this.here, TTL, Duration.ofSeconds(Long.MAX_VALUE))) {
			assertThat(lock.held()).isTrue();
		}
	}

	@Test
	void oneWhoWaitsHasTheLockPromptlyOnceItIsGivenBack() throws Exception {
		List<Duration> times = new ArrayList<>();
		for (int i = 0; i < 9; i++) {
			Lock lock = lock(this.here);
			Waiting waiting = new Waiting(this.there, Duration.ofSeconds(30));
			long start = System.nanoTime();
			lock.close();
			waiting.get().close();
			times.add(Duration.ofNanos(waiting.end - start));
		}
		times.sort(null);
		assertThat(times.get(times.size() / 2)).as("the middle of " + times).isLessThan(PROMPTLY);
	}

	@Test
	void allWhoWaitHaveTheLockOneAfterTheOther() throws Exception {
		Lock lock = lock(this.here);
		List<Waiting> waiting = new ArrayList<>();
		for (int i = 0; i < 10; i++) {
			waiting.add(new Waiting((i % 2 == 0) ? this.here : this.there, Duration.ofSeconds(30)));
		}
		lock.close();
		AtomicInteger holders = new AtomicInteger();
		List<Future<Long>> tokens = waiting.stream().map((each) -> this.threads.submit(() -> {
			try (Lock mine = each.get()) {
				assertThat(holders.incrementAndGet()).isEqualTo(1);
				LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
				holders.decrementAndGet();
				return mine.token();
			}
		})).toList();
		List<Long> seen = new ArrayList<>();
		for (Future<Long> token : tokens) {
			seen.add(token.get());
		}
		assertThat(seen).doesNotHaveDuplicates();
	}

	@Test
	void aLivingHolderKeepsItsLockBeyondTheTtl() {
		Lock lock = lock(this.here, ttl(), Duration.ZERO);
		AtomicBoolean lost = new AtomicBoolean();
		lock.onLost(() -> lost.set(true));
		assertThat(this.there.lock(this.name, ttl(), ttl().multipliedBy(2).plusMillis(500))).isNull();
		assertThat(lock.held()).isTrue();
		assertThat(lost).isFalse();
	}

	@Test
	void aKilledHoldersLockIsFreeWithinItsTtl() throws Exception {
		Node node = node(ttl());
		assertThat(this.here.lock(this.name, TTL, Duration.ZERO)).isNull();
		node.kill();
		long start = System.nanoTime();
		waitFor(this.there).close();
		assertThat(since(start)).isLessThan(ttl().plus(SLACK));
	}

	@Test
	void aHolderStoppedBeyondItsTtlHasLostItsLockAndCannotHarmItsSuccessor() throws Exception {
		Node node = node(ttl());
		node.pause();
		Lock successor = waitFor(this.there);
		node.resume();
		assertThat(node.held()).isFalse();
		await(node::lost);
		node.unlock();
		assertThat(this.here.lock(this.name, TTL, ttl())).isNull();
		assertThat(successor.held()).isTrue();
	}

	@Test
	void aHolderStoppedForLessThanItsTtlKeepsItsLock() throws Exception {
		Node node = node(Duration.ofSeconds(10));
		node.pause();
		assertThat(this.here.lock(this.name, TTL, Duration.ofSeconds(1))).isNull();
		node.resume();
		assertThat(node.held()).isTrue();
		assertThat(node.lost()).isFalse();
		node.unlock();
		waitFor(this.here).close();
	}

	@Test
	void aLockGivenBackIsNotLostAndCannotHarmItsSuccessor() {
		Lock first = lock(this.here);
		AtomicBoolean lost = new AtomicBoolean();
		first.onLost(() -> lost.set(true));
		first.close();
		Lock second = lock(this.there);
		first.close();
		first.onLost(() -> lost.set(true));
		assertThat(this.here.lock(this.name, TTL, Duration.ofMillis(300))).isNull();
		assertThat(second.held()).isTrue();
		assertThat(lost).isFalse();
	}

	@Test
	void aTtlBelowTheShortestIsRaised() {
		try (Lock lock = lock(this.here, Duration.ofMillis(1), Duration.ZERO)) {
			assertThat(this.there.lock(this.name, Duration.ofMillis(1), Duration.ofMillis(500))).isNull();
			assertThat(lock.held()).isTrue();
		}
	}

	@Test
	void whatIsOverALimitIsRefused() {
		for (String wrong : List.of("", " ", "n".repeat(201), "a\nb", "\ud83d")) {
			invalid(() -> this.here.lock(wrong, TTL, Duration.ZERO));
			invalid(() -> this.here.lead(wrong, TTL, Lock::close));
		}
		for (Duration wrong : List.of(Duration.ZERO, Duration.ofSeconds(-1), Sync.LONGEST_TTL.plusMillis(1))) {
			invalid(() -> this.here.lock(this.name, wrong, Duration.ZERO));
			invalid(() -> this.here.lead(this.name, wrong, Lock::close));
		}
		invalid(() -> this.here.lock(this.name, TTL, Duration.ofMillis(-1)));
		lock(this.here, Sync.LONGEST_TTL, Duration.ZERO).close();
		lock(this.there).close();
	}

	@Test
	void namesAreTakenLiterally() {
		List<String> names = List.of("a", "a/b", "a/", "A", "a%", "%", "_", "a b", "ä", "a\u0308",
				"\ud83d\ude00".repeat(200));
		List<Lock> locks = names.stream().map((each) -> this.here.lock(each, TTL, Duration.ZERO)).toList();
		assertThat(locks).doesNotContainNull().allMatch(Lock::held);
		locks.get(0).close();
		names.forEach((each) -> assertThat(this.there.lock(each, TTL, Duration.ZERO) != null)
			.isEqualTo(each.equals(names.get(0))));
	}

	@Test
	void namespacesNeverMeet() throws Exception {
		Scoped<Sync> view = view();
		List<String> namespaces = List.of(this.namespace + "-b", this.namespace + "_b",
				(this.namespace + "-b").toUpperCase(Locale.ROOT), this.namespace);
		for (String each : namespaces) {
			assertThat(view.in(each).lock(this.name, TTL, Duration.ZERO)).isNotNull();
		}
		for (String wrong : List.of("", " ", "n".repeat(201), "a\nb")) {
			invalid(() -> view.in(wrong));
		}
	}

	@Test
	void interruptionEndsAWaitAndTakesNothing() throws Exception {
		Lock lock = lock(this.here);
		AtomicBoolean interrupted = new AtomicBoolean();
		Waiting waiting = new Waiting(this.there, Duration.ofSeconds(30)) {

			@Override
			void ended() {
				interrupted.set(Thread.currentThread().isInterrupted());
			}

		};
		waiting.thread.interrupt();
		assertThatExceptionOfType(MicroException.Cancelled.class).isThrownBy(waiting::get);
		assertThat(interrupted).isTrue();
		Thread.currentThread().interrupt();
		assertThatExceptionOfType(MicroException.Cancelled.class).isThrownBy(() -> waitFor(this.there));
		assertThat(Thread.interrupted()).isTrue();
		lock.close();
		waitFor(this.here).close();
	}

	@Test
	void anInterruptedHolderGivesItsLockBackAllTheSame() throws Exception {
		Lock lock = lock(this.here);
		Thread.currentThread().interrupt();
		lock.close();
		assertThat(Thread.interrupted()).isTrue();
		waitFor(this.there).close();
	}

	@Test
	void aCounterUnderALockIsNeverWrong() throws Exception {
		int each = 25;
		List<Future<?>> workers = new ArrayList<>();
		Counter counter = new Counter();
		for (int i = 0; i < 8; i++) {
			Sync sync = (i % 2 == 0) ? this.here : this.there;
			workers.add(this.threads.submit(() -> {
				for (int round = 0; round < each; round++) {
					try (Lock lock = waitFor(sync)) {
						counter.increment(lock.token());
					}
				}
			}));
		}
		for (Future<?> worker : workers) {
			worker.get();
		}
		assertThat(counter.value).isEqualTo(8 * each);
	}

	/*
	 * The state is who has the lock: its token, or minus the last token while nobody has
	 * it.
	 */
	@Test
	void concurrentOperationsAreLinearizable() throws Exception {
		History<Long> history = new History<>();
		List<Future<?>> running = new ArrayList<>();
		for (int i = 0; i < 4; i++) {
			Sync sync = (i % 2 == 0) ? this.here : this.there;
			running.add(this.threads.submit(() -> {
				for (int n = 0; n < 40; n++) {
					AtomicReference<@Nullable Lock> taken = new AtomicReference<>();
					Long token = history.record("lock", () -> {
						Lock lock = sync.lock(this.name, TTL, Duration.ZERO);
						taken.set(lock);
						return (lock != null) ? lock.token() : 0;
					}, SyncContract::locked, (state) -> state);
					if (token != null && token > 0) {
						history.record("unlock " + token, () -> {
							Objects.requireNonNull(taken.get()).close();
							return token;
						}, (closed) -> (state) -> (state.equals(token)) ? -token : null, (state) -> -token);
					}
				}
			}));
		}
		for (Future<?> caller : running) {
			caller.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
		}
		assertThat(history.size()).isGreaterThanOrEqualTo(160);
		assertThat(history.violation(0L)).isNull();
	}

	private static History.Effect<Long> locked(long token) {
		if (token == 0) {
			return (state) -> (state > 0) ? state : null;
		}
		return (state) -> (state <= 0 && token > -state) ? token : null;
	}

	@Test
	void closingAViewGivesItsLocksBackAndEndsItsWaits() throws Exception {
		Scoped<Sync> view = view();
		Sync mine = view.in(this.namespace);
		Lock lock = lock(mine);
		AtomicBoolean lost = new AtomicBoolean();
		lock.onLost(() -> lost.set(true));
		Waiting waiting = new Waiting(mine, Duration.ofSeconds(30));
		view.close();
		view.close();
		assertThat(lock.held()).isFalse();
		assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(waiting::get);
		assertThatExceptionOfType(MicroException.Unavailable.class)
			.isThrownBy(() -> mine.lock(this.name, TTL, Duration.ZERO));
		assertThatExceptionOfType(MicroException.Unavailable.class)
			.isThrownBy(() -> mine.lead(this.name, TTL, Lock::close));
		lock(this.there).close();
		lock.close();
		assertThat(lost).isFalse();
	}

	// Leaders.

	@Test
	void oneOfManyLeads() {
		List<Lock> leaders = new CopyOnWriteArrayList<>();
		for (int i = 0; i < 6; i++) {
			((i % 2 == 0) ? this.here : this.there).lead(this.name, ttl(), leaders::add);
		}
		await(() -> leaders.size() == 1);
		Awaitility.await()
			.during(ttl().multipliedBy(2))
			.atMost(ttl().multipliedBy(2).plus(SLACK))
			.until(() -> leaders.size() == 1 && leaders.get(0).held());
		assertThat(this.here.lock(this.name, TTL, Duration.ZERO)).as("a leader holds the lock").isNull();
	}

	@Test
	void anotherLeadsPromptlyOnceTheLeaderLeaves() {
		List<Lock> first = new CopyOnWriteArrayList<>();
		List<Lock> second = new CopyOnWriteArrayList<>();
		Subscription leading = this.here.lead(this.name, TTL, first::add);
		await(() -> first.size() == 1);
		this.there.lead(this.name, TTL, second::add);
		assertThat(this.here.lock(this.name, TTL, Duration.ofMillis(200))).isNull();
		assertThat(second).isEmpty();
		leading.close();
		leading.close();
		assertThat(first.get(0).held()).isFalse();
		await(() -> second.size() == 1);
		assertThat(second.get(0).held()).isTrue();
		assertThat(second.get(0).token()).isGreaterThan(first.get(0).token());
		assertThat(first).hasSize(1);
	}

	@Test
	void aLeaderIsElectedWithinTwiceTheTtlAfterTheOldOneWasKilled() throws Exception {
		Node node = node(ttl());
		List<Lock> leaders = new CopyOnWriteArrayList<>();
		this.here.lead(this.name, ttl(), leaders::add);
		this.there.lead(this.name, ttl(), leaders::add);
		assertThat(this.here.lock(this.name, TTL, Duration.ofMillis(200))).isNull();
		assertThat(leaders).isEmpty();
		node.kill();
		until(ttl().multipliedBy(2), () -> leaders.size() == 1);
	}

	@Test
	void aLeaderThatThrowsMakesWayForAnotherAndStandsAgain() {
		List<Lock> throwing = new CopyOnWriteArrayList<>();
		Subscription first = this.here.lead(this.name, TTL, (lock) -> {
			throwing.add(lock);
			throw new AssertionError("thrown on purpose");
		});
		await(() -> throwing.size() >= 2 && throwing.stream().limit(2).noneMatch(Lock::held));
		List<Lock> second = new CopyOnWriteArrayList<>();
		this.there.lead(this.name, TTL, second::add);
		await(() -> second.size() == 1);
		first.close();
		assertThat(second.get(0).held()).isTrue();
	}

	@Test
	void aLeaderThatGivesItsLockBackMakesWayForAnotherAndStandsAgain() {
		List<Lock> first = new CopyOnWriteArrayList<>();
		List<Lock> second = new CopyOnWriteArrayList<>();
		this.here.lead(this.name, TTL, first::add);
		await(() -> first.size() == 1);
		Subscription other = this.there.lead(this.name, TTL, second::add);
		assertThat(this.here.lock(this.name, TTL, Duration.ofMillis(200))).isNull();
		first.get(0).close();
		await(() -> second.size() == 1);
		other.close();
		await(() -> first.size() == 2);
		assertThat(first.get(1).held()).isTrue();
	}

	@Test
	void aTermsEndInterruptsTheCallAndThereIsNoOtherBeforeItReturned() {
		List<String> events = new CopyOnWriteArrayList<>();
		AtomicReference<Lock> term = new AtomicReference<>();
		AtomicInteger running = new AtomicInteger();
		this.here.lead(this.name, TTL, (lock) -> {
			events.add("begun " + running.incrementAndGet());
			term.set(lock);
			boolean interrupted = !parked(new CountDownLatch(1));
			events.add("interrupted " + interrupted + ", held " + lock.held());
			running.decrementAndGet();
		});
		for (int i = 1; i <= 2; i++) {
			int round = i;
			await(() -> events.size() == 2 * round - 1);
			term.get().close();
			await(() -> events.size() >= 2 * round);
		}
		assertThat(events.subList(0, 4)).containsExactly("begun 1", "interrupted true, held false", "begun 1",
				"interrupted true, held false");
	}

	@Test
	void closingInterruptsTheLeaderAndWaitsForItBeforeAnotherLeads() throws Exception {
		CountDownLatch begun = new CountDownLatch(1);
		CountDownLatch interrupted = new CountDownLatch(1);
		CountDownLatch end = new CountDownLatch(1);
		List<String> events = new CopyOnWriteArrayList<>();
		AtomicBoolean held = new AtomicBoolean(true);
		Subscription leading = this.here.lead(this.name, ttl(), (lock) -> {
			begun.countDown();
			parked(new CountDownLatch(1));
			held.set(lock.held());
			interrupted.countDown();
			parked(end);
			events.add("ended");
		});
		assertThat(begun.await(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)).isTrue();
		List<Lock> second = new CopyOnWriteArrayList<>();
		this.there.lead(this.name, TTL, second::add);
		Future<?> closing = this.threads.submit(() -> {
			leading.close();
			events.add("closed");
		});
		assertThat(interrupted.await(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)).isTrue();
		assertThat(held).isFalse();
		assertThat(this.here.lock(this.name, TTL, ttl().multipliedBy(2))).isNull();
		assertThat(second).isEmpty();
		assertThat(closing.isDone()).isFalse();
		end.countDown();
		closing.get();
		assertThat(events).containsExactly("ended", "closed");
		await(() -> second.size() == 1);
	}

	@Test
	void aLeaderMayCloseItsOwnSubscription() {
		CompletableFuture<Subscription> leading = new CompletableFuture<>();
		AtomicInteger calls = new AtomicInteger();
		leading.complete(this.here.lead(this.name, TTL, (lock) -> {
			calls.incrementAndGet();
			leading.join().close();
			assertThat(lock.held()).isFalse();
		}));
		await(() -> calls.get() == 1);
		waitFor(this.there).close();
		Awaitility.await().during(Duration.ofMillis(1500)).atMost(SLACK).until(() -> calls.get() == 1);
	}

	@Test
	void onceASubscriptionIsClosedNoCallStartsAndTheNameIsFree() {
		AtomicBoolean closed = new AtomicBoolean();
		AtomicInteger late = new AtomicInteger();
		for (int round = 0; round < 20; round++) {
			closed.set(false);
			Subscription leading = this.here.lead(this.name, TTL, (lock) -> {
				if (closed.get()) {
					late.incrementAndGet();
				}
			});
			LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(100 * round));
			leading.close();
			closed.set(true);
			lock(this.there).close();
		}
		assertThat(late).hasValue(0);
	}

	@Test
	void closingAViewEndsItsTermsAndCandidacies() throws Exception {
		Scoped<Sync> view = view();
		List<Lock> leaders = new CopyOnWriteArrayList<>();
		view.in(this.namespace).lead(this.name, TTL, leaders::add);
		await(() -> leaders.size() == 1);
		view.in(this.namespace).lead(this.name, TTL, leaders::add);
		List<Lock> others = new CopyOnWriteArrayList<>();
		this.there.lead(this.name, TTL, others::add);
		view.close();
		assertThat(leaders.get(0).held()).isFalse();
		await(() -> others.size() == 1);
		assertThat(leaders).hasSize(1);
	}

	private Lock lock(Sync sync) {
		return lock(sync, TTL, Duration.ZERO);
	}

	private Lock waitFor(Sync sync) {
		return lock(sync, TTL, Duration.ofSeconds(30));
	}

	private Lock lock(Sync sync, Duration ttl, Duration wait) {
		Lock lock = sync.lock(this.name, ttl, wait);
		if (lock == null) {
			throw new AssertionError("the lock is taken");
		}
		return lock;
	}

	/*
	 * So that a machine under load does not lose what it should keep.
	 */
	private Duration ttl() {
		return shortestTtl().multipliedBy(2);
	}

	private Scoped<Sync> view() throws Exception {
		Scoped<Sync> view = open();
		this.opened.add(view);
		return view;
	}

	private Node node(Duration ttl) throws Exception {
		Node node = start(this.namespace, this.name, ttl);
		this.nodes.add(node);
		assertThat(node.held()).isTrue();
		return node;
	}

	private static void invalid(Runnable call) {
		assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(call::run);
	}

	private static Duration since(long start) {
		return Duration.ofNanos(System.nanoTime() - start);
	}

	/*
	 * Whether the latch was counted down and no interruption came.
	 */
	private static boolean parked(CountDownLatch latch) {
		try {
			return latch.await(PATIENCE.plus(PATIENCE).toMillis(), TimeUnit.MILLISECONDS);
		}
		catch (InterruptedException ex) {
			return false;
		}
	}

	private static void await(BooleanSupplier condition) {
		until(PATIENCE, condition);
	}

	private static void until(Duration time, BooleanSupplier condition) {
		Awaitility.await().atMost(time.plus(SLACK)).pollInterval(Duration.ofMillis(10)).until(condition::getAsBoolean);
	}

	/**
	 * What holds a lock, and can be stopped and die without a word.
	 */
	public interface Node {

		/**
		 * Whether its lock is held, as far as it knows.
		 * @return what the lock says
		 */
		boolean held();

		/**
		 * Whether its lock told it of the loss.
		 * @return whether the action ran
		 */
		boolean lost();

		/**
		 * Closes its lock.
		 */
		void unlock();

		/**
		 * Stops the node, with all it has under way.
		 */
		void pause();

		/**
		 * Has the node go on.
		 */
		void resume();

		/**
		 * Ends the node as a crash would. Idempotent.
		 */
		void kill();

	}

	/**
	 * What a fencing token protects.
	 */
	private static final class Counter {

		private volatile long fence;

		private volatile int value;

		void increment(long token) {
			assertThat(token).isGreaterThan(this.fence);
			this.fence = token;
			int read = this.value;
			Thread.yield();
			this.value = read + 1;
		}

	}

	/**
	 * A thread that waits for the lock.
	 */
	private class Waiting {

		private final CompletableFuture<Lock> lock = new CompletableFuture<>();

		private final Thread thread;

		private volatile long end;

		Waiting(Sync sync, Duration wait) {
			this.thread = new Thread(() -> {
				try {
					Lock taken = sync.lock(SyncContract.this.name, TTL, wait);
					this.end = System.nanoTime();
					this.lock.complete(taken);
				}
				catch (RuntimeException ex) {
					ended();
					this.lock.completeExceptionally(ex);
				}
			});
			this.thread.setDaemon(true);
			this.thread.start();
			// Long enough for having been told that it has to wait.
			Awaitility.await()
				.during(Duration.ofMillis(100))
				.atMost(PATIENCE)
				.pollInterval(Duration.ofMillis(5))
				.until(() -> Set.of(Thread.State.WAITING, Thread.State.TIMED_WAITING).contains(this.thread.getState()));
		}

		void ended() {
		}

		Lock get() {
			try {
				return this.lock.get(PATIENCE.plus(SLACK).toMillis(), TimeUnit.MILLISECONDS);
			}
			catch (ExecutionException ex) {
				throw (RuntimeException) ex.getCause();
			}
			catch (Exception ex) {
				throw new IllegalStateException(ex);
			}
		}

	}

}
