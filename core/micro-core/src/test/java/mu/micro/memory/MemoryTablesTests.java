package mu.micro.memory;

import java.lang.ref.WeakReference;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;

import mu.micro.core.ChangeFeed;
import mu.micro.memory.MemoryTables.Place;
import mu.micro.store.Change;
import mu.micro.store.Query;
import mu.micro.store.Store;
import mu.micro.store.TableWrite;
import mu.micro.store.Watch;
import mu.micro.store.Write;
import mu.micro.tck.TestClock;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;

@Timeout(60)
class MemoryTablesTests {

	private static final Place PLACE = new Place("namespace", "table");

	private final TestClock clock = new TestClock();

	private final MemoryTables tables = new MemoryTables(this.clock);

	private final MemoryDatabases view = new MemoryDatabases(this.clock);

	private final ExecutorService threads = Executors.newCachedThreadPool();

	private final List<Change> heard = new CopyOnWriteArrayList<>();

	@AfterEach
	void end() {
		this.view.close();
		this.threads.shutdownNow();
	}

	@Test
	void anEntryEndsToTheMillisecond() {
		write(Write.put("a", new byte[1]).withTtl(Duration.ofMillis(500)));
		this.clock.advance(Duration.ofMillis(499));
		assertThat(this.tables.get(PLACE, "a")).isNotNull();
		this.clock.advance(Duration.ofMillis(1));
		assertThat(this.tables.get(PLACE, "a")).isNull();
	}

	@Test
	void whatHasExpiredIsClearedAwayInSteps() {
		for (int batch = 0; batch < 5; batch++) {
			List<TableWrite> writes = new ArrayList<>();
			for (int i = 0; i < 500; i++) {
				writes.add(new TableWrite("table",
						Write.put("key-" + batch + "-" + i, new byte[1]).withTtl(Duration.ofSeconds(1))));
			}
			this.tables.apply("namespace", writes);
		}
		long last = write(Write.put("later", new byte[1]).withTtl(Duration.ofSeconds(2)));
		assertThat(this.tables.sweep()).isFalse();
		this.clock.advance(Duration.ofSeconds(1));
		assertThat(this.tables.sweep()).isTrue();
		assertThat(this.tables.sweep()).isTrue();
		assertThat(this.tables.sweep()).isFalse();
		assertThat(this.tables.get(PLACE, "later")).isNotNull();
		assertThat(write(Write.delete("later"))).isEqualTo(last + 2_501);
	}

	@Test
	void theSpaceOfWhatIsGoneComesBack() {
		WeakReference<byte[]> expired = value("expired", Duration.ofSeconds(1));
		WeakReference<byte[]> deleted = value("deleted", Duration.ofHours(1));
		WeakReference<byte[]> replaced = value("replaced", Duration.ofHours(1));
		watch("", 0);
		await(() -> this.heard.size() == 3);
		this.heard.clear();
		this.clock.advance(Duration.ofSeconds(1));
		this.tables.sweep();
		write(Write.delete("deleted"));
		write(Write.put("replaced", new byte[1]));
		await(() -> {
			System.gc();
			return expired.get() == null && deleted.get() == null && replaced.get() == null;
		});
	}

	@Test
	void namespacesThatAreEmptyAreForgotten() {
		WeakReference<Object> first = emptied(0);
		assertThat(this.tables.names()).isEmpty();
		for (int i = 1; i <= MemoryTables.KEPT; i++) {
			emptied(i);
		}
		await(() -> {
			System.gc();
			return first.get() == null;
		});
	}

	@Test
	void changesToOneKeyAreKeptOnce() {
		long first = write(Write.put("a", new byte[1]));
		for (int i = 0; i < 3 * MemoryTables.KEPT; i++) {
			write(Write.put("b", new byte[1]));
		}
		long last = write(Write.put("c", new byte[1]));
		assertThat(this.tables.changes(PLACE, "", first).changes()).extracting(Change::revision)
			.containsExactly(last - 1, last);
	}

	@Test
	void whoBeginsWithNothingHasMissedNothing() {
		long first = write(Write.put("a", new byte[1]));
		deletes(2 * MemoryTables.KEPT);
		assertThat(this.tables.changes(PLACE, "", first).changes()).singleElement().isInstanceOf(Change.Lagged.class);
		watch("", 0);
		await(() -> this.heard.size() > MemoryTables.KEPT);
		assertThat(this.heard).noneMatch(Change.Lagged.class::isInstance);
		assertThat(this.heard).first().extracting(Change::revision).isEqualTo(first);
	}

	@Test
	void aQuietWatcherDoesNotLag() {
		Store store = this.view.in("namespace").table("table");
		long first = store.put("quiet-a", new byte[1]);
		Watch watch = store.watch("quiet-", first, this.heard::add);
		for (int i = 0; i < 5; i++) {
			for (int deletes = 0; deletes < MemoryTables.KEPT / 2; deletes++) {
				store.put("busy", new byte[1]);
				store.delete("busy");
			}
			long last = store.list(Query.ALL).revision();
			await(() -> watch.revision() >= last - MemoryTables.KEPT / 2);
		}
		store.put("quiet-b", new byte[1]);
		await(() -> !this.heard.isEmpty());
		assertThat(this.heard).singleElement().isInstanceOf(Change.Put.class);
	}

