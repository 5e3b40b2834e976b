package mu.micro.core;

import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Supplier;

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

/**
 * A view of databases that counts what is asked of it, and can fail, be away, stand
 * still, or keep its answers to itself.
 */
final class TroubledDatabases implements Databases {

	private final Databases databases;

	private final AtomicInteger unanswered = new AtomicInteger();

	private final AtomicInteger undone = new AtomicInteger();

	final AtomicInteger reads = new AtomicInteger();

	final AtomicInteger writes = new AtomicInteger();

	final List<Consumer<Change>> watchers = new CopyOnWriteArrayList<>();

	/**
	 * Runs before each read of entries, which fails if it does.
	 */
	volatile Runnable onRead = () -> {
	};

	/**
	 * Runs before each write, which fails if it does.
	 */
	volatile Runnable onWrite = () -> {
	};

	private volatile boolean away;

	private volatile boolean deaf;

	private volatile CountDownLatch moving = new CountDownLatch(0);

	private volatile CountDownLatch answering = new CountDownLatch(0);

	TroubledDatabases(Databases databases) {
		this.databases = databases;
	}

	/**
	 * Whether nothing is done, and said so.
	 * @param is whether it is so
	 */
	void away(boolean is) {
		this.away = is;
	}

	/**
	 * Has watches be told nothing.
	 */
	void deaf() {
		this.deaf = true;
	}

	/**
	 * Has the next writes be done, and their outcome unknown.
	 * @param writes how many
	 */
	void answerNot(int writes) {
		this.unanswered.set(writes);
	}

	/**
	 * Has the next writes not be done, and their outcome unknown.
	 * @param writes how many
	 */
	void doNot(int writes) {
		this.undone.set(writes);
	}

	/**
	 * Has every call stand still before it is done.
	 */
	void stop() {
		this.moving = new CountDownLatch(1);
	}

	/**
	 * Has every write stand still once it is done.
	 */
	void answerLate() {
		this.answering = new CountDownLatch(1);
	}

	void go() {
		this.moving.countDown();
		this.answering.countDown();
	}

	@Override
	public Database in(String namespace) {
		return new TroubledDatabase(this.databases.in(namespace));
	}

	@Override
	public Set<String> names() {
		return reach(this.databases::names);
	}

	@Override
	public void close() {
		go();
		this.databases.close();
	}

	private <T> T reach(Supplier<T> call) {
		await(this.moving);
		if (this.away) {
			throw new MicroException.Unavailable("away on purpose");
		}
		return call.get();
	}

	private <T> T read(Supplier<T> call) {
		this.reads.incrementAndGet();
		this.onRead.run();
		return reach(call);
	}

	private <T> T write(Supplier<T> call) {
		this.writes.incrementAndGet();
		this.onWrite.run();
		return reach(() -> {
			if (this.undone.getAndUpdate(TroubledDatabases::less) > 0) {
				throw new MicroException.OutcomeUnknown("not done on purpose", null);
			}
			T done = call.get();
			await(this.answering);
			if (this.unanswered.getAndUpdate(TroubledDatabases::less) > 0) {
				throw new MicroException.OutcomeUnknown("done and not answered on purpose", null);
			}
			return done;
		});
	}

	private static void await(CountDownLatch latch) {
		try {
			latch.await();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new MicroException.Cancelled("interrupted", ex);
		}
	}

	private static int less(int count) {
		return Math.max(0, count - 1);
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
			return reach(this.database::tables);
		}

		@Override
		public List<Long> apply(List<TableWrite> writes) {
			return write(() -> this.database.apply(writes));
		}

		@Override
		public long snapshot(BiConsumer<String, Entry> sink) {
			return read(() -> this.database.snapshot(sink));
		}

	}

	private final class TroubledStore implements Store {

		private final Store store;

		TroubledStore(Store store) {
			this.store = store;
		}

		@Override
		public Entry get(String key) {
			return read(() -> this.store.get(key));
		}

		@Override
		public Page get(Collection<String> keys) {
			return read(() -> this.store.get(keys));
		}

		@Override
		public long put(Write write) {
			return write(() -> this.store.put(write));
		}

		@Override
		public boolean delete(String key, When when) {
			return write(() -> this.store.delete(key, when));
		}

		@Override
		public Page list(Query query) {
			return read(() -> this.store.list(query));
		}

		@Override
		public Watch watch(String prefix, long afterRevision, Consumer<Change> listener) {
			TroubledDatabases.this.watchers.add(listener);
			return reach(() -> this.store.watch(prefix, afterRevision, (change) -> {
				if (!TroubledDatabases.this.deaf) {
					listener.accept(change);
				}
			}));
		}

	}

}
