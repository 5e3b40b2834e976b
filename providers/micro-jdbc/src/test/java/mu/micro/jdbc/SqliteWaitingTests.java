package mu.micro.jdbc;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import mu.micro.Limits;
import mu.micro.MicroException;
import mu.micro.core.ChangeFeed;
import mu.micro.store.Change;
import mu.micro.store.Entry;
import mu.micro.store.Query;
import mu.micro.store.Store;
import mu.micro.store.TableWrite;
import mu.micro.store.When;
import mu.micro.store.Write;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Who waits for how long, and what is true afterwards.
 */
@Timeout(120)
class SqliteWaitingTests {

	private static final Duration SHORT = Duration.ofMillis(400);

	private static final Duration PATIENCE = Duration.ofSeconds(30);

	@TempDir
	private Path directory;

	private final ExecutorService threads = Executors.newCachedThreadPool();

	private JdbcDatabases databases;

	private Store table;

	private Connection other;

	@BeforeEach
	void open() throws SQLException {
		this.databases = StoreProcess.open(file(), PATIENCE);
		this.table = this.databases.in("ns").table("table");
		this.other = DriverManager.getConnection("jdbc:sqlite:" + file());
	}

	@AfterEach
	void close() throws SQLException {
		this.threads.shutdownNow();
		this.databases.close();
		this.other.close();
	}

	private Path file() {
		return this.directory.resolve("store.db");
	}

	@Test
	void whatIsNotWrittenInTimeIsNotWrittenAtAll() throws Exception {
		try (JdbcDatabases hasty = StoreProcess.open(file(), SHORT)) {
			Store same = hasty.in("ns").table("table");
			sql("BEGIN IMMEDIATE");
			List<Future<?>> waiting = new ArrayList<>();
			for (int i = 0; i < 8; i++) {
				String key = "late-" + i;
				waiting.add(this.threads.submit(() -> {
					long begin = System.nanoTime();
					assertThatExceptionOfType(MicroException.Unavailable.class)
						.isThrownBy(() -> same.put(key, bytes("x")))
						.withMessageContainingAll(file().toString(), "another process", SHORT.toString());
					assertThat(System.nanoTime() - begin).isGreaterThanOrEqualTo(SHORT.toNanos());
				}));
			}
			for (Future<?> each : waiting) {
				each.get(10, TimeUnit.SECONDS);
			}
			assertThat(same.list(Query.ALL).entries()).isEmpty();
			sql("COMMIT");
			same.put("after", bytes("x"));
			assertThat(same.list(Query.ALL).entries()).extracting(Entry::key).containsExactly("after");
		}
	}

	@Test
	void anInterruptedWriterIsCancelledAndNothingIsWritten() throws Exception {
		sql("BEGIN IMMEDIATE");
		CountDownLatch started = new CountDownLatch(1);
		Future<Boolean> waiting = this.threads.submit(() -> {
			Thread self = Thread.currentThread();
			this.threads.submit(() -> {
				Awaitility.await().until(() -> self.getState() == Thread.State.TIMED_WAITING);
				started.countDown();
				self.interrupt();
			});
			assertThatExceptionOfType(MicroException.Cancelled.class)
				.isThrownBy(() -> this.table.put("key", bytes("x")));
			return Thread.interrupted();
		});
		assertThat(waiting.get(10, TimeUnit.SECONDS)).isTrue();
		assertThat(started.getCount()).isZero();
		sql("COMMIT");
		this.table.put("after", bytes("x"));
		assertThat(this.table.get("key")).isNull();
	}

	@Test
	void howeverManyWaitNoneIsWrittenAfterItsTime() throws Exception {
		try (JdbcDatabases hasty = StoreProcess.open(file(), Duration.ofSeconds(3))) {
			Store same = hasty.in("ns").table("table");
			sql("BEGIN IMMEDIATE");
			List<Future<String>> waiting = new ArrayList<>();
			for (int i = 0; i < 1_100; i++) {
				String key = "key-" + i;
				waiting.add(this.threads.submit(() -> {
					try {
						same.put(key, bytes("x"));
						return "written";
					}
					catch (MicroException.Unavailable ex) {
						return ex.getMessage();
					}
				}));
			}
			for (Future<String> each : waiting) {
				assertThat(each.get(30, TimeUnit.SECONDS)).contains(file().toString());
			}
			sql("COMMIT");
			same.put("after", bytes("x"));
			assertThat(same.list(Query.ALL).entries()).hasSize(1);
		}
	}

