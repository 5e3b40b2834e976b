package mu.micro.core;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

import mu.micro.Limits;
import mu.micro.MicroException;
import mu.micro.Scoped;
import mu.micro.Subscription;
import mu.micro.config.Config;
import mu.micro.config.Json;
import mu.micro.store.Databases;
import mu.micro.store.Entry;
import mu.micro.store.Page;
import mu.micro.store.Query;
import mu.micro.store.Store;
import mu.micro.store.When;
import mu.micro.store.Write;
import org.jspecify.annotations.Nullable;

/**
 * Config on a store: each namespace's is one entry of its database, JSON that anybody can
 * read but for the secrets in it. As durable as the store, and shared by all who share
 * it.
 * <p>
 * A change reads the entry and writes it back on the condition that nobody changed it
 * meanwhile, and begins anew if somebody did. Nothing is begun after five seconds, the
 * wait for other changes of this process included: a change that found no gap by then is
 * {@link MicroException.Unavailable}, and has lasted longer only by what one read and one
 * write of the store take. A watch that cannot read the store tries on until it can, and
 * tells the state then. A read costs one of the store and the parsing of the whole: who
 * needs a value often should watch it.
 */
public final class StoreConfig implements Scoped<Config> {

	/**
	 * The table in each namespace's database.
	 */
	public static final String TABLE = "config";

	/**
	 * The key in the table.
	 */
	public static final String KEY = "document";

	private static final System.Logger logger = System.getLogger(StoreConfig.class.getName());

	private static final int STRIPES = 64;

	private static final Duration LONGEST_CHANGE = Duration.ofSeconds(5);

	private static final long SHORTEST_PAUSE = TimeUnit.MICROSECONDS.toNanos(200);

	private static final long LONGEST_PAUSE = TimeUnit.MILLISECONDS.toNanos(50);

	private static final int MAX_DOUBLINGS = 10;

	private static final Duration FIRST_WAIT = Duration.ofMillis(100);

	private static final Duration LONGEST_WAIT = Duration.ofSeconds(5);

	private final Databases databases;

	private final Keyring keys;

	private final Duration longestChange;

	// Within one process changes take turns; the condition is for those of others.
	private final List<ReentrantLock> turns = Stream.generate(ReentrantLock::new).limit(STRIPES).toList();

	private final ExecutorService executor = Threads.perTask("micro-config-watch");

	private final ScheduledThreadPoolExecutor timer = Threads.timer("micro-config-timer");

	private final Set<Watch> watches = ConcurrentHashMap.newKeySet();

	private volatile boolean closed;

	/**
	 * Config on databases.
	 * @param databases where it is kept; not closed by this
	 * @param keys what secrets are sealed with
	 */
	public StoreConfig(Databases databases, Keyring keys) {
		this(databases, keys, LONGEST_CHANGE);
	}

	StoreConfig(Databases databases, Keyring keys, Duration longestChange) {
		this.databases = databases;
		this.keys = keys;
		this.longestChange = longestChange;
	}

	@Override
	public Config in(String namespace) {
		return new View(Limits.name("namespace", namespace));
	}

	/**
	 * Seals a namespace's secrets again with the first key of the ring, those that are
	 * not yet. When this has been done for all namespaces, the other keys are needed no
	 * more.
	 * @param namespace the namespace
	 * @return whether there was anything to do
	 * @throws MicroException.Internal if a secret's key is not in the ring; nothing was
	 * changed
	 */
	public boolean rotate(String namespace) {
		return new View(Limits.name("namespace", namespace)).change(ConfigDocument::sealAgain);
	}

	/**
	 * Ends all subscriptions. The databases stay open.
	 */
	@Override
	public void close() {
		this.closed = true;
		this.watches.forEach((watch) -> watch.delivery.close());
		this.timer.shutdownNow();
		this.executor.shutdownNow();
	}

	private void checkOpen() {
		if (this.closed) {
			throw new MicroException.Unavailable("the config is closed");
		}
	}

	private static Duration backOff(int failures) {
		long most = Math.min(FIRST_WAIT.toNanos() << Math.min(failures - 1, MAX_DOUBLINGS), LONGEST_WAIT.toNanos());
		return Duration.ofNanos(most / 2 + ThreadLocalRandom.current().nextLong(most / 2 + 1));
	}

	private final class View implements Config {

		private final String namespace;

		View(String namespace) {
			this.namespace = namespace;
		}

		private Store table() {
			checkOpen();
			return StoreConfig.this.databases.in(this.namespace).table(TABLE);
		}

		private ConfigDocument document(@Nullable Entry entry) {
			try {
				return ConfigDocument.read((entry != null) ? entry.value() : null,
						StoreConfig.this.keys.seals(this.namespace));
			}
			catch (MicroException.Invalid ex) {
				throw new MicroException.Internal("the config of namespace '" + this.namespace + "', which is at '"
						+ KEY + "' in table '" + TABLE + "', is damaged: " + ex.getMessage(), ex);
			}
		}

		@Override
		public @Nullable Json get(String path, boolean reveal) {
			Config.names(path);
			return document(table().get(KEY)).get(path, reveal);
		}

		@Override
		public void set(String path, Json value, boolean secret) {
			ConfigDocument.check(path, value);
			change((document) -> document.set(path, value, secret));
		}

		@Override
		public boolean remove(String path) {
			Config.names(path);
			return change((document) -> document.remove(path));
		}

