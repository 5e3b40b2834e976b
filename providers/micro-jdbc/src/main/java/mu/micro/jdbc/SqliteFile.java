package mu.micro.jdbc;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;

import mu.micro.Limits;
import mu.micro.MicroException;
import org.jspecify.annotations.Nullable;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteConnection;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;
import org.sqlite.SQLiteJDBCLoader;
import org.sqlite.SQLiteOpenMode;

/**
 * The file: how it is made, looked over before its first use, and opened. It is there as
 * a whole or not at all, and never made anew in the place of one that something is wrong
 * with.
 * <p>
 * Nothing here opens the file but SQLite: POSIX drops a process's locks on a file as soon
 * as it closes any descriptor of it.
 */
final class SqliteFile {

	/**
	 * "mcro", by which a file says that it is ours.
	 */
	private static final int APPLICATION = 0x6d63726f;

	/**
	 * What makes each version of the file from the one before, beginning with nothing.
	 */
	private static final List<List<String>> VERSIONS = List.of(List.of(
			"CREATE TABLE entries (revision INTEGER PRIMARY KEY, namespace BLOB NOT NULL, table_name BLOB NOT NULL, "
					+ "key BLOB NOT NULL, expires INTEGER, checksum INTEGER NOT NULL, metadata TEXT, "
					+ "value BLOB NOT NULL, UNIQUE (namespace, table_name, key))",
			"CREATE INDEX entries_expires ON entries (expires) WHERE expires IS NOT NULL",
			"CREATE TABLE gone (revision INTEGER PRIMARY KEY, namespace BLOB NOT NULL, table_name BLOB NOT NULL, "
					+ "key BLOB NOT NULL, way INTEGER NOT NULL, checksum INTEGER NOT NULL)"),
			List.of("CREATE TABLE topics (number INTEGER PRIMARY KEY, namespace BLOB NOT NULL, name BLOB NOT NULL, "
					+ "first_offset INTEGER NOT NULL, last_offset INTEGER NOT NULL, oldest INTEGER NOT NULL, "
					+ "newest INTEGER NOT NULL, bytes INTEGER NOT NULL, checksum INTEGER NOT NULL, "
					+ "UNIQUE (namespace, name))",
					"CREATE TABLE events (revision INTEGER PRIMARY KEY, topic INTEGER NOT NULL, "
							+ "event_offset INTEGER NOT NULL, appended INTEGER NOT NULL, bytes INTEGER NOT NULL, "
							+ "checksum INTEGER NOT NULL, id BLOB NOT NULL, headers TEXT, body BLOB NOT NULL, "
							+ "UNIQUE (topic, event_offset), UNIQUE (topic, id))",
					"CREATE TABLE event_groups (number INTEGER PRIMARY KEY, topic INTEGER NOT NULL, name BLOB NOT NULL, "
							+ "next_offset INTEGER NOT NULL, used INTEGER NOT NULL, revision INTEGER NOT NULL, "
							+ "checksum INTEGER NOT NULL, UNIQUE (topic, name))",
					"CREATE INDEX event_groups_revision ON event_groups (revision)",
					"CREATE TABLE deliveries (group_number INTEGER NOT NULL, event_offset INTEGER NOT NULL, "
							+ "attempt INTEGER NOT NULL, token INTEGER NOT NULL, due INTEGER NOT NULL, "
							+ "checksum INTEGER NOT NULL, error TEXT, PRIMARY KEY (group_number, event_offset)) "
							+ "WITHOUT ROWID"));

	/**
	 * Up to which size a file is looked through before it is used, which takes some 5 ms
	 * for each MB.
	 */
	private static final long LOOKED_THROUGH = 8 * 1024 * 1024;

	/**
	 * More than any row has.
	 */
	private static final int ROW = Limits.VALUE + 64 * 1024;

	/**
	 * How large the log stays once it is copied to the file.
	 */
	static final int LOG_BYTES = 4 * 1024 * 1024;

