package mu.micro.memory;

import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Supplier;

import mu.micro.Limits;
import mu.micro.MicroException;
import mu.micro.core.ChangeFeed;
import mu.micro.core.KeyOrder;
import mu.micro.store.Change;
import mu.micro.store.Entry;
import mu.micro.store.Page;
import mu.micro.store.Query;
import mu.micro.store.TableWrite;
import mu.micro.store.When;
import mu.micro.store.Write;
import org.jspecify.annotations.Nullable;

/**
 * What all views of one {@link MemoryDatabases} have in common: the tables of all
 * namespaces, and who watches them.
 */
final class MemoryTables {

	private static final System.Logger logger = System.getLogger(MemoryTables.class.getName());

	/**
	 * How many deletes and expiries are kept for watchers, over all namespaces.
	 */
	static final int KEPT = 10_000;

	/**
	 * How many entries are cleared away, or looked at for a watcher, in one go.
	 */
	private static final int STEP = 1_000;

	/**
	 * How many changes are held for a listener, and how large their values may be.
	 */
	private static final int HELD = 100;

	private static final int HELD_BYTES = 1024 * 1024;

	/**
	 * With any prefix before it this is behind all keys that have the prefix.
	 */
	private static final String LAST = Character.toString(Character.MAX_CODE_POINT).repeat(Limits.KEY / 4 + 1);

	private final Clock clock;

	private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();

	private final NavigableMap<String, NavigableMap<String, Table>> namespaces = new TreeMap<>(KeyOrder.UTF8);

	private final NavigableMap<Due, Table> expiring = new TreeMap<>();

	private final Deque<Gone> kept = new ArrayDeque<>();

	private final ConcurrentMap<Place, Set<Watch>> watches = new ConcurrentHashMap<>();

	private long revision;

	private long forgotten;

	/**
	 * No tables. Revisions begin with the time: to a client of a server that was started
	 * again, revisions from before are old ones, and not some that are still to come.
	 * @param clock tells when entries are over
	 */
	MemoryTables(Clock clock) {
		this.clock = clock;
		this.revision = Math.max(0, ChronoUnit.MICROS.between(Instant.EPOCH, clock.instant()));
		this.forgotten = this.revision;
	}

	@Nullable Entry get(Place place, String key) {
		return read(() -> {
			Table table = table(place);
			return (table != null) ? visible(table, key, this.clock.instant()) : null;
		});
	}

	Page get(Place place, Set<String> keys) {
		return read(() -> {
			Table table = table(place);
			Instant now = this.clock.instant();
			List<Entry> entries = new ArrayList<>();
			long size = 0;
			for (String key : keys) {
				Entry entry = (table != null) ? visible(table, key, now) : null;
				if (entry == null) {
					continue;
				}
				size += entry.value().length;
				if (size > Limits.BATCH_BYTES) {
					return new Page(entries, this.revision, true);
				}
				entries.add(entry);
			}
			return new Page(entries, this.revision, false);
		});
	}

	Set<String> names() {
		return read(() -> {
			Instant now = this.clock.instant();
			Set<String> names = new LinkedHashSet<>();
			this.namespaces.forEach((namespace, tables) -> {
				if (tables.values().stream().anyMatch((table) -> table.isThere(now))) {
					names.add(namespace);
				}
			});
			return names;
		});
	}

	Set<String> tables(String namespace) {
		return read(() -> {
			Instant now = this.clock.instant();
			Set<String> names = new LinkedHashSet<>();
			tablesOf(namespace).forEach((name, table) -> {
				if (table.isThere(now)) {
					names.add(name);
				}
			});
			return names;
		});
	}

	Page list(Place place, Query query) {
		return read(() -> {
			List<Entry> entries = new ArrayList<>();
			Table table = table(place);
			boolean more = table != null && list(table, query, this.clock.instant(), entries);
			return new Page(entries, this.revision, more);
		});
	}

