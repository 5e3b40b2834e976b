package mu.micro.jdbc;

import java.io.IOException;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

import org.jspecify.annotations.Nullable;

/**
 * Notices commits by a number that SQLite keeps, and hears that the log was written to
 * where the system tells. It tells shortly before the commit can be seen, and for each
 * page that is written: so it is asked only for longer waits, and not by those who look
 * often anyway.
 */
final class SqliteCommits implements Dialect.Commits {

	/**
	 * Changes with each commit of another connection.
	 */
	static final String COUNT = "PRAGMA data_version";

	/**
	 * What is shorter is slept through.
	 */
	private static final Duration SHORT = Duration.ofMillis(5);

	/**
	 * How soon a commit is looked for where nobody tells.
	 */
	private static final Duration UNTOLD = Duration.ofMillis(20);

	private static final System.Logger logger = System.getLogger(SqliteCommits.class.getName());

	private final SqliteFile file;

	private final Statements statements;

	private final @Nullable WatchService watcher;

	private @Nullable WatchKey watched;

	private long seen = -1;

	SqliteCommits(SqliteFile file, BooleanSupplier patient) throws SQLException {
		this.file = file;
		this.statements = file.connect(true, patient);
		this.watcher = watcher(file);
	}

	private static @Nullable WatchService watcher(SqliteFile file) {
		// Elsewhere the JDK reads the directory every few seconds.
		String system = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);
		if (!system.contains("linux") && !system.contains("windows")) {
			return null;
		}
		try {
			return file.directory().getFileSystem().newWatchService();
		}
		catch (IOException | UnsupportedOperationException ex) {
			logger.log(System.Logger.Level.DEBUG, "commits to " + file.name() + " are looked for more often", ex);
			return null;
		}
	}

	@Override
	public boolean any() throws SQLException {
		if (!this.file.isCurrent(this.statements)) {
			throw new SQLException(this.file.name() + " was replaced");
		}
		long now = this.statements.number(COUNT);
		boolean any = now != this.seen;
		this.seen = now;
		return any;
	}

	@Override
	public void await(Duration time) throws SQLException, InterruptedException {
		if (this.watcher == null || time.compareTo(SHORT) <= 0) {
			Duration most = (time.compareTo(UNTOLD) < 0) ? time : UNTOLD;
			LockSupport.parkNanos(most.toNanos());
			if (Thread.interrupted()) {
				throw new InterruptedException();
			}
			return;
		}
		if (!watch(this.watcher) || this.statements.number(COUNT) == this.seen) {
			WatchKey told = this.watcher.poll(time.toNanos(), TimeUnit.NANOSECONDS);
			if (told == null) {
				return;
			}
		}
		unwatch();
	}

	/*
	 * Whether it is watched only from now on: something may have been missed.
	 */
	private boolean watch(WatchService service) {
		if (this.watched != null && this.watched.isValid()) {
			return false;
		}
		try {
			this.watched = this.file.directory()
				.register(service, StandardWatchEventKinds.ENTRY_CREATE, StandardWatchEventKinds.ENTRY_MODIFY);
		}
		catch (IOException ex) {
			logger.log(System.Logger.Level.DEBUG, this.file.directory() + " cannot be watched now", ex);
		}
		return true;
	}

	private void unwatch() {
		if (this.watched != null) {
			this.watched.cancel();
			this.watched = null;
		}
	}

	@Override
	public void close() {
		try {
			if (this.watcher != null) {
				this.watcher.close();
			}
		}
		catch (IOException ex) {
			logger.log(System.Logger.Level.DEBUG, "watching a directory did not end well", ex);
		}
		this.statements.close();
	}

}
