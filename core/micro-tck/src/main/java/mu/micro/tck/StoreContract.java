package mu.micro.tck;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

import mu.micro.Limits;
import mu.micro.MicroException;
import mu.micro.Subscription;
import mu.micro.store.Change;
import mu.micro.store.Database;
import mu.micro.store.Databases;
import mu.micro.store.Entry;
import mu.micro.store.Page;
import mu.micro.store.Query;
import mu.micro.store.Store;
import mu.micro.store.TableWrite;
import mu.micro.store.Watch;
import mu.micro.store.When;
import mu.micro.store.Write;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * What every {@link Databases} promises. A provider's test fills the hooks and overrides
 * nothing else.
 */
@Timeout(120)
public abstract class StoreContract {

	/**
	 * What a loaded machine may add to any stated time.
	 */
	private static final Duration SLACK = Duration.ofSeconds(5);

	/**
	 * What it may add to the second within which a change is heard: less, so that who
	 * looks only now and then is found out.
	 */
	private static final Duration HEARING_SLACK = Duration.ofSeconds(2);

	private static final Duration PATIENCE = Duration.ofSeconds(10);

	/**
	 * Long enough for two calls, where time passes by itself.
	 */
	private static final Duration TTL = Duration.ofMillis(900);

	/**
	 * How {@code String.compareTo} orders the last of these is not how their bytes do.
	 */
	private static final List<String> KEYS = List.of("\0", "\0\0", "\0a", "\n", " ", "%", "%a", "%a%", "'", "''", "*",
			"-", "?", "A", "Z", "[a]", "\\", "\\%", "\\_", "_", "_a", "_a_", "a", "a\0", "a\0b", "a%", "a%b", "a'b",
			"a_", "a_b", "a-b", "aXb", "a\"b", "a\\b", "aa", "aaa", "ab", "aba", "b", "select", "~", "\u007f", "\u0080",
			"é", "e\u0301", "ÿ", "߿", "ࠀ", "\ud7ff", "\ue000", "\ufffd", "\ufffe", "\uffff", "\uffffa", "a\uffff",
			"a\ud83d\ude00", "\ud800\udc00", "\ud83d\ude00", "\ud83d\ude00a", "\udbff\udfff",
			"\udbff\udfff\udbff\udfff");

	private static final Entry NOTHING = new Entry("nothing", new byte[0], 0, Map.of(), null);

	private final String namespace = "ns-" + UUID.randomUUID();

	private final List<Databases> opened = new ArrayList<>();

	private final ExecutorService threads = Executors.newCachedThreadPool();

	private Databases view;

	private Databases otherView;

	private Database here;

	private Database there;

	private Store table;

	private Store sameTable;

	/**
	 * Opens one more view of the data under test, as another process would.
	 * @return the view, closed by the contract
	 * @throws Exception if it cannot be opened
	 */
	protected abstract Databases open() throws Exception;

	/**
	 * Makes time pass for the provider: moves its clock, or waits.
	 * @param time how much, at least
	 */
	protected abstract void pass(Duration time);

	/**
	 * Has the provider forget what changed in a table until now, so that a watcher who
	 * has not heard of it yet hears {@link Change.Lagged}. Does it by the number of
	 * changes, for which 20,000 puts and as many deletes must be enough; a provider that
	 * forgets by time overrides this. The table's entries are as before afterwards.
	 * @param database the database
	 * @param name the table's name
	 */
	protected void forget(Database database, String name) {
		for (int round = 0; round < 20; round++) {
			List<TableWrite> puts = new ArrayList<>();
			List<TableWrite> deletes = new ArrayList<>();
			for (int i = 0; i < Limits.BATCH; i++) {
				String key = "forgotten-" + round + "-" + i;
				puts.add(new TableWrite(name, Write.put(key, bytes("x"))));
				deletes.add(new TableWrite(name, Write.delete(key)));
			}
			database.apply(puts);
			database.apply(deletes);
		}
	}

	@BeforeEach
	void openTwoViews() throws Exception {
		this.view = view();
		this.otherView = view();
		this.here = this.view.in(this.namespace);
		this.there = this.otherView.in(this.namespace);
		this.table = this.here.table("table");
		this.sameTable = this.there.table("table");
	}

	@AfterEach
	void closeViews() {
		this.threads.shutdownNow();
		this.opened.forEach(Databases::close);
	}

	// Reading and writing.

	@Test
	void whatIsNotThereReadsAsNull() {
		assertThat(this.table.get("nothing")).isNull();
		this.table.put("a", bytes("1"));
		assertThat(this.table.get("b")).isNull();
		assertThat(this.here.table("other").get("a")).isNull();
	}

	@Test
	void anEntryIsSeenWholeByOthersAtOnce() {
		byte[] value = new byte[256];
		for (int i = 0; i < value.length; i++) {
			value[i] = (byte) i;
		}
		Map<String, String> metadata = Map.of("", "empty", "empty", "", "text",
				"ü=€ \ud83d\ude00\n\t\0\"quoted\" 'too' \\");
		long revision = this.table.put(Write.put("key", value).withMetadata(metadata).withTtl(Duration.ofMinutes(10)));
		Entry entry = entry(this.sameTable, "key");
		assertThat(entry.key()).isEqualTo("key");
		assertThat(entry.value()).isEqualTo(value);
		assertThat(entry.revision()).isEqualTo(revision);
		assertThat(entry.metadata()).isEqualTo(metadata);
		assertThat(Objects.requireNonNull(entry.expires()).getNano() % 1_000_000).isZero();
		assertThat(this.table.get("key")).isEqualTo(entry);
		assertThat(this.sameTable.list(Query.ALL).entries()).containsExactly(entry);
		assertThat(this.table.list(Query.prefix("k")).entries()).containsExactly(entry);
	}

	@Test
	void anEmptyValueIsAValue() {
		this.table.put("empty", new byte[0]);
		assertThat(entry(this.sameTable, "empty").value()).isEmpty();
	}

	@Test
	void everyKeyIsAKey() {
		for (String key : KEYS) {
			this.table.put(key, bytes(key));
		}
		for (String key : KEYS) {
			Entry entry = entry(this.sameTable, key);
			assertThat(entry.key()).isEqualTo(key);
			assertThat(entry.value()).isEqualTo(bytes(key));
		}
		assertThat(this.sameTable.list(Query.ALL).entries()).hasSize(KEYS.size());
		for (String key : KEYS) {
			assertThat(this.sameTable.delete(key)).isTrue();
		}
		assertThat(this.table.list(Query.ALL).entries()).isEmpty();
	}

	@Test
	void aPutReplacesTheEntryWhole() {
		this.table.put(Write.put("a", bytes("1")).withMetadata(Map.of("k", "v", "k2", "v2")).withTtl(TTL));
		long revision = this.sameTable.put("a", bytes("2"));
		Entry entry = entry(this.table, "a");
		assertThat(entry).isEqualTo(new Entry("a", bytes("2"), revision, Map.of(), null));
		pass(TTL.multipliedBy(2));
		assertThat(this.table.get("a")).isEqualTo(entry);
		this.table.put(Write.put("a", bytes("3")).withMetadata(Map.of("k3", "v3")));
		assertThat(entry(this.sameTable, "a").metadata()).containsExactly(Map.entry("k3", "v3"));
	}

	@Test
	void aDeletedEntryIsGone() {
		this.table.put("a", bytes("1"));
		this.table.put("b", bytes("2"));
		assertThat(this.sameTable.delete("a")).isTrue();
		assertThat(this.table.get("a")).isNull();
		assertThat(keys(this.table.list(Query.ALL))).containsExactly("b");
		assertThat(this.table.delete("a")).isFalse();
		assertThat(this.table.delete("never")).isFalse();
		assertThat(this.here.table("never").delete("a")).isFalse();
	}

	@Test
	void severalKeysAreReadInTheOrderAskedFor() {
		Entry a = put(Write.put("a", bytes("1")).withMetadata(Map.of("k", "v")));
		Entry b = put(Write.put("b", bytes("2")).withTtl(Duration.ofHours(1)));
		long last = this.here.table("other").put("c", bytes("3"));
		Page page = this.sameTable.get(List.of("b", "c", "none", "a", "a%"));
		assertThat(page.entries()).containsExactly(b, a);
		assertThat(page.more()).isFalse();
		assertThat(page.revision()).isGreaterThanOrEqualTo(last);
		assertThat(this.table.get(List.of("none", "\0")).entries()).isEmpty();
		assertThat(this.here.table("never").get(List.of("a")).entries()).isEmpty();
		Page nothing = this.sameTable.get(List.of());
		assertThat(nothing.entries()).isEmpty();
		assertThat(nothing.more()).isFalse();
		KEYS.forEach((key) -> this.table.put(key, bytes(key)));
		List<String> keys = reversed(KEYS);
		assertThat(keys(this.sameTable.get(keys))).isEqualTo(keys);
	}

	@Test
	void aKeyThatIsAskedForTwiceIsReadOnce() {
		put(Write.put("a", bytes("1")));
		put(Write.put("b", bytes("2")));
		assertThat(keys(this.sameTable.get(List.of("b", "a", "b", "none", "a", "none")))).containsExactly("b", "a");
	}

	@Test
	void severalKeysAreReadOfOneMoment() throws Exception {
		this.table.put("a", bytes("500"));
		this.table.put("b", bytes("500"));
		AtomicBoolean done = new AtomicBoolean();
		Future<Object> reader = this.threads.submit(() -> {
			do {
				Page page = this.sameTable.get(List.of("b", "none", "a"));
				assertThat(sum(page.entries())).isEqualTo(1000);
				assertThat(page.entries()).allMatch((entry) -> entry.revision() <= page.revision());
			}
			while (!done.get());
			return true;
		});
		for (int i = 1; i <= 200; i++) {
			this.here.apply(List.of(new TableWrite("table", Write.put("a", bytes(String.valueOf(500 - i)))),
					new TableWrite("table", Write.put("b", bytes(String.valueOf(500 + i))))));
		}
		done.set(true);
		get(reader);
	}

	@Test
	void aPutWithoutAValueIsInvalid() {
		this.table.put("a", bytes("1"));
		assertInvalid(() -> this.table.put(Write.delete("a")), "a");
		assertThat(this.table.get("a")).isNotNull();
	}

	// Conditions.

