package mu.micro.jdbc;

import java.nio.file.Path;
import java.time.Duration;

import mu.micro.store.Databases;
import mu.micro.tck.StoreContract;
import mu.micro.tck.TestClock;
import org.junit.jupiter.api.io.TempDir;

/**
 * The contract over one file, with views that share nothing but the file and the time.
 */
class SqliteContractTests extends StoreContract {

	private final TestClock clock = new TestClock();

	@TempDir
	private Path directory;

	@Override
	protected Databases open() {
		return JdbcDatabases.sqlite(this.directory.resolve("store.db"), Duration.ofSeconds(20), this.clock);
	}

	@Override
	protected void pass(Duration time) {
		this.clock.advance(time);
	}

}