	private static final byte[] NOTHING = {};

	/**
	 * The identity of no file.
	 */
	private static final Object NONE = "none";

	private static final System.Logger logger = System.getLogger(SqliteFile.class.getName());

	private final Path path;

	private final Path directory;

	private final Clock clock;

	private final SqliteMark mark;

	/**
	 * Held by who looks a file over; others wait for that.
	 */
	private final ReentrantLock looking = new ReentrantLock();

	private final AtomicReference<Known> known = new AtomicReference<>(new Known(NONE, 0));

	SqliteFile(Path path, Clock clock) {
		this.path = path.toAbsolutePath().normalize();
		Path parent = this.path.getParent();
		if (parent == null) {
			throw new MicroException.Invalid("'" + path + "' is no file in which a database can be kept");
		}
		this.directory = parent;
		this.clock = clock;
		this.mark = mark();
	}

	/**
	 * Opens the file, made now if there is none.
	 * @param path where it is
	 * @param patient waits a little for other processes, or says that it is enough
	 * @param clock where the revisions of a new file begin
	 * @return the file
	 * @throws MicroException.Unavailable if it cannot be used, with what to do about it
	 */
	static SqliteFile open(Path path, BooleanSupplier patient, Clock clock) {
		SqliteFile file = new SqliteFile(path, clock);
		loadLibrary();
		try {
			file.makeIfAbsent();
			file.connect(true, patient).close();
			return file;
		}
		catch (SQLException ex) {
			throw file.unavailable(ex);
		}
		catch (IOException ex) {
			throw file.inaccessible(ex.toString(), ex);
		}
	}

	private static void loadLibrary() {
		try {
			SQLiteJDBCLoader.initialize();
		}
		catch (Exception | LinkageError ex) {
			throw new MicroException.Unavailable("SQLite's native library cannot be loaded (" + ex
					+ "); set the system property org.sqlite.tmpdir to a directory from which programs may be run", ex);
		}
	}

	private void makeIfAbsent() throws IOException, SQLException {
		if (!Files.isDirectory(this.directory)) {
			Files.createDirectories(this.directory, forOwnerOnly("rwx------"));
		}
		if (Files.exists(this.path, LinkOption.NOFOLLOW_LINKS)) {
			return;
		}
		Path log = beside("-wal");
		if (Files.exists(log) && !Files.exists(this.path)) {
			throw new MicroException.Unavailable(name() + " is gone, but its log " + log
					+ " is there; put the file back, or delete the log as well to begin with nothing");
		}
		Path made = Files.createTempFile(this.directory, this.path.getFileName() + ".", ".new",
				forOwnerOnly("rw-------"));
		try {
			new SqliteFile(made, this.clock).make(this.mark);
			Files.createLink(this.path, made);
		}
		catch (FileAlreadyExistsException ex) {
			// Another process was first.
		}
		catch (IOException | UnsupportedOperationException ex) {
			// No links here.
			makeInPlace();
		}
		finally {
			Files.deleteIfExists(made);
		}
	}

	/**
	 * Makes the file where others can see it being made: they wait until something is in
	 * it, which is when all of it is.
	 * @throws IOException if it cannot be made
	 * @throws SQLException if it cannot be written
	 */
	void makeInPlace() throws IOException, SQLException {
		try {
			Files.createFile(this.path, forOwnerOnly("rw-------"));
		}
		catch (FileAlreadyExistsException ex) {
			return;
		}
		make(this.mark);
	}

	/*
	 * A mark that is there may be a lost file's, which the new one is not to be taken for
	 * an older version of, or that of somebody who was faster. So it stays.
	 */
	private void make(SqliteMark there) throws SQLException {
		try (Statements statements = new Statements(open(false), 0)) {
			statements.run("PRAGMA auto_vacuum = INCREMENTAL");
			update(statements, there);
			useLog(statements);
		}
	}

