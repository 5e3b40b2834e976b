package mu.micro.core;

import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

import mu.micro.Subscription;
import mu.micro.memory.MemoryDatabases;
import mu.micro.store.Change;
import mu.micro.store.Database;
import mu.micro.store.Databases;
import mu.micro.store.Entry;
import mu.micro.store.Page;
import mu.micro.store.Query;
import mu.micro.store.Store;
import mu.micro.store.TableWrite;
import mu.micro.store.When;
import mu.micro.store.Write;
import org.jspecify.annotations.Nullable;

/**
 * Databases in memory of which reads or writes fail when they are told to.
 */
final class FailingDatabases implements Databases {

	private final MemoryDatabases databases = new MemoryDatabases();

	final AtomicInteger reads = new AtomicInteger();

	final AtomicInteger writes = new AtomicInteger();

	final List<Consumer<Change>> watchers = new CopyOnWriteArrayList<>();

	volatile Runnable onRead = () -> {
	};

	volatile Runnable onWrite = () -> {
	};

	private void read() {
		this.reads.incrementAndGet();
		this.onRead.run();
	}

	private void write() {
		this.writes.incrementAndGet();
		this.onWrite.run();
	}

	@Override
	public Database in(String namespace) {
		return new TroubledDatabase(this.databases.in(namespace));
	}

	@Override
	public Set<String> names() {
		return this.databases.names();
	}

	@Override
	public void close() {
		this.databases.close();
	}

	private final class TroubledDatabase implements Database {

		private final Database database;

		TroubledDatabase(Database database) {
			this.database = database;
		}

		@Override
		public Store table(String name) {
			return new TroubledStore(this.database.table(name));
		}

		@Override
		public Set<String> tables() {
			return this.database.tables();
		}

		@Override
		public List<Long> apply(List<TableWrite> writes) {
			write();
			return this.database.apply(writes);
		}

		@Override
		public long snapshot(BiConsumer<String, Entry> sink) {
			read();
			return this.database.snapshot(sink);
		}

	}

	private final class TroubledStore implements Store {

		private final Store store;

		TroubledStore(Store store) {
			this.store = store;
		}

		@Override
		public @Nullable Entry get(String key) {
			read();
			return this.store.get(key);
		}

		@Override
		public long put(Write write) {
			write();
			return this.store.put(write);
		}

		@Override
		public boolean delete(String key, When when) {
			write();
			return this.store.delete(key, when);
		}

		@Override
		public Page list(Query query) {
			read();
			return this.store.list(query);
		}

		@Override
		public Subscription watch(String prefix, long afterRevision, Consumer<Change> listener) {
			FailingDatabases.this.watchers.add(listener);
			return this.store.watch(prefix, afterRevision, listener);
		}

	}

}
