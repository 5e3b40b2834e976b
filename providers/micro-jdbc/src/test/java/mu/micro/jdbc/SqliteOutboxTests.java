package mu.micro.jdbc;

import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;

import mu.micro.events.Retention;
import mu.micro.tck.OutboxContract;
import org.junit.jupiter.api.io.TempDir;

class SqliteOutboxTests extends OutboxContract {

	@TempDir
	private Path directory;

	@Override
	protected View open() {
		JdbcDatabases databases = JdbcDatabases.sqlite(this.directory.resolve("store.db"), Duration.ofSeconds(20),
				Clock.systemUTC());
		SqliteEvents events = new SqliteEvents(databases, Retention.DEFAULT);
		return new View(events.events().outboxes(), databases, events);
	}

}
