package mu.micro.jdbc;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Clock;
import java.time.Duration;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

import mu.micro.MicroException;
import mu.micro.Subscription;
import mu.micro.store.Change;
import mu.micro.store.Entry;
import mu.micro.store.Query;
import mu.micro.store.Store;
import mu.micro.store.TableWrite;
import mu.micro.store.Write;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Another file at the name of one that is in use.
 */
@DisabledOnOs(OS.WINDOWS)
@Timeout(120)
class SqliteReplacedTests {

	private static final Duration PATIENCE = Duration.ofSeconds(30);

	@TempDir
	private Path directory;

	private Path file() {
		return this.directory.resolve("store.db");
	}

	@Test
	void aFileThatComesWhileNobodyIsConnectedIsWrittenTo() throws Exception {
		SqliteDialect dialect = dialect();
		write(dialect, "before");
		Path other = this.directory.resolve("other.db");
		try (JdbcDatabases databases = StoreProcess.open(other)) {
			table(databases).put("theirs", bytes("value"));
		}
		moveIntoPlace(other);
		write(dialect, "after");
		try (JdbcDatabases databases = StoreProcess.open(file())) {
			assertThat(keys(databases)).containsExactly("after", "theirs");
		}
	}

	@Test
	void anOlderFileThatComesWhileNobodyIsConnectedIsRefused() throws Exception {
		SqliteDialect dialect = dialect();
		write(dialect, "old");
		Path backup = backup();
		write(dialect, "new");
		moveIntoPlace(backup);
		for (int i = 0; i < 2; i++) {
			assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(() -> write(dialect, "after"))
				.withMessageContainingAll(file().toString(), "was acknowledged");
		}
	}

	@Test
	void anOlderFileIsRefusedByWhoeverComesToItFirst() throws Exception {
		SqliteDialect dialect = dialect();
		Path backup = backup();
		write(dialect, "key");
		try (JdbcDatabases databases = StoreProcess.open(file())) {
			Store table = table(databases);
			databases.in("ns").snapshot((name, entry) -> {
				// Whose connection is in use now: another one reads.
				moveIntoPlace(backup);
				assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(() -> table.get("key"))
					.withMessageContainingAll(file().toString(), "was acknowledged");
			});
			assertThatExceptionOfType(MicroException.Unavailable.class)
				.isThrownBy(() -> table.put("lost", bytes("value")))
				.withMessageContainingAll(file().toString(), "replaced");
			assertThatExceptionOfType(MicroException.Unavailable.class)
				.isThrownBy(() -> table.put("refused", bytes("value")))
				.withMessageContainingAll(file().toString(), "was acknowledged");
		}
	}

	@Test
	void anOlderFileThatIsGoneOnWithBeginsWithLaterRevisions() throws Exception {
		for (int round = 0; round < 2; round++) {
			long kept;
			try (JdbcDatabases databases = StoreProcess.open(file())) {
				kept = table(databases).put("kept", bytes("value"));
			}
			Path backup = backup();
			long lost;
			try (JdbcDatabases databases = StoreProcess.open(file())) {
				table(databases).put("lost", bytes("value"));
				lost = table(databases).put("kept", bytes("lost"));
			}
			moveIntoPlace(backup);
			if (round == 0) {
				Files.delete(mark());
			}
			else {
				Files.write(mark(), new byte[100]);
			}
			long anew;
			try (JdbcDatabases databases = StoreProcess.open(file())) {
				assertThat(table(databases).get("kept").revision()).isEqualTo(kept);
				anew = table(databases).put("anew", bytes("value"));
				assertThat(anew).isGreaterThan(lost);
				// Some of them lost something, and nobody knows any more who.
				for (long after : List.of(kept, lost - 1, lost)) {
					assertThat(firstAfter(databases, after)).isInstanceOf(Change.Lagged.class);
				}
				assertThat(firstAfter(databases, anew - 1)).isInstanceOf(Change.Put.class);
			}
			try (JdbcDatabases databases = StoreProcess.open(file())) {
				assertThat(table(databases).put("again", bytes("value"))).isEqualTo(anew + 1);
			}
		}
	}

	@Test
	void manyGoOnAtOnceWithAFileThatHasNoMark() throws Exception {
		long last;
		try (JdbcDatabases databases = StoreProcess.open(file())) {
			last = table(databases).put("key", bytes("value"));
		}
		Files.delete(mark());
		ExecutorService threads = Executors.newFixedThreadPool(6);
		CyclicBarrier start = new CyclicBarrier(6);
		Callable<Long> opening = () -> {
			start.await(10, TimeUnit.SECONDS);
			try (JdbcDatabases databases = StoreProcess.open(file())) {
				return table(databases).put("by " + Thread.currentThread().getName(), bytes("value"));
			}
		};
		List<Future<Long>> revisions;
		try {
			revisions = threads.invokeAll(Collections.nCopies(6, opening));
		}
		finally {
			threads.shutdown();
		}
		Set<Long> different = new HashSet<>();
		for (Future<Long> each : revisions) {
			assertThat(each.get()).isGreaterThan(last + 1);
			different.add(each.get());
		}
		assertThat(different).hasSize(6);
		try (JdbcDatabases databases = StoreProcess.open(file())) {
			assertThat(keys(databases)).hasSize(7);
		}
	}

