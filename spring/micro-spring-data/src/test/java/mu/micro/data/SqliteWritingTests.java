package mu.micro.data;

import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;

import mu.micro.jdbc.JdbcDatabases;
import mu.micro.store.Databases;
import org.junit.jupiter.api.io.TempDir;

/**
 * Writing in a file of SQLite's, which each application opens for itself.
 */
class SqliteWritingTests extends WritingContract {

	@TempDir
	Path directory;

	@Override
	Databases open(Clock time) {
		return JdbcDatabases.sqlite(this.directory.resolve("store.db"), Duration.ofSeconds(30), time);
	}

}
