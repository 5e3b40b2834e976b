package mu.micro.core;

import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import mu.micro.MicroException;
import mu.micro.core.Locks.Claim;
import mu.micro.core.Locks.Grant;
import mu.micro.memory.MemoryDatabases;
import mu.micro.store.Store;
import mu.micro.tck.TestClock;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

@Timeout(60)
class StoreLocksTests {

	private static final Duration LONG = Duration.ofSeconds(30);

	private final MemoryDatabases databases = new MemoryDatabases();

	private final TroubledDatabases troubled = new TroubledDatabases(new MemoryDatabases(this.databases));

	private final Store table = this.databases.in("micro").table(StoreLocks.TABLE);

	private final StoreLocks locks = new StoreLocks(this.troubled, Clock.systemUTC(), 60, Threads.perTask("test-lock"));

	@AfterEach
	void close() {
		this.locks.close();
		this.troubled.close();
		this.databases.close();
	}

	@Test
	void askingAgainForTheSameHolderKeepsTheLockForAnotherTtl() {
		TestClock clock = new TestClock();
		try (MemoryDatabases timed = new MemoryDatabases(clock); StoreLocks asked = new StoreLocks(timed, clock)) {
			Claim claim = claim("a");
			Grant first = asked.acquire(claim, Duration.ZERO).join();
			clock.advance(Duration.ofSeconds(20));
			Grant again = asked.acquire(claim, LONG).join();
			assertThat(again.token()).isEqualTo(first.token());
			clock.advance(Duration.ofSeconds(20));
			asked.renew(claim, first.token());
			clock.advance(LONG);
			assertThatExceptionOfType(MicroException.Conflict.class)
				.isThrownBy(() -> asked.renew(claim, first.token()));
			assertThat(asked.acquire(claim, Duration.ZERO).join().token()).isGreaterThan(first.token());
		}
	}

	@Test
	void onlyItsHolderRenewsAndGivesBackALock() {
		Claim claim = claim("a");
		long token = this.locks.acquire(claim, Duration.ZERO).join().token();
		long revision = this.table.get("a").revision();
		assertThatExceptionOfType(MicroException.Conflict.class).isThrownBy(() -> this.locks.renew(claim("a"), token))
			.withMessageContainingAll("'a'", Long.toString(token));
		assertThatExceptionOfType(MicroException.Conflict.class).isThrownBy(() -> this.locks.renew(claim, token + 1));
		this.locks.release(claim("a"));
		assertThat(this.table.get("a").revision()).isEqualTo(revision);
		this.locks.renew(claim, token);
		assertThat(this.table.get("a").revision()).isGreaterThan(revision);
		this.locks.release(claim);
		this.locks.release(claim);
		assertThat(this.table.get("a")).isNull();
		assertThatExceptionOfType(MicroException.Conflict.class).isThrownBy(() -> this.locks.renew(claim, token));
	}

	@Test
	void theWaitIsToldSoThatTheTtlCanBeCountedFromItsBeginning() {
		Claim first = claim("a");
		this.locks.acquire(first, Duration.ZERO).join();
		long start = System.nanoTime();
		CompletableFuture<Grant> second = this.locks.acquire(claim("a"), LONG);
		Awaitility.await().pollDelay(Duration.ofMillis(400)).until(() -> true);
		this.locks.release(first);
		Duration waited = second.join().waited();
		assertThat(waited).isBetween(Duration.ofMillis(400), Duration.ofNanos(System.nanoTime() - start));
	}

	@Test
	void manyWhoWaitForOneLockAskTheStoreAsOne() {
		this.locks.acquire(claim("a"), Duration.ZERO).join();
		List<CompletableFuture<Grant>> waiting = new ArrayList<>();
		for (int i = 0; i < 50; i++) {
			waiting.add(this.locks.acquire(claim("a"), LONG));
		}
		int before = this.troubled.reads.get();
		Awaitility.await().pollDelay(Duration.ofSeconds(3)).until(() -> true);
		assertThat(this.troubled.reads.get() - before).isBetween(1, 10);
		assertThat(waiting).noneMatch(CompletableFuture::isDone);
	}

	@Test
	void theFirstInLineIsServedFirst() {
		Claim first = claim("a");
		this.locks.acquire(first, Duration.ZERO).join();
		List<Claim> claims = new ArrayList<>(List.of(first));
		List<CompletableFuture<Grant>> waiting = new ArrayList<>();
		for (int i = 0; i < 5; i++) {
			Claim claim = claim("a");
			claims.add(claim);
			waiting.add(this.locks.acquire(claim, LONG));
		}
		for (int i = 0; i < 5; i++) {
			this.locks.release(claims.get(i));
			waiting.get(i).orTimeout(10, TimeUnit.SECONDS).join();
			assertThat(waiting.subList(i + 1, 5)).noneMatch(CompletableFuture::isDone);
		}
	}

	@Test
	void whoCancelsGetsNoLockAndHoldsUpNobody() {
		Claim first = claim("a");
		this.locks.acquire(first, Duration.ZERO).join();
		CompletableFuture<Grant> second = this.locks.acquire(claim("a"), LONG);
		CompletableFuture<Grant> third = this.locks.acquire(claim("a"), LONG);
		assertThat(second.cancel(true)).isTrue();
		this.locks.release(first);
		assertThat(third.orTimeout(10, TimeUnit.SECONDS).join()).isNotNull();
		assertThatExceptionOfType(CancellationException.class).isThrownBy(second::join);
	}