	@Test
	void aConflictIsItsRequestsAloneAlsoWhereManyShareACommit() throws Exception {
		this.table.put("taken", bytes("x"));
		sql("BEGIN IMMEDIATE");
		List<Future<Long>> fine = new ArrayList<>();
		List<Future<Long>> conflicting = new ArrayList<>();
		for (int i = 0; i < 10; i++) {
			String key = "key-" + i;
			fine.add(this.threads.submit(() -> this.table.put(key, bytes("x"))));
			conflicting.add(this.threads.submit(() -> this.databases.in("ns")
				.apply(List.of(new TableWrite("table", Write.put("not " + key, bytes("x"))),
						new TableWrite("table", Write.put("taken", bytes("x")).withWhen(When.ABSENT))))
				.get(0)));
		}
		sql("COMMIT");
		for (Future<Long> each : fine) {
			assertThat(each.get(10, TimeUnit.SECONDS)).isPositive();
		}
		for (Future<Long> each : conflicting) {
			assertThatExceptionOfType(ExecutionException.class).isThrownBy(() -> each.get(10, TimeUnit.SECONDS))
				.withCauseInstanceOf(MicroException.Conflict.class);
		}
		assertThat(this.table.list(Query.ALL).entries()).hasSize(11);
	}

	@Test
	void aWriteThatTheDatabaseRefusesIsItsRequestsAloneAlsoWhereManyShareACommit() throws Exception {
		sql("CREATE TRIGGER refuse BEFORE INSERT ON entries WHEN NEW.key = CAST('bad' AS BLOB) "
				+ "BEGIN SELECT RAISE(ABORT, 'refused on purpose'); END");
		sql("BEGIN IMMEDIATE");
		List<Future<Long>> fine = new ArrayList<>();
		for (int i = 0; i < 10; i++) {
			String key = "key-" + i;
			fine.add(this.threads.submit(() -> this.table.put(key, bytes("x"))));
		}
		Future<Long> bad = this.threads.submit(() -> this.databases.in("ns")
			.apply(List.of(new TableWrite("table", Write.put("good", bytes("x"))),
					new TableWrite("table", Write.put("bad", bytes("x")))))
			.get(0));
		sql("COMMIT");
		for (Future<Long> each : fine) {
			assertThat(each.get(10, TimeUnit.SECONDS)).isPositive();
		}
		assertThatExceptionOfType(ExecutionException.class).isThrownBy(() -> bad.get(10, TimeUnit.SECONDS))
			.withCauseInstanceOf(MicroException.Unavailable.class)
			.withMessageContainingAll(file().toString(), "refused on purpose");
		assertThat(this.table.list(Query.ALL).entries()).hasSize(10);
		assertThat(this.table.get("good")).isNull();
	}

	@Test
	void aListingThatTakesTooLongIsGivenUp() throws Exception {
		fill(40_000);
		Query nothing = Query.ALL.withSuffix("nothing ends like this");
		try (JdbcDatabases hasty = StoreProcess.open(file(), Duration.ofMillis(1))) {
			assertThatExceptionOfType(MicroException.Unavailable.class)
				.isThrownBy(() -> hasty.in("ns").table("table").list(nothing))
				.withMessageContainingAll(file().toString(), "PT0.001S");
		}
		Thread.currentThread().interrupt();
		assertThatExceptionOfType(MicroException.Cancelled.class).isThrownBy(() -> this.table.list(nothing))
			.withMessageContaining(file().toString());
		assertThat(Thread.interrupted()).isTrue();
		assertThat(this.table.list(nothing).entries()).isEmpty();
	}

	@Test
	void aWatchFromFarBackComesForwardInShortSteps() throws Exception {
		long first = this.table.put("first", bytes("x"));
		fill(20_000);
		this.table.put("last", bytes("x"));
		SqliteDialect dialect = new SqliteDialect(SqliteFile.open(file(), () -> false, Clock.systemUTC()));
		List<Change> heard = new ArrayList<>();
		int steps = 0;
		try (Reader reader = new Reader(dialect, () -> false)) {
			Place place = Place.of("ns", "table");
			ChangeFeed.Step step = new ChangeFeed.Step(List.of(), first - 1, true);
			while (step.more()) {
				// Asked each 10,000 of SQLite's steps.
				AtomicInteger asked = new AtomicInteger();
				reader.giveUpWhen(() -> asked.incrementAndGet() > 8);
				step = reader.changes(place, Place.utf8("last"), step.revision(), 0);
				heard.addAll(step.changes());
				steps++;
			}
		}
		assertThat(heard).singleElement()
			.isInstanceOfSatisfying(Change.Put.class, (put) -> assertThat(put.entry().key()).isEqualTo("last"));
		assertThat(steps).isGreaterThan(10);
	}