	/**
	 * Has SQLite keep a log. It does not say so where it cannot, and goes on without.
	 * @param statements a connection that may write
	 * @throws SQLException if others are in the way
	 */
	void useLog(Statements statements) throws SQLException {
		String used = statements.text("PRAGMA journal_mode = WAL");
		if (!used.equals("wal")) {
			throw new MicroException.Unavailable(name() + " is where processes cannot share SQLite's log (it keeps to '"
					+ used + "'), as on file systems over a network; have one on a local disk used by setting"
					+ " micro.data-dir");
		}
	}

	/*
	 * Only one process does it, and the others find it done. A file without a mark may be
	 * an older one that was put back, and it begins anew as a new one does.
	 */
	private void update(Statements statements, SqliteMark there) throws SQLException {
		statements.run("BEGIN IMMEDIATE");
		int version = (int) statements.number("PRAGMA user_version");
		for (List<String> step : VERSIONS.subList(version, VERSIONS.size())) {
			for (String sql : step) {
				statements.run(sql);
			}
		}
		long acknowledged = there.read();
		if (version == 0 || acknowledged == 0) {
			begin(statements, acknowledged);
		}
		statements.run("PRAGMA application_id = " + APPLICATION);
		statements.run("PRAGMA user_version = " + VERSIONS.size());
		statements.run("COMMIT");
	}

	/*
	 * Revisions begin with the time: whoever remembers some of a file that was lost finds
	 * that they are old ones, and not some that are still to come. Which keys are gone is
	 * known from here on only, so that who watches lists again.
	 */
	private void begin(Statements statements, long acknowledged) throws SQLException {
		long micros = ChronoUnit.MICROS.between(Instant.EPOCH, this.clock.instant());
		long revision = Math.max(Math.max(Revisions.last(statements), acknowledged) + 1, micros);
		statements.run("DELETE FROM gone");
		PreparedStatement first = statements.of(EntryTable.KEEP);
		first.setLong(1, revision);
		first.setBytes(2, NOTHING);
		first.setBytes(3, NOTHING);
		first.setBytes(4, NOTHING);
		first.setInt(5, Revisions.NOTHING_YET);
		Checksum.Row row = new Checksum.Row(new Place(NOTHING, NOTHING), NOTHING, revision, Revisions.NOTHING_YET);
		first.setLong(6, Checksum.of(row, Checksum.NOTHING));
		first.executeUpdate();
	}

	/*
	 * What everybody finds out who is the first to use the file.
	 */
	private void lookOver(BooleanSupplier patient) throws SQLException {
		if (!Files.exists(this.path, LinkOption.NOFOLLOW_LINKS)) {
			throw new MicroException.Unavailable(name() + " was deleted while it was in use; put it back, or start"
					+ " again all processes that use it, to begin with nothing");
		}
		if (!Files.isRegularFile(this.path)) {
			throw new MicroException.Unavailable(
					name() + " is no file; move it away, or have another one used by setting micro.data-dir");
		}
		if (!Files.isWritable(this.path) || !Files.isWritable(this.directory)) {
			throw inaccessible("not writable", null);
		}
		while (this.path.toFile().length() == 0) {
			if (!patient.getAsBoolean()) {
				throw new MicroException.Unavailable(name() + " is empty: something cut it off, or ended the process"
						+ " that made it; put a backup in its place, or delete it to begin with nothing");
			}
		}
		// One that may write would take the log with it when it is closed, with all that
		// might still be found in it.
		boolean readOnly = true;
		while (true) {
			try (Statements statements = new Statements(open(readOnly), 0)) {
				if (lookOver(statements)) {
					return;
				}
				readOnly = false;
			}
			catch (SQLException ex) {
				// Its making was cut short, which is undone by writing.
				boolean unfinished = code(ex) == SQLiteErrorCode.SQLITE_READONLY_ROLLBACK;
				if ((!unfinished && outcome(ex) != Dialect.Outcome.BUSY) || !patient.getAsBoolean()) {
					throw ex;
				}
				readOnly = !unfinished;
			}
		}
	}

