package mu.micro.memory;

import java.time.Clock;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

import mu.micro.Limits;
import mu.micro.MicroException;
import mu.micro.core.ChangeFeed;
import mu.micro.core.Threads;
import mu.micro.memory.MemoryTables.Place;
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
 * Databases within one JVM, that end with it. Not durable; otherwise all that a store
 * promises.
 * <p>
 * For watchers the last change of each entry that is there is kept, and in all namespaces
 * together the last 10,000 deletes and expiries. An expiry is told within a second. A
 * {@link Database#snapshot snapshot} holds a list of the database's entries, though no
 * copies of them.
 */
public final class MemoryDatabases implements Databases {

	private static final System.Logger logger = System.getLogger(MemoryDatabases.class.getName());

	private static final Duration SWEEPS = Duration.ofMillis(250);

	private final MemoryTables shared;

	private final ExecutorService executor = Threads.perTask("micro-store-watch");

	private final ScheduledExecutorService timer = Threads.timer("micro-store-expiry");

	private final AtomicBoolean closed = new AtomicBoolean();

	/**
	 * Empty databases, with the system's time.
	 */
	public MemoryDatabases() {
		this(Clock.systemUTC());
	}

	/**
	 * Empty databases.
	 * @param clock tells when entries are over
	 */
	public MemoryDatabases(Clock clock) {
		this(new MemoryTables(clock));
	}

	/**
	 * One more view of the same databases, with subscriptions of its own.
	 * @param other a view of the databases
	 */
	public MemoryDatabases(MemoryDatabases other) {
		this(other.shared);
	}

	private MemoryDatabases(MemoryTables shared) {
		this.shared = shared;
		this.timer.scheduleWithFixedDelay(this::sweep, SWEEPS.toMillis(), SWEEPS.toMillis(), TimeUnit.MILLISECONDS);
	}

	@Override
	public Database in(String namespace) {
		return new MemoryDatabase(Limits.name("namespace", namespace));
	}

	@Override
	public Set<String> names() {
		checkOpen();
		return this.shared.names();
	}

	@Override
	public void close() {
		if (!this.closed.compareAndSet(false, true)) {
			return;
		}
		this.timer.shutdownNow();
		this.shared.unwatch(this);
		this.executor.shutdownNow();
	}

	private void sweep() {
		try {
			boolean more = true;
			while (more && !this.closed.get()) {
				more = this.shared.sweep();
			}
			this.shared.lookAgain();
		}
		catch (Throwable ex) {
			// An Error too: what is thrown here would be the last sweep's.
			logger.log(System.Logger.Level.WARNING, "what has expired cannot be cleared away; that is tried again", ex);
		}
	}

	private void checkOpen() {
		if (this.closed.get()) {
			throw closed();
		}
	}

	private static MicroException.Unavailable closed() {
		return new MicroException.Unavailable("the databases are closed");
	}

	private final class MemoryDatabase implements Database {

		private final String namespace;

		MemoryDatabase(String namespace) {
			this.namespace = namespace;
		}

		@Override
		public Store table(String name) {
			return new MemoryStore(new Place(this.namespace, Limits.name("table's name", name)));
		}

		@Override
		public Set<String> tables() {
			checkOpen();
			return MemoryDatabases.this.shared.tables(this.namespace);
		}

		@Override
		public List<Long> apply(List<TableWrite> writes) {
			checkOpen();
			return MemoryDatabases.this.shared.apply(this.namespace, TableWrite.batch(writes));
		}

		@Override
		public long snapshot(BiConsumer<String, Entry> sink) {
			checkOpen();
			return MemoryDatabases.this.shared.snapshot(this.namespace, sink);
		}

	}

	private final class MemoryStore implements Store {

		private final Place place;

		MemoryStore(Place place) {
			this.place = place;
		}

		@Override
		public @Nullable Entry get(String key) {
			checkOpen();
			return MemoryDatabases.this.shared.get(this.place, Limits.key(key));
		}

		@Override
		public Page get(Collection<String> keys) {
			checkOpen();
			return MemoryDatabases.this.shared.get(this.place, Limits.keys(keys));
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

		@Override
		public Page list(Query query) {
			checkOpen();
			return MemoryDatabases.this.shared.list(this.place, query);
		}

		@Override
		public Watch watch(String prefix, long afterRevision, Consumer<Change> listener) {
			checkOpen();
			Limits.text("prefix", prefix, Limits.KEY);
			if (afterRevision < 0) {
				throw new MicroException.Invalid("the revision " + afterRevision + " to watch from is negative");
			}
			ChangeFeed feed = MemoryDatabases.this.shared.watch(this.place, prefix, afterRevision, listener,
					MemoryDatabases.this, MemoryDatabases.this.executor);
			if (MemoryDatabases.this.closed.get()) {
				feed.close();
				throw closed();
			}
			return feed;
		}

		private long apply(Write write) {
			TableWrite each = new TableWrite(this.place.table(), write);
			return MemoryDatabases.this.shared.apply(this.place.namespace(), List.of(each)).get(0);
		}

	}

}
