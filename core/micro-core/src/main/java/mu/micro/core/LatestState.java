package mu.micro.core;

import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Supplier;

import mu.micro.Subscription;
import org.jspecify.annotations.Nullable;

/**
 * Delivers states to one listener, one at a time and in order. While the listener is busy
 * only the latest state waits for it, so that what is held is bounded and the last one
 * always arrives. A state equal to the one delivered last is dropped.
 *
 * @param <T> the state, immutable
 */
public final class LatestState<T> implements Subscription {

	private static final System.Logger logger = System.getLogger(LatestState.class.getName());

	private final Executor executor;

	private final Consumer<? super T> listener;

	private final Runnable onClose;

	private final ReentrantLock calling = new ReentrantLock();

	private final ReentrantLock lock = new ReentrantLock();

	private @Nullable T next;

	private @Nullable T last;

	private boolean scheduled;

	private volatile boolean closed;

	/**
	 * Makes a delivery; nothing is called before the first {@link #offer}.
	 * @param executor where the listener runs
	 * @param listener who is called
	 * @param onClose runs once, when this is closed
	 */
	public LatestState(Executor executor, Consumer<? super T> listener, Runnable onClose) {
		this.executor = executor;
		this.listener = listener;
		this.onClose = onClose;
	}

	/**
	 * Has the listener called with this state, unless a newer one comes first. Never
	 * blocks on the listener.
	 * @param state the current state
	 */
	public void offer(T state) {
		offerCurrent(() -> state);
	}

	/**
	 * Reads the current state and offers it, as one step: of two threads, the one that
	 * read the older state is never the one that offers last.
	 * @param current reads the state, quickly
	 */
	public void offerCurrent(Supplier<? extends T> current) {
		this.lock.lock();
		try {
			this.next = current.get();
			if (this.scheduled || this.closed) {
				return;
			}
			this.scheduled = true;
		}
		finally {
			this.lock.unlock();
		}
		try {
			this.executor.execute(this::deliver);
		}
		catch (RejectedExecutionException ex) {
			logger.log(System.Logger.Level.DEBUG, "not delivered: the provider is closed", ex);
		}
		catch (Error ex) {
			// No thread to be had: the next offer is to try again.
			this.lock.lock();
			try {
				this.scheduled = false;
			}
			finally {
				this.lock.unlock();
			}
			throw ex;
		}
	}

	private void deliver() {
		for (T state = take(); state != null; state = take()) {
			this.calling.lock();
			try {
				if (!this.closed) {
					this.listener.accept(state);
				}
			}
			catch (Throwable ex) {
				// An Error too: the deliveries that follow are promised all the same.
				logger.log(System.Logger.Level.WARNING, "a listener failed; it is called again with the next state",
						ex);
			}
			finally {
				this.calling.unlock();
			}
		}
	}

	private @Nullable T take() {
		this.lock.lock();
		try {
			T state = this.next;
			this.next = null;
			if (state == null || state.equals(this.last)) {
				this.scheduled = false;
				return null;
			}
			this.last = state;
			return state;
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

}
