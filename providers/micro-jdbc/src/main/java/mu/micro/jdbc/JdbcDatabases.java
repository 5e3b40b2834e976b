package mu.micro.jdbc;

import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

import mu.micro.Limits;
import mu.micro.MicroException;
import mu.micro.store.Change;
import mu.micro.store.Database;
import mu.micro.store.Databases;
import mu.micro.store.Entry;
import mu.micro.store.Page;
import mu.micro.store.Query;
import mu.micro.store.Store;
import mu.micro.store.TableWrite;
import mu.micro.store.Watch;
import mu.micro.store.When;
import mu.micro.store.Write;
import org.jspecify.annotations.Nullable;

/**
 * Databases in an SQL database, all namespaces in one. Durable; any number of processes
 * and of these may use the same one at once.
 * <p>
 * Every call ends within the timeout; a {@link Database#snapshot snapshot} has it anew
 * from each entry to the next, and four of them run at once. The time that its sink takes
 * counts: while a moment is kept for somebody, what is written since then needs room that
 * cannot be used again. Eight calls read at once, and others wait. 1,024 writes wait at
 * once to be written, and others wait for that.
 * <p>
 * For watchers the last change of each entry that is there is kept, and in all namespaces
 * together the last 10,000 deletes and expiries. Entries whose time is over are cleared
 * away within a second, unless very many are.
 */
public final class JdbcDatabases implements Databases {

	private final Clock clock;

	private final Readers readers;

	private final Watchers watchers;

	private final Writer writer;

	private final AtomicBoolean closed = new AtomicBoolean();

	private JdbcDatabases(Dialect dialect, Duration timeout, Clock clock, Readers.Patience patience)
			throws SQLException {
		this.clock = clock;
		this.readers = new Readers(dialect, timeout);
		this.watchers = new Watchers(dialect, this.readers, clock);
		this.writer = new Writer(dialect, clock, timeout, this.watchers::committed, patience::isOver);
	}

	/**
	 * Databases in a file of SQLite's. The file is made if it is not there, and its
	 * directory, so that only this user can read them; beside it are its log and index
	 * while it is in use. All processes must be on one machine.
	 * <p>
	 * A commit is on the disk when it returns. Every row has a checksum: what was changed
	 * on the disk is an error that names the file, and no wrong data. A file up to 8 MB
	 * is also looked through as a whole when it is opened.
	 * @param file where the file is
	 * @param timeout how long a call may take
	 * @param clock tells when entries are over
	 * @return the databases
	 * @throws MicroException.Unavailable if the file can be neither used nor made, with
	 * what to do about it
	 */
	public static JdbcDatabases sqlite(Path file, Duration timeout, Clock clock) {
		Readers.Patience patience = new Readers.Patience(timeout);
		SqliteDialect dialect = new SqliteDialect(SqliteFile.open(file, patience, clock));
		try {
			return new JdbcDatabases(dialect, timeout, clock, patience);
		}
		catch (SQLException ex) {
			throw dialect.unavailable(ex);
		}
	}

	@Override
	public Database in(String namespace) {
		return new JdbcDatabase(Limits.name("namespace", namespace));
	}

	@Override
	public Set<String> names() {
		checkOpen();
		long now = this.clock.millis();
		return this.readers.read((reader) -> reader.names(now));
	}

	@Override
	public void close() {
		if (!this.closed.compareAndSet(false, true)) {
			return;
		}
		this.watchers.close();
		this.readers.close();
		// The last to go takes the log with it, if it may write.
		this.writer.close();
	}

	Clock clock() {
		return this.clock;
	}

	Readers readers() {
		return this.readers;
	}

	Watchers watchers() {
		return this.watchers;
	}

	Writer writer() {
		return this.writer;
	}

	/**
	 * Makes sure that nobody closed these.
	 * @throws MicroException.Unavailable if somebody did
	 */
	void checkOpen() {
		if (this.closed.get()) {
			throw Readers.closed();
		}
	}

	private final class JdbcDatabase implements Database {

		private final String namespace;

		private final byte[] bytes;

		JdbcDatabase(String namespace) {
			this.namespace = namespace;
			this.bytes = Place.utf8(namespace);
		}

		@Override
		public Store table(String name) {
			return new JdbcStore(new Watchers.Table(this.namespace, Limits.name("table's name", name)));
		}

		@Override
		public Set<String> tables() {
			checkOpen();
			long now = JdbcDatabases.this.clock.millis();
			return JdbcDatabases.this.readers.read((reader) -> reader.tables(this.bytes, now));
		}

		@Override
		public List<Long> apply(List<TableWrite> writes) {
			checkOpen();
			return JdbcDatabases.this.writer.write(this.bytes, TableWrite.batch(writes));
		}

		@Override
		public long snapshot(BiConsumer<String, Entry> sink) {
			checkOpen();
			long now = JdbcDatabases.this.clock.millis();
			return JdbcDatabases.this.readers
				.readLong((reader, step) -> reader.snapshot(this.bytes, now, (table, entry) -> {
					step.run();
					sink.accept(table, entry);
				}));
		}

	}

	private final class JdbcStore implements Store {

		private final Watchers.Table table;

		private final Place place;

		JdbcStore(Watchers.Table table) {
			this.table = table;
			this.place = Place.of(table.namespace(), table.name());
		}

		@Override
		public @Nullable Entry get(String key) {
			checkOpen();
			Limits.key(key);
			long now = JdbcDatabases.this.clock.millis();
			return JdbcDatabases.this.readers.read((reader) -> reader.get(this.place, key, now));
		}

		@Override
		public Page get(Collection<String> keys) {
			checkOpen();
			Set<String> checked = Limits.keys(keys);
			long now = JdbcDatabases.this.clock.millis();
			return JdbcDatabases.this.readers.read((reader) -> reader.get(this.place, checked, now));
		}

		@Override
		public long put(Write write) {
			checkOpen();
			if (write.value() == null) {
				throw new MicroException.Invalid("the write to '" + write.key() + "' is a delete; use delete");
			}
			return apply(write);
		}

		@Override
		public boolean delete(String key, When when) {
			checkOpen();
			return apply(Write.delete(key).withWhen(when)) != 0;
		}

		private long apply(Write write) {
			TableWrite each = new TableWrite(this.table.name(), write);
			return JdbcDatabases.this.writer.write(this.place.namespace(), List.of(each)).get(0);
		}

		@Override
		public Page list(Query query) {
			checkOpen();
			long now = JdbcDatabases.this.clock.millis();
			return JdbcDatabases.this.readers.read((reader) -> reader.list(this.place, query, now));
		}

		@Override
		public Watch watch(String prefix, long afterRevision, Consumer<Change> listener) {
			checkOpen();
			Limits.text("prefix", prefix, Limits.KEY);
			if (afterRevision < 0) {
				throw new MicroException.Invalid("the revision " + afterRevision + " to watch from is negative");
			}
			return JdbcDatabases.this.watchers.watch(this.table, prefix, afterRevision, listener);
		}

	}

}
