package mu.micro.jdbc;

import java.sql.SQLException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;

import mu.micro.MicroException;

/**
 * What one caller wants written, as one step. Until the writer takes it the caller can
 * withdraw it; from then on it may be written.
 *
 * @param <T> what the caller gets for it
 */
final class WriteRequest<T> {

	private enum State {

		WAITING, WITHDRAWN, TAKEN

	}

	private final Step<T> step;

	private final long size;

	private final AtomicReference<State> state = new AtomicReference<>(State.WAITING);

	private final CountDownLatch done = new CountDownLatch(1);

	private Supplier<T> outcome = () -> {
		throw new IllegalStateException("nothing came of it yet");
	};

	/**
	 * A request that waits.
	 * @param step what to do
	 * @param size how many bytes it writes, about
	 */
	WriteRequest(Step<T> step, long size) {
		this.step = step;
		this.size = size;
	}

	long size() {
		return this.size;
	}

	/**
	 * Does it in the transaction that is open.
	 * @param open the transaction
	 * @param now the time
	 * @return completes this, to be run once that is committed: a refusal too counts only
	 * once what it was refused for does
	 * @throws SQLException if that failed, maybe in part
	 */
	Runnable apply(EntryTable open, long now) throws SQLException {
		try {
			T result = this.step.apply(open, now);
			return () -> complete(() -> result);
		}
		catch (EntryTable.Refusal ex) {
			return () -> fail(ex::asException);
		}
		catch (MicroException ex) {
			return () -> fail(() -> ex);
		}
	}

	/**
	 * Makes sure that the caller still wants it, and from now on does not withdraw it.
	 * @return whether it is to be written
	 */
	boolean take() {
		return this.state.compareAndSet(State.WAITING, State.TAKEN);
	}

	/**
	 * Makes sure that it will not be written.
	 * @return false if it may be all the same, because it was taken
	 */
	boolean withdraw() {
		return this.state.compareAndSet(State.WAITING, State.WITHDRAWN);
	}

	boolean isWithdrawn() {
		return this.state.get() == State.WITHDRAWN;
	}

	private void complete(Supplier<T> what) {
		if (!isComplete()) {
			this.outcome = what;
			this.done.countDown();
		}
	}

	/**
	 * Says that nothing, or nothing good, came of it; the first thing said counts.
	 * @param failure gives what to throw, on the caller's thread
	 */
	void fail(Supplier<? extends MicroException> failure) {
		complete(() -> {
			throw failure.get();
		});
	}

	boolean isComplete() {
		return this.done.getCount() == 0;
	}

	/**
	 * Waits until it is complete.
	 * @param nanos how long at most
	 * @return whether it is
	 * @throws InterruptedException if interrupted
	 */
	boolean await(long nanos) throws InterruptedException {
		return this.done.await(nanos, TimeUnit.NANOSECONDS);
	}

	/**
	 * What came of it, once it is complete.
	 * @return the result
	 */
	T result() {
		return this.outcome.get();
	}

	/**
	 * What is done as one step.
	 *
	 * @param <T> what comes of it
	 */
	@FunctionalInterface
	interface Step<T> {

		/**
		 * Does all of it.
		 * @param open the transaction
		 * @param now the time
		 * @return what came of it
		 * @throws EntryTable.Refusal if it is not to be done, and nothing was
		 * @throws MicroException if it cannot be done, because something is damaged; what
		 * was done of it is to stay
		 * @throws SQLException if that failed, maybe in part
		 */
		T apply(EntryTable open, long now) throws SQLException, EntryTable.Refusal;

	}

}
