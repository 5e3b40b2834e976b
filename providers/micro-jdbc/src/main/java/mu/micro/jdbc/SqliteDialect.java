package mu.micro.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

import mu.micro.MicroException;
import org.sqlite.BusyHandler;
import org.sqlite.ProgressHandler;

/**
 * One file that all processes of a user share, in SQLite's WAL mode: readers are in
 * nobody's way, one process writes at a time, and a commit is on the disk. The file is
 * not mapped into memory, where damage to it could end the JVM.
 */
final class SqliteDialect implements Dialect {

	/**
	 * How large the log may become before others are kept from writing to copy it.
	 */
	private static final long MOST_LOG_BYTES = 64 * 1024 * 1024;

	/**
	 * How many pages may be free, and how many are given back in one go.
	 */
	private static final int FREE_PAGES = 256;

	/**
	 * How much of a file that is being written to may be free.
	 */
	private static final int FREE_SHARE = 4;

	private static final String SHRINK = "PRAGMA incremental_vacuum(" + FREE_PAGES + ")";

	private static final long TIDY_NANOS = TimeUnit.SECONDS.toNanos(1);

	/**
	 * How many steps SQLite goes between two questions whether to go on; it makes some
	 * ten million a second.
	 */
	private static final int STEPS = 10_000;

	private final SqliteFile file;

	private final SqliteTurn turn;

	/**
	 * Open while the connection is that writes, and used by its thread alone.
	 */
	private final SqliteMark mark;

	private long tidied = System.nanoTime();

	private long seenOfOthers;

	private long seenOfOwn;

	SqliteDialect(SqliteFile file) {
		this.file = file;
		this.turn = file.turn();
		this.mark = file.mark();
	}

	@Override
	public String name() {
		return this.file.name();
	}

	@Override
	public Statements connect(boolean readOnly, BooleanSupplier patient) throws SQLException {
		return this.file.connect(readOnly, patient);
	}

	@Override
	public boolean isCurrent(Statements connection) {
		return this.file.isCurrent(connection);
	}

	@Override
	public void giveUpWhen(Connection connection, BooleanSupplier over) throws SQLException {
		ProgressHandler.setHandler(connection, STEPS, new ProgressHandler() {

			@Override
			protected int progress() {
				return over.getAsBoolean() ? 1 : 0;
			}

		});
	}

	@Override
	public void waitWhile(Connection connection, BooleanSupplier patient) throws SQLException {
		BusyHandler.setHandler(connection, new BusyHandler() {

			@Override
			protected int callback(int tries) {
				return patient.getAsBoolean() ? 1 : 0;
			}

		});
	}

	@Override
	public String beginRead() {
		return "BEGIN";
	}

	@Override
	public String beginWrite() {
		return "BEGIN IMMEDIATE";
	}

	@Override
	public void takeTurn() {
		this.turn.take();
	}

	@Override
	public void endTurn() {
		this.turn.end();
	}

	@Override
	public String endsWith() {
		return "SUBSTR(key, -?) = ?";
	}

	@Override
	public String byRevision() {
		return " NOT INDEXED";
	}

	@Override
	public Outcome outcome(SQLException failure) {
		return SqliteFile.outcome(failure);
	}

	@Override
	public MicroException.Unavailable unavailable(SQLException failure) {
		return this.file.unavailable(failure);
	}

	@Override
	public void committed(Statements writer, long revision) {
		if (this.file.isReplaced(writer)) {
			throw this.file.replaced();
		}
		this.mark.write(revision);
	}

	/*
	 * SQLite deletes the log by its name, which is another file's once there is one.
	 */
	@Override
	public void disconnect(Statements writer) {
		this.mark.close();
		if (!this.file.isReplaced(writer)) {
			writer.close();
		}
		this.turn.close();
	}

	/*
	 * A file that nobody writes to is cut down to what it needs. One that is written to
	 * is when much of it is free, and its log when it has become large because there was
	 * always somebody who read it.
	 */
	@Override
	public boolean tidy(Statements writer) throws SQLException {
		long now = System.nanoTime();
		if (now - this.tidied < TIDY_NANOS) {
			return false;
		}
		if (this.file.isReplaced(writer)) {
			throw this.file.replaced();
		}
		boolean quiet = isQuiet(writer);
		long log = this.file.logBytes();
		if (log > MOST_LOG_BYTES || (quiet && log > SqliteFile.LOG_BYTES)) {
			writer.number("PRAGMA wal_checkpoint(TRUNCATE)");
		}
		long free = writer.number("PRAGMA freelist_count");
		if (free > FREE_PAGES && (quiet || free > writer.number("PRAGMA page_count") / FREE_SHARE)) {
			try (Statement statement = writer.connection().createStatement()) {
				statement.executeUpdate(SHRINK);
			}
			if (quiet && free > 2 * FREE_PAGES) {
				return true;
			}
			writer.number("PRAGMA wal_checkpoint(PASSIVE)");
		}
		this.tidied = now;
		return false;
	}

	private boolean isQuiet(Statements writer) throws SQLException {
		long byOthers = writer.number(SqliteCommits.COUNT);
		long own = writer.number("SELECT TOTAL_CHANGES()");
		boolean quiet = byOthers == this.seenOfOthers && own == this.seenOfOwn;
		this.seenOfOthers = byOthers;
		this.seenOfOwn = own;
		return quiet;
	}

	@Override
	public Commits commits(BooleanSupplier patient) throws SQLException {
		return new SqliteCommits(this.file, patient);
	}

}