		/**
		 * Changes the document.
		 * @param step gives the new one from the old, the same if nothing is to do
		 * @return whether something was
		 */
		boolean change(UnaryOperator<ConfigDocument> step) {
			ReentrantLock turn = StoreConfig.this.turns.get(Math.floorMod(this.namespace.hashCode(), STRIPES));
			long end = System.nanoTime() + StoreConfig.this.longestChange.toNanos();
			try {
				if (!turn.tryLock(StoreConfig.this.longestChange.toNanos(), TimeUnit.NANOSECONDS)) {
					throw busy();
				}
				try {
					return changeInTurn(step, end);
				}
				finally {
					turn.unlock();
				}
			}
			catch (InterruptedException ex) {
				Thread.currentThread().interrupt();
				throw new MicroException.Cancelled(
						"interrupted before the config of namespace '" + this.namespace + "' was changed", ex);
			}
		}

		private boolean changeInTurn(UnaryOperator<ConfigDocument> step, long end) throws InterruptedException {
			Store table = table();
			for (int attempt = 1;; attempt++) {
				Entry entry = table.get(KEY);
				ConfigDocument before = document(entry);
				ConfigDocument after = step.apply(before);
				if (after == before) {
					return false;
				}
				try {
					write(table, after.write(), (entry != null) ? When.revision(entry.revision()) : When.ABSENT);
					return true;
				}
				catch (MicroException.Conflict ex) {
					long most = Math.min(SHORTEST_PAUSE << Math.min(attempt, MAX_DOUBLINGS), LONGEST_PAUSE);
					long pause = ThreadLocalRandom.current().nextLong(most);
					if (System.nanoTime() + pause - end >= 0) {
						throw busy();
					}
					TimeUnit.NANOSECONDS.sleep(pause);
				}
			}
		}

		private static void write(Store table, byte @Nullable [] bytes, When when) {
			if (bytes != null) {
				table.put(Write.put(KEY, bytes).withWhen(when));
			}
			else {
				table.delete(KEY, when);
			}
		}

		private MicroException.Unavailable busy() {
			return new MicroException.Unavailable("others kept changing the config of namespace '" + this.namespace
					+ "', so that this change found no gap within " + StoreConfig.this.longestChange
					+ "; nothing was changed, try again later");
		}

		@Override
		public Subscription watch(String path, boolean reveal, Consumer<@Nullable Json> listener) {
			Config.names(path);
			checkOpen();
			// The watch relies on it: no thread for it is said before it stands.
			StoreConfig.this.timer.prestartCoreThread();
			Watch watch = new Watch(this, path, reveal, listener);
			StoreConfig.this.watches.add(watch);
			try {
				watch.open();
				checkOpen();
			}
			catch (RuntimeException | Error ex) {
				watch.delivery.close();
				throw ex;
			}
			return watch.delivery;
		}

	}

	/**
	 * Reads again at each change.
	 */
	private final class Watch {

		private final View view;

		private final String path;

		private final boolean reveal;

		private final LatestState<Optional<Json>> delivery;

		private final ReentrantLock lock = new ReentrantLock();

		private @Nullable Subscription changes;

		private @Nullable Future<?> next;

		private int failures;

		private boolean over;

		Watch(View view, String path, boolean reveal, Consumer<@Nullable Json> listener) {
			this.view = view;
			this.path = path;
			this.reveal = reveal;
			this.delivery = new LatestState<>(StoreConfig.this.executor, (state) -> listener.accept(state.orElse(null)),
					this::end);
		}

		void open() {
			Page page = look();
			Subscription opened = this.view.table().watch(KEY, page.revision(), (change) -> changed());
			this.lock.lock();
			try {
				if (!this.over) {
					this.changes = opened;
					return;
				}
			}
			finally {
				this.lock.unlock();
			}
			opened.close();
		}

		private Page look() {
			this.lock.lock();
			try {
				Page page = this.view.table().list(Query.prefix(KEY).withLimit(1));
				Entry entry = (page.entries().isEmpty()) ? null : page.entries().get(0);
				this.delivery.offer(Optional.ofNullable(this.view.document(entry).get(this.path, this.reveal)));
				this.failures = 0;
				return page;
			}
			finally {
				this.lock.unlock();
			}
		}

		private void changed() {
			try {
				look();
			}
			catch (Throwable ex) {
				// An Error too: no other change may come to be told of.
				lookLater(ex);
			}
		}

		private void lookLater(Throwable failure) {
			this.lock.lock();
			try {
				if (this.over || StoreConfig.this.closed) {
					return;
				}
				if (this.failures++ == 0) {
					logger.log(System.Logger.Level.WARNING, "a watch of the config of namespace '" + this.view.namespace
							+ "' cannot read it: " + failure.getMessage() + "; this is tried on");
				}
				cancel(this.next);
				this.next = StoreConfig.this.timer.schedule(
						() -> Threads.execute(this::changed, StoreConfig.this.executor, StoreConfig.this.timer),
						backOff(this.failures).toNanos(), TimeUnit.NANOSECONDS);
			}
			catch (RejectedExecutionException ex) {
				// Closed meanwhile, which ends all watches.
			}
			finally {
				this.lock.unlock();
			}
		}

		private void end() {
			StoreConfig.this.watches.remove(this);
			Subscription open;
			this.lock.lock();
			try {
				this.over = true;
				cancel(this.next);
				open = this.changes;
			}
			finally {
				this.lock.unlock();
			}
			if (open != null) {
				open.close();
			}
		}

		private static void cancel(@Nullable Future<?> scheduled) {
			if (scheduled != null) {
				scheduled.cancel(false);
			}
		}

	}

}