	@Test
	void absentHoldsOnlyWhereNothingIs() {
		Write write = Write.put("a", bytes("1")).withWhen(When.ABSENT);
		long revision = this.table.put(write);
		assertConflict(() -> this.sameTable.put(Write.put("a", bytes("2")).withWhen(When.ABSENT)));
		assertThat(entry(this.table, "a").value()).isEqualTo(bytes("1"));
		this.table.delete("a");
		assertThat(this.sameTable.put(write)).isGreaterThan(revision);
	}

	@Test
	void aRevisionHoldsOnlyForTheEntryAsItIs() {
		long first = this.table.put("a", bytes("1"));
		long second = this.sameTable.put(Write.put("a", bytes("2")).withWhen(When.revision(first)));
		for (long wrong : new long[] { 1, first, second + 1, Long.MAX_VALUE }) {
			assertConflict(() -> this.table.put(Write.put("a", bytes("3")).withWhen(When.revision(wrong))));
			assertConflict(() -> this.table.delete("a", When.revision(wrong)));
		}
		assertThat(entry(this.table, "a")).isEqualTo(new Entry("a", bytes("2"), second, Map.of(), null));
		assertConflict(() -> this.table.put(Write.put("b", bytes("3")).withWhen(When.revision(second))));
		assertThat(this.sameTable.delete("a", When.revision(second))).isTrue();
		assertConflict(() -> this.table.put(Write.put("a", bytes("3")).withWhen(When.revision(second))));
		assertConflict(() -> this.table.delete("a", When.revision(second)));
		assertThat(this.sameTable.list(Query.ALL).entries()).isEmpty();
	}

	@Test
	void aDeleteWhereNothingMayBeIsAQuestion() {
		assertThat(this.table.delete("a", When.ABSENT)).isFalse();
		this.table.put("a", bytes("1"));
		assertConflict(() -> this.sameTable.delete("a", When.ABSENT));
		assertThat(this.table.get("a")).isNotNull();
	}

	@Test
	void aConflictChangesNothing() {
		this.table.put(Write.put("a", bytes("1")).withMetadata(Map.of("k", "v")).withTtl(Duration.ofHours(1)));
		Entry before = entry(this.table, "a");
		Mirror mirror = mirror(this.table, "", before.revision());
		assertConflict(() -> this.sameTable.put(Write.put("a", bytes("2")).withWhen(When.ABSENT)));
		assertConflict(() -> this.sameTable.delete("a", When.revision(before.revision() + 1)));
		assertConflict(() -> this.there.table("made").put(Write.put("a", bytes("2")).withWhen(When.revision(1))));
		assertThat(this.table.get("a")).isEqualTo(before);
		assertThat(this.here.tables()).containsExactly("table");
		this.table.put("b", bytes("1"));
		await(() -> mirror.entries.containsKey("b"));
		assertThat(mirror.heard).hasSize(1);
	}

	// Revisions.

	@Test
	void revisionsGrowOverKeysTablesAndViews() {
		List<Long> revisions = new ArrayList<>();
		for (int i = 0; i < 5; i++) {
			revisions.add(this.table.put("a", bytes("1")));
			revisions.add(this.there.table("other").put("a", bytes("1")));
			revisions.addAll(this.here.apply(List.of(new TableWrite("third", Write.put("b", bytes("1"))),
					new TableWrite("table", Write.put("b", bytes("1"))),
					new TableWrite("third", Write.put("a", bytes("1"))))));
			revisions.add(this.sameTable.put("b", bytes("1")));
		}
		assertThat(revisions.get(0)).isPositive();
		assertThat(revisions).doesNotHaveDuplicates().isSorted();
		assertThat(entry(this.table, "b").revision()).isEqualTo(revisions.get(revisions.size() - 1));
	}

	@Test
	void aRevisionIsNeverUsedAgain() {
		long last = 0;
		for (int i = 0; i < 5; i++) {
			long revision = ((i % 2 == 0) ? this.table : this.sameTable)
				.put(Write.put("a", bytes("1")).withWhen(When.ABSENT));
			assertThat(revision).isGreaterThan(last);
			last = revision;
			assertThat(this.table.delete("a")).isTrue();
		}
		for (int i = 0; i < 2; i++) {
			long revision = this.table.put(Write.put("a", bytes("1")).withWhen(When.ABSENT).withTtl(TTL));
			assertThat(revision).isGreaterThan(last);
			last = revision;
			pass(TTL);
		}
		long stale = last;
		assertThat(this.table.put(Write.put("a", bytes("2")).withWhen(When.ABSENT))).isGreaterThan(stale);
		assertConflict(() -> this.table.put(Write.put("a", bytes("3")).withWhen(When.revision(stale))));
		assertThat(this.there.table("other").put("a", bytes("1"))).isGreaterThan(entry(this.table, "a").revision());
	}

	@Test
	void aDeleteHasARevisionOfItsOwn() {
		long put = this.table.put("a", bytes("1"));
		long delete = this.here.apply(List.of(new TableWrite("table", Write.delete("a")))).get(0);
		assertThat(delete).isGreaterThan(put);
		assertThat(this.table.put("a", bytes("1"))).isGreaterThan(delete);
	}

	// Time.

	@Test
	void anEntryIsInvisibleAsSoonAsItsTimeIsOver() {
		Database others = this.otherView.in(this.namespace + "-short");
		others.table("table").put(Write.put("a", bytes("1")).withTtl(TTL));
		long revision = this.table.put(Write.put("a", bytes("1")).withTtl(TTL));
		this.here.table("other").put(Write.put("a", bytes("1")).withTtl(TTL));
		assertThat(this.sameTable.get("a")).isNotNull();
		pass(TTL);
		assertThat(this.sameTable.get("a")).isNull();
		assertThat(this.table.get("a")).isNull();
		assertThat(this.table.list(Query.ALL).entries()).isEmpty();
		assertThat(this.table.list(Query.prefix("a").withKeysOnly()).entries()).isEmpty();
		assertThat(this.sameTable.get(List.of("a")).entries()).isEmpty();
		assertThat(this.here.tables()).isEmpty();
		assertThat(this.there.tables()).isEmpty();
		assertThat(this.view.names()).doesNotContain(this.namespace, this.namespace + "-short");
		assertThat(snapshot(this.here)).isEmpty();
		assertThat(this.table.delete("a")).isFalse();
		assertThat(this.there.apply(List.of(new TableWrite("other", Write.delete("a"))))).containsExactly(0L);
		assertConflict(() -> this.table.put(Write.put("a", bytes("2")).withWhen(When.revision(revision))));
		assertConflict(() -> this.table.delete("a", When.revision(revision)));
		assertThat(this.table.delete("a", When.ABSENT)).isFalse();
		assertThat(this.table.put(Write.put("a", bytes("2")).withWhen(When.ABSENT))).isGreaterThan(revision);
		assertThat(entry(this.sameTable, "a").expires()).isNull();
		this.there.apply(List.of(new TableWrite("other", Write.put("a", bytes("2")).withWhen(When.ABSENT))));
		assertThat(this.here.tables()).containsExactly("other", "table");
	}

	@Test
	void theShortestTtlIsAMillisecond() {
		this.table.put(Write.put("a", bytes("1")).withTtl(Duration.ofMillis(1)));
		this.table.put(Write.put("b", bytes("1")).withTtl(Duration.ofNanos(1_999_999)));
		this.here.apply(List.of(new TableWrite("table", Write.put("c", bytes("1")).withTtl(Duration.ofMillis(1)))));
		pass(Duration.ofMillis(1));
		assertThat(this.sameTable.list(Query.ALL).entries()).isEmpty();
	}

	@Test
	void theLongestTtlIsAHundredYears() {
		this.table.put(Write.put("a", bytes("1")).withTtl(Duration.ofDays(36_500)));
		assertThat(entry(this.sameTable, "a").expires()).isNotNull();
	}

	@Test
	void aRewriteChangesTheTime() {
		for (String key : List.of("cleared", "longer", "conditional", "batch")) {
			this.table.put(Write.put(key, bytes("1")).withTtl(TTL));
		}
		this.table.put(Write.put("shorter", bytes("1")).withTtl(Duration.ofHours(1)));
		this.table.put("set", bytes("1"));
		this.table.put("cleared", bytes("2"));
		this.table.put(Write.put("longer", bytes("2")).withTtl(Duration.ofHours(1)));
		this.table.put(Write.put("conditional", bytes("2"))
			.withWhen(When.revision(entry(this.table, "conditional").revision())));
		this.here.apply(List.of(new TableWrite("table", Write.put("batch", bytes("2"))),
				new TableWrite("table", Write.put("set", bytes("2")).withTtl(TTL))));
		this.table.put(Write.put("shorter", bytes("2")).withTtl(TTL));
		pass(TTL.multipliedBy(2));
		assertThat(keys(this.sameTable.list(Query.ALL))).containsExactly("batch", "cleared", "conditional", "longer");
		assertThat(entry(this.table, "cleared").expires()).isNull();
	}

	@Test
	void whatHasExpiredIsNotCounted() {
		for (int i = 0; i < 10; i++) {
			Write write = Write.put("key-" + i, bytes("1"));
			this.table.put((i % 2 == 0) ? write : write.withTtl(TTL));
		}
		pass(TTL);
		Page page = this.sameTable.list(Query.ALL.withOffset(1).withLimit(4));
		assertThat(keys(page)).containsExactly("key-2", "key-4", "key-6", "key-8");
		assertThat(page.more()).isFalse();
		assertThat(this.sameTable.list(Query.ALL.withLimit(4)).more()).isTrue();
		assertThat(keys(this.sameTable.list(Query.ALL.withAfter("key-5").withLimit(1)))).containsExactly("key-6");
	}

	// Listing.

	@Test
	void keysAreOrderedByTheirBytes() {
		List<String> sorted = sorted(KEYS);
		List<String> shuffled = new ArrayList<>(KEYS);
		shuffled.sort(Comparator.comparing(String::hashCode));
		shuffled.forEach((key) -> this.table.put(key, bytes(key)));
		assertThat(keys(this.sameTable.list(Query.ALL))).containsExactlyElementsOf(sorted);
		assertThat(this.sameTable.list(Query.ALL).entries())
			.allMatch((entry) -> Arrays.equals(entry.value(), bytes(entry.key())));
		assertThat(keys(this.sameTable.list(Query.ALL.withDescending()))).containsExactlyElementsOf(reversed(sorted));
		assertThat(keys(pages(this.sameTable, Query.ALL.withLimit(1)))).containsExactlyElementsOf(sorted);
		assertThat(keys(pages(this.sameTable, Query.ALL.withLimit(7).withDescending())))
			.containsExactlyElementsOf(reversed(sorted));
		assertThat(sorted).isNotEqualTo(KEYS.stream().sorted().toList());
	}

