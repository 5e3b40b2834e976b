package mu.micro.core;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

import mu.micro.MicroException;
import mu.micro.store.Change;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;

@Timeout(60)
class ChangeFeedTests {

	private final ExecutorService threads = Executors.newCachedThreadPool();

	private final Kept kept = new Kept();

	private final List<Change> heard = new CopyOnWriteArrayList<>();

	private final AtomicInteger closings = new AtomicInteger();

	@AfterEach
	void endThreads() {
		this.threads.shutdownNow();
	}

	@Test
	void nothingIsAskedBeforeALookAndOnceAfterIt() {
		this.kept.change(1);
		ChangeFeed feed = feed(0, this.heard::add);
		assertThat(this.kept.asked).isEmpty();
		feed.look();
		await(() -> this.heard.size() == 1);
		await(() -> feed.revision() == 1);
		assertThat(this.kept.asked).containsExactly(0L);
	}

	@Test
	void changesComeInOrderAfterTheRevision() {
		for (int i = 1; i <= 10; i++) {
			this.kept.change(i);
		}
		ChangeFeed feed = feed(4, this.heard::add);
		feed.look();
		await(() -> feed.revision() == 10);
		assertThat(revisions()).containsExactly(5L, 6L, 7L, 8L, 9L, 10L);
		this.kept.change(12);
		feed.look();
		await(() -> feed.revision() == 12);
		assertThat(revisions()).containsExactly(5L, 6L, 7L, 8L, 9L, 10L, 12L);
		assertThat(this.kept.asked.get(this.kept.asked.size() - 1)).isEqualTo(10);
	}

	@Test
	void aSourceThatHasMoreIsAskedAgain() {
		this.kept.most = 3;
		for (int i = 1; i <= 10; i++) {
			this.kept.change(i);
		}
		feed(0, this.heard::add).look();
		await(() -> this.heard.size() == 10);
		assertThat(revisions()).isSorted();
		assertThat(this.kept.asked).startsWith(0L, 3L, 6L, 9L);
	}

	@Test
	void whatDoesNotConcernTheListenerIsPassedOver() {
		ChangeFeed feed = new ChangeFeed(this.threads, (after) -> {
			this.kept.asked.add(after);
			return new ChangeFeed.Step(List.of(), after + 5, after < 10);
		}, 0, this.heard::add, () -> {
		});
		feed.look();
		await(() -> feed.revision() == 15);
		assertThat(this.kept.asked).containsExactly(0L, 5L, 10L);
		assertThat(this.heard).isEmpty();
	}

	@Test
	void whatWasToldIsNotToldAgain() {
		List<Change> step = List.of(deleted(2), deleted(3), deleted(3), deleted(1), deleted(4));
		ChangeFeed feed = new ChangeFeed(this.threads, (after) -> {
			this.kept.asked.add(after);
			return new ChangeFeed.Step(step, this.kept.asked.size() + 3, this.kept.asked.size() < 3);
		}, 2, this.heard::add, () -> {
		});
		feed.look();
		await(() -> feed.revision() == 6);
		assertThat(this.kept.asked).containsExactly(2L, 4L, 5L);
		assertThat(revisions()).containsExactly(3L, 4L);
	}

	@Test
	void laggedIsToldWhereverItStands() {
		ChangeFeed feed = new ChangeFeed(this.threads,
				(after) -> new ChangeFeed.Step(List.of(new Change.Lagged(5), deleted(5), deleted(6)), 6, false), 5,
				this.heard::add, () -> {
				});
		feed.look();
		await(() -> feed.revision() == 6);
		assertThat(this.heard).containsExactly(new Change.Lagged(5), deleted(6));
	}

	@Test
	void afterLaggedItGoesOnFromThereAlsoIfThatIsEarlier() {
		AtomicLong whileCalled = new AtomicLong();
		AtomicReference<ChangeFeed> feed = new AtomicReference<>();
		feed.set(new ChangeFeed(this.threads, (after) -> {
			this.kept.asked.add(after);
			return (after == 10) ? new ChangeFeed.Step(List.of(new Change.Lagged(4)), 4, true)
					: new ChangeFeed.Step(List.of(deleted(5)), 6, false);
		}, 10, (change) -> {
			whileCalled.compareAndSet(0, feed.get().revision());
			this.heard.add(change);
		}, () -> {
		}));
		feed.get().look();
		await(() -> feed.get().revision() == 6);
		assertThat(this.kept.asked).containsExactly(10L, 4L);
		assertThat(this.heard).containsExactly(new Change.Lagged(4), deleted(5));
		// Who asks how far it is while it is told begins no later than that.
		assertThat(whileCalled).hasValue(4);
	}

