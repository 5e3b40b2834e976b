package mu.micro.jdbc;

import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;

import mu.micro.MicroException;
import mu.micro.store.When;

/**
 * The connection that changes entries, one transaction after the other.
 */
final class EntryTable implements AutoCloseable {

	/**
	 * How many keys that are gone are known to watchers, at least.
	 */
	static final int KEPT = 10_000;

	/**
	 * How many are cleared away in one go, or may go before some are forgotten.
	 */
	private static final int STEP = 500;

	/**
	 * How large the values may be that are cleared away in one go.
	 */
	private static final long STEP_BYTES = 16 * 1024 * 1024;

	private static final String VISIBLE = "(expires IS NULL OR expires > ?)";

	private static final String KEY = "namespace = ? AND table_name = ? AND key = ?";

	private static final String FIND = "SELECT revision, expires, checksum FROM entries WHERE " + KEY + " AND "
			+ VISIBLE;

	private static final String PUT = "INSERT INTO entries "
			+ "(revision, namespace, table_name, key, expires, checksum, metadata, value) "
			+ "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (namespace, table_name, key) DO UPDATE SET "
			+ "revision = excluded.revision, expires = excluded.expires, checksum = excluded.checksum, "
			+ "metadata = excluded.metadata, value = excluded.value";

	private static final String REMOVE = "DELETE FROM entries WHERE " + KEY + " AND " + VISIBLE;

	static final String KEEP = "INSERT INTO gone (revision, namespace, table_name, key, way, checksum) "
			+ "VALUES (?, ?, ?, ?, ?, ?)";

	private static final String DUE = "SELECT 1 FROM entries WHERE expires <= ? LIMIT 1";

	private static final String OVER = "SELECT revision, namespace, table_name, key, LENGTH(value) FROM entries "
			+ "WHERE expires <= ? ORDER BY expires LIMIT ?";

	private static final String CLEAR = "DELETE FROM entries WHERE revision = ?";

	private static final String OLDEST_KEPT = "SELECT revision FROM gone ORDER BY revision DESC LIMIT 1 OFFSET ?";

	private static final String FORGET = "DELETE FROM gone WHERE revision < ?";

	private final Dialect dialect;

	private final Statements statements;

	private long revision;

	/**
	 * How many keys went since it was looked which to forget.
	 */
	private int gone = STEP;

	/**
	 * Connects.
	 * @param dialect to where
	 * @param patient waits a little where others are in the way, or says that it is
	 * enough
	 * @throws SQLException if that is not possible now
	 */
	EntryTable(Dialect dialect, BooleanSupplier patient) throws SQLException {
		this.dialect = dialect;
		this.statements = dialect.connect(false, patient);
		try {
			dialect.waitWhile(this.statements.connection(), patient);
		}
		catch (SQLException ex) {
			close();
			throw ex;
		}
	}

	Dialect dialect() {
		return this.dialect;
	}

	Statements statements() {
		return this.statements;
	}

	/**
	 * Begins a transaction.
	 * @throws SQLException if that is not possible now
	 */
	void begin() throws SQLException {
		this.dialect.takeTurn();
		boolean begun = false;
		try {
			this.statements.run(this.dialect.beginWrite());
			this.revision = Revisions.last(this.statements);
			begun = true;
		}
		finally {
			if (!begun) {
				this.dialect.endTurn();
			}
		}
	}

	/**
	 * Makes durable what was done in the transaction.
	 * @throws SQLException if that failed
	 * @throws MicroException if it did not, and is or may be lost all the same
	 */
	void commit() throws SQLException {
		try {
			this.statements.run("COMMIT");
		}
		finally {
			this.dialect.endTurn();
		}
		this.dialect.committed(this.statements, this.revision);
	}

	/**
	 * Does a request's writes, or none of them.
	 * @param rows the writes
	 * @param now the time
	 * @return the revision of each
	 * @throws Refusal if one of the conditions does not hold
	 * @throws SQLException if that failed, maybe in part
	 */
	List<Long> apply(List<EntryWrite> rows, long now) throws SQLException, Refusal {
		for (EntryWrite row : rows) {
			check(row, now);
		}
		List<Long> revisions = new ArrayList<>(rows.size());
		for (EntryWrite row : rows) {
			boolean done = true;
			if (row.value() != null) {
				put(row, row.value(), now);
			}
			else {
				done = delete(row.place(), row.key(), now);
			}
			revisions.add(done ? this.revision : 0);
		}
		return revisions;
	}

	/**
	 * Does all of something, or nothing where that fails half-way.
	 * @param <T> what comes of it
	 * @param step what to do
	 * @param now the time
	 * @return what came of it
	 * @throws Refusal if it is not to be done
	 * @throws SQLException if that failed, maybe in part
	 */
	<T> T whole(WriteRequest.Step<T> step, long now) throws SQLException, Refusal {
		long before = this.revision;
		this.statements.run("SAVEPOINT step");
		try {
			T result = step.apply(this, now);
			this.statements.run("RELEASE SAVEPOINT step");
			return result;
		}
		catch (MicroException ex) {
			// The savepoint itself ends with the transaction.
			this.statements.run("ROLLBACK TO SAVEPOINT step");
			this.revision = before;
			throw ex;
		}
	}

	private void check(EntryWrite row, long now) throws SQLException, Refusal {
		if (row.when() instanceof When.Always) {
			return;
		}
		long found = find(row.place(), row.key(), now);
		if (row.when() instanceof When.Absent && found > 0) {
			throw new Refusal(row, "is there already, with revision " + found);
		}
		if (row.when() instanceof When.Revision expected && found != expected.value()) {
			throw new Refusal(row,
					(found > 0) ? "has revision " + found + " and not " + expected.value() + "; read again"
							: "is not there, with revision " + expected.value() + " or any other; read again");
		}
	}

