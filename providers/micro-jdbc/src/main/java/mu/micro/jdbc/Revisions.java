package mu.micro.jdbc;

import java.sql.SQLException;

/**
 * The numbers of writes, appended events included. The last one is always kept, with the
 * row it made or with the key it removed, so that no number is given twice.
 */
final class Revisions {

	/**
	 * No key went; before this there was nothing.
	 */
	static final int NOTHING_YET = 0;

	/**
	 * How a key went that is gone: it was deleted.
	 */
	static final int DELETED = 1;

	/**
	 * How a key went that is gone: its time was over.
	 */
	static final int EXPIRED = 2;

	/**
	 * What a row has that is of no key.
	 */
	static final byte[] NOTHING = {};

	static final Place NOWHERE = new Place(NOTHING, NOTHING);

	private static final String LAST = "SELECT COALESCE(MAX(last), 0) FROM (SELECT MAX(revision) AS last FROM entries "
			+ "UNION ALL SELECT MAX(revision) FROM gone UNION ALL SELECT MAX(revision) FROM events "
			+ "UNION ALL SELECT MAX(revision) FROM event_groups) AS each_last";

	private static final String FIRST_GONE = "SELECT COALESCE(MIN(revision), 0) FROM gone";

	private Revisions() {
	}

	/**
	 * The last one.
	 * @param statements the connection
	 * @return the revision
	 * @throws SQLException if it cannot be read
	 */
	static long last(Statements statements) throws SQLException {
		return statements.number(LAST);
	}

	/**
	 * From where on it is known which keys are gone. A new database begins with a row
	 * that says so, and what is forgotten is forgotten from the oldest on.
	 * @param statements the connection
	 * @return the revision
	 * @throws SQLException if it cannot be read
	 */
	static long known(Statements statements) throws SQLException {
		return statements.number(FIRST_GONE);
	}

}
