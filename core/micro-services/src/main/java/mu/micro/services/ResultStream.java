package mu.micro.services;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

import io.grpc.stub.ServerCallStreamObserver;
import mu.micro.Subscription;
import org.jspecify.annotations.Nullable;

/**
 * The results of one call, sent as fast as the client takes them. What is sent is made
 * from the state at that moment, so that a slow client makes nothing pile up.
 *
 * @param <T> the results' type
 */
final class ResultStream<T> {

	private final String id;

	private final ServerCallStreamObserver<T> call;

	private final Supplier<? extends @Nullable T> next;

	private final Runnable onEnd;

	private final ReentrantLock lock = new ReentrantLock();

	private final List<Subscription> subscriptions = new ArrayList<>();

	private boolean ended;

	/**
	 * Results are sent whenever the client begins to take some, and with each
	 * {@link #update}.
	 * @param id who answers, for errors
	 * @param call the call
	 * @param next makes the next result, or null when all is said for now; called one at
	 * a time
	 * @param onEnd runs once, when the stream has ended
	 */
	ResultStream(String id, ServerCallStreamObserver<T> call, Supplier<? extends @Nullable T> next, Runnable onEnd) {
		this.id = id;
		this.call = call;
		this.next = next;
		this.onEnd = onEnd;
		call.setOnCancelHandler(() -> end(null));
		call.setOnReadyHandler(() -> update(() -> {
		}));
	}

	/**
	 * Changes the state that results are made from, and sends what the client takes.
	 * @param change changes the state, with no other change or {@code next} meanwhile
	 */
	void update(Runnable change) {
		this.lock.lock();
		try {
			change.run();
			while (!this.ended && this.call.isReady()) {
				T result = this.next.get();
				if (result == null) {
					return;
				}
				this.call.onNext(result);
			}
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * Has a subscription closed when the stream ends.
	 * @param subscription the subscription
	 */
	void add(Subscription subscription) {
		this.lock.lock();
		try {
			if (!this.ended) {
				this.subscriptions.add(subscription);
				return;
			}
		}
		finally {
			this.lock.unlock();
		}
		subscription.close();
	}

	/**
	 * Closes one of the subscriptions before the stream ends.
	 * @param subscription the subscription
	 */
	void remove(Subscription subscription) {
		this.lock.lock();
		try {
			this.subscriptions.remove(subscription);
		}
		finally {
			this.lock.unlock();
		}
		subscription.close();
	}

	/**
	 * Ends the stream.
	 * @param failure what the client is told; null when it has gone
	 */
	void end(@Nullable RuntimeException failure) {
		endWith(() -> {
			if (failure != null) {
				Reply.error(this.id, this.call, failure);
			}
		});
	}

	/**
	 * Ends the stream because all is said for good.
	 */
	void complete() {
		endWith(this.call::onCompleted);
	}

	private void endWith(Runnable last) {
		List<Subscription> open;
		this.lock.lock();
		try {
			if (this.ended) {
				return;
			}
			this.ended = true;
			open = List.copyOf(this.subscriptions);
			this.subscriptions.clear();
			last.run();
		}
		finally {
			this.lock.unlock();
		}
		open.forEach(Subscription::close);
		this.onEnd.run();
	}

}
