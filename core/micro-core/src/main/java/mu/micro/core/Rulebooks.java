package mu.micro.core;

import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;

import mu.micro.MicroException;
import mu.micro.Subscription;
import mu.micro.auth.Account;
import mu.micro.auth.Decision;
import mu.micro.auth.Resource;
import mu.micro.auth.Rule;
import mu.micro.auth.Rules;
import org.jspecify.annotations.Nullable;

/**
 * Decides by rules that are kept elsewhere, without asking for each call: they are read
 * once and again at each change. In case a change was missed they are also read when they
 * are ten seconds old and asked for; when they could not be read for
 * {@link Rules#STALE_SECONDS}, there are no more decisions until they can.
 */
public final class Rulebooks implements AutoCloseable {

	/**
	 * Namespaces whose rules are held. Another one takes the place of the one that was
	 * asked for least lately.
	 */
	static final int NAMESPACES = 1000;

	private static final System.Logger logger = System.getLogger(Rulebooks.class.getName());

	private static final Duration OLD = Duration.ofSeconds(10);

	private static final Duration STALE = Duration.ofSeconds(Rules.STALE_SECONDS);

	private static final Duration PAUSE = Duration.ofSeconds(1);

	private final Source source;

	private final LongSupplier nanoTime;

	private final ExecutorService executor = Threads.perTask("micro-rules");

	private final Map<String, Shelf> shelves = new ConcurrentHashMap<>();

	private volatile boolean closed;

	/**
	 * Decides by the rules of a source.
	 * @param source where they are kept
	 */
	public Rulebooks(Source source) {
		this(source, System::nanoTime);
	}

	Rulebooks(Source source, LongSupplier nanoTime) {
		this.source = source;
		this.nanoTime = nanoTime;
	}

	/**
	 * Decides about a call.
	 * @param namespace whose rules
	 * @param account who calls, or null without an account
	 * @param resource what is called, without wildcards
	 * @return the decision
	 * @throws MicroException.Unavailable if the rules are not known
	 */
	public Decision decide(String namespace, @Nullable Account account, Resource resource) {
		checkOpen();
		Shelf shelf = this.shelves.get(namespace);
		if (shelf == null) {
			makeRoom();
			shelf = this.shelves.computeIfAbsent(namespace, Shelf::new);
		}
		return shelf.book().decide(account, resource);
	}

	void checkOpen() {
		if (this.closed) {
			throw new MicroException.Unavailable("the rules are closed");
		}
	}

	private void makeRoom() {
		if (this.shelves.size() < NAMESPACES) {
			return;
		}
		this.shelves.values().stream().min(Comparator.comparingLong((shelf) -> shelf.asked)).ifPresent((shelf) -> {
			this.shelves.remove(shelf.namespace, shelf);
			shelf.close();
		});
	}

	/**
	 * Ends the watches. The source stays open.
	 */
	@Override
	public void close() {
		this.closed = true;
		this.shelves.values().forEach(Shelf::close);
		this.executor.shutdownNow();
	}

	/**
	 * Where rules are kept.
	 */
	public interface Source {

		/**
		 * Reads the rules of a namespace.
		 * @param namespace the namespace
		 * @return the rules, in any order
		 */
		List<Rule> list(String namespace);

		/**
		 * Hears of changes that come after this call. May call more often than there are
		 * changes.
		 * @param namespace the namespace
		 * @param changed called after a change; it may block
		 * @return ends the calls when closed
		 */
		Subscription watch(String namespace, Runnable changed);

	}

	private final class Shelf {

		private final String namespace;

		private final ReentrantLock lock = new ReentrantLock();

		private final AtomicBoolean looking = new AtomicBoolean();

		private volatile long asked;

		private volatile @Nullable Rulebook book;

		private volatile long read;

		private volatile long tried;

		private volatile boolean missed;

		private @Nullable MicroException failure;

		private @Nullable Subscription watch;

		private boolean over;

		Shelf(String namespace) {
			this.namespace = namespace;
		}

		Rulebook book() {
			long now = Rulebooks.this.nanoTime.getAsLong();
			this.asked = now;
			Rulebook book = this.book;
			if (book == null || now - this.read > STALE.toNanos()) {
				return look(now);
			}
			if ((this.missed || now - this.read > OLD.toNanos()) && now - this.tried > PAUSE.toNanos()) {
				lookBeside();
			}
			return book;
		}

		// Unless somebody read them since.
		private Rulebook look(long since) {
			this.lock.lock();
			try {
				checkOpen();
				Rulebook known = this.book;
				if (known != null && this.read - since > 0) {
					return known;
				}
				if (this.failure != null && this.tried - since > 0) {
					throw this.failure;
				}
				return read();
			}
			finally {
				this.lock.unlock();
			}
		}

		private Rulebook read() {
			try {
				if (this.watch == null && !this.over) {
					this.watch = Rulebooks.this.source.watch(this.namespace, this::changed);
				}
				this.missed = false;
				long begin = Rulebooks.this.nanoTime.getAsLong();
				Rulebook book = new Rulebook(this.namespace, Rulebooks.this.source.list(this.namespace));
				this.book = book;
				this.read = begin;
				this.failure = null;
				return book;
			}
			catch (RuntimeException ex) {
				this.missed = true;
				this.failure = new MicroException.Unavailable(
						"the rules of namespace '" + this.namespace + "' cannot be read: " + ex.getMessage(), ex);
				throw this.failure;
			}
			finally {
				this.tried = Rulebooks.this.nanoTime.getAsLong();
			}
		}

		private void changed() {
			try {
				look(Rulebooks.this.nanoTime.getAsLong());
			}
			catch (RuntimeException ex) {
				logger.log(System.Logger.Level.DEBUG, "read again when they are asked for", ex);
			}
		}

		private void lookBeside() {
			if (!this.looking.compareAndSet(false, true)) {
				return;
			}
			try {
				Rulebooks.this.executor.execute(() -> {
					try {
						changed();
					}
					finally {
						this.looking.set(false);
					}
				});
			}
			catch (RejectedExecutionException | OutOfMemoryError ex) {
				this.looking.set(false);
			}
		}

		void close() {
			Subscription open;
			this.lock.lock();
			try {
				this.over = true;
				open = this.watch;
			}
			finally {
				this.lock.unlock();
			}
			if (open != null) {
				open.close();
			}
		}

	}

}