	@Test
	void everyListingIsWhatItsQuerySays() {
		List<TableWrite> writes = new ArrayList<>();
		KEYS.forEach((key) -> writes.add(new TableWrite("table", Write.put(key, bytes(key)))));
		this.here.apply(writes);
		// Who forgets the table, or ends a prefix at the wrong byte, finds these.
		this.here.table("tabl").put("a", bytes("other"));
		this.here.table("table_").put("a", bytes("other"));
		List<String> prefixes = List.of("", "a", "a%", "a_", "%", "_", "\\", "'", "\0", "a\0", "\ue000", "\uffff",
				"\ud83d\ude00", "\udbff\udfff", "é", "A", "none", "aaaa");
		List<String> suffixes = List.of("", "a", "%", "_", "b", "\0", "\\", "\udbff\udfff", "\uffff", "none", "aa");
		List<String> afters = List.of("", "\0", "a", "a%bc", "aaaa", "\udbff\udfff\udbff\udfffa", "\uffff", "q");
		List<Query> windows = List.of(Query.ALL, Query.ALL.withLimit(1), Query.ALL.withOffset(1).withLimit(2),
				Query.ALL.withOffset(KEYS.size()));
		for (String prefix : prefixes) {
			for (String suffix : suffixes) {
				for (String after : afters) {
					for (Query window : windows) {
						Query query = new Query(prefix, suffix, after, window.offset(), window.limit(), false, true);
						assertListed(query);
						assertListed(query.withDescending());
					}
				}
			}
		}
	}

	@Test
	void aListingOfKeysLeavesOutTheRest() {
		this.table.put(Write.put("a", bytes("1")).withMetadata(Map.of("k", "v")).withTtl(Duration.ofHours(1)));
		Entry whole = entry(this.table, "a");
		assertThat(this.sameTable.list(Query.ALL.withKeysOnly()).entries())
			.containsExactly(new Entry("a", new byte[0], whole.revision(), Map.of(), whole.expires()));
	}

	@Test
	void aPageSaysWhetherThereWasMore() {
		for (int i = 0; i < 5; i++) {
			this.table.put("key-" + i, bytes("1"));
		}
		assertThat(this.table.list(Query.ALL.withLimit(4)).more()).isTrue();
		assertThat(this.table.list(Query.ALL.withLimit(5)).more()).isFalse();
		assertThat(this.table.list(Query.ALL.withLimit(6)).more()).isFalse();
		assertThat(this.table.list(Query.ALL.withOffset(1).withLimit(3)).more()).isTrue();
		assertThat(this.table.list(Query.ALL.withOffset(1).withLimit(4)).more()).isFalse();
		assertThat(this.table.list(Query.ALL.withOffset(5).withLimit(1)).more()).isFalse();
		assertThat(this.table.list(Query.ALL.withOffset(Integer.MAX_VALUE)).more()).isFalse();
		assertThat(this.table.list(Query.ALL.withSuffix("0").withLimit(1)).more()).isFalse();
		assertThat(this.table.list(Query.ALL.withAfter("key-3").withLimit(1)).more()).isFalse();
		assertThat(this.table.list(Query.ALL.withAfter("key-3").withLimit(1).withDescending()).more()).isTrue();
		assertThat(this.here.table("other").list(Query.ALL).more()).isFalse();
	}

	@Test
	void pagesLeaveNothingOutAndGiveNothingTwice() {
		List<String> expected = fill("table", 2_500);
		Page first = this.sameTable.list(Query.ALL);
		assertThat(first.entries()).hasSize(Limits.PAGE);
		assertThat(first.more()).isTrue();
		assertThat(keys(pages(this.sameTable, Query.ALL))).isEqualTo(expected);
		assertThat(keys(pages(this.sameTable, Query.ALL.withDescending()))).isEqualTo(reversed(expected));
		assertThat(keys(pages(this.table, Query.prefix("key-").withSuffix("7").withLimit(99))))
			.isEqualTo(expected.stream().filter((key) -> key.endsWith("7")).toList());
	}

	@Test
	void aPageEndsWhereItsValuesWouldBeTooLarge() {
		byte[] half = new byte[Limits.BATCH_BYTES / 2];
		this.table.put("a", half);
		this.table.put("b", half);
		Page exact = this.table.list(Query.ALL);
		assertThat(keys(exact)).containsExactly("a", "b");
		assertThat(exact.more()).isFalse();
		this.table.put("c", new byte[1]);
		this.table.put("d", new byte[0]);
		Page early = this.sameTable.list(Query.ALL);
		assertThat(keys(early)).containsExactly("a", "b");
		assertThat(early.more()).isTrue();
		assertThat(keys(this.sameTable.list(Query.ALL.withAfter("b")))).containsExactly("c", "d");
		assertThat(keys(this.sameTable.list(Query.ALL.withOffset(1)))).containsExactly("b", "c", "d");
		assertThat(keys(this.sameTable.list(Query.ALL.withDescending()))).containsExactly("d", "c", "b");
		Page keys = this.sameTable.list(Query.ALL.withKeysOnly());
		assertThat(keys(keys)).containsExactly("a", "b", "c", "d");
		assertThat(keys.more()).isFalse();
	}

	@Test
	void theRevisionOfAPageLiesBetweenWhatItSawAndWhatComes() {
		assertThat(this.table.list(Query.ALL).revision()).isNotNegative();
		long last = this.table.put("a", bytes("1"));
		assertThat(this.sameTable.list(Query.ALL).revision()).isGreaterThanOrEqualTo(last);
		last = this.here.table("other").put("a", bytes("1"));
		assertThat(this.sameTable.list(Query.ALL).revision()).isGreaterThanOrEqualTo(last);
		last = this.here.apply(List.of(new TableWrite("table", Write.delete("a")))).get(0);
		long seen = this.sameTable.list(Query.ALL).revision();
		assertThat(seen).isGreaterThanOrEqualTo(last);
		assertThat(this.table.put("a", bytes("1"))).isGreaterThan(seen);
	}

	// Limits.

	@Test
	void keysAtTheirLimitAreKept() {
		List<String> longest = List.of("k".repeat(1024), "é".repeat(512), "\ud83d\ude00".repeat(256), "\0".repeat(1024),
				"\udbff\udfff".repeat(256));
		longest.forEach((key) -> this.table.put(key, bytes(key)));
		for (String key : longest) {
			assertThat(entry(this.sameTable, key).value()).isEqualTo(bytes(key));
			assertThat(keys(this.sameTable.list(new Query(key, key, "", 0, 1, false, true)))).containsExactly(key);
			assertThat(keys(this.sameTable.list(Query.ALL.withAfter(key)))).doesNotContain(key);
		}
		assertThat(keys(this.sameTable.list(Query.ALL))).containsExactlyElementsOf(sorted(longest));
	}

	@Test
	void whatIsNoKeyIsRefusedByName() {
		for (String over : List.of("k".repeat(1025), "é".repeat(512) + "k", "\ud83d\ude00".repeat(257))) {
			assertInvalid(() -> this.table.get(over), "1024");
			assertInvalid(() -> this.table.get(List.of("a", over)), "1024");
			assertInvalid(() -> this.table.put(over, bytes("1")), "1024");
			assertInvalid(() -> this.table.delete(over), "1024");
			assertInvalid(() -> this.table.delete(over, When.ABSENT), "1024");
			assertInvalid(() -> this.table.list(Query.prefix(over)), "1024");
			assertInvalid(() -> this.table.watch(over, 0, (change) -> {
			}), "1024");
		}
		for (String broken : List.of("", "\ud83d", "a\ude00b")) {
			assertInvalid(() -> this.table.get(broken), "key");
			assertInvalid(() -> this.table.get(List.of("a", broken)), "key");
			assertInvalid(() -> this.table.put(broken, bytes("1")), "key");
			assertInvalid(() -> this.table.delete(broken), "key");
		}
		assertInvalid(() -> this.table.watch("\ud83d", 0, (change) -> {
		}), "prefix");
		assertInvalid(() -> this.table.watch("", -1, (change) -> {
		}), "-1");
		assertThat(this.here.tables()).isEmpty();
	}

	@Test
	void aValueAtItsLimitIsKeptAndOneOverItIsRefused() {
		byte[] largest = new byte[Limits.VALUE];
		ThreadLocalRandom.current().nextBytes(largest);
		this.table.put("a", largest);
		assertThat(Arrays.equals(entry(this.sameTable, "a").value(), largest)).isTrue();
		assertInvalid(() -> this.table.put("a", new byte[Limits.VALUE + 1]), "8388608");
		assertThat(entry(this.table, "a").value()).hasSize(Limits.VALUE);
	}

	@Test
	void severalKeysAreReadUpToTheLimitOfAPage() {
		List<String> most = fill("table", Limits.PAGE);
		Page page = this.sameTable.get(most);
		assertThat(keys(page)).isEqualTo(most);
		assertThat(page.more()).isFalse();
		List<String> over = new ArrayList<>(most);
		over.add("none");
		assertInvalid(() -> this.table.get(over), "1000");
		assertInvalid(() -> this.table.get(Collections.nCopies(1001, "a")), "1000");
		byte[] half = new byte[Limits.BATCH_BYTES / 2];
		this.table.put("a", half);
		this.table.put("b", half);
		Page exact = this.sameTable.get(List.of("b", "none", "a", "never"));
		assertThat(keys(exact)).containsExactly("b", "a");
		assertThat(exact.more()).isFalse();
		Page early = this.sameTable.get(List.of("b", "a", most.get(0), "none"));
		assertThat(keys(early)).containsExactly("b", "a");
		assertThat(early.more()).isTrue();
	}

	@Test
	void metadataAtItsLimitIsKeptAndOverItIsRefused() {
		Map<String, String> most = Map.of("é", "v".repeat(1000), "k", "€".repeat(7));
		this.table.put(Write.put("a", bytes("1")).withMetadata(most));
		assertThat(entry(this.sameTable, "a").metadata()).isEqualTo(most);
		assertInvalid(() -> this.table.put(Write.put("a", bytes("1")).withMetadata(Map.of("é", "v".repeat(1023)))),
				"1024");
	}