	long snapshot(String namespace, BiConsumer<String, Entry> sink) {
		Map<String, List<Entry>> entries = new TreeMap<>(KeyOrder.UTF8);
		long moment = read(() -> {
			Instant now = this.clock.instant();
			tablesOf(namespace).forEach((name, table) -> entries.put(name,
					table.entries.values().stream().filter((entry) -> isVisible(entry, now)).toList()));
			return this.revision;
		});
		entries.forEach((name, each) -> each.forEach((entry) -> sink.accept(name, entry)));
		return moment;
	}

	List<Long> apply(String namespace, List<TableWrite> writes) {
		List<Long> revisions = new ArrayList<>(writes.size());
		this.lock.writeLock().lock();
		try {
			Instant now = this.clock.instant();
			for (TableWrite each : writes) {
				check(namespace, each, now);
			}
			for (TableWrite each : writes) {
				revisions.add(write(new Place(namespace, each.table()), each.write(), now));
			}
		}
		finally {
			this.lock.writeLock().unlock();
		}
		for (int i = 0; i < revisions.size(); i++) {
			if (revisions.get(i) > 0) {
				look(new Place(namespace, writes.get(i).table()), writes.get(i).write().key());
			}
		}
		return revisions;
	}

	/**
	 * Clears away what has expired, some of it.
	 * @return whether there may be more
	 */
	boolean sweep() {
		List<Map.Entry<Place, String>> gone = new ArrayList<>();
		this.lock.writeLock().lock();
		try {
			Instant now = this.clock.instant();
			while (gone.size() < STEP && !this.expiring.isEmpty() && !this.expiring.firstKey().expires.isAfter(now)) {
				Map.Entry<Due, Table> due = this.expiring.firstEntry();
				Table table = due.getValue();
				String key = due.getKey().key;
				remove(table, key);
				this.revision++;
				keep(table, new Change.Expired(key, this.revision));
				gone.add(Map.entry(table.place, key));
			}
		}
		finally {
			this.lock.writeLock().unlock();
		}
		gone.forEach((each) -> look(each.getKey(), each.getValue()));
		return gone.size() == STEP;
	}

	/**
	 * What changed in a table.
	 * @param place the table
	 * @param prefix what the keys begin with
	 * @param after a revision
	 * @return the next changes
	 */
	ChangeFeed.Step changes(Place place, String prefix, long after) {
		return read(() -> {
			// Who begins with nothing has missed no delete. A revision that is still to
			// come is of other data than this.
			if (after > this.revision || (after > 0 && after < this.forgotten)) {
				return new ChangeFeed.Step(List.of(new Change.Lagged(this.revision)), this.revision, false);
			}
			Table table = table(place);
			return (table != null) ? changes(table, prefix, after)
					: new ChangeFeed.Step(List.of(), this.revision, false);
		});
	}

	/**
	 * Adds a watcher.
	 * @param place the table
	 * @param prefix what the keys begin with
	 * @param after where to begin
	 * @param listener who is told
	 * @param owner the view it is for
	 * @param executor where the listener runs
	 * @return the feed
	 */
	ChangeFeed watch(Place place, String prefix, long after, Consumer<Change> listener, MemoryDatabases owner,
			Executor executor) {
		Watch watch = new Watch(place, prefix, after, listener, owner, executor);
		this.watches.compute(place, (key, before) -> {
			Set<Watch> all = (before != null) ? before : ConcurrentHashMap.newKeySet();
			all.add(watch);
			return all;
		});
		watch.look();
		return watch.feed;
	}

	/**
	 * Ends a view's watches.
	 * @param owner the view
	 */
	void unwatch(MemoryDatabases owner) {
		eachWatch((watch) -> {
			if (watch.owner == owner) {
				watch.feed.close();
			}
		});
	}

	private void remove(Watch watch) {
		this.watches.computeIfPresent(watch.place, (place, all) -> {
			all.remove(watch);
			return all.isEmpty() ? null : all;
		});
	}

	private void eachWatch(Consumer<Watch> action) {
		this.watches.values().forEach((all) -> all.forEach(action));
	}

	/**
	 * Has the watchers look who could not, and those of whose tables and prefixes nothing
	 * was heard for so long that they would take what is forgotten for something they
	 * missed.
	 */
	void lookAgain() {
		long old = read(() -> this.revision) - KEPT / 2;
		eachWatch((watch) -> {
			if (watch.waiting || watch.feed.revision() < old) {
				watch.look();
			}
		});
	}

