package mu.micro.jdbc;

import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;

import mu.micro.Message;
import mu.micro.MicroException;
import mu.micro.events.Event;
import mu.micro.events.From;
import mu.micro.events.GroupState;
import org.jspecify.annotations.Nullable;

/**
 * Reads topics, events and groups on a connection, which may be one that writes. Every
 * row's checksum is compared: what is not as it was written is an error.
 */
final class EventReader {

	private static final String HEAD = "SELECT revision, event_offset, appended, bytes, checksum";

	private static final String EVENT = HEAD + ", id, headers, body";

	private static final String TOPIC = "SELECT " + TopicRow.COLUMNS + " FROM topics WHERE namespace = ? AND name = ?";

	private static final String TOPICS = "SELECT " + TopicRow.COLUMNS + " FROM topics WHERE namespace = ? AND "
			+ "(first_offset <= last_offset OR EXISTS (SELECT 1 FROM event_groups WHERE topic = topics.number)) "
			+ "ORDER BY name";

	private static final String EVENTS = EVENT
			+ " FROM events WHERE topic = ? AND event_offset >= ? ORDER BY event_offset LIMIT ?";

	private static final String ONE = EVENT + " FROM events WHERE topic = ? AND event_offset = ?";

	private static final String BY_ID = EVENT + " FROM events WHERE topic = ? AND id = ?";

	private static final String TIME = HEAD + " FROM events WHERE topic = ? AND event_offset = ?";

	private static final String GROUP = "SELECT " + GroupRow.COLUMNS + " FROM event_groups WHERE topic = ?";

	private static final String ONE_GROUP = GROUP + " AND name = ?";

	private static final String GROUPS = GROUP + " ORDER BY name";

	private static final String DELIVERIES = "SELECT event_offset, attempt, token, due, error, checksum "
			+ "FROM deliveries WHERE group_number = ?";

	private final Dialect dialect;

	private final Statements statements;

	private final String touched;

	EventReader(Dialect dialect, Statements statements) {
		this.dialect = dialect;
		this.statements = statements;
		this.touched = "SELECT namespace, name FROM topics WHERE number IN (SELECT topic FROM events"
				+ dialect.byRevision() + " WHERE revision > ? UNION SELECT topic FROM event_groups WHERE revision > ?)";
	}

	/**
	 * Finds a topic.
	 * @param place where it is
	 * @return the topic; null if there never was one
	 * @throws SQLException if it cannot be read
	 */
	@Nullable TopicRow topic(Place place) throws SQLException {
		PreparedStatement statement = this.statements.of(TOPIC);
		statement.setBytes(1, place.namespace());
		statement.setBytes(2, place.table());
		try (ResultSet result = statement.executeQuery()) {
			return result.next() ? topic(result) : null;
		}
	}

	private TopicRow topic(ResultSet result) throws SQLException {
		TopicRow topic = TopicRow.of(result);
		if (result.getLong(9) != topic.checksum()) {
			throw damaged(topic.place(), "the topic");
		}
		return topic;
	}

	/**
	 * The topics that have an event or a group.
	 * @param namespace whose
	 * @return their names, in order
	 * @throws SQLException if they cannot be read
	 */
	Set<String> topics(byte[] namespace) throws SQLException {
		Set<String> names = new LinkedHashSet<>();
		PreparedStatement statement = this.statements.of(TOPICS);
		statement.setBytes(1, namespace);
		try (ResultSet result = statement.executeQuery()) {
			while (result.next()) {
				names.add(Place.text(topic(result).place().table()));
			}
		}
		return names;
	}

	/**
	 * Reads events, the oldest first, and none only if there is none. One that is missing
	 * is damage too.
	 * @param topic the topic
	 * @param from the first offset
	 * @param limit how many at most
	 * @param bytes how large they are together, where there is more than one
	 * @return the events
	 * @throws SQLException if they cannot be read
	 */
	List<Event> events(TopicRow topic, long from, int limit, long bytes) throws SQLException {
		List<Event> events = new ArrayList<>();
		PreparedStatement statement = this.statements.of(EVENTS);
		statement.setLong(1, topic.number());
		statement.setLong(2, from);
		statement.setInt(3, limit);
		long next = Math.max(from, topic.first());
		long size = 0;
		try (ResultSet result = statement.executeQuery()) {
			while (result.next()) {
				Head head = head(topic, result);
				size += head.bytes();
				if (!events.isEmpty() && size > bytes) {
					return events;
				}
				if (head.offset() != next) {
					throw damaged(topic, next);
				}
				events.add(event(topic, head, result));
				next++;
			}
		}
		if (events.size() < limit && next <= topic.last()) {
			throw damaged(topic, next);
		}
		return events;
	}

