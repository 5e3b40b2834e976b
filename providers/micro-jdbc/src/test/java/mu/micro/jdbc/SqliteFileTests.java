package mu.micro.jdbc;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;

import mu.micro.Message;
import mu.micro.MicroException;
import mu.micro.events.Retention;
import mu.micro.store.Entry;
import mu.micro.store.Query;
import mu.micro.store.Store;
import mu.micro.store.TableWrite;
import mu.micro.store.Write;
import mu.micro.tck.TestClock;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * The file itself: how it is made, what is refused, how it shrinks, and that others can
 * read it.
 */
@Timeout(120)
class SqliteFileTests {

	private static final Duration PATIENCE = Duration.ofSeconds(30);

	@TempDir
	private Path directory;

	private Path file() {
		return this.directory.resolve("store.db");
	}

	private JdbcDatabases open() {
		return StoreProcess.open(file());
	}

	private void assertRefused(String... words) {
		assertThatExceptionOfType(MicroException.Unavailable.class)
			.isThrownBy(() -> StoreProcess.open(file(), Duration.ofMillis(200)))
			.withMessageContaining(file().toString())
			.withMessageContainingAll(words);
	}

	@Test
	void whatWasWrittenIsThereAfterwards() {
		for (int i = 0; i < 3; i++) {
			try (JdbcDatabases databases = open()) {
				databases.in("ns").table("table").put("key-" + i, bytes("value"));
				assertThat(databases.in("ns").table("table").list(Query.ALL).entries()).hasSize(i + 1);
			}
			// Closed in order there is but one file, and what guards it and the turns.
			assertThat(names()).containsExactly("store.db", "store.db-mark", "store.db-turn");
		}
	}

