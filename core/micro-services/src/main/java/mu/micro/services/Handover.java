package mu.micro.services;

import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

import mu.micro.MicroException;
import mu.micro.Subscription;
import org.jspecify.annotations.Nullable;

/**
 * Passes results to a stream from a source that can wait: one is held at most, and the
 * source waits until it is taken. A client that lets it wait for too long is given up.
 *
 * @param <T> the results' type
 */
final class Handover<T> implements Subscription {

	private final Duration patience;

	private final Semaphore free = new Semaphore(1);

	private @Nullable T waiting;

	private volatile boolean over;

	/**
	 * Nothing to pass on yet.
	 * @param patience how long the source waits for the client
	 */
	Handover(Duration patience) {
		this.patience = patience;
	}

	/**
	 * Passes a result on. Called by one thread at a time, and not from within the stream.
	 * @param stream the stream
	 * @param result the result
	 * @return false if the stream has ended
	 */
	boolean offer(ResultStream<T> stream, T result) {
		if (!awaitTaken(stream)) {
			return false;
		}
		stream.update(() -> this.waiting = result);
		return true;
	}

	/**
	 * Waits until all that was offered has been taken, after which nothing may be
	 * offered.
	 * @param stream the stream
	 * @return false if the stream has ended
	 */
	boolean awaitTaken(ResultStream<T> stream) {
		if (this.over) {
			return false;
		}
		try {
			if (!this.free.tryAcquire(this.patience.toNanos(), TimeUnit.NANOSECONDS)) {
				stream.end(new MicroException.Exhausted("nothing was taken from this stream for "
						+ this.patience.toMillis() + " ms, the limit; call again, and read as it comes"));
			}
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			stream.end(new MicroException.Unavailable("the server is shutting down; try again", ex));
		}
		if (this.over) {
			// Another one may wait.
			this.free.release();
		}
		return !this.over;
	}

	/**
	 * The result that waits. Called by the stream.
	 * @return the result, or null if there is none
	 */
	@Nullable T take() {
		T taken = this.waiting;
		if (taken != null) {
			this.waiting = null;
			this.free.release();
		}
		return taken;
	}

	/**
	 * Has nobody wait any more.
	 */
	@Override
	public void close() {
		this.over = true;
		this.free.release();
	}

}
