package mu.micro.jdbc;

import java.sql.ResultSet;
import java.sql.SQLException;

/**
 * A topic as the database has it. Its number is the revision it was made with, and no
 * other's. It stays when its events are gone, so that no offset is given twice.
 *
 * @param number its number
 * @param place where it is
 * @param first the oldest event that is kept, the next one where there is none
 * @param last the last event that was appended, 0 where there was none
 * @param oldest when the first was appended
 * @param newest when the last was appended
 * @param bytes how large the events are that are kept
 */
record TopicRow(long number, Place place, long first, long last, long oldest, long newest, long bytes) {

	static final String COLUMNS = "number, namespace, name, first_offset, last_offset, oldest, newest, bytes, checksum";

	static TopicRow of(long number, Place place) {
		return new TopicRow(number, place, 1, 0, 0, 0, 0);
	}

	static TopicRow of(ResultSet result) throws SQLException {
		return new TopicRow(result.getLong(1), new Place(result.getBytes(2), result.getBytes(3)), result.getLong(4),
				result.getLong(5), result.getLong(6), result.getLong(7), result.getLong(8));
	}

	boolean isEmpty() {
		return this.first > this.last;
	}

	/**
	 * The same with one more event.
	 * @param time when it was appended
	 * @param size its bytes
	 * @return the topic
	 */
	TopicRow with(long time, long size) {
		return new TopicRow(this.number, this.place, this.first, this.last + 1, isEmpty() ? time : this.oldest, time,
				this.bytes + size);
	}

	/**
	 * The same without its oldest events.
	 * @param from the first that stays
	 * @param time when that was appended
	 * @param size the bytes of those that stay
	 * @return the topic
	 */
	TopicRow without(long from, long time, long size) {
		return new TopicRow(this.number, this.place, from, this.last, time, this.newest, size);
	}

	long checksum() {
		return Checksum.of(Checksum.of(this.place.namespace(), this.place.table()), this.number, this.first, this.last,
				this.oldest, this.newest, this.bytes);
	}

}