	/**
	 * Finds an event.
	 * @param topic the topic
	 * @param offset the offset
	 * @return the event; null if it is not kept
	 * @throws SQLException if it cannot be read
	 */
	@Nullable Event event(TopicRow topic, long offset) throws SQLException {
		PreparedStatement statement = this.statements.of(ONE);
		statement.setLong(1, topic.number());
		statement.setLong(2, offset);
		Event event = one(topic, statement);
		if (event == null && offset >= topic.first()) {
			throw damaged(topic, offset);
		}
		return event;
	}

	/**
	 * Finds an event by its message.
	 * @param topic the topic
	 * @param id the message's id
	 * @return the event; null if there is none
	 * @throws SQLException if it cannot be read
	 */
	@Nullable Event event(TopicRow topic, byte[] id) throws SQLException {
		PreparedStatement statement = this.statements.of(BY_ID);
		statement.setLong(1, topic.number());
		statement.setBytes(2, id);
		return one(topic, statement);
	}

	private @Nullable Event one(TopicRow topic, PreparedStatement statement) throws SQLException {
		try (ResultSet result = statement.executeQuery()) {
			return result.next() ? event(topic, head(topic, result), result) : null;
		}
	}

	private Event event(TopicRow topic, Head head, ResultSet result) throws SQLException {
		byte[] id = result.getBytes(6);
		byte[] headers = result.getBytes(7);
		byte[] body = result.getBytes(8);
		if (id == null || body == null || head.lower() != Checksum.of(id, headers, body)) {
			throw damaged(topic, head.offset());
		}
		Message message = new Message(Place.text(id), Metadata.read(headers), body);
		return new Event(Place.text(topic.place().table()), head.offset(), Instant.ofEpochMilli(head.time()), message);
	}

	// Each column once, for each time costs a call into the engine.
	private Head head(TopicRow topic, ResultSet result) throws SQLException {
		long revision = result.getLong(1);
		long checksum = result.getLong(5);
		Head head = new Head(result.getLong(2), result.getLong(3), result.getLong(4), (int) checksum);
		if (checksum != checksum(head.lower(), revision, topic.number(), head.offset(), head.time(), head.bytes())) {
			throw damaged(topic, head.offset());
		}
		return head;
	}

	/**
	 * The checksum of an event.
	 * @param lower its lower half
	 * @param revision the revision it was appended with
	 * @param topic the number of its topic
	 * @param offset its offset
	 * @param time when it was appended
	 * @param bytes how large it is
	 * @return the checksum
	 */
	static long checksum(int lower, long revision, long topic, long offset, long time, long bytes) {
		return Checksum.of(lower, revision, topic, offset, time, bytes);
	}

	/**
	 * Finds where a time begins. Times never go back within a topic.
	 * @param topic the topic
	 * @param millis the time
	 * @return the first offset that has it or a later one; otherwise the next offset
	 * @throws SQLException if it cannot be read
	 */
	long offsetAt(TopicRow topic, long millis) throws SQLException {
		long low = topic.first();
		long high = topic.last() + 1;
		while (low < high) {
			long middle = low + (high - low) / 2;
			if (timeOf(topic, middle) < millis) {
				low = middle + 1;
			}
			else {
				high = middle;
			}
		}
		return low;
	}

	/**
	 * When an event was appended.
	 * @param topic its topic
	 * @param offset its offset, of one that is kept
	 * @return the time
	 * @throws SQLException if it cannot be read
	 */
	private long timeOf(TopicRow topic, long offset) throws SQLException {
		PreparedStatement statement = this.statements.of(TIME);
		statement.setLong(1, topic.number());
		statement.setLong(2, offset);
		try (ResultSet result = statement.executeQuery()) {
			if (!result.next()) {
				throw damaged(topic, offset);
			}
			return head(topic, result).time();
		}
	}

	/**
	 * Finds where a group begins.
	 * @param topic its topic
	 * @param from what it asked for
	 * @return the offset
	 * @throws SQLException if it cannot be read
	 */
	long begin(TopicRow topic, From from) throws SQLException {
		if (from instanceof From.Offset offset) {
			return Math.max(offset.offset(), topic.first());
		}
		if (from instanceof From.Time time) {
			return offsetAt(topic, millis(time.time()));
		}
		return topic.last() + 1;
	}

