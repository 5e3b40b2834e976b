package mu.micro.jdbc;

import java.nio.file.Path;
import java.time.Duration;

import mu.micro.Scoped;
import mu.micro.events.Events;
import mu.micro.events.Retention;
import mu.micro.tck.EventsContract;
import mu.micro.tck.TestClock;
import org.junit.jupiter.api.io.TempDir;

/**
 * The contract over one file, with views that share nothing but the file and the time.
 */
class SqliteEventsTests extends EventsContract {

	private final TestClock clock = TestClock.running();

	@TempDir
	private Path directory;

	@Override
	protected Scoped<Events> open(Retention retention) {
		return new SqliteEvents(
				JdbcDatabases.sqlite(this.directory.resolve("store.db"), Duration.ofSeconds(20), this.clock),
				retention);
	}

	@Override
	protected void pass(Duration time) {
		this.clock.advance(time);
	}

}