	/*
	 * False if it has to be written to first.
	 */
	private boolean lookOver(Statements statements) throws SQLException {
		long application = statements.number("PRAGMA application_id");
		if (application != APPLICATION) {
			throw new MicroException.Unavailable(name() + " is a database, but not one of Micro's; "
					+ "move it away, or have another one used by setting micro.data-dir");
		}
		long version = statements.number("PRAGMA user_version");
		if (version < 0 || version > VERSIONS.size()) {
			throw new MicroException.Unavailable(
					name() + " has format " + version + ", and this program knows those up to " + VERSIONS.size()
							+ "; use a newer version of Micro, or another file by setting micro.data-dir");
		}
		if (this.path.toFile().length() <= LOOKED_THROUGH) {
			String found = statements.text("PRAGMA integrity_check(1)");
			if (!found.equals("ok")) {
				throw damaged(found, null);
			}
		}
		boolean ready = version == VERSIONS.size() && statements.text("PRAGMA journal_mode").equals("wal")
				&& this.mark.read() > 0;
		if (!ready) {
			if (statements.connection().isReadOnly()) {
				return false;
			}
			update(statements, this.mark);
			useLog(statements);
			if (this.mark.read() == 0) {
				try (SqliteMark first = mark()) {
					first.write(Revisions.last(statements));
				}
			}
		}
		compareWithMark(statements);
		return true;
	}

	private void compareWithMark(Statements statements) throws SQLException {
		long acknowledged = this.mark.read();
		long last = Revisions.last(statements);
		if (last < acknowledged) {
			throw new MicroException.Unavailable(
					name() + " ends with revision " + last + ", but " + acknowledged + " was acknowledged: its log "
							+ beside("-wal") + " was damaged or deleted, or the file is an older"
							+ " one; put back what belongs together, or delete " + this.mark.path()
							+ " to go on without the rest");
		}
	}

	/**
	 * Opens a connection to the file that is there now. If that is not the one that was
	 * there before, it is looked over first, and connections to the one before are of no
	 * use any more.
	 * @param readOnly whether it is only read from
	 * @param patient waits a little for others, or says that it is enough
	 * @return the connection
	 * @throws SQLException if there is none now
	 */
	Statements connect(boolean readOnly, BooleanSupplier patient) throws SQLException {
		while (true) {
			int generation = lookedOver(patient).generation();
			try {
				Statements statements = new Statements(open(readOnly), generation);
				if (!isReplaced(statements)) {
					return statements;
				}
				// See the dialect for why one that writes stays open.
				if (readOnly) {
					statements.close();
				}
				throw busy("it was replaced just now");
			}
			catch (SQLException ex) {
				// Who opens it first recovers its log, and who comes meanwhile waits.
				if (outcome(ex) != Dialect.Outcome.BUSY || !patient.getAsBoolean()) {
					throw ex;
				}
			}
		}
	}

	private Known lookedOver(BooleanSupplier patient) throws SQLException {
		Known before = this.known.get();
		if (isThere(before)) {
			return before;
		}
		while (!this.looking.tryLock()) {
			if (!patient.getAsBoolean()) {
				throw busy("it is being looked over");
			}
		}
		try {
			before = this.known.get();
			if (isThere(before)) {
				return before;
			}
			// Whatever comes of it: nobody writes to the one before any more.
			Known none = before.next(NONE);
			this.known.set(none);
			Known now = new Known(identity(), none.generation());
			lookOver(patient);
			this.known.set(now);
			return now;
		}
		catch (IOException ex) {
			throw inaccessible(ex.toString(), ex);
		}
		finally {
			this.looking.unlock();
		}
	}