	private void look(Place place, String key) {
		for (Watch watch : this.watches.getOrDefault(place, Set.of())) {
			if (key.startsWith(watch.prefix)) {
				watch.look();
			}
		}
	}

	private void check(String namespace, TableWrite each, Instant now) {
		When when = each.write().when();
		if (when instanceof When.Always) {
			return;
		}
		String key = each.write().key();
		Table table = table(new Place(namespace, each.table()));
		Entry entry = (table != null) ? visible(table, key, now) : null;
		String name = "the entry '" + key + "' of table '" + each.table() + "'";
		if (when instanceof When.Absent && entry != null) {
			throw new MicroException.Conflict(name + " is there already, with revision " + entry.revision());
		}
		if (when instanceof When.Revision expected) {
			if (entry == null) {
				throw new MicroException.Conflict(
						name + " is not there, with revision " + expected.value() + " or any other; read again");
			}
			if (entry.revision() != expected.value()) {
				throw new MicroException.Conflict(
						name + " has revision " + entry.revision() + " and not " + expected.value() + "; read again");
			}
		}
	}

	private long write(Place place, Write write, Instant now) {
		byte[] value = write.value();
		if (value == null) {
			Table table = table(place);
			if (table == null || visible(table, write.key(), now) == null) {
				return 0;
			}
			remove(table, write.key());
			this.revision++;
			keep(table, new Change.Deleted(write.key(), this.revision));
			return this.revision;
		}
		Table table = this.namespaces.computeIfAbsent(place.namespace, (key) -> new TreeMap<>(KeyOrder.UTF8))
			.computeIfAbsent(place.table, (key) -> new Table(place));
		remove(table, write.key());
		this.revision++;
		Instant expires = (write.ttl() != null) ? now.truncatedTo(ChronoUnit.MILLIS).plus(write.ttl()) : null;
		Entry entry = new Entry(write.key(), value, this.revision, write.metadata(), expires);
		table.entries.put(write.key(), entry);
		table.changes.put(this.revision, new Change.Put(entry));
		if (expires != null) {
			this.expiring.put(new Due(expires, this.revision, write.key()), table);
		}
		return this.revision;
	}

	private void remove(Table table, String key) {
		Entry entry = table.entries.remove(key);
		if (entry != null) {
			table.changes.remove(entry.revision());
			if (entry.expires() != null) {
				this.expiring.remove(new Due(entry.expires(), entry.revision(), key));
			}
		}
	}

	private void keep(Table table, Change change) {
		table.changes.put(change.revision(), change);
		this.kept.add(new Gone(table, change.revision()));
		if (this.kept.size() > KEPT) {
			Gone oldest = this.kept.remove();
			this.forgotten = oldest.revision;
			oldest.table.changes.remove(oldest.revision);
			drop(oldest.table);
		}
	}

	private void drop(Table table) {
		if (table.changes.isEmpty()) {
			Map<String, Table> tables = tablesOf(table.place.namespace);
			tables.remove(table.place.table);
			if (tables.isEmpty()) {
				this.namespaces.remove(table.place.namespace);
			}
		}
	}

	private ChangeFeed.Step changes(Table table, String prefix, long after) {
		Instant now = this.clock.instant();
		List<Change> changes = new ArrayList<>();
		int looked = 0;
		int size = 0;
		for (Change change : table.changes.tailMap(after, false).values()) {
			if (change instanceof Change.Put put) {
				if (put.entry().key().startsWith(prefix) && isVisible(put.entry(), now)) {
					changes.add(change);
					size += put.entry().value().length;
				}
			}
			else if (key(change).startsWith(prefix)) {
				changes.add(change);
			}
			if (++looked == STEP || changes.size() == HELD || size >= HELD_BYTES) {
				return new ChangeFeed.Step(changes, change.revision(), true);
			}
		}
		return new ChangeFeed.Step(changes, this.revision, false);
	}

	private @Nullable Table table(Place place) {
		return tablesOf(place.namespace).get(place.table);
	}