	// The revision, 0 where there is no entry.
	private long find(Place place, byte[] key, long now) throws SQLException {
		PreparedStatement statement = this.statements.of(FIND);
		set(statement, 1, place, key);
		statement.setLong(4, now);
		try (ResultSet result = statement.executeQuery()) {
			if (!result.next()) {
				return 0;
			}
			Checksum.Row row = new Checksum.Row(place, key, result.getLong(1), result.getLong(2));
			if (!Checksum.matches(result.getLong(3), row)) {
				throw row.damaged(this.dialect);
			}
			return row.revision();
		}
	}

	private void put(EntryWrite row, byte[] value, long now) throws SQLException {
		long expires = (row.ttl() != 0) ? now + row.ttl() : 0;
		this.revision++;
		PreparedStatement statement = this.statements.of(PUT);
		statement.setLong(1, this.revision);
		set(statement, 2, row.place(), row.key());
		if (expires != 0) {
			statement.setLong(5, expires);
		}
		else {
			statement.setNull(5, Types.BIGINT);
		}
		Checksum.Row where = new Checksum.Row(row.place(), row.key(), this.revision, expires);
		statement.setLong(6, Checksum.of(where, row.checksum()));
		if (row.metadata() != null) {
			statement.setString(7, Place.text(row.metadata()));
		}
		else {
			statement.setNull(7, Types.VARCHAR);
		}
		statement.setBytes(8, value);
		statement.executeUpdate();
	}

	private boolean delete(Place place, byte[] key, long now) throws SQLException {
		PreparedStatement statement = this.statements.of(REMOVE);
		set(statement, 1, place, key);
		statement.setLong(4, now);
		if (statement.executeUpdate() == 0) {
			return false;
		}
		keep(place, key, Revisions.DELETED);
		return true;
	}

	/**
	 * The last number given.
	 * @return the revision
	 */
	long revision() {
		return this.revision;
	}

	/**
	 * Told of a row that was written with a number of its own.
	 * @param number its revision, larger than the last
	 */
	void wrote(long number) {
		this.revision = number;
	}

	/**
	 * Told of a row that had a revision and was removed without another one in its place:
	 * the last number is not given twice.
	 * @param number its revision
	 * @throws SQLException if that failed
	 */
	void removed(long number) throws SQLException {
		if (number == this.revision) {
			keep(Revisions.NOWHERE, Revisions.NOTHING, Revisions.NOTHING_YET);
		}
	}

	private void keep(Place place, byte[] key, int way) throws SQLException {
		this.revision++;
		this.gone++;
		PreparedStatement statement = this.statements.of(KEEP);
		statement.setLong(1, this.revision);
		set(statement, 2, place, key);
		statement.setInt(5, way);
		statement.setLong(6, Checksum.of(new Checksum.Row(place, key, this.revision, way), Checksum.NOTHING));
		statement.executeUpdate();
	}

	/**
	 * Whether an entry's time is over. Needs no transaction.
	 * @param now the time
	 * @return whether
	 * @throws SQLException if that cannot be read
	 */
	boolean isDue(long now) throws SQLException {
		PreparedStatement statement = this.statements.of(DUE);
		statement.setLong(1, now);
		try (ResultSet result = statement.executeQuery()) {
			return result.next();
		}
	}

	/**
	 * Clears away entries whose time is over, some of them.
	 * @param now the time
	 * @throws SQLException if that failed
	 */
	void sweep(long now) throws SQLException {
		List<Checksum.Row> over = new ArrayList<>();
		PreparedStatement statement = this.statements.of(OVER);
		statement.setLong(1, now);
		statement.setInt(2, STEP);
		long size = 0;
		try (ResultSet result = statement.executeQuery()) {
			while (size < STEP_BYTES && result.next()) {
				Place place = new Place(result.getBytes(2), result.getBytes(3));
				over.add(new Checksum.Row(place, result.getBytes(4), result.getLong(1), 0));
				size += result.getLong(5);
			}
		}
		PreparedStatement clear = this.statements.of(CLEAR);
		for (Checksum.Row row : over) {
			clear.setLong(1, row.revision());
			clear.executeUpdate();
			keep(row.place(), row.key(), Revisions.EXPIRED);
		}
	}

	/**
	 * Forgets keys that are long gone, if it is time for that.
	 * @throws SQLException if that failed
	 */
	void forget() throws SQLException {
		if (this.gone < STEP) {
			return;
		}
		PreparedStatement oldest = this.statements.of(OLDEST_KEPT);
		oldest.setInt(1, KEPT - 1);
		try (ResultSet result = oldest.executeQuery()) {
			if (result.next()) {
				PreparedStatement forget = this.statements.of(FORGET);
				forget.setLong(1, result.getLong(1));
				forget.executeUpdate();
			}
		}
		this.gone = 0;
	}

	private static void set(PreparedStatement statement, int first, Place place, byte[] key) throws SQLException {
		statement.setBytes(first, place.namespace());
		statement.setBytes(first + 1, place.table());
		statement.setBytes(first + 2, key);
	}

	@Override
	public void close() {
		this.dialect.disconnect(this.statements);
	}

	/**
	 * A condition that does not hold.
	 */
	static final class Refusal extends Exception {

		private static final long serialVersionUID = 1;

		private final transient EntryWrite row;

		private final String why;

		private Refusal(EntryWrite row, String why) {
			super(why, null, false, false);
			this.row = row;
			this.why = why;
		}

		MicroException.Conflict asException() {
			return new MicroException.Conflict("the entry '" + Place.text(this.row.key()) + "' of table '"
					+ Place.text(this.row.place().table()) + "' " + this.why);
		}

	}

}