	@Test
	void aBatchAtItsLimitsIsDoneAndOverThemIsRefused() {
		List<TableWrite> most = new ArrayList<>();
		for (int i = 0; i < Limits.BATCH; i++) {
			most.add(new TableWrite("table", Write.put("key-" + i, bytes("1"))));
		}
		List<TableWrite> over = new ArrayList<>(most);
		over.add(new TableWrite("other", Write.delete("key")));
		assertInvalid(() -> this.here.apply(over), "1000");
		assertThat(this.here.tables()).isEmpty();
		assertThat(this.here.apply(most)).hasSize(Limits.BATCH).doesNotHaveDuplicates().isSorted();
		byte[] half = new byte[Limits.BATCH_BYTES / 2];
		List<TableWrite> largest = List.of(new TableWrite("large", Write.put("a", half)),
				new TableWrite("large", Write.put("b", half)), new TableWrite("large", Write.put("c", new byte[0])));
		List<TableWrite> larger = List.of(largest.get(0), largest.get(1),
				new TableWrite("table", Write.put("c", new byte[1])));
		assertInvalid(() -> this.here.apply(larger), "16777216");
		assertThat(this.here.tables()).containsExactly("table");
		this.here.apply(largest);
		assertThat(entry(this.there.table("large"), "b").value()).hasSize(half.length);
	}

	@Test
	void whatIsNoNameIsRefused() {
		for (String name : List.of("", " ", "n".repeat(201), "\ud83d\ude00".repeat(201), "a\nb", "a\0b", "a\ud83d")) {
			assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(() -> this.view.in(name));
			assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(() -> this.here.table(name));
		}
	}

	// Batches.

	@Test
	void aBatchIsDoneWholeOverTables() {
		this.table.put("old", bytes("1"));
		this.table.put("gone", bytes("1"));
		long guard = this.there.table("other").put("guard", bytes("1"));
		List<Long> revisions = this.here
			.apply(List.of(new TableWrite("table", Write.put("old", bytes("2")).withMetadata(Map.of("k", "v"))),
					new TableWrite("table", Write.delete("gone")), new TableWrite("table", Write.delete("never")),
					new TableWrite("other", Write.put("guard", bytes("2")).withWhen(When.revision(guard))),
					new TableWrite("third", Write.put("old", bytes("3")).withWhen(When.ABSENT))));
		assertThat(revisions).hasSize(5);
		assertThat(revisions.get(2)).isZero();
		assertThat(List.of(guard, revisions.get(0), revisions.get(1), revisions.get(3), revisions.get(4)))
			.doesNotHaveDuplicates()
			.isSorted();
		assertThat(this.sameTable.list(Query.ALL).entries())
			.containsExactly(new Entry("old", bytes("2"), revisions.get(0), Map.of("k", "v"), null));
		assertThat(entry(this.there.table("other"), "guard").revision()).isEqualTo(revisions.get(3));
		assertThat(entry(this.there.table("third"), "old").revision()).isEqualTo(revisions.get(4));
	}

	@Test
	void aBatchOfWhichOneConditionFailsDoesNothing() {
		this.table.put("a", bytes("1"));
		this.table.put("b", bytes("1"));
		Map<String, List<Entry>> before = snapshot(this.there);
		List<TableWrite> good = List.of(new TableWrite("table", Write.put("a", bytes("2"))),
				new TableWrite("table", Write.delete("b")), new TableWrite("other", Write.put("c", bytes("2"))));
		List<TableWrite> bad = List.of(new TableWrite("table", Write.put("c", bytes("2")).withWhen(When.revision(1))),
				new TableWrite("third", Write.delete("c").withWhen(When.revision(Long.MAX_VALUE))));
		for (TableWrite failing : bad) {
			for (int i = 0; i <= good.size(); i++) {
				List<TableWrite> writes = new ArrayList<>(good);
				writes.add(i, failing);
				assertConflict(() -> this.here.apply(writes));
			}
		}
		assertConflict(() -> this.here
			.apply(List.of(good.get(1), new TableWrite("table", Write.put("a", bytes("2")).withWhen(When.ABSENT)))));
		assertThat(snapshot(this.there)).isEqualTo(before);
		assertThat(this.there.tables()).containsExactly("table");
	}

	@Test
	void aBatchOfNothingAndOneOfTheSameKeyTwiceAreInvalid() {
		this.table.put("a", bytes("1"));
		assertInvalid(() -> this.here.apply(List.of()), "batch");
		TableWrite put = new TableWrite("table", Write.put("a", bytes("2")));
		assertInvalid(() -> this.here.apply(List.of(put, new TableWrite("table", Write.delete("a")))), "a");
		assertInvalid(() -> this.here.apply(List.of(new TableWrite("x", Write.delete("a")), put, put)), "a");
		assertThat(entry(this.table, "a").value()).isEqualTo(bytes("1"));
		assertThat(this.here.apply(List.of(put, new TableWrite("other", Write.put("a", bytes("2")))))).hasSize(2);
	}

	@Test
	void aBatchThatFindsNothingToDeleteChangesNothing() {
		assertThat(this.here.apply(List.of(new TableWrite("table", Write.delete("a")),
				new TableWrite("table", Write.delete("b")), new TableWrite("other", Write.delete("a")))))
			.containsExactly(0L, 0L, 0L);
		assertThat(this.there.tables()).isEmpty();
		assertThat(this.otherView.names()).doesNotContain(this.namespace);
	}

	@Test
	void nobodySeesABatchInPart() throws Exception {
		int accounts = 4;
		for (int i = 0; i < accounts; i++) {
			this.here.table("accounts-" + (i % 2)).put("account-" + i, bytes("100"));
		}
		AtomicBoolean done = new AtomicBoolean();
		List<Callable<Object>> writers = new ArrayList<>();
		for (Database database : List.of(this.here, this.there, this.here, this.there)) {
			writers.add(() -> {
				for (int i = 0; i < 25; i++) {
					move(database, accounts);
				}
				return true;
			});
		}
		AtomicInteger looks = new AtomicInteger();
		Future<Object> reader = this.threads.submit(() -> {
			while (!done.get()) {
				Map<String, List<Entry>> seen = snapshot(this.there);
				assertThat(sum(seen.values().stream().flatMap(Collection::stream).toList())).isEqualTo(100 * accounts);
				looks.incrementAndGet();
			}
			return true;
		});
		List<Future<Object>> moving = writers.stream().map(this.threads::submit).toList();
		for (Future<Object> writer : moving) {
			get(writer);
		}
		await(() -> looks.get() > 0 || reader.isDone());
		done.set(true);
		get(reader);
		assertThat(looks).hasPositiveValue();
	}

	@Test
	void aListingIsOfOneMoment() throws Exception {
		this.table.put("a", bytes("500"));
		this.table.put("b", bytes("500"));
		AtomicBoolean done = new AtomicBoolean();
		Future<Object> reader = this.threads.submit(() -> {
			do {
				Page page = this.sameTable.list(Query.ALL);
				assertThat(sum(page.entries())).isEqualTo(1000);
				assertThat(page.entries()).allMatch((entry) -> entry.revision() <= page.revision());
			}
			while (!done.get());
			return true;
		});
		for (int i = 1; i <= 200; i++) {
			this.here.apply(List.of(new TableWrite("table", Write.put("a", bytes(String.valueOf(500 - i)))),
					new TableWrite("table", Write.put("b", bytes(String.valueOf(500 + i))))));
		}
		done.set(true);
		get(reader);
	}

	// Tables and names.

	@Test
	void tablesAndNamesAreThereWhileTheyHaveAnEntry() {
		assertThat(this.here.tables()).isEmpty();
		assertThat(this.view.names()).doesNotContain(this.namespace);
		this.table.put("a", bytes("1"));
		this.table.put("b", bytes("1"));
		this.there.table("other").put("a", bytes("1"));
		assertThat(this.there.tables()).containsExactly("other", "table");
		assertThat(this.otherView.names()).contains(this.namespace);
		this.sameTable.delete("a");
		this.here.table("other").delete("a");
		assertThat(this.here.tables()).containsExactly("table");
		assertThat(this.view.names()).contains(this.namespace);
		this.here.apply(List.of(new TableWrite("table", Write.delete("b"))));
		assertThat(this.there.tables()).isEmpty();
		assertThat(this.otherView.names()).doesNotContain(this.namespace);
		this.sameTable.put("a", bytes("1"));
		assertThat(this.here.tables()).containsExactly("table");
		assertThat(this.view.names()).contains(this.namespace);
	}

	@Test
	void tablesAndNamesAreSortedByTheirBytes() {
		List<String> names = sorted(List.of("\ud83d\ude00", "\uffff", "\ue000", "a", "A", "é", "a-b", "a_b", "aa"));
		for (String name : List.of("\uffff", "a", "\ud83d\ude00", "aa", "A", "a_b", "é", "\ue000", "a-b")) {
			this.here.table(name).put("a", bytes("1"));
			this.view.in(this.namespace + name).table("a").put("a", bytes("1"));
		}
		assertThat(List.copyOf(this.there.tables())).isEqualTo(names);
		List<String> ours = this.otherView.names().stream().filter((name) -> name.startsWith(this.namespace)).toList();
		assertThat(ours)
			.containsExactly(Stream.concat(Stream.of(this.namespace), names.stream().map(this.namespace::concat))
				.toArray(String[]::new));
	}

	@Test
	void readingCreatesNothing() {
		this.table.get("a");
		this.table.get(List.of("a"));
		this.table.list(Query.ALL);
		this.here.tables();
		this.here.snapshot((name, entry) -> {
		});
		this.table.watch("", 0, (change) -> {
		}).close();
		this.table.delete("a");
		assertConflict(() -> this.table.put(Write.put("a", bytes("1")).withWhen(When.revision(1))));
		assertThat(this.there.tables()).isEmpty();
		assertThat(this.otherView.names()).doesNotContain(this.namespace);
	}