	@Test
	@DisabledOnOs(OS.WINDOWS)
	void onlyTheUserMayReadIt() throws IOException {
		Path file = this.directory.resolve("deep/er/store.db");
		try (JdbcDatabases databases = StoreProcess.open(file)) {
			databases.in("ns").table("table").put("key", bytes("value"));
			for (Path made : List.of(file.getParent(), file.getParent().getParent())) {
				assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(made))).isEqualTo("rwx------");
			}
			try (Stream<Path> files = Files.list(file.getParent())) {
				List<Path> made = files.toList();
				assertThat(made).hasSize(5);
				for (Path each : made) {
					assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(each))).as(each.toString())
						.isEqualTo("rw-------");
				}
			}
		}
	}

	@Test
	void anyNameWillDo() {
		for (String name : List.of("a b", "a?mode=memory&b=c", "a%20b#c", "ü€\ud83d\ude00", "file:x", ":memory:",
				"'\"")) {
			Path file = this.directory.resolve("in " + name).resolve(name);
			try (JdbcDatabases databases = StoreProcess.open(file)) {
				databases.in("ns").table("table").put("key", bytes("value"));
			}
			assertThat(file).isRegularFile();
			try (JdbcDatabases databases = StoreProcess.open(file)) {
				assertThat(databases.in("ns").table("table").get("key")).isNotNull();
			}
		}
	}

	@Test
	void manyThreadsMakeItAtOnce() throws Exception {
		for (int round = 0; round < 10; round++) {
			Path file = this.directory.resolve("round-" + round).resolve("store.db");
			atOnce(6, () -> {
				try (JdbcDatabases databases = StoreProcess.open(file)) {
					databases.in("ns").table("table").put("by " + Thread.currentThread().getName(), bytes("value"));
				}
				return true;
			});
			try (JdbcDatabases databases = StoreProcess.open(file)) {
				assertThat(databases.in("ns").table("table").list(Query.ALL).entries()).hasSize(6);
			}
		}
	}

	@Test
	void whereThereAreNoLinksItIsMadeInPlaceWhileOthersWait() throws Exception {
		for (int round = 0; round < 10; round++) {
			Path file = Files.createDirectory(this.directory.resolve("round-" + round)).resolve("store.db");
			CyclicBarrier start = new CyclicBarrier(4);
			atOnce(4, () -> {
				new SqliteFile(file, Clock.systemUTC()).makeInPlace();
				start.await(10, TimeUnit.SECONDS);
				try (JdbcDatabases databases = StoreProcess.open(file)) {
					databases.in("ns").table("table").put("by " + Thread.currentThread().getName(), bytes("value"));
				}
				return true;
			});
			try (JdbcDatabases databases = StoreProcess.open(file)) {
				assertThat(databases.in("ns").table("table").list(Query.ALL).entries()).hasSize(4);
			}
		}
	}

	@Test
	void aFileOfTheFirstFormatIsBroughtUpByManyAtOnce() throws Exception {
		sql("PRAGMA auto_vacuum = INCREMENTAL", "PRAGMA application_id = " + 0x6d63726f);
		atOnce(6, () -> {
			try (JdbcDatabases databases = open()) {
				databases.in("ns").table("table").put("by " + Thread.currentThread().getName(), bytes("value"));
			}
			return true;
		});
		try (JdbcDatabases databases = open()) {
			assertThat(databases.in("ns").table("table").list(Query.ALL).entries()).hasSize(6);
		}
	}

	@Test
	void aFileFromBeforeThereWereEventsKeepsItsEntriesAndGetsTopics() throws Exception {
		try (JdbcDatabases databases = open()) {
			databases.in("ns").table("table").put("key", bytes("value"));
		}
		String row = String.join(", ", sql("SELECT revision, checksum FROM entries").get(0));
		Files.delete(file());
		sql("PRAGMA auto_vacuum = INCREMENTAL",
				"CREATE TABLE entries (revision INTEGER PRIMARY KEY, namespace BLOB NOT NULL, "
						+ "table_name BLOB NOT NULL, key BLOB NOT NULL, expires INTEGER, checksum INTEGER NOT NULL, "
						+ "metadata TEXT, value BLOB NOT NULL, UNIQUE (namespace, table_name, key))",
				"CREATE INDEX entries_expires ON entries (expires) WHERE expires IS NOT NULL",
				"CREATE TABLE gone (revision INTEGER PRIMARY KEY, namespace BLOB NOT NULL, "
						+ "table_name BLOB NOT NULL, key BLOB NOT NULL, way INTEGER NOT NULL, "
						+ "checksum INTEGER NOT NULL)",
				"INSERT INTO entries (revision, checksum, namespace, table_name, key, value) VALUES (" + row
						+ ", CAST('ns' AS BLOB), CAST('table' AS BLOB), CAST('key' AS BLOB), CAST('value' AS BLOB))",
				"PRAGMA application_id = " + 0x6d63726f, "PRAGMA user_version = 1", "PRAGMA journal_mode = WAL");
		atOnce(4, () -> {
			try (JdbcDatabases databases = open(); JdbcEventLog logs = new JdbcEventLog(databases, Retention.DEFAULT)) {
				logs.in("ns").append("topic", Message.of(bytes("event")));
			}
			return true;
		});
		assertThat(sql("PRAGMA user_version").get(0)).containsExactly("2");
		try (JdbcDatabases databases = open(); JdbcEventLog logs = new JdbcEventLog(databases, Retention.DEFAULT)) {
			assertThat(databases.in("ns").table("table").get("key").value()).isEqualTo(bytes("value"));
			assertThat(logs.in("ns").read("topic", 0, 10)).hasSize(4);
		}
	}

	@Test
	void aFileOfANewerFormatIsRefusedAndLeftAsItIs() throws Exception {
		open().close();
		sql("PRAGMA user_version = 3");
		byte[] before = Files.readAllBytes(file());
		assertRefused("format 3", "newer version of Micro");
		assertThat(Files.readAllBytes(file())).isEqualTo(before);
	}

	@Test
	void whatIsNotOursIsRefusedAndLeftAsItIs() throws Exception {
		Files.writeString(file(), "a text that is no database\n".repeat(1000));
		byte[] text = Files.readAllBytes(file());
		assertRefused("no SQLite database");
		assertThat(Files.readAllBytes(file())).isEqualTo(text);
		Files.delete(file());
		sql("CREATE TABLE entries (a)");
		byte[] database = Files.readAllBytes(file());
		assertRefused("not one of Micro's", "micro.data-dir");
		assertThat(Files.readAllBytes(file())).isEqualTo(database);
		Files.delete(file());
		Files.createFile(file());
		assertRefused("is empty", "backup");
		assertThat(file()).isEmptyFile();
		Files.delete(file());
		Files.createDirectory(file());
		assertRefused("is no file", "micro.data-dir");
		Files.delete(file());
		Path below = Files.createFile(file()).resolve("store.db");
		assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(() -> StoreProcess.open(below))
			.withMessageContainingAll(below.toString(), "micro.data-dir");
	}

	@Test
	void aLogWithoutItsFileIsNotTakenForAnothersLog() throws Exception {
		open().close();
		Files.write(this.directory.resolve("store.db-wal"), new byte[5000]);
		Files.delete(file());
		assertRefused("is gone", "store.db-wal", "delete the log");
		assertThat(file()).doesNotExist();
		Files.delete(this.directory.resolve("store.db-wal"));
		open().close();
	}

	@Test
	void aDeletedFileIsMadeAnewWithLaterRevisions() throws Exception {
		long before;
		try (JdbcDatabases databases = open()) {
			before = databases.in("ns").table("table").put("key", bytes("value"));
		}
		Files.delete(file());
		try (JdbcDatabases databases = open()) {
			assertThat(databases.in("ns").table("table").get("key")).isNull();
			assertThat(databases.in("ns").table("table").put("key", bytes("value"))).isGreaterThan(before);
		}
	}

	@Test
	void aDeletedFileIsMadeAnewWithLaterRevisionsThoughTheClockStands() throws Exception {
		Clock clock = new TestClock();
		long before = 0;
		for (int i = 0; i < 3; i++) {
			try (JdbcDatabases databases = JdbcDatabases.sqlite(file(), PATIENCE, clock)) {
				for (int j = 0; j < 5; j++) {
					long revision = databases.in("ns").table("table").put("key", bytes("value"));
					assertThat(revision).isGreaterThan(before);
					before = revision;
				}
			}
			Files.delete(file());
		}
	}

	@Test
	void whoMakesTheFileTooLateLeavesTheOtherOnesMarkAlone() throws Exception {
		AtomicLong written = new AtomicLong();
		// It is looked at while the file is being made.
		InstantSource late = () -> {
			if (written.get() == 0) {
				try (JdbcDatabases first = open()) {
					written.set(first.in("ns").table("table").put("first", bytes("value")));
				}
			}
			return Instant.now();
		};
		try (JdbcDatabases databases = JdbcDatabases.sqlite(file(), PATIENCE, late.withZone(ZoneOffset.UTC))) {
			assertThat(databases.in("ns").table("table").put("second", bytes("value"))).isEqualTo(written.get() + 1);
			assertThat(keys(databases)).containsExactly("first", "second");
		}
	}

	@Test
	void anOlderFileInItsPlaceIsRefusedUntilSomebodySaysSo() throws Exception {
		Path backup = this.directory.resolve("backup");
		try (JdbcDatabases databases = open()) {
			databases.in("ns").table("table").put("old", bytes("value"));
		}
		Files.copy(file(), backup);
		try (JdbcDatabases databases = open()) {
			databases.in("ns").table("table").put("new", bytes("value"));
		}
		Files.delete(file());
		Files.copy(backup, file());
		assertRefused("was acknowledged", "store.db-mark");
		Files.delete(this.directory.resolve("store.db-mark"));
		try (JdbcDatabases databases = open()) {
			assertThat(databases.in("ns").table("table").list(Query.ALL).entries()).extracting(Entry::key)
				.containsExactly("old");
		}
	}

	@Test
	@DisabledOnOs(OS.WINDOWS)
	void aFileThatIsDeletedWhileInUseIsSaidAndNothingIsWrittenToNowhere() throws Exception {
		try (JdbcDatabases databases = StoreProcess.open(file(), Duration.ofSeconds(1));
				JdbcDatabases other = StoreProcess.open(file(), Duration.ofSeconds(1))) {
			Store table = databases.in("ns").table("table");
			table.put("before", bytes("value"));
			other.in("ns").table("table").put("before", bytes("value"));
			for (String name : names()) {
				Files.delete(this.directory.resolve(name));
			}
			for (int i = 0; i < 3; i++) {
				assertThatExceptionOfType(MicroException.Unavailable.class)
					.isThrownBy(() -> table.put("lost", bytes("value")))
					.withMessageContainingAll(file().toString(), "deleted");
				assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(() -> table.get("before"))
					.withMessageContainingAll(file().toString(), "deleted");
			}
			try (JdbcDatabases anew = open()) {
				anew.in("ns").table("table").put("anew", bytes("value"));
				assertThat(table.put("after", bytes("value"))).isPositive();
				Awaitility.await()
					.atMost(PATIENCE)
					.ignoreExceptions()
					.untilAsserted(() -> assertThat(keys(other)).containsExactly("after", "anew"));
				assertThat(keys(databases)).containsExactly("after", "anew");
				other.close();
				assertThat(keys(anew)).containsExactly("after", "anew");
			}
		}
		try (JdbcDatabases databases = open()) {
			assertThat(keys(databases)).containsExactly("after", "anew");
		}
	}

	@Test
	void whereTheLogCannotBeSharedThatIsSaidAtOnce() throws Exception {
		open().close();
		sql("PRAGMA journal_mode = DELETE");
		SqliteFile file = new SqliteFile(file(), Clock.systemUTC());
		// As on file systems that know neither locks nor shared memory.
		String url = "jdbc:sqlite:" + file().toUri() + "?nolock=1";
		try (Statements statements = new Statements(DriverManager.getConnection(url), 0)) {
			assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(() -> file.useLog(statements))
				.withMessageContainingAll(file().toString(), "local disk", "micro.data-dir");
		}
		open().close();
	}

	@Test
	void inAllThatIsWaitedForOnePatienceIsSpent() throws Exception {
		SqliteFile sound = SqliteFile.open(file(), () -> false, Clock.systemUTC());
		try (Connection other = DriverManager.getConnection("jdbc:sqlite:" + file());
				Statement statement = other.createStatement()) {
			statement.execute("PRAGMA journal_mode = DELETE");
			statement.execute("BEGIN EXCLUSIVE");
			AtomicInteger opening = new AtomicInteger();
			assertThatExceptionOfType(MicroException.Unavailable.class)
				.isThrownBy(() -> SqliteFile.open(file(), () -> opening.incrementAndGet() < 3, Clock.systemUTC()))
				.withMessageContainingAll(file().toString(), "another process");
			assertThat(opening).hasValue(3);
			for (boolean readOnly : List.of(true, false)) {
				AtomicInteger connecting = new AtomicInteger();
				assertThatExceptionOfType(SQLException.class)
					.isThrownBy(() -> sound.connect(readOnly, () -> connecting.incrementAndGet() < 3));
				assertThat(connecting).hasValue(3);
			}
		}
		Path empty = Files.createFile(this.directory.resolve("empty"));
		Files.move(empty, file(), StandardCopyOption.REPLACE_EXISTING);
		AtomicInteger looking = new AtomicInteger();
		assertThatExceptionOfType(MicroException.Unavailable.class)
			.isThrownBy(() -> sound.connect(true, () -> looking.incrementAndGet() < 3))
			.withMessageContainingAll(file().toString(), "is empty");
		assertThat(looking).hasValue(3);
	}

	@Test
	void aByteOfAValueThatChangesOnTheDiskIsAnErrorAndAWriteHealsIt() throws Exception {
		byte[] value = new byte[200_000];
		new Random(3).nextBytes(value);
		try (JdbcDatabases databases = open()) {
			databases.in("ns").table("table").put("large", value);
			databases.in("ns").table("table").put("small", bytes("value"));
		}
		int at = indexOf(Files.readAllBytes(file()), value, 1000);
		try (JdbcDatabases databases = open()) {
			Store table = databases.in("ns").table("table");
			// What was read before may be remembered, and right.
			flip(at);
			for (int i = 0; i < 2; i++) {
				assertDamaged(() -> table.get("large"));
				assertDamaged(() -> table.list(Query.ALL));
				assertDamaged(() -> databases.in("ns").snapshot((name, entry) -> {
				}));
			}
			assertThat(table.get("small").value()).isEqualTo(bytes("value"));
			assertThat(table.list(Query.ALL.withKeysOnly()).entries()).hasSize(2);
			table.put("large", value);
			assertThat(table.get("large").value()).isEqualTo(value);
			assertThat(table.list(Query.ALL).entries()).hasSize(2);
		}
	}

	private void assertDamaged(Callable<?> call) {
		assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(call::call)
			.withMessageContainingAll(file().toString(), "damaged", "'large'", "'table'", "'ns'");
	}

	@Test
	void theSpaceOfWhatExpiredComesBack() throws Exception {
		TestClock clock = new TestClock();
		try (JdbcDatabases databases = JdbcDatabases.sqlite(file(), PATIENCE, clock)) {
			Store kept = databases.in("ns").table("kept");
			kept.put("key", bytes("value"));
			List<TableWrite> writes = new ArrayList<>();
			for (int i = 0; i < 1_000; i++) {
				writes.add(new TableWrite("short",
						Write.put("key-" + i, new byte[16_000]).withTtl(Duration.ofMinutes(1))));
			}
			databases.in("ns").apply(writes);
			Awaitility.await().atMost(PATIENCE).until(() -> Files.size(file()) > 16_000_000);
			clock.advance(Duration.ofMinutes(1));
			Awaitility.await()
				.atMost(PATIENCE)
				.untilAsserted(() -> assertThat(Files.size(file()) + Files.size(this.directory.resolve("store.db-wal")))
					.isLessThan(6_500_000));
			assertThat(kept.get("key")).isNotNull();
			assertThat(databases.in("ns").tables()).containsExactly("kept");
		}
		assertThat(Files.size(file())).isLessThan(2_500_000);
	}

	@Test
	void theSpaceOfWhatWasDeletedComesBack() throws Exception {
		try (JdbcDatabases databases = open()) {
			Store table = databases.in("ns").table("table");
			for (int i = 0; i < 8; i++) {
				table.put("key-" + i, new byte[4_000_000]);
			}
			for (int i = 0; i < 8; i++) {
				table.delete("key-" + i);
			}
			Awaitility.await().atMost(PATIENCE).until(() -> Files.size(file()) < 2_500_000);
			Awaitility.await()
				.atMost(PATIENCE)
				.until(() -> Files.size(this.directory.resolve("store.db-wal")) <= SqliteFile.LOG_BYTES);
		}
	}

	@Test
	void aReaderThatHoldsOnToAMomentDoesNotKeepTheLogLargeAfterwards() throws Exception {
		Path log = this.directory.resolve("store.db-wal");
		try (JdbcDatabases databases = open()) {
			Store table = databases.in("ns").table("table");
			table.put("key", bytes("value"));
			databases.in("ns").snapshot((name, entry) -> {
				for (int i = 0; i < 20; i++) {
					table.put("large", new byte[1_000_000]);
				}
				assertThat(log.toFile().length()).isGreaterThan(15_000_000);
			});
			Awaitility.await().atMost(PATIENCE).until(() -> Files.size(log) <= SqliteFile.LOG_BYTES);
		}
	}

	@Test
	void othersCanReadItWithTheirTools() throws Exception {
		try (JdbcDatabases databases = open()) {
			databases.in("ns").table("notes").put(Write.put("first", bytes("hello")).withMetadata(Map.of("a", "b\"c")));
			String query = "SELECT namespace, table_name, key, metadata, value FROM entries";
			String expected = "ns|notes|first|{\"a\":\"b\\\"c\"}|hello";
			assertThat(String.join("|", sql(query).get(0))).isEqualTo(expected);
			Process tool;
			try {
				tool = new ProcessBuilder("sqlite3", file().toString(), query + "; PRAGMA integrity_check;")
					.redirectErrorStream(true)
					.start();
			}
			catch (IOException ex) {
				// Not installed: read by JDBC alone.
				return;
			}
			String printed = new String(tool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
			assertThat(printed.strip().lines()).containsExactly(expected, "ok");
		}
	}

	private List<List<String>> sql(String... statements) throws SQLException {
		List<List<String>> rows = new ArrayList<>();
		try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file());
				Statement statement = connection.createStatement()) {
			for (String sql : statements) {
				if (statement.execute(sql)) {
					try (ResultSet result = statement.getResultSet()) {
						while (result.next()) {
							List<String> row = new ArrayList<>();
							for (int i = 1; i <= result.getMetaData().getColumnCount(); i++) {
								row.add(result.getString(i));
							}
							rows.add(row);
						}
					}
				}
			}
		}
		return rows;
	}

	private List<String> names() {
		try (Stream<Path> files = Files.list(this.directory)) {
			return files.map((file) -> file.getFileName().toString()).sorted().toList();
		}
		catch (IOException ex) {
			throw new AssertionError(ex);
		}
	}

	private void flip(int at) throws IOException {
		try (RandomAccessFile file = new RandomAccessFile(file().toFile(), "rw")) {
			file.seek(at);
			int before = file.read();
			file.seek(at);
			file.write(before ^ 1);
		}
	}

	private static int indexOf(byte[] all, byte[] value, int from) {
		for (int i = 0; i < all.length - 16; i++) {
			int same = 0;
			while (same < 16 && all[i + same] == value[from + same]) {
				same++;
			}
			if (same == 16) {
				return i;
			}
		}
		throw new AssertionError("not found");
	}

	private static List<String> keys(JdbcDatabases databases) {
		return databases.in("ns").table("table").list(Query.ALL).entries().stream().map(Entry::key).toList();
	}

	private static <T> void atOnce(int count, Callable<T> task) throws Exception {
		ExecutorService threads = Executors.newFixedThreadPool(count);
		try {
			CyclicBarrier start = new CyclicBarrier(count);
			List<Future<T>> running = new ArrayList<>();
			for (int i = 0; i < count; i++) {
				running.add(threads.submit(() -> {
					start.await(10, TimeUnit.SECONDS);
					return task.call();
				}));
			}
			for (Future<T> each : running) {
				each.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
			}
		}
		finally {
			threads.shutdownNow();
		}
	}

	private static byte[] bytes(String text) {
		return text.getBytes(StandardCharsets.UTF_8);
	}

}