	@Test
	void theRevisionIsThatOfTheLastChangeTold() {
		CountDownLatch release = new CountDownLatch(1);
		this.kept.change(1);
		this.kept.change(2);
		ChangeFeed feed = feed(0, (change) -> {
			this.heard.add(change);
			if (change.revision() == 2) {
				awaitLatch(release);
			}
		});
		feed.look();
		await(() -> this.heard.size() == 2);
		assertThat(feed.revision()).isEqualTo(1);
		release.countDown();
		await(() -> feed.revision() == 2);
	}

	@Test
	void aSlowListenerHoldsNothingButItsStep() {
		CountDownLatch release = new CountDownLatch(1);
		this.kept.change(1);
		ChangeFeed feed = feed(0, (change) -> {
			this.heard.add(change);
			awaitLatch(release);
		});
		feed.look();
		await(() -> this.heard.size() == 1);
		for (int i = 2; i <= 1000; i++) {
			this.kept.change(i);
			feed.look();
		}
		// Of what it has not been asked for the provider may forget what is older.
		this.kept.changes.headMap(1000L).clear();
		assertThat(this.kept.asked).containsExactly(0L);
		release.countDown();
		await(() -> this.heard.size() == 2);
		assertThat(revisions()).containsExactly(1L, 1000L);
	}

	@Test
	void noLookIsLost() throws Exception {
		AtomicLong last = new AtomicLong();
		AtomicLong seen = new AtomicLong();
		ChangeFeed feed = new ChangeFeed(this.threads, (after) -> {
			long now = last.get();
			return new ChangeFeed.Step((now > after) ? List.of(deleted(now)) : List.of(), now, false);
		}, 0, (change) -> seen.set(change.revision()), () -> {
		});
		for (int round = 1; round <= 50; round++) {
			List<Future<?>> writers = new ArrayList<>();
			for (int writer = 0; writer < 3; writer++) {
				writers.add(this.threads.submit(() -> {
					for (int i = 0; i < 200; i++) {
						last.incrementAndGet();
						feed.look();
					}
				}));
			}
			for (Future<?> writer : writers) {
				writer.get(10, TimeUnit.SECONDS);
			}
			long expected = round * 600L;
			Awaitility.await()
				.atMost(Duration.ofSeconds(10))
				.pollInterval(Duration.ofMillis(1))
				.until(() -> seen.get() == expected);
		}
	}

	@Test
	void callsComeOneAtATime() {
		AtomicInteger running = new AtomicInteger();
		AtomicBoolean twice = new AtomicBoolean();
		ChangeFeed feed = feed(0, (change) -> {
			if (running.incrementAndGet() > 1) {
				twice.set(true);
			}
			Thread.yield();
			running.decrementAndGet();
		});
		for (int i = 1; i <= 2000; i++) {
			this.kept.change(i);
			feed.look();
		}
		await(() -> feed.revision() == 2000);
		assertThat(twice).isFalse();
	}

	@Test
	void aThrowingListenerHearsWhatFollows() {
		for (int i = 1; i <= 4; i++) {
			this.kept.change(i);
		}
		ChangeFeed feed = feed(0, (change) -> {
			this.heard.add(change);
			if (change.revision() % 2 == 0) {
				throw new AssertionError("thrown on purpose");
			}
			throw new IllegalStateException("thrown on purpose");
		});
		feed.look();
		await(() -> feed.revision() == 4);
		assertThat(revisions()).containsExactly(1L, 2L, 3L, 4L);
	}

	@Test
	void aListenersInterruptionIsNotTheSources() {
		this.kept.most = 1;
		this.kept.change(1);
		this.kept.change(2);
		AtomicBoolean interrupted = new AtomicBoolean();
		ChangeFeed feed = new ChangeFeed(this.threads, (after) -> {
			interrupted.compareAndSet(false, Thread.currentThread().isInterrupted());
			return this.kept.after(after);
		}, 0, (change) -> Thread.currentThread().interrupt(), () -> {
		});
		feed.look();
		await(() -> feed.revision() == 2);
		assertThat(interrupted).isFalse();
	}