	private NavigableMap<String, Table> tablesOf(String namespace) {
		return this.namespaces.getOrDefault(namespace, Collections.emptyNavigableMap());
	}

	private <T extends @Nullable Object> T read(Supplier<T> reading) {
		Lock reader = this.lock.readLock();
		reader.lock();
		try {
			return reading.get();
		}
		finally {
			reader.unlock();
		}
	}

	private static String key(Change change) {
		return (change instanceof Change.Deleted deleted) ? deleted.key() : ((Change.Expired) change).key();
	}

	private static boolean list(Table table, Query query, Instant now, List<Entry> entries) {
		int left = query.offset();
		long size = 0;
		for (Map.Entry<String, Entry> each : range(table.entries, query).entrySet()) {
			Entry entry = each.getValue();
			if (!entry.key().startsWith(query.prefix())) {
				return false;
			}
			if (!entry.key().endsWith(query.suffix()) || !isVisible(entry, now)) {
				continue;
			}
			if (left > 0) {
				left--;
				continue;
			}
			size += query.keysOnly() ? 0 : entry.value().length;
			if (entries.size() == query.limit() || size > Limits.BATCH_BYTES) {
				return true;
			}
			entries.add(query.keysOnly()
					? new Entry(entry.key(), new byte[0], entry.revision(), Map.of(), entry.expires()) : entry);
		}
		return false;
	}

	/*
	 * The keys from where the listing begins, which go on behind those with the prefix.
	 */
	private static NavigableMap<String, Entry> range(NavigableMap<String, Entry> entries, Query query) {
		String first = query.descending() ? query.prefix() + LAST : query.prefix();
		int later = KeyOrder.UTF8.compare(query.after(), first);
		boolean after = !query.after().isEmpty() && (query.descending() ? later < 0 : later >= 0);
		if (query.descending()) {
			return entries.headMap(after ? query.after() : first, false).descendingMap();
		}
		return entries.tailMap(after ? query.after() : first, !after);
	}

	private static @Nullable Entry visible(Table table, String key, Instant now) {
		Entry entry = table.entries.get(key);
		return (entry != null && isVisible(entry, now)) ? entry : null;
	}

	private static boolean isVisible(Entry entry, Instant now) {
		return entry.expires() == null || entry.expires().isAfter(now);
	}

	/**
	 * Where a table is.
	 */
	record Place(String namespace, String table) {
	}

	private record Due(Instant expires, long revision, String key) implements Comparable<Due> {

		private static final Comparator<Due> ORDER = Comparator.comparing(Due::expires)
			.thenComparingLong(Due::revision);

		@Override
		public int compareTo(Due other) {
			return ORDER.compare(this, other);
		}

	}

	private final class Watch {

		private final Place place;

		private final String prefix;

		private final MemoryDatabases owner;

		private final ChangeFeed feed;

		/**
		 * Whether it has to look, and there was no thread for it.
		 */
		private volatile boolean waiting;

		Watch(Place place, String prefix, long after, Consumer<Change> listener, MemoryDatabases owner,
				Executor executor) {
			this.place = place;
			this.prefix = prefix;
			this.owner = owner;
			this.feed = new ChangeFeed(executor, (revision) -> changes(place, prefix, revision), after, listener,
					() -> remove(this));
		}

		void look() {
			this.waiting = false;
			try {
				this.feed.look();
			}
			catch (Error ex) {
				// It is not the fault of who writes, nor the other watchers'.
				this.waiting = true;
				logger.log(System.Logger.Level.WARNING, "a watcher could not look; that is tried again", ex);
			}
		}

	}

	private record Gone(Table table, long revision) {
	}

	/**
	 * A table: its entries, and of each key the last change. It is dropped when it has
	 * neither.
	 */
	private static final class Table {

		private final Place place;

		private final NavigableMap<String, Entry> entries = new TreeMap<>(KeyOrder.UTF8);

		private final NavigableMap<Long, Change> changes = new TreeMap<>();

		Table(Place place) {
			this.place = place;
		}

		boolean isThere(Instant now) {
			return this.entries.values().stream().anyMatch((entry) -> isVisible(entry, now));
		}

	}

}