	@Test
	void namespacesNeverSeeEachOther() {
		Set<String> names = new LinkedHashSet<>();
		for (String tail : alike()) {
			names.add(this.namespace + tail);
		}
		names.add(this.namespace.toUpperCase(Locale.ROOT));
		names.add("\ud83d\ude00".repeat(200 - this.namespace.length()) + this.namespace);
		names.add(" " + this.namespace);
		names.add("../" + this.namespace);
		names.add("select " + this.namespace);
		for (String name : names) {
			this.view.in(name).table("table").put("a", bytes(name));
		}
		for (String name : names) {
			Database database = this.otherView.in(name);
			assertThat(database.tables()).containsExactly("table");
			assertThat(entry(database.table("table"), "a").value()).isEqualTo(bytes(name));
			assertThat(database.table("table").list(Query.ALL).entries()).hasSize(1);
			assertThat(snapshot(database).values()).singleElement().asList().hasSize(1);
		}
		assertThat(this.otherView.names()).containsAll(names);
		List<String> left = new ArrayList<>(names);
		while (!left.isEmpty()) {
			String name = left.remove(0);
			assertThat(this.otherView.in(name).table("table").delete("a")).isTrue();
			assertThat(left).allMatch((other) -> this.view.in(other).table("table").get("a") != null);
			assertThat(this.view.names()).doesNotContain(name).containsAll(left);
		}
	}

	@Test
	void tablesNeverSeeEachOther() {
		Set<String> names = new LinkedHashSet<>();
		for (String tail : alike()) {
			names.add("t" + tail);
		}
		names.addAll(List.of("T", "a", "A", "select", "table", "\ud83d\ude00".repeat(200), "sqlite_master", "..", "/",
				"'; drop table entries; --", "\"t\"", " t"));
		for (String name : names) {
			this.here.table(name).put("a", bytes(name));
		}
		assertThat(List.copyOf(this.there.tables())).isEqualTo(sorted(names));
		for (String name : names) {
			assertThat(entry(this.there.table(name), "a").value()).isEqualTo(bytes(name));
			assertThat(this.there.table(name).list(Query.ALL).entries()).hasSize(1);
		}
		List<String> left = new ArrayList<>(names);
		while (!left.isEmpty()) {
			assertThat(this.there.table(left.remove(0)).delete("a")).isTrue();
			assertThat(List.copyOf(this.here.tables())).isEqualTo(sorted(left));
		}
	}

	// At once.

	@Test
	void tenWritersOnOneKeyLoseNoIncrement() throws Exception {
		int writers = 10;
		int increments = 20;
		this.table.put("count", bytes("0"));
		List<Future<Object>> running = new ArrayList<>();
		for (int i = 0; i < writers; i++) {
			Store store = (i % 2 == 0) ? this.table : this.sameTable;
			running.add(this.threads.submit(() -> {
				for (int done = 0; done < increments; done++) {
					increment(store);
				}
				return true;
			}));
		}
		for (Future<Object> writer : running) {
			get(writer);
		}
		assertThat(number(entry(this.sameTable, "count"))).isEqualTo(writers * increments);
	}

	/*
	 * A key is a register: its value is what was written last, empty where there is none.
	 */
	@Test
	void concurrentOperationsAreLinearizable() throws Exception {
		Map<String, History<String>> histories = new LinkedHashMap<>();
		List.of("a", "b").forEach((key) -> histories.put(key, new History<>()));
		List<Future<Object>> running = new ArrayList<>();
		for (int i = 0; i < 6; i++) {
			int caller = i;
			Store store = (i % 2 == 0) ? this.table : this.sameTable;
			running.add(this.threads.submit(() -> {
				for (int n = 0; n < 60; n++) {
					String value = caller + "." + n;
					histories.forEach((key, history) -> operate(store, key, value, history));
				}
				return true;
			}));
		}
		for (Future<Object> caller : running) {
			get(caller);
		}
		histories.forEach((key, history) -> {
			assertThat(history.size()).as("operations on " + key).isGreaterThanOrEqualTo(360);
			assertThat(history.violation("")).as("history of " + key).isNull();
		});
	}

	private static void operate(Store store, String key, String value, History<String> history) {
		Entry seen = history.record("get", () -> Objects.requireNonNullElse(store.get(key), NOTHING),
				(entry) -> (state) -> state.equals(text(entry)) ? state : null, (state) -> state);
		switch (ThreadLocalRandom.current().nextInt(4)) {
			case 0 -> history.record("put " + value, () -> store.put(key, bytes(value)), (revision) -> (state) -> value,
					(state) -> value);
			case 1 -> history.record("delete", () -> store.delete(key),
					(found) -> (state) -> (state.isEmpty() != found) ? "" : null, (state) -> "");
			default -> {
				if (seen != null) {
					String before = text(seen);
					When when = (before.isEmpty()) ? When.ABSENT : When.revision(seen.revision());
					history.record("put " + value + " over " + before, () -> {
						try {
							store.put(Write.put(key, bytes(value)).withWhen(when));
							return true;
						}
						catch (MicroException.Conflict ex) {
							return false;
						}
					}, (done) -> (state) -> (state.equals(before) != done) ? null : ((done) ? value : state),
							(state) -> (state.equals(before)) ? value : null);
				}
			}
		}
	}

	private static String text(Entry entry) {
		return new String(entry.value(), StandardCharsets.UTF_8);
	}

	@Test
	void ofManyWhoWantAnAbsentKeyOneGetsIt() throws Exception {
		for (int round = 0; round < 10; round++) {
			String key = "key-" + round;
			CountDownLatch start = new CountDownLatch(1);
			List<Future<Boolean>> racers = new ArrayList<>();
			for (int i = 0; i < 6; i++) {
				Store store = (i % 2 == 0) ? this.table : this.sameTable;
				byte[] value = bytes(String.valueOf(i));
				racers.add(this.threads.submit(() -> {
					awaitLatch(start);
					try {
						store.put(Write.put(key, value).withWhen(When.ABSENT));
						return true;
					}
					catch (MicroException.Conflict ex) {
						return false;
					}
				}));
			}
			start.countDown();
			List<Integer> winners = new ArrayList<>();
			for (int i = 0; i < racers.size(); i++) {
				if (get(racers.get(i))) {
					winners.add(i);
				}
			}
			assertThat(winners).hasSize(1);
			assertThat(number(entry(this.table, key))).isEqualTo(winners.get(0));
		}
	}

	@Test
	void aCallOfAnInterruptedThreadIsDoneOrSaysThatItWasNot() {
		for (int i = 0; i < 20; i++) {
			String key = "key-" + i;
			Boolean done;
			Thread.currentThread().interrupt();
			try {
				this.table.put(Write.put(key, bytes("1")).withWhen(When.ABSENT));
				done = true;
			}
			catch (MicroException.Cancelled ex) {
				done = false;
			}
			catch (MicroException.OutcomeUnknown ex) {
				done = null;
			}
			finally {
				Thread.interrupted();
			}
			if (done != null) {
				assertThat(this.sameTable.get(key) != null).isEqualTo(done);
			}
		}
		assertThat(this.table.put("after", bytes("1"))).isPositive();
	}

	// Snapshots.

	@Test
	void aSnapshotHandsOverEveryEntryInOrder() {
		Map<String, List<String>> expected = new LinkedHashMap<>();
		expected.put("A", sorted(KEYS));
		expected.put("a", List.of("a"));
		expected.put("\uffff", fill("\uffff", 2_500));
		expected.put("\ud83d\ude00", List.of("b"));
		this.here.table("\ud83d\ude00").put("b", bytes("1"));
		this.here.table("a")
			.put(Write.put("a", bytes("1")).withMetadata(Map.of("k", "v")).withTtl(Duration.ofHours(1)));
		KEYS.forEach((key) -> this.here.table("A").put(key, bytes(key)));
		this.here.table("gone").put("a", bytes("1"));
		this.here.table("gone").delete("a");
		this.view.in(this.namespace + "-b").table("a").put("b", bytes("1"));
		Map<String, List<Entry>> seen = snapshot(this.there);
		assertThat(List.copyOf(seen.keySet())).isEqualTo(List.copyOf(expected.keySet()));
		expected.forEach((name, keys) -> assertThat(keys(seen.getOrDefault(name, List.of()))).isEqualTo(keys));
		assertThat(seen.get("a")).containsExactly(entry(this.table("a"), "a"));
		assertThat(seen.get("A")).isEqualTo(this.table("A").list(Query.ALL).entries());
	}

	@Test
	void aSnapshotIsOfOneMomentWhileOthersWrite() {
		fill("table", 1_500);
		Map<String, List<Entry>> before = snapshot(this.there);
		List<Entry> seen = new ArrayList<>();
		long last = entry(this.table, "key-00001499").revision();
		AtomicLong during = new AtomicLong();
		long revision = this.there.snapshot((name, entry) -> {
			seen.add(entry);
			if (seen.size() == 1) {
				this.table.put("key-00001400", bytes("changed"));
				this.table.delete("key-00001450");
				this.here.table("zzz").put("a", bytes("new"));
				during.set(this.table.put("key-99999999", bytes("new")));
			}
		});
		assertThat(Map.of("table", seen)).isEqualTo(before);
		assertThat(revision).isGreaterThanOrEqualTo(last).isLessThan(during.get());
		assertThat(snapshot(this.there)).hasSize(2);
	}

	@Test
	void aWatchFromASnapshotLeavesNoGap() {
		this.table.put("a", bytes("1"));
		AtomicLong during = new AtomicLong();
		long revision = this.there.snapshot((name, entry) -> during.set(this.table.put("b", bytes("1"))));
		Mirror mirror = mirror(this.sameTable, "", revision);
		await(() -> mirror.entries.containsKey("b"));
		assertThat(mirror.heard).containsExactly(new Change.Put(entry(this.table, "b")));
		assertThat(entry(this.table, "b").revision()).isEqualTo(during.get());
	}

	@Test
	void aSnapshotOfNothingIsEmpty() {
		assertThat(this.here.snapshot((name, entry) -> {
			throw new AssertionError("there is no entry");
		})).isNotNegative();
	}

	@Test
	void whatTheSinkThrowsEndsTheSnapshot() {
		fill("table", 10);
		AtomicInteger calls = new AtomicInteger();
		IllegalStateException thrown = new IllegalStateException("thrown on purpose");
		for (int i = 0; i < 20; i++) {
			calls.set(0);
			assertThatExceptionOfType(IllegalStateException.class)
				.isThrownBy(() -> this.here.snapshot((name, entry) -> {
					if (calls.incrementAndGet() == 3) {
						throw thrown;
					}
				}))
				.isSameAs(thrown);
			assertThat(calls).hasValue(3);
		}
		this.table.put("a", bytes("1"));
		assertThat(snapshot(this.here).get("table")).hasSize(11);
	}

