package mu.micro.jdbc;

import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;

import mu.micro.MicroException;
import mu.micro.core.DeadLetters;
import mu.micro.core.EventLog;
import mu.micro.events.Append;
import mu.micro.events.Event;
import mu.micro.events.Group;
import mu.micro.events.Retention;
import org.jspecify.annotations.Nullable;

/**
 * Changes topics, events and groups in a transaction that is open.
 */
final class EventTable {

	/**
	 * How many events are removed in one go, and how large they may be.
	 */
	private static final int STEP = 500;

	private static final long STEP_BYTES = 16 * 1024 * 1024;

	private static final String PUT_TOPIC = "INSERT INTO topics (" + TopicRow.COLUMNS
			+ ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (number) DO UPDATE SET "
			+ "first_offset = excluded.first_offset, last_offset = excluded.last_offset, oldest = excluded.oldest, "
			+ "newest = excluded.newest, bytes = excluded.bytes, checksum = excluded.checksum";

	private static final String APPEND = "INSERT INTO events "
			+ "(revision, topic, event_offset, appended, bytes, checksum, id, headers, body) "
			+ "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (topic, id) DO NOTHING";

	private static final String PUT_GROUP = "INSERT INTO event_groups "
			+ "(number, topic, name, next_offset, used, revision, checksum) VALUES (?, ?, ?, ?, ?, ?, ?) "
			+ "ON CONFLICT (number) DO UPDATE SET next_offset = excluded.next_offset, used = excluded.used, "
			+ "revision = excluded.revision, checksum = excluded.checksum";

	private static final String PUT_DELIVERY = "INSERT INTO deliveries "
			+ "(group_number, event_offset, attempt, token, due, checksum, error) VALUES (?, ?, ?, ?, ?, ?, ?) "
			+ "ON CONFLICT (group_number, event_offset) DO UPDATE SET attempt = excluded.attempt, "
			+ "token = excluded.token, due = excluded.due, checksum = excluded.checksum, error = excluded.error";

	private static final String REMOVE_DELIVERY = "DELETE FROM deliveries WHERE group_number = ? AND event_offset = ?";

	private static final String REMOVE_DELIVERIES = "DELETE FROM deliveries WHERE group_number = ?";

	private static final String FIND_GROUP = "SELECT number, revision FROM event_groups WHERE topic = ? AND name = ?";

	private static final String UNUSED = "SELECT " + GroupRow.COLUMNS + " FROM event_groups WHERE used <= ? "
			+ "AND NOT EXISTS (SELECT 1 FROM deliveries WHERE group_number = event_groups.number AND due > ?)";

	private static final String REMOVE_GROUP = "DELETE FROM event_groups WHERE number = ?";

	private static final String OVER = "SELECT " + TopicRow.COLUMNS + " FROM topics WHERE first_offset <= last_offset "
			+ "AND (oldest <= ? OR (bytes > ? AND oldest <= ?))";

	private static final String OLDEST = "SELECT event_offset, appended, bytes, revision FROM events "
			+ "WHERE topic = ? AND event_offset >= ? ORDER BY event_offset LIMIT ?";

	private static final String REMOVE_EVENTS = "DELETE FROM events WHERE topic = ? AND event_offset < ?";

	private static final System.Logger logger = System.getLogger(EventTable.class.getName());

	private final EntryTable open;

	private final Statements statements;

	private final EventReader reader;

	EventTable(EntryTable open) {
		this.open = open;
		this.statements = open.statements();
		this.reader = new EventReader(open.dialect(), open.statements());
	}

	/**
	 * Appends a message, or finds the event that it is already.
	 * @param write the message
	 * @param now the time
	 * @return the event
	 * @throws SQLException if that failed, maybe in part
	 */
	Event append(EventWrite write, long now) throws SQLException {
		TopicRow topic = topic(write.topic());
		long revision = this.open.revision() + 1;
		long offset = topic.last() + 1;
		// Whatever the clock does.
		long time = Math.max(now, topic.newest());
		PreparedStatement statement = this.statements.of(APPEND);
		statement.setLong(1, revision);
		statement.setLong(2, topic.number());
		statement.setLong(3, offset);
		statement.setLong(4, time);
		statement.setLong(5, write.size());
		statement.setLong(6,
				EventReader.checksum(write.checksum(), revision, topic.number(), offset, time, write.size()));
		statement.setBytes(7, write.id());
		setText(statement, 8, (write.headers() != null) ? Place.text(write.headers()) : null);
		statement.setBytes(9, write.message().body());
		if (statement.executeUpdate() == 0) {
			Event known = this.reader.event(topic, write.id());
			if (known != null) {
				return known;
			}
			throw new SQLException("an event that is there is not found");
		}
		this.open.wrote(revision);
		put(topic.with(time, write.size()));
		return new Event(Place.text(write.topic().table()), offset, Instant.ofEpochMilli(time), write.message());
	}

