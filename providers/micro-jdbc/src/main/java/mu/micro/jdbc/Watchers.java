package mu.micro.jdbc;

import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

import mu.micro.Subscription;
import mu.micro.core.ChangeFeed;
import mu.micro.core.Threads;
import mu.micro.store.Change;

/**
 * Who watches, and the one thread that finds out what changed and has them look. It looks
 * at once after a commit of this process; for those of others often while something goes
 * on, ever less often while nothing does, and not at all while nobody watches.
 */
final class Watchers implements AutoCloseable {

	private static final Duration SHORTEST = Duration.ofMillis(1);

	private static final Duration LONGEST = Duration.ofMillis(250);

	private static final Duration CLOSING = Duration.ofSeconds(2);

	/**
	 * How long it tries to connect before it says that it cannot.
	 */
	private static final Duration PATIENCE = Duration.ofSeconds(2);

	/**
	 * Up to how many changes it finds out whom they concern; more concern everybody.
	 */
	private static final int MOST = 1_000;

	private static final System.Logger logger = System.getLogger(Watchers.class.getName());

	private final Dialect dialect;

	private final Readers readers;

	private final Clock clock;

	private final ExecutorService executor = Threads.perTask("micro-store-watch");

	private final ConcurrentMap<Table, Set<Watch>> watches = new ConcurrentHashMap<>();

	/**
	 * Who is told when there is something new in a topic.
	 */
	private final ConcurrentMap<Table, Set<TopicWatch>> topics = new ConcurrentHashMap<>();

	private final Thread thread = Threads.daemons("micro-store-changes").newThread(this::run);

	private final AtomicBoolean started = new AtomicBoolean();

	private volatile boolean closed;

	Watchers(Dialect dialect, Readers readers, Clock clock) {
		this.dialect = dialect;
		this.readers = readers;
		this.clock = clock;
	}

	ChangeFeed watch(Table table, String prefix, long after, Consumer<Change> listener) {
		Watch watch = new Watch(table, prefix, after, listener);
		add(this.watches, table, watch);
		begin(watch.feed);
		watch.feed.look();
		return watch.feed;
	}

	/**
	 * Has somebody told of a topic in which there may be something new to take.
	 * @param topic where it is
	 * @param news told; must not block
	 * @return ends that when closed
	 */
	Subscription watch(Table topic, Runnable news) {
		TopicWatch watch = new TopicWatch(topic, news);
		add(this.topics, topic, watch);
		begin(watch);
		return watch;
	}

	private void begin(Subscription watch) {
		if (this.started.compareAndSet(false, true)) {
			this.thread.start();
		}
		if (this.closed) {
			watch.close();
			throw Readers.closed();
		}
		committed();
	}

	private static <T> void add(ConcurrentMap<Table, Set<T>> watches, Table table, T watch) {
		watches.compute(table, (key, before) -> {
			Set<T> all = (before != null) ? before : ConcurrentHashMap.newKeySet();
			all.add(watch);
			return all;
		});
	}

	private static <T> void remove(ConcurrentMap<Table, Set<T>> watches, Table table, T watch) {
		watches.computeIfPresent(table, (key, all) -> {
			all.remove(watch);
			return all.isEmpty() ? null : all;
		});
	}

	private boolean isIdle() {
		return this.watches.isEmpty() && this.topics.isEmpty();
	}

	/**
	 * Says that this process committed.
	 */
	void committed() {
		if (!isIdle()) {
			LockSupport.unpark(this.thread);
		}
	}

	private void run() {
		boolean failing = false;
		while (!this.closed) {
			if (isIdle()) {
				LockSupport.park(this);
				continue;
			}
			try (Dialect.Commits commits = this.dialect.commits(new Readers.Patience(PATIENCE))) {
				follow(commits);
				failing = false;
			}
			catch (InterruptedException ex) {
				// Closed: done.
			}
			catch (Throwable ex) {
				// An Error too, such as of too many threads: watchers rely on this one.
				logger.log((failing || this.closed) ? System.Logger.Level.DEBUG : System.Logger.Level.WARNING,
						"changes in " + this.dialect.name() + " cannot be followed; that is tried again", ex);
				failing = true;
				LockSupport.parkNanos(this, LONGEST.toNanos());
			}
		}
	}

