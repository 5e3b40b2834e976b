package mu.micro.core;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

import mu.micro.Lease;

/**
 * The holder's side of a lease: what a provider hands out, and ends with {@link #lose()}.
 */
public final class HeldLease implements Lease {

	private enum State {

		HELD, LOST, CLOSED

	}

	private final Consumer<? super HeldLease> release;

	private final ReentrantLock lock = new ReentrantLock();

	private final List<Runnable> actions = new ArrayList<>();

	private State state = State.HELD;

	/**
	 * A lease that is held.
	 * @param release gives this lease back, called once by {@link #close()} if it is
	 * still held then
	 */
	public HeldLease(Consumer<? super HeldLease> release) {
		this.release = release;
	}

	@Override
	public boolean held() {
		this.lock.lock();
		try {
			return this.state == State.HELD;
		}
		finally {
			this.lock.unlock();
		}
	}

	@Override
	public void onLost(Runnable action) {
		this.lock.lock();
		try {
			if (this.state == State.HELD) {
				this.actions.add(action);
			}
			if (this.state != State.LOST) {
				return;
			}
		}
		finally {
			this.lock.unlock();
		}
		action.run();
	}

	/**
	 * Says that the lease is lost and runs the holder's actions. Does nothing unless it
	 * was held.
	 */
	public void lose() {
		lose(Runnable::run);
	}

	/**
	 * Says that the lease is lost and has each of the holder's actions run. Does nothing
	 * unless it was held.
	 * @param executor where they run; here if it takes no more
	 * @return whether it was held
	 */
	public boolean lose(Executor executor) {
		if (!leave(State.LOST)) {
			return false;
		}
		for (Runnable action : this.actions) {
			try {
				executor.execute(action);
			}
			catch (RejectedExecutionException ex) {
				action.run();
			}
		}
		return true;
	}

	@Override
	public void close() {
		if (leave(State.CLOSED)) {
			this.release.accept(this);
		}
	}

	private boolean leave(State to) {
		this.lock.lock();
		try {
			if (this.state != State.HELD) {
				return false;
			}
			this.state = to;
			return true;
		}
		finally {
			this.lock.unlock();
		}
	}

}