	private TopicRow topic(Place place) throws SQLException {
		TopicRow topic = this.reader.topic(place);
		if (topic == null) {
			topic = TopicRow.of(this.open.revision() + 1, place);
			this.open.wrote(topic.number());
			put(topic);
		}
		return topic;
	}

	private void put(TopicRow topic) throws SQLException {
		PreparedStatement statement = this.statements.of(PUT_TOPIC);
		statement.setLong(1, topic.number());
		statement.setBytes(2, topic.place().namespace());
		statement.setBytes(3, topic.place().table());
		statement.setLong(4, topic.first());
		statement.setLong(5, topic.last());
		statement.setLong(6, topic.oldest());
		statement.setLong(7, topic.newest());
		statement.setLong(8, topic.bytes());
		statement.setLong(9, topic.checksum());
		statement.executeUpdate();
	}

	/**
	 * Settles deliveries and takes new ones. The group is made if it is not there.
	 * @param place the topic
	 * @param group the group
	 * @param outcomes what came of deliveries
	 * @param wanted how many to take at most
	 * @param now the time
	 * @return what was taken
	 * @throws SQLException if that failed, maybe in part
	 */
	EventLog.Taken exchange(Place place, Group group, List<EventLog.Outcome> outcomes, int wanted, long now)
			throws SQLException {
		TopicRow topic = topic(place);
		GroupRow row = this.reader.group(topic, group.name());
		if (row == null) {
			long number = this.open.revision() + 1;
			row = new GroupRow(number, topic.number(), group.name(), this.reader.begin(topic, group.from()), now,
					number);
			this.open.wrote(number);
			put(row);
		}
		GroupExchange exchange = new GroupExchange(this.reader, topic, row, group, now);
		exchange.settle(outcomes);
		MicroException.Unavailable damage = null;
		for (DeliveryRow each : exchange.dead()) {
			try {
				bury(topic, group, each, now);
			}
			catch (MicroException.Unavailable ex) {
				exchange.keep(each);
				damage = ex;
			}
		}
		try {
			exchange.take(wanted);
		}
		catch (MicroException.Unavailable ex) {
			damage = ex;
		}
		// What is damaged keeps nothing that was done from counting.
		if (exchange.changesAnything()) {
			write(exchange, row);
		}
		if (damage != null && outcomes.isEmpty() && !exchange.tookAny()) {
			throw damage;
		}
		return exchange.taken();
	}

	private void bury(TopicRow topic, Group group, DeliveryRow delivery, long now) throws SQLException {
		Event event = this.reader.event(topic, delivery.offset());
		if (event == null) {
			logger.log(System.Logger.Level.WARNING,
					"event " + delivery.offset() + " of topic '" + Place.text(topic.place().table())
							+ "' is no longer kept, and group '" + group.name() + "' could not handle it: "
							+ delivery.error());
			return;
		}
		String error = (delivery.error() != null) ? delivery.error() : DeadLetters.LATE;
		Append letter = DeadLetters.of(event, group.name(), delivery.attempt(), error);
		if (letter == null) {
			return;
		}
		Place dead = new Place(topic.place().namespace(), Place.utf8(letter.topic()));
		TopicRow there = this.reader.topic(dead);
		if (there != null && this.reader.event(there, Place.utf8(letter.message().id())) != null) {
			letter = DeadLetters.another(letter);
		}
		append(EventWrite.of(dead, letter.message()), now);
	}

	private void write(GroupExchange exchange, GroupRow before) throws SQLException {
		long revision = before.revision();
		if (exchange.isNews()) {
			revision = this.open.revision() + 1;
			this.open.wrote(revision);
		}
		put(exchange.row(revision));
		PreparedStatement remove = this.statements.of(REMOVE_DELIVERY);
		for (long offset : exchange.gone()) {
			remove.setLong(1, before.number());
			remove.setLong(2, offset);
			remove.executeUpdate();
		}
		PreparedStatement put = this.statements.of(PUT_DELIVERY);
		for (DeliveryRow delivery : exchange.changed()) {
			put.setLong(1, before.number());
			put.setLong(2, delivery.offset());
			put.setInt(3, delivery.attempt());
			put.setLong(4, delivery.token());
			put.setLong(5, delivery.due());
			put.setLong(6, delivery.checksum(before.number()));
			setText(put, 7, delivery.error());
			put.executeUpdate();
		}
	}

	private void put(GroupRow group) throws SQLException {
		PreparedStatement statement = this.statements.of(PUT_GROUP);
		statement.setLong(1, group.number());
		statement.setLong(2, group.topic());
		statement.setBytes(3, Place.utf8(group.name()));
		statement.setLong(4, group.next());
		statement.setLong(5, group.used());
		statement.setLong(6, group.revision());
		statement.setLong(7, group.checksum());
		statement.executeUpdate();
	}