	// Watching.

	@Test
	void aWatchFromZeroTellsWhatIsThereAndWhatComes() {
		this.table.put("a", bytes("1"));
		this.table.put(Write.put("b", bytes("2")).withMetadata(Map.of("k", "v")).withTtl(Duration.ofHours(1)));
		this.table.put("c", bytes("3"));
		this.table.delete("c");
		Mirror mirror = mirror(this.table, "", 0);
		await(() -> mirror.keys().equals(Set.of("a", "b")));
		assertThat(mirror.entries.get("b")).isEqualTo(entry(this.table, "b"));
		this.table.put("c", bytes("4"));
		this.table.delete("a");
		mirror.agreesWith(this.table);
		assertThat(mirror.lagged).hasValue(0);
	}

	@Test
	void aWatchOfAnEmptyTableTellsWhatComes() {
		Mirror mirror = mirror(this.table, "", 0);
		this.table.put("a", bytes("1"));
		await(() -> mirror.entries.containsKey("a"));
		assertThat(mirror.heard).containsExactly(new Change.Put(entry(this.table, "a")));
	}

	@Test
	void everyChangeOfDifferentKeysIsToldOnce() throws Exception {
		int count = 500;
		CountDownLatch half = new CountDownLatch(count / 4);
		Future<Object> writer = this.threads.submit(() -> {
			for (int i = 0; i < count; i++) {
				this.sameTable.put("key-" + i, bytes(String.valueOf(i)));
				half.countDown();
			}
			return true;
		});
		awaitLatch(half);
		Page page = this.table.list(Query.ALL);
		Mirror mirror = mirror(this.table, "", page.revision());
		get(writer);
		await(() -> page.entries().size() + mirror.heard.size() >= count);
		mirror.agreesWith(this.table, page.entries());
		assertThat(page.entries().size() + mirror.heard.size()).isEqualTo(count);
		assertThat(mirror.heard).allMatch((change) -> change.revision() > page.revision());
		assertThat(mirror.lagged).hasValue(0);
	}

	@Test
	void listingThenWatchingLeavesNoGapHoweverKeysChange() throws Exception {
		AtomicBoolean done = new AtomicBoolean();
		List<Future<Object>> writers = new ArrayList<>();
		for (Store store : List.of(this.table, this.sameTable)) {
			writers.add(this.threads.submit(() -> {
				for (int i = 0; !done.get(); i++) {
					String key = "key-" + ThreadLocalRandom.current().nextInt(20);
					if (i % 4 == 3) {
						store.delete(key);
					}
					else {
						store.put(key, bytes(String.valueOf(i)));
					}
				}
				return true;
			}));
		}
		List<Mirror> mirrors = new ArrayList<>();
		List<Page> pages = new ArrayList<>();
		try {
			for (int i = 0; i < 20; i++) {
				Store store = (i % 2 == 0) ? this.table : this.sameTable;
				Page page = store.list(Query.ALL);
				pages.add(page);
				Mirror mirror = new Mirror(store, "");
				mirror.begin(page.entries());
				mirror.watch(page.revision());
				mirrors.add(mirror);
				LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
			}
		}
		finally {
			done.set(true);
		}
		for (Future<Object> writer : writers) {
			get(writer);
		}
		for (int i = 0; i < mirrors.size(); i++) {
			long from = pages.get(i).revision();
			mirrors.get(i).agreesWith(this.table);
			assertThat(mirrors.get(i).heard).allMatch((change) -> change.revision() > from);
		}
	}

	@Test
	void aWatchCanBeResumedWhereItEnded() throws Exception {
		AtomicBoolean done = new AtomicBoolean();
		Future<Object> writer = this.threads.submit(() -> {
			for (int i = 0; !done.get(); i++) {
				this.sameTable.put("key-" + (i % 50), bytes(String.valueOf(i)));
				if (i % 3 == 0) {
					this.sameTable.delete("key-" + (i % 7));
				}
			}
			return true;
		});
		Mirror mirror = new Mirror(this.table, "");
		AtomicLong last = new AtomicLong();
		try {
			for (int i = 0; i < 20; i++) {
				int before = mirror.heard.size();
				Subscription watch = this.table.watch("", last.get(), (change) -> {
					mirror.accept(change);
					last.set(change.revision());
				});
				await(() -> mirror.heard.size() >= before + 5);
				watch.close();
			}
		}
		finally {
			done.set(true);
		}
		get(writer);
		this.table.watch("", last.get(), mirror);
		mirror.agreesWith(this.table);
	}

	@Test
	void aWatchSaysHowFarItIs() throws Exception {
		long begin = this.table.put("a", bytes("1"));
		CountDownLatch blocked = new CountDownLatch(1);
		CountDownLatch release = new CountDownLatch(1);
		List<Change> heard = new CopyOnWriteArrayList<>();
		Watch watch = this.sameTable.watch("", begin, (change) -> {
			blocked.countDown();
			awaitLatch(release);
			heard.add(change);
		});
		assertThat(watch.revision()).isGreaterThanOrEqualTo(begin);
		long b = this.table.put("b", bytes("1"));
		try {
			awaitLatch(blocked);
			assertThat(watch.revision()).as("what is being told was not told yet").isLessThan(b);
		}
		finally {
			release.countDown();
		}
		await(() -> watch.revision() >= b);
		assertThat(heard).hasSize(1);
		watch.close();
		long c = this.table.put("c", bytes("1"));
		assertThat(watch.revision()).isBetween(b, c - 1);
		Mirror mirror = mirror(this.table, "", watch.revision());
		await(() -> mirror.keys().contains("c"));
		assertThat(mirror.heard).hasSize(1);
	}

	@Test
	void aWatchTellsOfItsPrefixOnly() {
		String prefix = "a_%\\";
		Mirror mirror = mirror(this.table, prefix, 0);
		for (String key : List.of("a", "a_", "a_%", "aX%\\1", "a_X\\1", "A_%\\1", "a_%\\1", "b", "\0", prefix)) {
			this.sameTable.put(Write.put(key, bytes("1")).withTtl(Duration.ofHours(1)));
		}
		this.sameTable.put(Write.put("a_%2", bytes("1")).withTtl(TTL));
		this.sameTable.delete("a_%");
		pass(TTL);
		this.sameTable.delete(prefix);
		this.sameTable.put(prefix + "last", bytes("1"));
		await(() -> mirror.keys().equals(Set.of("a_%\\1", prefix + "last")));
		assertThat(mirror.heard.stream().map(StoreContract::key)).allMatch((key) -> key.startsWith(prefix));
	}

	@Test
	void aWatchNeverTellsOfOthersTablesAndNamespaces() {
		Mirror mirror = mirror(this.table, "", 0);
		for (String tail : alike()) {
			if (!tail.isEmpty()) {
				this.there.table("table" + tail).put("a", bytes("1"));
				this.otherView.in(this.namespace + tail).table("table").put("a", bytes("1"));
				this.otherView.in(this.namespace + tail).table("table").delete("a");
			}
		}
		this.otherView.in(this.namespace.toUpperCase(Locale.ROOT)).table("table").put("a", bytes("1"));
		this.there.table("TABLE").put("a", bytes("1"));
		this.sameTable.put("last", bytes("1"));
		await(() -> mirror.entries.containsKey("last"));
		assertThat(mirror.heard).hasSize(1);
	}

	@Test
	void aWatchTellsOfDeletes() {
		this.table.put("a", bytes("1"));
		long last = this.table.put("b", bytes("1"));
		Mirror mirror = mirror(this.table, "", last);
		this.sameTable.delete("a");
		long revision = this.there.apply(List.of(new TableWrite("table", Write.delete("b")))).get(0);
		await(() -> mirror.heard.size() == 2);
		assertThat(mirror.heard).last().isEqualTo(new Change.Deleted("b", revision));
		assertThat(mirror.heard).first()
			.isInstanceOfSatisfying(Change.Deleted.class, (deleted) -> assertThat(deleted.key()).isEqualTo("a"));
		this.sameTable.put("a", bytes("2"));
		await(() -> mirror.keys().equals(Set.of("a")));
	}

	@Test
	void aWatchTellsOfExpiries() {
		this.table.put(Write.put("a", bytes("1")).withTtl(TTL));
		long last = this.table.put(Write.put("b", bytes("1")).withTtl(TTL));
		Mirror mirror = mirror(this.table, "", last);
		Mirror other = mirror(this.sameTable, "b", last);
		pass(TTL);
		await(() -> mirror.heard.size() == 2 && other.heard.size() == 1);
		assertThat(mirror.heard).allMatch((change) -> change instanceof Change.Expired && change.revision() > last);
		assertThat(mirror.heard.stream().map(StoreContract::key)).containsExactlyInAnyOrder("a", "b");
		assertThat(other.heard).allMatch((change) -> change instanceof Change.Expired && key(change).equals("b"));
		assertThat(this.table.put("a", bytes("2"))).isGreaterThan(mirror.heard.peek().revision());
		mirror.agreesWith(this.table);
	}

	@Test
	void aWatchTellsOfEveryWriteOfABatch() {
		this.table.put("gone", bytes("1"));
		long last = this.there.table("other").put("a", bytes("1"));
		Mirror mirror = mirror(this.table, "", last);
		List<TableWrite> writes = new ArrayList<>();
		writes.add(new TableWrite("table", Write.delete("gone")));
		for (int i = 0; i < 100; i++) {
			writes.add(new TableWrite("table", Write.put("key-" + i, bytes("1"))));
			writes.add(new TableWrite("other", Write.put("key-" + i, bytes("1"))));
		}
		List<Long> revisions = this.there.apply(writes);
		await(() -> mirror.heard.size() == 101);
		List<Long> heard = mirror.heard.stream().map(Change::revision).toList();
		assertThat(heard).isSorted()
			.containsExactlyInAnyOrderElementsOf(IntStream.range(0, revisions.size())
				.filter((i) -> i == 0 || i % 2 == 1)
				.mapToObj(revisions::get)
				.toList());
		mirror.agreesWith(this.table);
	}