	/**
	 * Whether a connection leads to the file that was there when it was asked last.
	 * @param connection the connection
	 * @return whether
	 */
	boolean isCurrent(Statements connection) {
		return connection.generation() == this.known.get().generation();
	}

	/**
	 * Whether the file was deleted or replaced since a connection was opened. From then
	 * on another one is meant, which is looked over before it is used.
	 * @param connection the connection
	 * @return whether what was written to it may be in no file
	 */
	boolean isReplaced(Statements connection) {
		Known now = this.known.get();
		if (connection.generation() != now.generation()) {
			return true;
		}
		if (isThere(now)) {
			return false;
		}
		this.known.compareAndSet(now, now.next(NONE));
		return true;
	}

	private boolean isThere(Known file) {
		try {
			return file.identity() != NONE && Objects.equals(file.identity(), identity());
		}
		catch (IOException ex) {
			logger.log(System.Logger.Level.DEBUG, name() + " cannot be looked for; it is taken for the one it was", ex);
			return true;
		}
	}

	/*
	 * Null where the system has no such thing, as Windows, which keeps files that are in
	 * use from being replaced.
	 */
	private @Nullable Object identity() throws IOException {
		try {
			return Files.readAttributes(this.path, BasicFileAttributes.class).fileKey();
		}
		catch (NoSuchFileException ex) {
			return NONE;
		}
	}

	/**
	 * What to tell whoever wrote to the file that was deleted or replaced.
	 * @return the exception
	 */
	MicroException replaced() {
		String what = name() + " was deleted or replaced while it was in use";
		if (logBytes() > 0) {
			// SQLite takes it for the log of whatever file is beside it.
			return new MicroException.OutcomeUnknown(what + ", and there is a log " + beside("-wal")
					+ " that what was written may be in; see to it that the two belong together, and read whether"
					+ " it was, before trying again", null);
		}
		return new MicroException.Unavailable(
				what + ", and what was written is not in it; write it again, once the file is there");
	}

	/**
	 * What holds the last revision that was acknowledged.
	 * @return the mark, for one thread
	 */
	SqliteMark mark() {
		return new SqliteMark(beside("-mark"), forOwnerOnly("rw-------"));
	}

	private Connection open(boolean readOnly) throws SQLException {
		SQLiteConfig config = new SQLiteConfig();
		config.setReadOnly(readOnly);
		// Which asked for it to be made where it is not there.
		config.resetOpenMode(SQLiteOpenMode.CREATE);
		config.setBusyTimeout(0);
		config.setGetGeneratedKeys(false);
		config.setSynchronous(SQLiteConfig.SynchronousMode.FULL);
		config.setJournalSizeLimit(LOG_BYTES);
		config.setPragma(SQLiteConfig.Pragma.MMAP_SIZE, "0");
		config.setPragma(SQLiteConfig.Pragma.LIMIT_LENGTH, String.valueOf(ROW));
		// As a URI, in which no character of a name means anything.
		Connection connection = config.createConnection("jdbc:sqlite:" + this.path.toUri());
		try (Statement statement = connection.createStatement()) {
			statement.execute("PRAGMA cell_size_check = ON");
			// Transactions are begun and ended by statements; the driver is to leave them
			// alone.
			connection.unwrap(SQLiteConnection.class).getConnectionConfig().setAutoCommit(false);
			return connection;
		}
		catch (SQLException ex) {
			connection.close();
			throw ex;
		}
	}

	/**
	 * What messages call it.
	 * @return the words
	 */
	String name() {
		return "the file " + this.path;
	}

	Path directory() {
		return this.directory;
	}

	/**
	 * By what processes take turns in writing.
	 * @return the turns of one writer
	 */
	SqliteTurn turn() {
		return new SqliteTurn(beside("-turn"), forOwnerOnly("rw-------"));
	}

	/**
	 * How large the log is.
	 * @return its bytes
	 */
	long logBytes() {
		return beside("-wal").toFile().length();
	}

