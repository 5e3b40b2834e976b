package mu.micro.jdbc;

import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

import mu.micro.Limits;
import mu.micro.Message;
import mu.micro.MicroException;
import mu.micro.Scoped;
import mu.micro.Subscription;
import mu.micro.core.EventLog;
import mu.micro.events.Append;
import mu.micro.events.Event;
import mu.micro.events.Group;
import mu.micro.events.GroupState;
import mu.micro.events.Outbox;
import mu.micro.events.Retention;
import mu.micro.store.TableWrite;
import org.jspecify.annotations.Nullable;

/**
 * Topics of all namespaces in an SQL database, beside the tables of the store and with
 * its connections: so both can be written in one step. Durable; any number of processes
 * and of these may use the same one at once.
 * <p>
 * What is kept for too long is removed within seconds, in short steps, while one of these
 * is open. A topic's name and its last offset are kept for good, so that no offset is
 * given twice.
 */
final class JdbcEventLog implements Scoped<EventLog> {

	private final JdbcDatabases databases;

	private final Writer.Chore chore;

	private final Set<Subscription> watches = ConcurrentHashMap.newKeySet();

	private volatile boolean closed;

	/**
	 * Topics in the database that has these.
	 * @param databases where they are; closed later than this, by whoever opened it
	 * @param retention how long events are kept, which all that use the database should
	 * agree on
	 */
	JdbcEventLog(JdbcDatabases databases, Retention retention) {
		this.databases = databases;
		this.chore = new Removing(retention);
		databases.writer().add(this.chore);
	}

	@Override
	public EventLog in(String namespace) {
		return new Log(Limits.name("namespace", namespace));
	}

	/**
	 * Writes to tables and appends to topics in one step.
	 * @param namespace whose
	 * @return the way to do it
	 * @throws MicroException.Invalid if the namespace is not a name
	 */
	Outbox outbox(String namespace) {
		byte[] bytes = Place.utf8(Limits.name("namespace", namespace));
		return (writes, appends) -> apply(bytes, writes, appends);
	}

	private List<Event> apply(byte[] namespace, List<TableWrite> writes, List<Append> appends) {
		checkOpen();
		List<EntryWrite> entries = EntryWrite.of(namespace, writes.isEmpty() ? writes : TableWrite.batch(writes));
		List<EventWrite> events = Append.batch(writes, appends)
			.stream()
			.map((each) -> EventWrite.of(new Place(namespace, Place.utf8(each.topic())), each.message()))
			.toList();
		long size = EntryWrite.size(entries) + events.stream().mapToLong((each) -> each.message().body().length).sum();
		if (entries.isEmpty() && events.isEmpty()) {
			return List.of();
		}
		WriteRequest.Step<List<Event>> step = (open, now) -> {
			open.apply(entries, now);
			EventTable table = new EventTable(open);
			Event[] appended = new Event[events.size()];
			for (int i = 0; i < appended.length; i++) {
				appended[i] = table.append(events.get(i), now);
			}
			return List.of(appended);
		};
		return this.databases.writer().write((open, now) -> open.whole(step, now), size);
	}

	/**
	 * Ends the watches. The databases stay open.
	 */
	@Override
	public void close() {
		this.closed = true;
		this.databases.writer().remove(this.chore);
		this.watches.forEach(Subscription::close);
	}

	private void checkOpen() {
		if (this.closed) {
			throw new MicroException.Unavailable("the topics are closed");
		}
		this.databases.checkOpen();
	}

	private final class Log implements EventLog {

		private final String namespace;

		private final byte[] bytes;

		Log(String namespace) {
			this.namespace = namespace;
			this.bytes = Place.utf8(namespace);
		}

		private Place place(String topic) {
			return new Place(this.bytes, Place.utf8(topic));
		}

		@Override
		public Event append(String topic, Message message) {
			checkOpen();
			EventWrite write = EventWrite.of(place(topic), message);
			return JdbcEventLog.this.databases.writer()
				.write((open, now) -> new EventTable(open).append(write, now), write.size());
		}

		@Override
		public List<Event> read(String topic, long from, int limit) {
			return reading(topic, List.of(), (events, found) -> events.events(found, from, limit, Limits.BATCH_BYTES));
		}

