package mu.micro.services;

import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

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

/**
 * Databases that count what is done with them.
 */
final class CountedDatabases implements Databases {

	private final Databases databases;

	private final AtomicInteger lists = new AtomicInteger();

	private final AtomicInteger watches = new AtomicInteger();

	private final AtomicInteger told = new AtomicInteger();

	private final AtomicInteger snapshots = new AtomicInteger();

	private final AtomicInteger handedOver = new AtomicInteger();

	CountedDatabases(Databases databases) {
		this.databases = databases;
	}

	/**
	 * How many pages were listed.
	 */
	int lists() {
		return this.lists.get();
	}

	/**
	 * How many watches there are now.
	 */
	int watches() {
		return this.watches.get();
	}

	/**
	 * How many changes listeners have dealt with.
	 */
	int told() {
		return this.told.get();
	}

	/**
	 * How many snapshots are under way.
	 */
	int snapshots() {
		return this.snapshots.get();
	}

	/**
	 * How many entries of snapshots were dealt with.
	 */
	int handedOver() {
		return this.handedOver.get();
	}

	@Override
	public Database in(String namespace) {
		return new CountedDatabase(this.databases.in(namespace));
	}

	@Override
	public Set<String> names() {
		return this.databases.names();
	}

	@Override
	public void close() {
		this.databases.close();
	}

	private final class CountedDatabase implements Database {

		private final Database database;

		CountedDatabase(Database database) {
			this.database = database;
		}

		@Override
		public Store table(String name) {
			return new CountedStore(this.database.table(name));
		}

		@Override
		public Set<String> tables() {
			return this.database.tables();
		}

		@Override
		public List<Long> apply(List<TableWrite> writes) {
			return this.database.apply(writes);
		}

		@Override
		public long snapshot(BiConsumer<String, Entry> sink) {
			CountedDatabases.this.snapshots.incrementAndGet();
			try {
				return this.database.snapshot((table, entry) -> {
					sink.accept(table, entry);
					CountedDatabases.this.handedOver.incrementAndGet();
				});
			}
			finally {
				CountedDatabases.this.snapshots.decrementAndGet();
			}
		}

	}

	private final class CountedStore implements Store {

		private final Store store;

		CountedStore(Store store) {
			this.store = store;
		}

		@Override
		public Entry get(String key) {
			return this.store.get(key);
		}

		@Override
		public Page get(Collection<String> keys) {
			return this.store.get(keys);
		}

		@Override
		public long put(Write write) {
			return this.store.put(write);
		}

		@Override
		public boolean delete(String key, When when) {
			return this.store.delete(key, when);
		}

		@Override
		public Page list(Query query) {
			CountedDatabases.this.lists.incrementAndGet();
			return this.store.list(query);
		}

		@Override
		public Watch watch(String prefix, long afterRevision, Consumer<Change> listener) {
			Watch watch = this.store.watch(prefix, afterRevision, (change) -> {
				listener.accept(change);
				CountedDatabases.this.told.incrementAndGet();
			});
			CountedDatabases.this.watches.incrementAndGet();
			return new Watch() {

				@Override
				public long revision() {
					return watch.revision();
				}

				@Override
				public void close() {
					watch.close();
					CountedDatabases.this.watches.decrementAndGet();
				}

			};
		}

	}

}