	@Test
	void aFileWhoseMarkCannotBeKeptIsUsedAllTheSame() throws Exception {
		Files.createDirectory(mark());
		for (int i = 0; i < 2; i++) {
			try (JdbcDatabases databases = StoreProcess.open(file())) {
				table(databases).put("key-" + i, bytes("value"));
				assertThat(keys(databases)).hasSize(i + 1);
			}
		}
	}

	@Test
	void whoWatchesHearsThatAnOlderFileIsInItsPlace() throws Exception {
		try (JdbcDatabases databases = StoreProcess.open(file())) {
			table(databases).put("kept", bytes("value"));
		}
		Path backup = backup();
		try (JdbcDatabases databases = StoreProcess.open(file())) {
			Queue<Change> heard = new ConcurrentLinkedQueue<>();
			table(databases).watch("", 0, heard::add);
			long lost = table(databases).put("lost", bytes("value"));
			Awaitility.await().atMost(PATIENCE).until(() -> heard.size() == 2);
			moveIntoPlace(backup);
			Files.delete(mark());
			Awaitility.await().atMost(PATIENCE).until(() -> heard.size() == 3);
			assertThat(heard).last()
				.isInstanceOfSatisfying(Change.Lagged.class,
						(lagged) -> assertThat(lagged.revision()).isGreaterThan(lost));
			table(databases).put("anew", bytes("value"));
			Awaitility.await().atMost(PATIENCE).until(() -> heard.size() == 4);
			assertThat(heard).last().isInstanceOf(Change.Put.class);
		}
	}

	@Test
	void aWriteIsInNoFileOrMayBeInTheLogThatIsThere() throws Exception {
		SqliteDialect dialect = dialect();
		Path backup = backup();
		EntryTable table = new EntryTable(dialect, () -> false);
		begin(table, "may be");
		Files.move(backup, file(), StandardCopyOption.REPLACE_EXISTING);
		assertThatExceptionOfType(MicroException.OutcomeUnknown.class).isThrownBy(table::commit)
			.withMessageContainingAll(file().toString(), "replaced", "store.db-wal");
		Path other = backup();
		moveIntoPlace(other);
		begin(table, "is not");
		assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(table::commit)
			.withMessageContainingAll(file().toString(), "replaced", "not in it");
		table.close();
	}

	@Test
	void aFileThatCannotBeLookedForIsTakenForTheSame() throws Exception {
		Path place = this.directory.resolve("place");
		Path moved = this.directory.resolve("moved");
		try (JdbcDatabases databases = StoreProcess.open(place.resolve("store.db"))) {
			table(databases).put("before", bytes("value"));
			Files.move(place, moved);
			Files.createFile(place);
			table(databases).put("meanwhile", bytes("value"));
			Files.delete(place);
			Files.move(moved, place);
			table(databases).put("after", bytes("value"));
			assertThat(keys(databases)).containsExactly("after", "before", "meanwhile");
		}
	}

	private SqliteDialect dialect() {
		return new SqliteDialect(SqliteFile.open(file(), () -> false, Clock.systemUTC()));
	}

	/*
	 * As the writer does it, who connects anew after an error.
	 */
	private static void write(SqliteDialect dialect, String key) throws Exception {
		try (EntryTable table = new EntryTable(dialect, () -> false)) {
			begin(table, key);
			table.commit();
		}
	}

	private static void begin(EntryTable table, String key) throws Exception {
		List<TableWrite> writes = List.of(new TableWrite("table", Write.put(key, bytes("value"))));
		table.begin();
		table.apply(EntryWrite.of(bytes("ns"), writes), 0);
	}

	private Path backup() throws IOException {
		return Files.copy(file(), this.directory.resolve("backup"));
	}

	private void moveIntoPlace(Path other) {
		try {
			Files.deleteIfExists(this.directory.resolve("store.db-wal"));
			Files.deleteIfExists(this.directory.resolve("store.db-shm"));
			Files.move(other, file(), StandardCopyOption.REPLACE_EXISTING);
		}
		catch (IOException ex) {
			throw new AssertionError(ex);
		}
	}

	private Path mark() {
		return this.directory.resolve("store.db-mark");
	}

	private static Change firstAfter(JdbcDatabases databases, long revision) {
		BlockingQueue<Change> heard = new LinkedBlockingQueue<>();
		try (Subscription watch = table(databases).watch("", revision, heard::add)) {
			return heard.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS);
		}
		catch (InterruptedException ex) {
			throw new AssertionError(ex);
		}
	}

	private static Store table(JdbcDatabases databases) {
		return databases.in("ns").table("table");
	}

	private static List<String> keys(JdbcDatabases databases) {
		return table(databases).list(Query.ALL).entries().stream().map(Entry::key).toList();
	}

	private static byte[] bytes(String text) {
		return text.getBytes(StandardCharsets.UTF_8);
	}

}