	@Test
	void aWatcherForWhomThereWasNoThreadHearsLater() {
		AtomicBoolean none = new AtomicBoolean(true);
		this.tables.watch(PLACE, "", 0, this.heard::add, this.view, (task) -> {
			if (none.get()) {
				throw new Error("no thread, on purpose");
			}
			this.threads.execute(task);
		});
		List<Change> others = new CopyOnWriteArrayList<>();
		this.tables.watch(PLACE, "", 0, others::add, this.view, this.threads);
		assertThat(write(Write.put("a", new byte[1]))).isPositive();
		await(() -> others.size() == 1);
		assertThat(this.heard).isEmpty();
		none.set(false);
		this.tables.lookAgain();
		await(() -> this.heard.size() == 1);
	}

	@Test
	void anErrorDoesNotEndTheClearingAway() {
		AtomicInteger errors = new AtomicInteger();
		AtomicBoolean failing = new AtomicBoolean();
		Clock broken = new Clock() {

			@Override
			public Instant instant() {
				if (failing.get() && Thread.currentThread().getName().contains("expiry")) {
					errors.incrementAndGet();
					throw new Error("on purpose");
				}
				return MemoryTablesTests.this.clock.instant();
			}

			@Override
			public ZoneId getZone() {
				return ZoneOffset.UTC;
			}

			@Override
			public Clock withZone(ZoneId zone) {
				return this;
			}

		};
		try (MemoryDatabases databases = new MemoryDatabases(broken)) {
			Store store = databases.in("namespace").table("table");
			store.watch("", 0, this.heard::add);
			store.put(Write.put("a", new byte[1]).withTtl(Duration.ofSeconds(1)));
			failing.set(true);
			await(() -> errors.get() > 0);
			failing.set(false);
			this.clock.advance(Duration.ofSeconds(1));
			await(() -> this.heard.stream().anyMatch(Change.Expired.class::isInstance));
		}
	}

	@Test
	void aStepIsBounded() {
		for (int i = 0; i < 300; i++) {
			write(Write.put("small-" + i, new byte[1]));
		}
		assertThat(this.tables.changes(PLACE, "", 0).changes()).hasSize(100);
		long first = write(Write.put("large-1", new byte[600_000]));
		write(Write.put("large-2", new byte[600_000]));
		write(Write.put("large-3", new byte[600_000]));
		ChangeFeed.Step step = this.tables.changes(PLACE, "", first - 1);
		assertThat(step.changes()).hasSize(2);
		assertThat(step.more()).isTrue();
		assertThat(step.revision()).isEqualTo(first + 1);
		deletes(2_000);
		ChangeFeed.Step quiet = this.tables.changes(PLACE, "none", first + 2);
		assertThat(quiet.changes()).isEmpty();
		assertThat(quiet.more()).isTrue();
		assertThat(quiet.revision()).isGreaterThan(first + 2);
	}

	@Test
	void revisionsFromBeforeARestartAreOld() {
		long before = write(Write.put("a", new byte[1]));
		this.clock.advance(Duration.ofSeconds(1));
		MemoryTables again = new MemoryTables(this.clock);
		assertThat(again.apply("namespace", List.of(new TableWrite("table", Write.put("b", new byte[1])))).get(0))
			.isGreaterThan(before);
		assertThat(again.changes(PLACE, "", before).changes()).singleElement().isInstanceOf(Change.Lagged.class);
	}

	/*
	 * Writes and deletes that many keys; gives the last revision.
	 */
	private long deletes(int count) {
		long last = 0;
		for (int i = 0; i < count; i++) {
			write(Write.put("busy-" + i, new byte[1]));
			last = write(Write.delete("busy-" + i));
		}
		return last;
	}

	private WeakReference<byte[]> value(String key, Duration ttl) {
		byte[] value = new byte[1000];
		write(Write.put(key, value).withTtl(ttl));
		return new WeakReference<>(value);
	}

	private WeakReference<Object> emptied(int number) {
		String namespace = "namespace-" + number;
		this.tables.apply(namespace, List.of(new TableWrite("table", Write.put("a", new byte[1]))));
		this.tables.apply(namespace, List.of(new TableWrite("table", Write.delete("a"))));
		return new WeakReference<>(namespace);
	}

	private long write(Write write) {
		return this.tables.apply("namespace", List.of(new TableWrite("table", write))).get(0);
	}

	private ChangeFeed watch(String prefix, long after) {
		return this.tables.watch(PLACE, prefix, after, this.heard::add, this.view, this.threads);
	}

	private static void await(BooleanSupplier condition) {
		Awaitility.await()
			.atMost(Duration.ofSeconds(20))
			.pollInterval(Duration.ofMillis(10))
			.until(condition::getAsBoolean);
	}

}
