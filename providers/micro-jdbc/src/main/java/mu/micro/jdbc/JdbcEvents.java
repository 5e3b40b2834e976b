package mu.micro.jdbc;

import mu.micro.MicroException;
import mu.micro.Scoped;
import mu.micro.core.LoggedEvents;
import mu.micro.events.Events;
import mu.micro.events.Outbox;
import mu.micro.events.Retention;

/**
 * Events in an SQL database, beside the tables of the store: so both can be written in
 * one step. Durable; any number of processes and of these may use the same one at once.
 */
public final class JdbcEvents implements Scoped<Events> {

	private final JdbcEventLog logs;

	private final LoggedEvents events;

	/**
	 * Events in the database that has these.
	 * @param databases where they are; closed later than this, by whoever opened it
	 * @param retention how long events are kept, which all that use the database should
	 * agree on
	 */
	public JdbcEvents(JdbcDatabases databases, Retention retention) {
		this.logs = new JdbcEventLog(databases, retention);
		this.events = new LoggedEvents(this.logs);
	}

	@Override
	public Events in(String namespace) {
		return this.events.in(namespace);
	}

	/**
	 * Writes to the tables of the database together with appending to its topics.
	 * @return the outboxes, valid until they or this are closed
	 */
	public Scoped<Outbox> outboxes() {
		return new Outboxes();
	}

	@Override
	public void close() {
		this.events.close();
	}

	private final class Outboxes implements Scoped<Outbox> {

		private volatile boolean closed;

		@Override
		public Outbox in(String namespace) {
			Outbox outbox = JdbcEvents.this.logs.outbox(namespace);
			return (writes, appends) -> {
				if (this.closed) {
					throw new MicroException.Unavailable("the outbox is closed");
				}
				return outbox.apply(writes, appends);
			};
		}

		@Override
		public void close() {
			this.closed = true;
		}

	}

}