	/**
	 * The first millisecond that is not before a time.
	 * @param time the time
	 * @return the millisecond
	 */
	static long millis(Instant time) {
		try {
			return time.plusNanos(999_999).toEpochMilli();
		}
		catch (ArithmeticException | DateTimeException ex) {
			return (time.getEpochSecond() < 0) ? Long.MIN_VALUE : Long.MAX_VALUE;
		}
	}

	/**
	 * Finds a group.
	 * @param topic its topic
	 * @param name its name
	 * @return the group; null if it is not there
	 * @throws SQLException if it cannot be read
	 */
	@Nullable GroupRow group(TopicRow topic, String name) throws SQLException {
		PreparedStatement statement = this.statements.of(ONE_GROUP);
		statement.setLong(1, topic.number());
		statement.setBytes(2, Place.utf8(name));
		try (ResultSet result = statement.executeQuery()) {
			return result.next() ? group(topic, result) : null;
		}
	}

	private GroupRow group(TopicRow topic, ResultSet result) throws SQLException {
		GroupRow group = GroupRow.of(result);
		if (result.getLong(7) != group.checksum()) {
			throw damaged(topic.place(), "the group '" + group.name() + "' of the topic");
		}
		return group;
	}

	/**
	 * How far the groups of a topic are.
	 * @param topic the topic
	 * @return their states, in the order of their names
	 * @throws SQLException if they cannot be read
	 */
	List<GroupState> groups(TopicRow topic) throws SQLException {
		List<GroupRow> groups = new ArrayList<>();
		PreparedStatement statement = this.statements.of(GROUPS);
		statement.setLong(1, topic.number());
		try (ResultSet result = statement.executeQuery()) {
			while (result.next()) {
				groups.add(group(topic, result));
			}
		}
		List<GroupState> states = new ArrayList<>(groups.size());
		for (GroupRow group : groups) {
			// What is no longer kept is nobody's to handle.
			NavigableMap<Long, DeliveryRow> open = deliveries(topic, group).tailMap(topic.first(), true);
			long next = Math.max(group.next(), topic.first());
			int given = (int) open.values().stream().filter((each) -> each.attempt() > 0).count();
			long waiting = Math.max(0, topic.last() - next + 1) + open.size() - given;
			states.add(new GroupState(group.name(), open.isEmpty() ? next : open.firstKey(), given, waiting));
		}
		return states;
	}

	/**
	 * What was delivered to a group and is not done with.
	 * @param topic its topic
	 * @param group the group
	 * @return the deliveries by their offsets
	 * @throws SQLException if they cannot be read
	 */
	NavigableMap<Long, DeliveryRow> deliveries(TopicRow topic, GroupRow group) throws SQLException {
		NavigableMap<Long, DeliveryRow> deliveries = new TreeMap<>();
		PreparedStatement statement = this.statements.of(DELIVERIES);
		statement.setLong(1, group.number());
		try (ResultSet result = statement.executeQuery()) {
			while (result.next()) {
				DeliveryRow row = new DeliveryRow(result.getLong(1), result.getInt(2), result.getLong(3),
						result.getLong(4), result.getString(5));
				if (result.getLong(6) != row.checksum(group.number())) {
					throw damaged(topic.place(), "the group '" + group.name() + "' of the topic");
				}
				deliveries.put(row.offset(), row);
			}
		}
		return deliveries;
	}

	/**
	 * The topics of which there may be something new to take. Only a hint: nothing is
	 * checked.
	 * @param after a revision
	 * @return where they are
	 * @throws SQLException if they cannot be read
	 */
	List<Watchers.Table> touched(long after) throws SQLException {
		List<Watchers.Table> topics = new ArrayList<>();
		PreparedStatement statement = this.statements.of(this.touched);
		statement.setLong(1, after);
		statement.setLong(2, after);
		try (ResultSet result = statement.executeQuery()) {
			while (result.next()) {
				topics.add(new Watchers.Table(Place.text(result.getBytes(1)), Place.text(result.getBytes(2))));
			}
		}
		return topics;
	}

	private MicroException.Unavailable damaged(TopicRow topic, long offset) {
		return damaged(topic.place(), "the event " + offset + " of the topic");
	}

	private MicroException.Unavailable damaged(Place topic, String what) {
		return new MicroException.Unavailable(what + " '" + Place.text(topic.table()) + "' of namespace '"
				+ Place.text(topic.namespace()) + "' is damaged in " + this.dialect.name()
				+ ": put a backup in its place, or go on behind it with another group");
	}

	/**
	 * All of an event but what was appended.
	 *
	 * @param offset its offset
	 * @param time when it was appended
	 * @param bytes how large it is
	 * @param lower the lower half of its checksum
	 */
	private record Head(long offset, long time, long bytes, int lower) {
	}

}