	private void follow(Dialect.Commits commits) throws SQLException, InterruptedException {
		commits.any();
		long revision = this.readers.read(Reader::last);
		look(Long.MAX_VALUE);
		this.topics.keySet().forEach(this::tell);
		Duration pause = SHORTEST;
		while (!this.closed && !isIdle()) {
			if (commits.any()) {
				long after = revision;
				revision = look(this.readers.read((reader) -> reader.news(after, MOST)));
				if (!this.topics.isEmpty()) {
					this.readers.read((reader) -> reader.events((events) -> events.touched(after))).forEach(this::tell);
				}
				pause = SHORTEST;
			}
			commits.await(pause);
			pause = pause.multipliedBy(2);
			pause = (pause.compareTo(LONGEST) < 0) ? pause : LONGEST;
		}
	}

	private long look(Reader.News news) {
		for (Reader.News.Touched each : news.touched()) {
			for (Watch watch : this.watches.getOrDefault(each.table(), Set.of())) {
				if (each.key().startsWith(watch.prefix)) {
					watch.feed.look();
				}
			}
		}
		// Of whose tables and prefixes nothing was heard for long, they would take what
		// is
		// forgotten for something that they missed.
		look(news.all() ? news.revision() - EntryTable.KEPT / 2 : Long.MAX_VALUE);
		return news.revision();
	}

	private void tell(Table topic) {
		this.topics.getOrDefault(topic, Set.of()).forEach(TopicWatch::tell);
	}

	private void look(long old) {
		this.watches.values().forEach((all) -> all.forEach((watch) -> {
			if (watch.feed.revision() < old) {
				watch.feed.look();
			}
		}));
	}

	/**
	 * Ends all watches and waits for the listeners that are being called.
	 */
	@Override
	public void close() {
		this.closed = true;
		Ending.of(this.thread, CLOSING);
		this.watches.values().forEach((all) -> all.forEach((watch) -> watch.feed.close()));
		this.topics.values().forEach((all) -> all.forEach(TopicWatch::close));
		this.executor.shutdownNow();
	}

	/**
	 * A table, or a topic.
	 *
	 * @param namespace whose
	 * @param name its name
	 */
	record Table(String namespace, String name) {
	}

	private final class Watch {

		private final Table table;

		private final String prefix;

		private final ChangeFeed feed;

		Watch(Table table, String prefix, long after, Consumer<Change> listener) {
			this.table = table;
			this.prefix = prefix;
			Place place = Place.of(table.namespace, table.name);
			byte[] bytes = Place.utf8(prefix);
			ChangeFeed.Source source = (revision) -> Watchers.this.readers
				.read((reader) -> reader.changes(place, bytes, revision, Watchers.this.clock.millis()));
			this.feed = new ChangeFeed(Watchers.this.executor, source, after, listener,
					() -> remove(Watchers.this.watches, table, this));
		}

	}

	private final class TopicWatch implements Subscription {

		private final Table topic;

		private final Runnable news;

		private final ReentrantLock lock = new ReentrantLock();

		private boolean ended;

		TopicWatch(Table topic, Runnable news) {
			this.topic = topic;
			this.news = news;
		}

		void tell() {
			this.lock.lock();
			try {
				if (!this.ended) {
					this.news.run();
				}
			}
			catch (RuntimeException ex) {
				logger.log(System.Logger.Level.WARNING, "a listener failed; it is called again with the next news", ex);
			}
			finally {
				this.lock.unlock();
			}
		}

		@Override
		public void close() {
			remove(Watchers.this.topics, this.topic, this);
			this.lock.lock();
			try {
				this.ended = true;
			}
			finally {
				this.lock.unlock();
			}
		}

	}

}