	@Test
	void anothersChangesAreHeardWithinASecond() {
		Mirror mirror = mirror(this.table, "", this.table.list(Query.ALL).revision());
		for (int i = 0; i < 5; i++) {
			String key = "key-" + i;
			this.sameTable.put(key, bytes("1"));
			within(Duration.ofSeconds(1).plus(HEARING_SLACK), () -> mirror.entries.containsKey(key));
			this.sameTable.delete(key);
			within(Duration.ofSeconds(1).plus(HEARING_SLACK), () -> !mirror.entries.containsKey(key));
		}
	}

	@Test
	void aSlowListenerHearsTheLastStateAndDelaysNobody() {
		CountDownLatch release = new CountDownLatch(1);
		CountDownLatch blocked = new CountDownLatch(1);
		Mirror slow = new Mirror(this.table, "");
		Subscription watch = this.table.watch("", 0, (change) -> {
			blocked.countDown();
			awaitLatch(release);
			slow.accept(change);
		});
		Mirror quick = mirror(this.table, "", 0);
		try {
			this.sameTable.put("first", bytes("1"));
			awaitLatch(blocked);
			for (int i = 1; i <= 200; i++) {
				this.sameTable.put("key-" + (i % 3), bytes(String.valueOf(i)));
			}
			this.sameTable.delete("key-1");
			quick.agreesWith(this.table);
			assertThat(slow.heard).isEmpty();
		}
		finally {
			release.countDown();
		}
		slow.agreesWith(this.table);
		watch.close();
	}