	@Test
	void aLockTakenInTheMomentOfCancellingIsGivenBack() {
		for (int i = 0; i < 50; i++) {
			Claim first = claim("a");
			this.locks.acquire(first, Duration.ZERO).join();
			CompletableFuture<Grant> second = this.locks.acquire(claim("a"), LONG);
			this.locks.release(first);
			if (second.cancel(true)) {
				Awaitility.await()
					.atMost(Duration.ofSeconds(10))
					.pollInterval(Duration.ofMillis(1))
					.until(() -> this.table.get("a") == null);
			}
			else {
				this.table.delete("a");
			}
		}
	}

	@Test
	void oneWaitMoreThanTheLimitIsExhausted() {
		this.locks.acquire(claim("a"), Duration.ZERO).join();
		List<CompletableFuture<Grant>> waiting = new ArrayList<>();
		for (int i = 0; i < 60; i++) {
			waiting.add(this.locks.acquire(claim("a"), LONG));
		}
		assertThatExceptionOfType(MicroException.Exhausted.class).isThrownBy(() -> this.locks.acquire(claim("a"), LONG))
			.withMessageContaining("60");
		waiting.get(7).cancel(true);
		assertThat(this.locks.acquire(claim("a"), LONG)).isNotDone();
	}

	@Test
	void closingEndsWaitsAndLeavesLocks() {
		Claim claim = claim("a");
		this.locks.acquire(claim, Duration.ZERO).join();
		CompletableFuture<Grant> waiting = this.locks.acquire(claim("a"), LONG);
		this.locks.close();
		this.locks.close();
		assertThatExceptionOfType(CompletionException.class).isThrownBy(waiting::join)
			.withCauseInstanceOf(MicroException.Unavailable.class);
		assertThatExceptionOfType(MicroException.Unavailable.class)
			.isThrownBy(() -> this.locks.acquire(claim("b"), Duration.ZERO));
		assertThat(this.table.get("a")).isNotNull();
		this.locks.release(claim);
		assertThat(this.table.get("a")).isNull();
	}

	@Test
	void anErrorOfTheStoreEndsNoWait() {
		Claim first = claim("a");
		this.locks.acquire(first, Duration.ZERO).join();
		List<CompletableFuture<Grant>> waiting = List.of(this.locks.acquire(claim("a"), LONG),
				this.locks.acquire(claim("a"), LONG));
		AtomicInteger errors = new AtomicInteger();
		this.troubled.onRead = () -> {
			errors.incrementAndGet();
			throw new Error("on purpose");
		};
		this.table.delete("a");
		Awaitility.await().until(() -> errors.get() > 1);
		assertThat(waiting).noneMatch(CompletableFuture::isDone);
		this.troubled.onRead = () -> {
		};
		assertThat(waiting.get(0).orTimeout(10, TimeUnit.SECONDS).join()).isNotNull();
		this.table.delete("a");
		assertThat(waiting.get(1).orTimeout(10, TimeUnit.SECONDS).join()).isNotNull();
	}

	@Test
	void whatWasTakenInAnErrorIsGivenBack() {
		this.troubled.answerNot(1);
		this.troubled.onRead = () -> {
			this.troubled.onRead = () -> {
			};
			throw new Error("on purpose");
		};
		assertThatExceptionOfType(Error.class).isThrownBy(() -> this.locks.acquire(claim("a"), LONG));
		Awaitility.await().atMost(Duration.ofSeconds(10)).until(() -> this.table.get("a") == null);
	}

	@Test
	void anErrorThatLastsIsToldWhenTheWaitIsOver() {
		this.locks.acquire(claim("a"), Duration.ZERO).join();
		CompletableFuture<Grant> waiting = this.locks.acquire(claim("a"), Duration.ofSeconds(1));
		this.troubled.onRead = () -> {
			throw new Error("on purpose");
		};
		this.table.delete("a");
		assertThatExceptionOfType(CompletionException.class)
			.isThrownBy(() -> waiting.orTimeout(10, TimeUnit.SECONDS).join())
			.withCauseInstanceOf(MicroException.Unavailable.class)
			.withMessageContainingAll("'a'", "on purpose");
	}

	@Test
	void whoWaitsIsServedOnceThereAreThreadsAgain() {
		ScarceThreads threads = new ScarceThreads();
		try (StoreLocks scarce = new StoreLocks(this.troubled, Clock.systemUTC(), 60, threads)) {
			this.locks.acquire(claim("a"), Duration.ZERO).join();
			threads.none = true;
			CompletableFuture<Grant> waiting = scarce.acquire(claim("a"), LONG);
			CompletableFuture<Grant> impatient = scarce.acquire(claim("a"), Duration.ofMillis(100));
			this.table.delete("a");
			Awaitility.await().until(() -> threads.refused.get() > 3);
			assertThat(waiting).isNotDone();
			threads.none = false;
			assertThat(waiting.orTimeout(10, TimeUnit.SECONDS).join()).isNotNull();
			assertThat(impatient.orTimeout(10, TimeUnit.SECONDS).join()).isNull();
		}
	}

	private static Claim claim(String name) {
		return new Claim("micro", name, UUID.randomUUID().toString(), "a test", LONG);
	}

}
