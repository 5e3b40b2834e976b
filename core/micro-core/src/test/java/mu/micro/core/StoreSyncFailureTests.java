package mu.micro.core;

import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;

import mu.micro.MicroException;
import mu.micro.memory.MemoryDatabases;
import mu.micro.store.Entry;
import mu.micro.store.Store;
import mu.micro.sync.Lock;
import mu.micro.sync.Sync;
import mu.micro.tck.TestClock;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

@Timeout(60)
class StoreSyncFailureTests {

	private static final Duration TTL = Duration.ofSeconds(30);

	private final MemoryDatabases databases = new MemoryDatabases();

	private final Store table = this.databases.in("micro").table(StoreLocks.TABLE);

	private final TroubledDatabases troubled = new TroubledDatabases(new MemoryDatabases(this.databases));

	private final StoreSync sync = new StoreSync(this.troubled, Clock.systemUTC());

	private final Sync mine = this.sync.in("micro");

	private final StoreSync others = new StoreSync(this.databases, Clock.systemUTC());

	private final Sync theirs = this.others.in("micro");

	@AfterEach
	void close() {
		this.troubled.away(false);
		this.troubled.go();
		this.sync.close();
		this.others.close();
		this.troubled.close();
		this.databases.close();
	}

	@Test
	void aLockIsKeptWhenTheStoreWasAwayForLessThanTheTtl() {
		Lock lock = this.mine.lock("a", Duration.ofSeconds(3), Duration.ZERO);
		AtomicBoolean lost = new AtomicBoolean();
		lock.onLost(() -> lost.set(true));
		this.troubled.away(true);
		during(Duration.ofSeconds(2), lock::held);
		this.troubled.away(false);
		during(Duration.ofSeconds(4), lock::held);
		assertThat(lost).isFalse();
		assertThat(this.theirs.lock("a", TTL, Duration.ZERO)).isNull();
	}

	@Test
	void aLockIsLostBeforeAnotherCanHaveItWhenTheStoreWasAwayForLonger() throws Exception {
		Lock lock = this.mine.lock("a", Duration.ofSeconds(5), Duration.ZERO);
		CompletableFuture<Entry> then = new CompletableFuture<>();
		lock.onLost(() -> then.complete(this.table.get("a")));
		this.troubled.away(true);
		Entry there = then.get(10, TimeUnit.SECONDS);
		assertThat(there).as("what the store had when the loss was told").isNotNull();
		assertThat(lock.held()).isFalse();
		Lock successor = this.theirs.lock("a", TTL, Duration.ofSeconds(10));
		this.troubled.away(false);
		lock.close();
		assertThat(this.table.get("a").revision()).isEqualTo(successor.token());
		assertThat(successor.held()).isTrue();
	}

	@Test
	void aRenewalThatWasDoneAndNotAnsweredCounts() {
		Lock lock = this.mine.lock("a", Duration.ofSeconds(1), Duration.ZERO);
		for (int i = 0; i < 4; i++) {
			long revision = this.table.get("a").revision();
			this.troubled.answerNot(1);
			await(() -> this.table.get("a").revision() > revision);
		}
		during(Duration.ofSeconds(2), lock::held);
		assertThat(this.table.get("a").metadata()).containsEntry("token", Long.toString(lock.token()));
	}

	@Test
	void aRenewalThatIsAnsweredLateCountsFromWhenItWasAskedFor() throws Exception {
		Lock lock = this.mine.lock("a", Duration.ofSeconds(5), Duration.ZERO);
		CompletableFuture<Entry> then = new CompletableFuture<>();
		lock.onLost(() -> then.complete(this.table.get("a")));
		this.troubled.answerLate();
		await(() -> this.table.get("a").revision() > lock.token());
		during(Duration.ofMillis(2000), lock::held);
		this.troubled.away(true);
		this.troubled.go();
		assertThat(then.get(10, TimeUnit.SECONDS)).as("what the store had when the loss was told").isNotNull();
	}

	@Test
	void renewalsThatAreNeverAnsweredDoNotKeepALock() {
		Lock lock = this.mine.lock("a", Duration.ofSeconds(1), Duration.ZERO);
		this.troubled.answerNot(Integer.MAX_VALUE);
		await(() -> !lock.held());
	}