		@Override
		public long offsetAt(String topic, Instant time) {
			return reading(topic, 1L, (events, found) -> events.offsetAt(found, EventReader.millis(time)));
		}

		@Override
		public Set<String> topics() {
			checkOpen();
			return JdbcEventLog.this.databases.readers()
				.read((reader) -> reader.events((events) -> events.topics(this.bytes)));
		}

		@Override
		public List<GroupState> groups(String topic) {
			return reading(topic, List.of(), EventReader::groups);
		}

		private <T> T reading(String topic, T without, TopicReading<T> reading) {
			checkOpen();
			Place place = place(topic);
			return JdbcEventLog.this.databases.readers().read((reader) -> reader.events((events) -> {
				TopicRow found = events.topic(place);
				return (found != null) ? reading.read(events, found) : without;
			}));
		}

		@Override
		public boolean removeGroup(String topic, String group) {
			checkOpen();
			Place place = place(topic);
			return JdbcEventLog.this.databases.writer()
				.write((open, now) -> new EventTable(open).removeGroup(place, group), 0);
		}

		@Override
		public void join(String topic, Group group) {
			exchange(topic, group, List.of(), 0);
		}

		@Override
		public Taken exchange(String topic, Group group, List<Outcome> outcomes, int wanted) {
			checkOpen();
			Place place = place(topic);
			// Who only looks, as many do again and again, is in no writer's way.
			Taken nothing = outcomes.isEmpty() ? nothing(place, group, wanted) : null;
			if (nothing != null) {
				return nothing;
			}
			List<Outcome> copy = List.copyOf(outcomes);
			return JdbcEventLog.this.databases.writer()
				.write((open, now) -> new EventTable(open).exchange(place, group, copy, wanted, now), 0);
		}

		private @Nullable Taken nothing(Place place, Group group, int wanted) {
			long now = JdbcEventLog.this.databases.clock().millis();
			return JdbcEventLog.this.databases.readers()
				.read((reader) -> reader
					.<@Nullable Taken>events((events) -> nothing(events, place, group, wanted, now)));
		}

		// Null if there is something to take or to write.
		private static @Nullable Taken nothing(EventReader events, Place place, Group group, int wanted, long now)
				throws SQLException {
			TopicRow topic = events.topic(place);
			GroupRow row = (topic != null) ? events.group(topic, group.name()) : null;
			if (topic == null || row == null) {
				return null;
			}
			GroupExchange exchange = new GroupExchange(events, topic, row, group, now);
			exchange.settle(List.of());
			boolean something = exchange.changesAnything() || (wanted > 0 && exchange.leavesSome());
			return something ? null : exchange.taken();
		}

		@Override
		public Subscription watch(String topic, Runnable news) {
			checkOpen();
			Subscription told = JdbcEventLog.this.databases.watchers()
				.watch(new Watchers.Table(this.namespace, topic), news);
			Watching watching = new Watching(told);
			JdbcEventLog.this.watches.add(watching);
			if (JdbcEventLog.this.closed) {
				watching.close();
			}
			return watching;
		}

	}

	/**
	 * A watch that is ended with the others.
	 */
	private final class Watching implements Subscription {

		private final Subscription told;

		Watching(Subscription told) {
			this.told = told;
		}

		@Override
		public void close() {
			JdbcEventLog.this.watches.remove(this);
			this.told.close();
		}

	}

	@FunctionalInterface
	private interface TopicReading<T> {

		T read(EventReader events, TopicRow topic) throws SQLException;

	}

	/**
	 * Removes what is kept for too long.
	 */
	private static final class Removing implements Writer.Chore {

		/**
		 * How often it is looked for when there was none.
		 */
		private static final long PAUSE = TimeUnit.SECONDS.toNanos(1);

		private final Retention retention;

		private long looked = System.nanoTime() - PAUSE;

		Removing(Retention retention) {
			this.retention = retention;
		}

		@Override
		public boolean isDue(EntryTable open, long now) throws SQLException {
			if (System.nanoTime() - this.looked < PAUSE) {
				return false;
			}
			boolean due = new EventTable(open).isOver(this.retention, now);
			if (!due) {
				this.looked = System.nanoTime();
			}
			return due;
		}

		@Override
		public void step(EntryTable open, long now) throws SQLException {
			new EventTable(open).sweep(this.retention, now);
		}

	}

}