	@Test
	void aSourceThatFailsIsAskedAgainWithoutALook() {
		this.kept.change(1);
		AtomicInteger failures = new AtomicInteger(2);
		ChangeFeed feed = new ChangeFeed(this.threads, (after) -> {
			if (failures.getAndDecrement() > 0) {
				throw new MicroException.Unavailable("thrown on purpose");
			}
			return this.kept.after(after);
		}, 0, this.heard::add, () -> {
		});
		feed.look();
		await(() -> this.heard.size() == 1);
		assertThat(failures).hasValue(-1);
	}

	@Test
	void aClosedFeedLeavesAFailingSourceAlone() throws Exception {
		CountDownLatch failed = new CountDownLatch(1);
		AtomicInteger asked = new AtomicInteger();
		AtomicReference<Thread> thread = new AtomicReference<>();
		ChangeFeed feed = new ChangeFeed((task) -> {
			thread.set(new Thread(task));
			thread.get().start();
		}, (after) -> {
			asked.incrementAndGet();
			failed.countDown();
			throw new IllegalStateException("thrown on purpose");
		}, 0, this.heard::add, this.closings::incrementAndGet);
		feed.look();
		awaitLatch(failed);
		feed.close();
		thread.get().join(10_000);
		assertThat(thread.get().isAlive()).isFalse();
		feed.look();
		assertThat(asked).hasValue(1);
		assertThat(this.closings).hasValue(1);
	}

	@Test
	void closingEndsTheCallsOnceAndForAll() {
		CountDownLatch blocked = new CountDownLatch(1);
		CountDownLatch release = new CountDownLatch(1);
		this.kept.change(1);
		this.kept.change(2);
		ChangeFeed feed = feed(0, (change) -> {
			blocked.countDown();
			awaitLatch(release);
			this.heard.add(change);
		});
		feed.look();
		awaitLatch(blocked);
		Thread closer = new Thread(feed::close);
		closer.start();
		// It waits for the call that is running.
		await(() -> closer.getState() == Thread.State.WAITING);
		assertThat(this.closings).hasValue(0);
		release.countDown();
		await(() -> this.closings.get() == 1);
		assertThat(revisions()).containsExactly(1L);
		feed.close();
		this.kept.change(3);
		feed.look();
		assertThat(revisions()).containsExactly(1L);
		assertThat(this.closings).hasValue(1);
	}

	@Test
	void aListenerMayCloseItsFeed() {
		this.kept.change(1);
		this.kept.change(2);
		AtomicReference<ChangeFeed> feed = new AtomicReference<>();
		feed.set(feed(0, (change) -> {
			this.heard.add(change);
			feed.get().close();
		}));
		feed.get().look();
		await(() -> this.closings.get() == 1);
		assertThat(revisions()).containsExactly(1L);
	}

	@Test
	void aLookAfterTheExecutorsEndDoesNothing() {
		this.kept.change(1);
		ChangeFeed feed = feed(0, this.heard::add);
		this.threads.shutdownNow();
		feed.look();
		feed.look();
		feed.close();
		assertThat(this.heard).isEmpty();
		assertThat(this.closings).hasValue(1);
	}

	private ChangeFeed feed(long after, Consumer<Change> listener) {
		return new ChangeFeed(this.threads, this.kept, after, listener, this.closings::incrementAndGet);
	}

	private List<Long> revisions() {
		return this.heard.stream().map(Change::revision).toList();
	}

	private static Change deleted(long revision) {
		return new Change.Deleted("key", revision);
	}

	private static void awaitLatch(CountDownLatch latch) {
		try {
			assertThat(latch.await(20, TimeUnit.SECONDS)).isTrue();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	private static void await(BooleanSupplier condition) {
		Awaitility.await()
			.atMost(Duration.ofSeconds(10))
			.pollInterval(Duration.ofMillis(5))
			.until(condition::getAsBoolean);
	}

	/**
	 * A provider's changes.
	 */
	private static final class Kept implements ChangeFeed.Source {

		private final ConcurrentSkipListMap<Long, Change> changes = new ConcurrentSkipListMap<>();

		private final List<Long> asked = new CopyOnWriteArrayList<>();

		private volatile int most = Integer.MAX_VALUE;

		void change(long revision) {
			this.changes.put(revision, deleted(revision));
		}

		@Override
		public ChangeFeed.Step after(long revision) {
			this.asked.add(revision);
			List<Change> next = this.changes.tailMap(revision, false).values().stream().limit(this.most).toList();
			long last = next.isEmpty() ? revision : next.get(next.size() - 1).revision();
			return new ChangeFeed.Step(next, last, next.size() == this.most);
		}

	}

}
