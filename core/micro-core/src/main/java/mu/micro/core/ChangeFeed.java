package mu.micro.core;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

import mu.micro.store.Change;
import mu.micro.store.Watch;

/**
 * Tells one listener of a store's changes, one at a time and in order, by asking the
 * provider for the next ones whenever the listener has dealt with those before.
 * <p>
 * So nothing queues up for a slow listener: what waits for it is what the provider keeps
 * anyway, it hears the state of a key as it is when its turn comes, and has lagged only
 * when the provider no longer knows what changed. The provider calls {@link #look()} when
 * there may be something new, as often as it likes and in any order.
 */
public final class ChangeFeed implements Watch {

	private static final System.Logger logger = System.getLogger(ChangeFeed.class.getName());

	/**
	 * How long a source that failed is left alone.
	 */
	private static final Duration PAUSE = Duration.ofSeconds(1);

	private final Executor executor;

	private final Source source;

	private final Consumer<? super Change> listener;

	private final Runnable onClose;

	private final ReentrantLock calling = new ReentrantLock();

	private final ReentrantLock lock = new ReentrantLock();

	private final Condition closing = this.lock.newCondition();

	private boolean pulling;

	private boolean again;

	private volatile boolean closed;

	private volatile long revision;

	/**
	 * Makes a feed; nothing is called before the first {@link #look()}.
	 * @param executor where source and listener run; they may block
	 * @param source tells what changed
	 * @param afterRevision where to begin
	 * @param listener who is called
	 * @param onClose runs once, when this is closed
	 */
	public ChangeFeed(Executor executor, Source source, long afterRevision, Consumer<? super Change> listener,
			Runnable onClose) {
		this.executor = executor;
		this.source = source;
		this.revision = afterRevision;
		this.listener = listener;
		this.onClose = onClose;
	}

	/**
	 * Has the source asked, once more if it is being asked now. Never blocks on source or
	 * listener.
	 */
	public void look() {
		this.lock.lock();
		try {
			this.again = true;
			if (this.pulling || this.closed) {
				return;
			}
			this.pulling = true;
		}
		finally {
			this.lock.unlock();
		}
		try {
			this.executor.execute(this::pull);
		}
		catch (RejectedExecutionException ex) {
			logger.log(System.Logger.Level.DEBUG, "not delivered: the provider is closed", ex);
		}
		catch (Error ex) {
			// No thread to be had: the next look is to try again.
			this.lock.lock();
			try {
				this.pulling = false;
			}
			finally {
				this.lock.unlock();
			}
			throw ex;
		}
	}

	@Override
	public long revision() {
		return this.revision;
	}

	private void pull() {
		boolean failing = false;
		while (goOn()) {
			try {
				Step step = this.source.after(this.revision);
				failing = false;
				step.changes().forEach(this::tell);
				this.revision = Math.max(this.revision, step.revision());
				if (step.more()) {
					look();
				}
			}
			catch (Throwable ex) {
				logger.log((failing || this.closed) ? System.Logger.Level.DEBUG : System.Logger.Level.WARNING,
						"changes could not be read; trying again", ex);
				failing = true;
				look();
				pause();
			}
		}
	}

	private boolean goOn() {
		this.lock.lock();
		try {
			this.pulling = this.again && !this.closed;
			this.again = false;
			return this.pulling;
		}
		finally {
			this.lock.unlock();
		}
	}

	private void tell(Change change) {
		if (change.revision() <= this.revision && !(change instanceof Change.Lagged)) {
			return;
		}
		if (change instanceof Change.Lagged) {
			// Which may be earlier, where data was put back: it counts from there again.
			this.revision = Math.min(this.revision, change.revision());
		}
		this.calling.lock();
		try {
			if (!this.closed) {
				this.listener.accept(change);
			}
		}
		catch (Throwable ex) {
			// An Error too: the changes that follow are promised all the same.
			logger.log(System.Logger.Level.WARNING, "a listener failed; it is called again with the next change", ex);
		}
		finally {
			this.calling.unlock();
			// A listener's interruption is not the source's.
			Thread.interrupted();
		}
		this.revision = Math.max(this.revision, change.revision());
	}

	private void pause() {
		this.lock.lock();
		try {
			long left = PAUSE.toNanos();
			while (!this.closed && left > 0) {
				left = this.closing.awaitNanos(left);
			}
		}
		catch (InterruptedException ex) {
			logger.log(System.Logger.Level.DEBUG, "the provider is closing", ex);
		}
		finally {
			this.lock.unlock();
		}
	}

	@Override
	public void close() {
		boolean first;
		this.lock.lock();
		try {
			first = !this.closed;
			this.closed = true;
			this.closing.signalAll();
		}
		finally {
			this.lock.unlock();
		}
		this.calling.lock();
		this.calling.unlock();
		if (first) {
			this.onClose.run();
		}
	}

	/**
	 * What changed in what is watched.
	 */
	@FunctionalInterface
	public interface Source {

		/**
		 * The changes after a revision. Called by one thread at a time; may block. What
		 * it throws is logged, and it is asked again a second later.
		 * @param revision a revision
		 * @return the next changes
		 */
		Step after(long revision);

	}

	/**
	 * The next changes.
	 *
	 * @param changes in the order of their revisions; of one key the last may stand for
	 * all. Only so many that they can be held in memory. A {@link Change.Lagged} where
	 * the changes after the revision asked for are no longer known, or where there is no
	 * such revision yet: from its own on it goes on, also if that is an earlier one
	 * @param revision how far they go: the last change's revision, or a later one if
	 * nothing that is watched changed up to there
	 * @param more whether to ask again at once
	 */
	public record Step(List<Change> changes, long revision, boolean more) {

		/**
		 * Copies the list.
		 */
		public Step {
			changes = List.copyOf(changes);
		}

	}

}