	private Path beside(String suffix) {
		return this.path.resolveSibling(this.path.getFileName() + suffix);
	}

	/**
	 * What a statement did that failed.
	 * @param failure how it failed
	 * @return what that means
	 */
	static Dialect.Outcome outcome(SQLException failure) {
		return switch (kind(failure)) {
			case SQLITE_BUSY, SQLITE_LOCKED, SQLITE_PROTOCOL -> Dialect.Outcome.BUSY;
			case SQLITE_INTERRUPT -> Dialect.Outcome.GIVEN_UP;
			// What was not written whole is no commit; what was, and not synced, may be
			// one.
			case SQLITE_IOERR -> (code(failure) == SQLiteErrorCode.SQLITE_IOERR_WRITE) ? Dialect.Outcome.UNDONE
					: Dialect.Outcome.UNKNOWN;
			case SQLITE_NOMEM -> Dialect.Outcome.UNKNOWN;
			default -> Dialect.Outcome.UNDONE;
		};
	}

	/**
	 * What to tell the caller.
	 * @param failure how a statement failed
	 * @return the exception
	 */
	MicroException.Unavailable unavailable(SQLException failure) {
		return switch (kind(failure)) {
			case SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_FORMAT -> damaged(failure.toString(), failure);
			case SQLITE_FULL -> new MicroException.Unavailable(
					"there is no space left for " + name() + "; make some, nothing was written", failure);
			case SQLITE_IOERR -> new MicroException.Unavailable(name() + " could not be read or written ("
					+ failure.getMessage() + "); see whether its disk is full or failing", failure);
			case SQLITE_READONLY, SQLITE_PERM, SQLITE_CANTOPEN, SQLITE_AUTH ->
				inaccessible(failure.toString(), failure);
			case SQLITE_BUSY, SQLITE_LOCKED, SQLITE_PROTOCOL ->
				new MicroException.Unavailable(name() + " is held by another process all the time ("
						+ failure.getMessage() + "); see whether one is stopped, and continue or end it", failure);
			default ->
				new MicroException.Unavailable(name() + " cannot be used (" + failure.getMessage() + ")", failure);
		};
	}

	private MicroException.Unavailable damaged(String how, @Nullable Throwable cause) {
		return new MicroException.Unavailable(
				name() + " is damaged, or no SQLite database (" + how
						+ "); nothing was changed in it, so keep a copy, and put a snapshot or a backup in its place",
				cause);
	}

	private MicroException.Unavailable inaccessible(String how, @Nullable Throwable cause) {
		return new MicroException.Unavailable(name() + " cannot be opened or made (" + how
				+ "); see to it that this user may read and write it and its directory, or have another one used by"
				+ " setting micro.data-dir", cause);
	}

	private FileAttribute<?>[] forOwnerOnly(String permissions) {
		return this.directory.getFileSystem().supportedFileAttributeViews().contains("posix")
				? new FileAttribute<?>[] {
						PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions)) }
				: new FileAttribute<?>[0];
	}

	private static SQLException busy(String how) {
		return new SQLiteException(how, SQLiteErrorCode.SQLITE_BUSY);
	}

	private static SQLiteErrorCode code(SQLException failure) {
		return (failure instanceof SQLiteException ours) ? ours.getResultCode() : SQLiteErrorCode.UNKNOWN_ERROR;
	}

	/*
	 * The kind of which an error is a special case.
	 */
	private static SQLiteErrorCode kind(SQLException failure) {
		SQLiteErrorCode code = code(failure);
		return (code.code > 0) ? SQLiteErrorCode.getErrorCode(code.code & 0xff) : code;
	}

	/**
	 * The file that was looked over.
	 *
	 * @param identity what only this file has
	 * @param generation how many were there before
	 */
	private record Known(@Nullable Object identity, int generation) {

		Known next(Object other) {
			return new Known(other, this.generation + 1);
		}

	}

}
