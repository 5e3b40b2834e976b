package mu.micro.jdbc;

import mu.micro.Scoped;
import mu.micro.events.Events;
import mu.micro.events.Retention;

/**
 * A view of the events in one file, with a handle on it that it shares with nobody.
 */
final class SqliteEvents implements Scoped<Events> {

	private final JdbcDatabases databases;

	private final JdbcEvents events;

	SqliteEvents(JdbcDatabases databases, Retention retention) {
		this.databases = databases;
		this.events = new JdbcEvents(databases, retention);
	}

	JdbcEvents events() {
		return this.events;
	}

	@Override
	public Events in(String namespace) {
		return this.events.in(namespace);
	}

	@Override
	public void close() {
		this.events.close();
		this.databases.close();
	}

}