	@Test
	void aLockThatWasTakenAndNotAnsweredIsFoundToBeTaken() {
		this.troubled.answerNot(1);
		Lock lock = this.mine.lock("a", TTL, Duration.ZERO);
		assertThat(lock.held()).isTrue();
		assertThat(this.theirs.lock("a", TTL, Duration.ZERO)).isNull();
		lock.close();
		Lock next = this.theirs.lock("a", TTL, Duration.ZERO);
		assertThat(next.token()).isGreaterThan(lock.token());
	}

	@Test
	void aLockOfWhichNobodyKnowsWhetherItWasTakenIsUnknown() {
		this.troubled.doNot(1);
		assertThatExceptionOfType(MicroException.OutcomeUnknown.class)
			.isThrownBy(() -> this.mine.lock("a", TTL, Duration.ZERO));
		assertThat(this.mine.lock("a", TTL, Duration.ofSeconds(10)).held()).isTrue();
	}

	@Test
	void anotherThatTookItMeanwhileIsSeenWhenTheOutcomeIsUnknown() {
		this.theirs.lock("a", TTL, Duration.ZERO);
		this.troubled.doNot(1);
		assertThat(this.mine.lock("a", TTL, Duration.ZERO)).isNull();
	}

	@Test
	void aStoreThatIsAwayIsSaidAtOnce() {
		this.troubled.away(true);
		long start = System.nanoTime();
		assertThatExceptionOfType(MicroException.Unavailable.class)
			.isThrownBy(() -> this.mine.lock("a", TTL, Duration.ofSeconds(30)));
		assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
	}

	@Test
	void whoWaitsWaitsOutThatTheStoreIsAway() throws Exception {
		Lock first = this.theirs.lock("a", TTL, Duration.ZERO);
		CompletableFuture<Lock> waiting = waiting(Duration.ofSeconds(30));
		CompletableFuture<Lock> impatient = waiting(Duration.ofSeconds(2));
		this.troubled.away(true);
		first.close();
		assertThat(impatient.handle((lock, failure) -> failure).get(10, TimeUnit.SECONDS))
			.isInstanceOf(MicroException.Unavailable.class);
		assertThat(waiting).isNotDone();
		this.troubled.away(false);
		assertThat(waiting.get(10, TimeUnit.SECONDS).held()).isTrue();
	}

	@Test
	void whoWaitsHasTheLockInASecondAlsoIfTheStoreTellsNothing() throws Exception {
		this.troubled.deaf();
		Lock first = this.theirs.lock("a", TTL, Duration.ZERO);
		CompletableFuture<Lock> waiting = waiting(Duration.ofSeconds(30));
		first.close();
		assertThat(waiting.get(6, TimeUnit.SECONDS).held()).isTrue();
	}

	@Test
	void aLockIsGivenBackOnceTheStoreIsThereAgain() {
		Lock lock = this.mine.lock("a", TTL, Duration.ZERO);
		this.troubled.away(true);
		lock.close();
		assertThat(lock.held()).isFalse();
		assertThat(this.theirs.lock("a", TTL, Duration.ofMillis(200))).isNull();
		this.troubled.away(false);
		assertThat(this.theirs.lock("a", TTL, Duration.ofSeconds(10))).isNotNull();
	}