	@Test
	void aListenersCallsComeOneAtATimeAndInOrder() throws Exception {
		AtomicInteger running = new AtomicInteger();
		AtomicInteger most = new AtomicInteger();
		Mirror mirror = new Mirror(this.table, "");
		this.table.watch("", 0, (change) -> {
			most.accumulateAndGet(running.incrementAndGet(), Math::max);
			// Long enough for the next change to come meanwhile.
			LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(2));
			mirror.accept(change);
			running.decrementAndGet();
		});
		List<Future<Object>> writers = new ArrayList<>();
		for (Store store : List.of(this.table, this.sameTable)) {
			writers.add(this.threads.submit(() -> {
				for (int i = 1; i <= 100; i++) {
					store.put("key-" + (i % 7), bytes(String.valueOf(i)));
				}
				return true;
			}));
		}
		for (Future<Object> writer : writers) {
			get(writer);
		}
		mirror.agreesWith(this.table);
		assertThat(most).hasValue(1);
	}

	@Test
	void aThrowingListenerIsCalledAgainAndHarmsNobody() {
		Mirror mirror = new Mirror(this.table, "");
		Mirror failing = new Mirror(this.table, "");
		this.table.watch("", 0, (change) -> {
			mirror.accept(change);
			throw new IllegalStateException("thrown on purpose");
		});
		this.table.watch("", 0, (change) -> {
			failing.accept(change);
			throw new AssertionError("thrown on purpose");
		});
		Mirror quick = mirror(this.table, "", 0);
		for (int i = 0; i < 5; i++) {
			this.sameTable.put("key-" + i, bytes("1"));
			mirror.agreesWith(this.table);
		}
		failing.agreesWith(this.table);
		quick.agreesWith(this.table);
	}

	@Test
	void onceASubscriptionIsClosedNoCallStarts() {
		AtomicBoolean closed = new AtomicBoolean();
		AtomicInteger late = new AtomicInteger();
		for (int round = 0; round < 20; round++) {
			closed.set(false);
			Subscription watch = this.table.watch("", 0, (change) -> {
				if (closed.get()) {
					late.incrementAndGet();
				}
			});
			this.table.put("a", bytes("1"));
			watch.close();
			watch.close();
			closed.set(true);
			this.table.put("b", bytes("1"));
		}
		Mirror mirror = mirror(this.table, "", 0);
		mirror.agreesWith(this.table);
		assertThat(late).hasValue(0);
	}

	@Test
	void closingASubscriptionWaitsForTheCallThatRuns() throws Exception {
		CountDownLatch blocked = new CountDownLatch(1);
		CountDownLatch release = new CountDownLatch(1);
		List<String> ended = new CopyOnWriteArrayList<>();
		Subscription watch = this.table.watch("", 0, (change) -> {
			blocked.countDown();
			awaitLatch(release);
			ended.add("call");
		});
		Thread closer = new Thread(() -> {
			watch.close();
			ended.add("close");
		});
		closer.setDaemon(true);
		try {
			this.table.put("a", bytes("1"));
			this.table.put("b", bytes("1"));
			awaitLatch(blocked);
			closer.start();
			await(() -> Set.of(Thread.State.WAITING, Thread.State.TIMED_WAITING, Thread.State.TERMINATED)
				.contains(closer.getState()));
		}
		finally {
			release.countDown();
		}
		closer.join(PATIENCE.toMillis());
		assertThat(ended).containsExactly("call", "close");
	}

	@Test
	void aListenerMayCloseItsOwnSubscription() {
		AtomicReference<Subscription> watch = new AtomicReference<>();
		AtomicInteger calls = new AtomicInteger();
		CountDownLatch assigned = new CountDownLatch(1);
		this.table.put("a", bytes("1"));
		this.table.put("b", bytes("1"));
		watch.set(this.table.watch("", 0, (change) -> {
			awaitLatch(assigned);
			calls.incrementAndGet();
			watch.get().close();
		}));
		assigned.countDown();
		await(() -> calls.get() == 1);
		Mirror mirror = mirror(this.table, "", 0);
		this.sameTable.put("c", bytes("1"));
		mirror.agreesWith(this.table);
		assertThat(calls).hasValue(1);
	}

	@Test
	void aListenerMayReadAndWrite() {
		Mirror mirror = new Mirror(this.table, "");
		this.table.watch("", 0, (change) -> {
			mirror.accept(change);
			if (change instanceof Change.Put put && put.entry().key().equals("question")) {
				this.table.put("answer", entry(this.table, "question").value());
			}
		});
		this.sameTable.put("question", bytes("42"));
		await(() -> mirror.entries.containsKey("answer"));
		assertThat(entry(this.sameTable, "answer").value()).isEqualTo(bytes("42"));
	}

	@Test
	void aWatchFromBeforeWhatIsKeptLagsAndGoesOn() {
		long old = this.table.put("a", bytes("1"));
		this.table.put("b", bytes("1"));
		this.table.delete("a");
		forget(this.there, "table");
		Mirror mirror = mirror(this.table, "", old);
		await(() -> mirror.lagged.get() > 0);
		assertThat(mirror.heard).first()
			.isInstanceOfSatisfying(Change.Lagged.class, (lagged) -> assertThat(lagged.revision()).isGreaterThan(old));
		mirror.agreesWith(this.table);
		this.sameTable.put("c", bytes("1"));
		this.sameTable.delete("b");
		mirror.agreesWith(this.table);
		assertThat(mirror.heard).last().isInstanceOf(Change.Deleted.class);
	}

	@Test
	void aWatchFromARevisionThatIsNotReachedLagsAndGoesOn() {
		long last = this.table.put("a", bytes("1"));
		Mirror mirror = new Mirror(this.table, "");
		// As one does who remembers what is no more, because older data was put back.
		this.table.watch("", last + 1_000_000_000, mirror);
		await(() -> mirror.lagged.get() > 0);
		assertThat(mirror.heard).singleElement()
			.isInstanceOfSatisfying(Change.Lagged.class,
					(lagged) -> assertThat(lagged.revision()).isBetween(last, last + 999_999_999));
		mirror.agreesWith(this.table);
		this.sameTable.put("b", bytes("1"));
		this.sameTable.delete("a");
		mirror.agreesWith(this.table);
		assertThat(mirror.lagged).hasValue(1);
	}

	@Test
	void aListenerThatIsTooSlowLagsAndConverges() {
		CountDownLatch blocked = new CountDownLatch(1);
		CountDownLatch release = new CountDownLatch(1);
		Mirror slow = new Mirror(this.table, "");
		this.table.watch("", 0, (change) -> {
			blocked.countDown();
			awaitLatch(release);
			slow.accept(change);
		});
		try {
			this.sameTable.put("a", bytes("1"));
			awaitLatch(blocked);
			this.sameTable.put("b", bytes("1"));
			this.sameTable.delete("a");
			forget(this.there, "table");
			this.sameTable.put("c", bytes("1"));
		}
		finally {
			release.countDown();
		}
		slow.agreesWith(this.table);
		assertThat(slow.lagged).hasPositiveValue();
		this.sameTable.put("a", bytes("2"));
		this.sameTable.delete("b");
		slow.agreesWith(this.table);
	}

	// Closing.

	@Test
	void aClosedViewEndsItsSubscriptionsAndIsUnavailable() throws Exception {
		Databases closing = view();
		Database database = closing.in(this.namespace);
		Store store = database.table("table");
		AtomicInteger calls = new AtomicInteger();
		Subscription watch = store.watch("", 0, (change) -> calls.incrementAndGet());
		store.put("a", bytes("1"));
		await(() -> calls.get() == 1);
		closing.close();
		closing.close();
		watch.close();
		this.table.put("b", bytes("1"));
		Mirror mirror = mirror(this.sameTable, "", 0);
		mirror.agreesWith(this.table);
		assertThat(mirror.keys()).containsExactlyInAnyOrder("a", "b");
		assertThat(calls).hasValue(1);
		List<ThrowingCallable> all = List.of(() -> store.get("a"), () -> store.get(List.of("a")),
				() -> store.put("a", bytes("2")), () -> store.delete("a"), () -> store.delete("a", When.ABSENT),
				() -> store.list(Query.ALL), () -> store.watch("", 0, (change) -> calls.incrementAndGet()),
				() -> database.tables(), () -> database.apply(List.of(new TableWrite("table", Write.delete("a")))),
				() -> database.snapshot((name, entry) -> calls.incrementAndGet()), () -> closing.names());
		for (ThrowingCallable call : all) {
			assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(call);
		}
		assertThat(entry(this.table, "a").value()).isEqualTo(bytes("1"));
		assertThat(calls).hasValue(1);
	}

	@Test
	void closingAViewWaitsForTheCallThatRuns() throws Exception {
		Databases closing = view();
		CountDownLatch blocked = new CountDownLatch(1);
		CountDownLatch release = new CountDownLatch(1);
		List<String> ended = new CopyOnWriteArrayList<>();
		closing.in(this.namespace).table("table").watch("", 0, (change) -> {
			blocked.countDown();
			awaitLatch(release);
			ended.add("call");
		});
		Thread closer = new Thread(() -> {
			closing.close();
			ended.add("close");
		});
		closer.setDaemon(true);
		try {
			this.table.put("a", bytes("1"));
			awaitLatch(blocked);
			closer.start();
			await(() -> Set.of(Thread.State.WAITING, Thread.State.TIMED_WAITING, Thread.State.TERMINATED)
				.contains(closer.getState()));
		}
		finally {
			release.countDown();
		}
		closer.join(PATIENCE.toMillis());
		assertThat(ended).containsExactly("call", "close");
	}

	private Databases view() throws Exception {
		Databases databases = open();
		this.opened.add(databases);
		return databases;
	}

	private Store table(String name) {
		return this.here.table(name);
	}

	private Entry put(Write write) {
		this.table.put(write);
		return entry(this.table, write.key());
	}

	private Mirror mirror(Store store, String prefix, long afterRevision) {
		Mirror mirror = new Mirror(store, prefix);
		mirror.watch(afterRevision);
		return mirror;
	}

	/*
	 * Writes that many keys of one length, so that their order is that of their numbers.
	 */
	private List<String> fill(String name, int count) {
		List<String> keys = new ArrayList<>();
		List<TableWrite> writes = new ArrayList<>();
		for (int i = 0; i < count; i++) {
			String key = String.format(Locale.ROOT, "key-%08d", i);
			keys.add(key);
			writes.add(new TableWrite(name, Write.put(key, bytes(key))));
			if (writes.size() == Limits.BATCH || i == count - 1) {
				this.here.apply(writes);
				writes.clear();
			}
		}
		return keys;
	}

	private void assertListed(Query query) {
		List<String> matching = new ArrayList<>();
		List<String> order = query.descending() ? reversed(sorted(KEYS)) : sorted(KEYS);
		for (String key : order) {
			int side = Arrays.compareUnsigned(bytes(key), bytes(query.after()));
			boolean after = query.after().isEmpty() || (query.descending() ? side < 0 : side > 0);
			if (after && key.startsWith(query.prefix()) && key.endsWith(query.suffix())) {
				matching.add(key);
			}
		}
		int from = Math.min(query.offset(), matching.size());
		int to = Math.min(from + query.limit(), matching.size());
		Page page = this.sameTable.list(query);
		assertThat(keys(page)).as(query::toString).isEqualTo(matching.subList(from, to));
		assertThat(page.more()).as(query::toString).isEqualTo(to < matching.size());
	}

	private static void move(Database database, int accounts) {
		while (true) {
			int from = ThreadLocalRandom.current().nextInt(accounts);
			int to = (from + 1 + ThreadLocalRandom.current().nextInt(accounts - 1)) % accounts;
			Entry source = entry(database.table("accounts-" + (from % 2)), "account-" + from);
			Entry target = entry(database.table("accounts-" + (to % 2)), "account-" + to);
			try {
				database.apply(List.of(change("accounts-" + (from % 2), source, -1),
						change("accounts-" + (to % 2), target, 1)));
				return;
			}
			catch (MicroException.Conflict ex) {
				LockSupport.parkNanos(ThreadLocalRandom.current().nextLong(100_000));
			}
		}
	}

	private static TableWrite change(String table, Entry entry, int by) {
		return new TableWrite(table, Write.put(entry.key(), bytes(String.valueOf(number(entry) + by)))
			.withWhen(When.revision(entry.revision())));
	}

	private static void increment(Store store) {
		while (true) {
			Entry entry = entry(store, "count");
			try {
				store.put(Write.put("count", bytes(String.valueOf(number(entry) + 1)))
					.withWhen(When.revision(entry.revision())));
				return;
			}
			catch (MicroException.Conflict ex) {
				LockSupport.parkNanos(ThreadLocalRandom.current().nextLong(100_000));
			}
		}
	}

	private static Map<String, List<Entry>> snapshot(Database database) {
		Map<String, List<Entry>> entries = new LinkedHashMap<>();
		database.snapshot((name, entry) -> entries.computeIfAbsent(name, (key) -> new ArrayList<>()).add(entry));
		return entries;
	}

	private static List<Entry> pages(Store store, Query query) {
		List<Entry> entries = new ArrayList<>();
		Page page = store.list(query);
		entries.addAll(page.entries());
		while (page.more()) {
			page = store.list(query.withAfter(entries.get(entries.size() - 1).key()));
			entries.addAll(page.entries());
		}
		return entries;
	}

	private static List<String> alike() {
		return List.of("", "-b", "_b", ".b", "%b", "b", "B", " b", "b ", "\"b", "'b", "\\b", "/b", "é", "e\u0301",
				"\ud83d\ude00", "\uffff");
	}

	private static Entry entry(Store store, String key) {
		return Objects.requireNonNull(store.get(key), () -> "nothing under " + key);
	}

	private static int sum(List<Entry> entries) {
		return entries.stream().mapToInt(StoreContract::number).sum();
	}

	private static int number(Entry entry) {
		return Integer.parseInt(new String(entry.value(), StandardCharsets.UTF_8));
	}

	private static List<String> keys(Page page) {
		return keys(page.entries());
	}

	private static List<String> keys(List<Entry> entries) {
		return entries.stream().map(Entry::key).toList();
	}

	private static String key(Change change) {
		if (change instanceof Change.Put put) {
			return put.entry().key();
		}
		if (change instanceof Change.Deleted deleted) {
			return deleted.key();
		}
		return (change instanceof Change.Expired expired) ? expired.key() : "";
	}

	private static List<String> sorted(Collection<String> texts) {
		return texts.stream().sorted((one, other) -> Arrays.compareUnsigned(bytes(one), bytes(other))).toList();
	}

	private static List<String> reversed(List<String> texts) {
		List<String> reversed = new ArrayList<>(texts);
		Collections.reverse(reversed);
		return reversed;
	}

	private static byte[] bytes(String text) {
		return text.getBytes(StandardCharsets.UTF_8);
	}

	private static void assertInvalid(ThrowingCallable call, String named) {
		assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(call).withMessageContaining(named);
	}

	private static void assertConflict(ThrowingCallable call) {
		assertThatExceptionOfType(MicroException.Conflict.class).isThrownBy(call);
	}

	private static <T> T get(Future<T> future) throws Exception {
		return future.get(PATIENCE.plus(PATIENCE).plus(SLACK).toMillis(), TimeUnit.MILLISECONDS);
	}

	/*
	 * Does not end when interrupted, so that who does not wait is found out. Waits longer
	 * than anybody waits for what it holds up.
	 */
	private static void awaitLatch(CountDownLatch latch) {
		boolean interrupted = false;
		boolean open = false;
		long end = System.nanoTime() + PATIENCE.multipliedBy(6).toNanos();
		while (!open && System.nanoTime() < end) {
			try {
				open = latch.await(end - System.nanoTime(), TimeUnit.NANOSECONDS);
			}
			catch (InterruptedException ex) {
				interrupted = true;
			}
		}
		if (interrupted) {
			Thread.currentThread().interrupt();
		}
		assertThat(open).isTrue();
	}

	private static void await(BooleanSupplier condition) {
		within(PATIENCE.plus(SLACK), condition);
	}

	private static void within(Duration time, BooleanSupplier condition) {
		Awaitility.await().atMost(time).pollInterval(Duration.ofMillis(10)).until(condition::getAsBoolean);
	}

	/**
	 * What a listener knows that keeps a copy: the changes folded, and listed again where
	 * some were lost.
	 */
	private static final class Mirror implements Consumer<Change> {

		private final Store store;

		private final String prefix;

		private final Map<String, Entry> entries = new ConcurrentHashMap<>();

		private final Queue<Change> heard = new ConcurrentLinkedQueue<>();

		private final Queue<String> wrong = new ConcurrentLinkedQueue<>();

		private final AtomicInteger lagged = new AtomicInteger();

		private final Set<Long> told = new HashSet<>();

		private final Map<String, Long> last = new ConcurrentHashMap<>();

		private volatile long floor;

		Mirror(Store store, String prefix) {
			this.store = store;
			this.prefix = prefix;
		}

		void begin(List<Entry> known) {
			known.forEach((entry) -> this.entries.put(entry.key(), entry));
		}

		void watch(long afterRevision) {
			this.floor = afterRevision;
			this.store.watch(this.prefix, afterRevision, this);
		}

		Set<String> keys() {
			return Set.copyOf(this.entries.keySet());
		}

		@Override
		public void accept(Change change) {
			if (change.revision() <= this.floor) {
				this.wrong.add(change + " is not newer than " + this.floor);
			}
			if (change instanceof Change.Lagged) {
				this.floor = change.revision();
				listAgain();
				this.lagged.incrementAndGet();
			}
			else {
				follow(change);
			}
			this.heard.add(change);
		}

		private void follow(Change change) {
			String key = key(change);
			if (!this.told.add(change.revision())) {
				this.wrong.add(change + " was told twice");
			}
			Long before = this.last.put(key, change.revision());
			if (before != null && before >= change.revision()) {
				this.wrong.add(change + " came after " + before);
			}
			// A listing may have seen what is newer than this change.
			Entry known = this.entries.get(key);
			if (known != null && known.revision() >= change.revision()) {
				return;
			}
			if (change instanceof Change.Put put) {
				this.entries.put(key, put.entry());
			}
			else {
				this.entries.remove(key);
			}
		}

		private void listAgain() {
			Map<String, Entry> listed = pages(this.store, Query.prefix(this.prefix)).stream()
				.collect(Collectors.toMap(Entry::key, (entry) -> entry));
			this.entries.keySet().retainAll(listed.keySet());
			this.entries.putAll(listed);
		}

		void agreesWith(Store other) {
			agreesWith(other, List.of());
		}

		void agreesWith(Store other, List<Entry> known) {
			Map<String, Entry> expected = pages(other, Query.prefix(this.prefix)).stream()
				.collect(Collectors.toMap(Entry::key, (entry) -> entry));
			await(() -> {
				Map<String, Entry> seen = known.stream().collect(Collectors.toMap(Entry::key, (entry) -> entry));
				seen.putAll(this.entries);
				return seen.equals(expected);
			});
			assertThat(this.wrong).isEmpty();
		}

	}

}
