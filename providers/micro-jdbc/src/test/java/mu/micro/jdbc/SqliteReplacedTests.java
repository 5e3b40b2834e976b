package mu.micro.jdbc;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Clock;
import java.time.Duration;
import java.util.List;

import mu.micro.MicroException;
import mu.micro.store.Entry;
import mu.micro.store.Query;
import mu.micro.store.Store;
import mu.micro.store.TableWrite;
import mu.micro.store.Write;
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
		return new SqliteDialect(SqliteFile.open(file(), PATIENCE, Clock.systemUTC()));
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
		table.apply(new WriteRequest(bytes("ns"), writes).rows(), 0);
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