	@Test
	void closingIsQuickThoughTheStoreStandsStill() {
		for (int i = 0; i < 50; i++) {
			this.mine.lock("a" + i, TTL, Duration.ZERO);
		}
		this.troubled.stop();
		long start = System.nanoTime();
		this.sync.close();
		assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(4));
		this.troubled.go();
		await(() -> this.databases.in("micro").tables().isEmpty());
	}

	@Test
	void closingIsQuickThoughALeaderIgnoresItsInterruption() throws Exception {
		CountDownLatch begun = new CountDownLatch(1);
		CountDownLatch end = new CountDownLatch(1);
		List<Lock> terms = new CopyOnWriteArrayList<>();
		this.mine.lead("a", TTL, (lock) -> {
			terms.add(lock);
			begun.countDown();
			while (end.getCount() > 0) {
				Thread.onSpinWait();
			}
		});
		assertThat(begun.await(10, TimeUnit.SECONDS)).isTrue();
		Lock other = this.mine.lock("b", TTL, Duration.ZERO);
		CompletableFuture<Boolean> closing = CompletableFuture.supplyAsync(() -> {
			Thread.currentThread().interrupt();
			this.sync.close();
			return Thread.interrupted();
		});
		try {
			assertThat(closing.get(10, TimeUnit.SECONDS)).as("an own interruption is kept").isTrue();
			assertThat(terms.get(0).held()).isFalse();
			assertThat(other.held()).isFalse();
			assertThat(this.table.get("b")).isNull();
			assertThat(this.table.get("a")).as("the lock of one who still works").isNotNull();
		}
		finally {
			end.countDown();
		}
		await(() -> this.table.get("a") == null);
	}

	@Test
	void aLockThatSomebodyDeletedIsLostAndItsLeaderInterruptedAndElectedAnew() {
		List<Lock> terms = new CopyOnWriteArrayList<>();
		List<Boolean> held = new CopyOnWriteArrayList<>();
		this.mine.lead("a", Duration.ofSeconds(1), (lock) -> {
			terms.add(lock);
			try {
				new CountDownLatch(1).await();
			}
			catch (InterruptedException ex) {
				held.add(lock.held());
			}
		});
		await(() -> terms.size() == 1);
		this.table.delete("a");
		await(() -> terms.size() == 2);
		assertThat(held).containsExactly(false);
		assertThat(terms.get(1).token()).isGreaterThan(terms.get(0).token());
		AtomicBoolean late = new AtomicBoolean();
		terms.get(0).onLost(() -> late.set(true));
		assertThat(late).isTrue();
	}

	@Test
	void aCandidateWaitsOutThatTheStoreIsAway() {
		this.troubled.away(true);
		List<Lock> terms = new CopyOnWriteArrayList<>();
		this.mine.lead("a", Duration.ofSeconds(3), terms::add);
		during(Duration.ofMillis(500), terms::isEmpty);
		this.troubled.away(false);
		await(() -> terms.size() == 1);
		this.troubled.away(true);
		await(() -> !terms.get(0).held());
		this.troubled.away(false);
		await(() -> terms.size() == 2);
	}

	@Test
	void anErrorOfTheStoreEndsNoCandidacyAndNoTerm() {
		this.troubled.onWrite = () -> {
			throw new Error("on purpose");
		};
		List<Lock> terms = new CopyOnWriteArrayList<>();
		this.mine.lead("a", Duration.ofSeconds(3), terms::add);
		await(() -> this.troubled.writes.get() > 1);
		this.troubled.onWrite = () -> {
		};
		await(() -> terms.size() == 1);
		AtomicInteger errors = new AtomicInteger();
		this.troubled.onRead = () -> {
			errors.incrementAndGet();
			throw new Error("on purpose");
		};
		await(() -> errors.get() > 0);
		this.troubled.onRead = () -> {
		};
		during(Duration.ofSeconds(4), terms.get(0)::held);
	}

	@Test
	void locksAreKeptWhenThereWereNoThreadsForLessThanTheTtl() {
		ScarceThreads threads = new ScarceThreads();
		try (LeasedSync scarce = scarce(threads)) {
			Lock lock = scarce.in("micro").lock("a", Duration.ofSeconds(3), Duration.ZERO);
			threads.none = true;
			await(() -> threads.refused.get() > 0);
			threads.none = false;
			during(Duration.ofSeconds(4), lock::held);
		}
	}

	@Test
	void whatWasLostWhileThereWereNoThreadsIsTold() {
		ScarceThreads threads = new ScarceThreads();
		try (LeasedSync scarce = scarce(threads)) {
			Lock lock = scarce.in("micro").lock("a", Duration.ofSeconds(1), Duration.ZERO);
			AtomicBoolean lost = new AtomicBoolean();
			lock.onLost(() -> lost.set(true));
			threads.none = true;
			List<Lock> terms = new CopyOnWriteArrayList<>();
			scarce.in("micro").lead("b", Duration.ofSeconds(1), terms::add);
			await(() -> !lock.held());
			threads.none = false;
			await(lost::get);
			await(() -> terms.size() == 1);
		}
	}

	private LeasedSync scarce(ScarceThreads threads) {
		return new LeasedSync(new StoreLocks(this.troubled, Clock.systemUTC()), Clock.systemUTC(), threads) {
		};
	}

	@Test
	void aMachineThatSleptHasLostItsLocksWhenItWakes() {
		TestClock clock = new TestClock();
		try (MemoryDatabases timed = new MemoryDatabases(clock);
				StoreSync slept = new StoreSync(timed, clock);
				StoreSync awake = new StoreSync(timed, clock)) {
			Lock lock = slept.in("micro").lock("a", Duration.ofMinutes(1), Duration.ZERO);
			AtomicReference<Thread> teller = new AtomicReference<>();
			lock.onLost(() -> teller.set(Thread.currentThread()));
			clock.advance(Duration.ofSeconds(50));
			assertThat(lock.held()).isTrue();
			clock.advance(Duration.ofSeconds(4));
			assertThat(lock.held()).isFalse();
			await(() -> teller.get() != null);
			assertThat(teller.get()).isNotSameAs(Thread.currentThread());
			assertThat(awake.in("micro").lock("a", TTL, Duration.ZERO)).as("a tenth of the ttl to stop").isNull();
			clock.advance(Duration.ofSeconds(6));
			assertThat(awake.in("micro").lock("a", TTL, Duration.ZERO)).isNotNull();
		}
	}

	@Test
	void aLockThatCameTooLateIsTakenAnew() throws Exception {
		CompletableFuture<Lock> waiting = new CompletableFuture<>();
		TestClock clock = new TestClock();
		try (StoreSync slept = new StoreSync(this.troubled, clock)) {
			this.troubled.stop();
			Thread thread = new Thread(() -> waiting
				.complete(slept.in("micro").lock("a", Duration.ofSeconds(10), Duration.ofSeconds(30))));
			thread.start();
			await(() -> thread.getState() == Thread.State.WAITING);
			clock.advance(Duration.ofMinutes(1));
			this.troubled.go();
			Lock lock = waiting.get(10, TimeUnit.SECONDS);
			assertThat(lock.held()).isTrue();
			assertThat(this.table.get("a").revision()).isEqualTo(lock.token());
		}
	}

	@Test
	void aPersonCanReadWhoHoldsALock() {
		this.mine.lock("a", TTL, Duration.ZERO);
		Entry entry = this.table.get("a");
		assertThat(new String(entry.value(), StandardCharsets.UTF_8)).matches("[0-9a-f-]{36}");
		assertThat(entry.metadata().get("owner")).startsWith("process " + ProcessHandle.current().pid() + " at ");
		assertThat(entry.metadata().get("since")).matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ");
	}

	@Test
	void whatIsNoLockIsLeftAlone() {
		this.table.put("a", "mine".getBytes(StandardCharsets.UTF_8));
		assertThat(this.mine.lock("a", TTL, Duration.ofMillis(1500))).isNull();
		assertThat(this.table.get("a").value()).asString().isEqualTo("mine");
		this.table.delete("a");
		assertThat(this.mine.lock("a", TTL, Duration.ZERO)).isNotNull();
	}

	private CompletableFuture<Lock> waiting(Duration wait) {
		CompletableFuture<Lock> lock = new CompletableFuture<>();
		Thread thread = new Thread(() -> {
			try {
				lock.complete(this.mine.lock("a", TTL, wait));
			}
			catch (RuntimeException ex) {
				lock.completeExceptionally(ex);
			}
		});
		thread.setDaemon(true);
		thread.start();
		await(() -> List.of(Thread.State.WAITING, Thread.State.TIMED_WAITING).contains(thread.getState()));
		return lock;
	}

	private static void await(BooleanSupplier condition) {
		Awaitility.await()
			.atMost(Duration.ofSeconds(10))
			.pollInterval(Duration.ofMillis(10))
			.until(condition::getAsBoolean);
	}

	private static void during(Duration time, BooleanSupplier condition) {
		Awaitility.await()
			.during(time)
			.atMost(time.plusSeconds(5))
			.pollInterval(Duration.ofMillis(20))
			.until(condition::getAsBoolean);
	}

}