	/**
	 * Forgets a group, whatever is the matter with its row.
	 * @param place the topic
	 * @param name the group's name
	 * @return whether there was one
	 * @throws SQLException if that failed, maybe in part
	 */
	boolean removeGroup(Place place, String name) throws SQLException {
		TopicRow topic = this.reader.topic(place);
		if (topic == null) {
			return false;
		}
		PreparedStatement find = this.statements.of(FIND_GROUP);
		find.setLong(1, topic.number());
		find.setBytes(2, Place.utf8(name));
		long number;
		long revision;
		try (ResultSet result = find.executeQuery()) {
			if (!result.next()) {
				return false;
			}
			number = result.getLong(1);
			revision = result.getLong(2);
		}
		removeGroup(number, revision);
		return true;
	}

	private void removeGroup(long number, long revision) throws SQLException {
		for (String sql : List.of(REMOVE_DELIVERIES, REMOVE_GROUP)) {
			PreparedStatement remove = this.statements.of(sql);
			remove.setLong(1, number);
			remove.executeUpdate();
		}
		this.open.removed(revision);
	}

	/**
	 * Whether there is something that is kept for too long. Needs no transaction.
	 * @param retention how long that is
	 * @param now the time
	 * @return whether
	 * @throws SQLException if that cannot be read
	 */
	boolean isOver(Retention retention, long now) throws SQLException {
		return unused(retention, now) != null || over(retention, now) != null;
	}

	/**
	 * Removes events of one topic that are kept for too long, the oldest first and some
	 * of them, and a group that nobody uses.
	 * @param retention how long that is
	 * @param now the time
	 * @throws SQLException if that failed, maybe in part
	 */
	void sweep(Retention retention, long now) throws SQLException {
		GroupRow group = unused(retention, now);
		if (group != null) {
			removeGroup(group.number(), group.revision());
		}
		TopicRow topic = over(retention, now);
		if (topic != null) {
			sweep(topic, retention, now);
		}
	}

	// What is damaged is left as it is, for somebody who can repair it.

	private @Nullable GroupRow unused(Retention retention, long now) throws SQLException {
		PreparedStatement statement = this.statements.of(UNUSED);
		statement.setLong(1, before(now, retention.age()));
		statement.setLong(2, now);
		try (ResultSet result = statement.executeQuery()) {
			while (result.next()) {
				GroupRow group = GroupRow.of(result);
				if (result.getLong(7) == group.checksum()) {
					return group;
				}
			}
		}
		return null;
	}

	private @Nullable TopicRow over(Retention retention, long now) throws SQLException {
		PreparedStatement statement = this.statements.of(OVER);
		statement.setLong(1, before(now, retention.age()));
		statement.setLong(2, retention.bytes());
		statement.setLong(3, before(now, Retention.LEAST));
		try (ResultSet result = statement.executeQuery()) {
			while (result.next()) {
				TopicRow topic = TopicRow.of(result);
				if (result.getLong(9) == topic.checksum()) {
					return topic;
				}
			}
		}
		return null;
	}

	private void sweep(TopicRow topic, Retention retention, long now) throws SQLException {
		long tooOld = before(now, retention.age());
		long mayGo = before(now, Retention.LEAST);
		long first = topic.last() + 1;
		long time = topic.newest();
		long bytes = topic.bytes();
		long removed = 0;
		PreparedStatement oldest = this.statements.of(OLDEST);
		oldest.setLong(1, topic.number());
		oldest.setLong(2, topic.first());
		oldest.setInt(3, STEP + 1);
		try (ResultSet result = oldest.executeQuery()) {
			for (int count = 0; result.next(); count++) {
				first = result.getLong(1);
				time = result.getLong(2);
				boolean over = time <= tooOld || (bytes > retention.bytes() && time <= mayGo);
				if (!over || count == STEP || topic.bytes() - bytes > STEP_BYTES) {
					break;
				}
				first++;
				bytes -= result.getLong(3);
				removed = result.getLong(4);
			}
		}
		PreparedStatement remove = this.statements.of(REMOVE_EVENTS);
		remove.setLong(1, topic.number());
		remove.setLong(2, first);
		remove.executeUpdate();
		put(topic.without(first, time, bytes));
		this.open.removed(removed);
	}

	private static long before(long now, Duration time) {
		return now - TimeUnit.MILLISECONDS.convert(time);
	}

	private static void setText(PreparedStatement statement, int at, @Nullable String text) throws SQLException {
		if (text != null) {
			statement.setString(at, text);
		}
		else {
			statement.setNull(at, Types.VARCHAR);
		}
	}

}
