package mu.micro.services;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

import io.grpc.stub.ServerCallStreamObserver;
import mu.micro.Subscription;
import mu.micro.wire.registry.Result;
import org.jspecify.annotations.Nullable;

/**
 * The results of one watch, sent as fast as the client takes them. What is sent is made
 * from the state at that moment, so that a slow client makes nothing pile up.
 */
final class ResultStream {

	private final ServerCallStreamObserver<Result> call;

	private final Supplier<@Nullable Result> next;

	private final Runnable onEnd;

	private final ReentrantLock lock = new ReentrantLock();

	private final List<Subscription> subscriptions = new ArrayList<>();

	private boolean ended;

	/**
	 * Nothing is sent before the first {@link #update}.
	 * @param call the call
	 * @param next makes the next result, or null when all is said; called one at a time
	 * @param onEnd runs once, when the watch has ended
	 */
	ResultStream(ServerCallStreamObserver<Result> call, Supplier<@Nullable Result> next, Runnable onEnd) {
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
				Result result = this.next.get();
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
	 * Has a subscription closed when the watch ends.
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
	 * Closes one of the subscriptions before the watch ends.
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
	 * Ends the watch.
	 * @param failure what the client is told; null when it has gone
	 */
	void end(@Nullable RuntimeException failure) {
		List<Subscription> open;
		this.lock.lock();
		try {
			if (this.ended) {
				return;
			}
			this.ended = true;
			open = List.copyOf(this.subscriptions);
			this.subscriptions.clear();
			if (failure != null) {
				Reply.error(RegistryService.NAME, this.call, failure);
			}
		}
		finally {
			this.lock.unlock();
		}
		open.forEach(Subscription::close);
		this.onEnd.run();
	}

}