	@Test
	void ofThoseWhoCopyADatabaseFourAreServedAtOnceAndNobodyElseWaits() throws Exception {
		this.table.put("key", bytes("x"));
		// Long enough for a put on a busy disk.
		Duration timeout = Duration.ofSeconds(3);
		CountDownLatch release = new CountDownLatch(1);
		CountDownLatch copying = new CountDownLatch(4);
		try (JdbcDatabases hasty = StoreProcess.open(file(), timeout)) {
			List<Future<Long>> copies = new ArrayList<>();
			for (int i = 0; i < 4; i++) {
				copies.add(this.threads.submit(() -> hasty.in("ns").snapshot((name, entry) -> {
					copying.countDown();
					await(release);
				})));
			}
			await(copying);
			assertThatExceptionOfType(MicroException.Unavailable.class)
				.isThrownBy(() -> hasty.in("ns").snapshot((name, entry) -> {
				}))
				.withMessageContainingAll(file().toString(), timeout.toString());
			assertThat(hasty.in("ns").table("table").get("key")).isNotNull();
			assertThat(hasty.in("ns").table("table").put("other", bytes("x"))).isPositive();
			release.countDown();
			for (Future<Long> each : copies) {
				assertThat(each.get(10, TimeUnit.SECONDS)).isPositive();
			}
		}
	}

	@Test
	void aCopyWhoseReceiverStopsForTooLongIsEnded() {
		this.table.put("a", bytes("x"));
		this.table.put("b", bytes("x"));
		try (JdbcDatabases hasty = StoreProcess.open(file(), SHORT)) {
			List<String> taken = new ArrayList<>();
			assertThatExceptionOfType(MicroException.Unavailable.class)
				.isThrownBy(() -> hasty.in("ns").snapshot((name, entry) -> {
					taken.add(entry.key());
					long begin = System.nanoTime();
					Awaitility.await().until(() -> System.nanoTime() - begin > SHORT.toNanos());
				}))
				.withMessageContainingAll(file().toString(), SHORT.toString());
			assertThat(taken).containsExactly("a");
			// Its connection is none the worse for it.
			assertThat(hasty.in("ns").snapshot((name, entry) -> taken.add(entry.key()))).isPositive();
			assertThat(taken).containsExactly("a", "a", "b");
		}
	}

	@Test
	void closingEndsWhatIsBeingReadAndWhatWaitsToBeWritten() throws Exception {
		this.table.put("a", bytes("x"));
		this.table.put("b", bytes("x"));
		CountDownLatch copying = new CountDownLatch(1);
		CountDownLatch release = new CountDownLatch(1);
		JdbcDatabases closing = StoreProcess.open(file(), PATIENCE);
		Future<Long> copy = this.threads.submit(() -> closing.in("ns").snapshot((name, entry) -> {
			copying.countDown();
			await(release);
		}));
		await(copying);
		sql("BEGIN IMMEDIATE");
		Future<Long> write = this.threads.submit(() -> closing.in("ns").table("table").put("c", bytes("x")));
		closing.close();
		release.countDown();
		assertThatExceptionOfType(ExecutionException.class).isThrownBy(() -> write.get(10, TimeUnit.SECONDS))
			.withCauseInstanceOf(MicroException.Unavailable.class)
			.withMessageContaining("closed");
		try {
			copy.get(10, TimeUnit.SECONDS);
		}
		catch (ExecutionException ex) {
			assertThat(ex).hasCauseInstanceOf(MicroException.Unavailable.class).hasMessageContaining("closed");
		}
		sql("COMMIT");
		assertThat(this.table.list(Query.ALL).entries()).hasSize(2);
	}

	private void fill(int count) {
		List<TableWrite> writes = new ArrayList<>();
		for (int i = 0; i < count; i++) {
			writes.add(new TableWrite("table", Write.put("key-" + i, bytes("x"))));
			if (writes.size() == Limits.BATCH) {
				this.databases.in("ns").apply(writes);
				writes.clear();
			}
		}
	}

	private void sql(String sql) throws SQLException {
		try (Statement statement = this.other.createStatement()) {
			statement.execute(sql);
		}
	}

	private static void await(CountDownLatch latch) {
		try {
			assertThat(latch.await(20, TimeUnit.SECONDS)).isTrue();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	private static byte[] bytes(String text) {
		return text.getBytes(StandardCharsets.UTF_8);
	}

}
