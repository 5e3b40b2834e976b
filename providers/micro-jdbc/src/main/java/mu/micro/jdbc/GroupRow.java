package mu.micro.jdbc;

import java.sql.ResultSet;
import java.sql.SQLException;

/**
 * A group as the database has it.
 *
 * @param number its number: the revision it was made with, and no other's
 * @param topic the number of its topic
 * @param name its name
 * @param next the next event that was never delivered to it
 * @param used when it was known to be used
 * @param revision when it last changed in a way that other members want to know
 */
record GroupRow(long number, long topic, String name, long next, long used, long revision) {

	static final String COLUMNS = "number, topic, name, next_offset, used, revision, checksum";

	static GroupRow of(ResultSet result) throws SQLException {
		return new GroupRow(result.getLong(1), result.getLong(2), Place.text(result.getBytes(3)), result.getLong(4),
				result.getLong(5), result.getLong(6));
	}

	long checksum() {
		return Checksum.of(Checksum.of(null, Place.utf8(this.name)), this.number, this.topic, this.next, this.used,
				this.revision);
	}

}
