package mu.micro.services;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Supplier;

import io.grpc.stub.ServerCallStreamObserver;
import mu.micro.MicroException;
import org.jspecify.annotations.Nullable;

/**
 * The calls of one kind that a core service answers with streams that last: a bounded
 * number, and none while it shuts down.
 */
final class OpenStreams {

	private final String id;

	private final String kind;

	private final int most;

	private final Set<ResultStream<?>> open = ConcurrentHashMap.newKeySet();

	private volatile boolean draining;

	private volatile boolean closed;

	/**
	 * None yet.
	 * @param id the core service
	 * @param kind what they are, in the plural
	 * @param most how many there may be at a time; one more is {@code RESOURCE_EXHAUSTED}
	 */
	OpenStreams(String id, String kind, int most) {
		this.id = id;
		this.kind = kind;
		this.most = most;
	}

	/**
	 * Opens one, or ends its call with the error that says why not.
	 * @param call the call
	 * @param next makes the next result, or null when all is said for now
	 * @param start begins to make results
	 * @param <T> the results' type
	 */
	<T> void open(ServerCallStreamObserver<T> call, Supplier<? extends @Nullable T> next,
			Consumer<ResultStream<T>> start) {
		AtomicReference<@Nullable ResultStream<T>> self = new AtomicReference<>();
		ResultStream<T> stream = new ResultStream<>(this.id, call, next, () -> {
			ResultStream<T> ended = self.get();
			if (ended != null) {
				this.open.remove(ended);
			}
		});
		self.set(stream);
		this.open.add(stream);
		if (this.draining || this.closed) {
			stream.end(shuttingDown());
			return;
		}
		if (this.open.size() > this.most) {
			stream.end(new MicroException.Exhausted("there are " + this.most + " " + this.kind
					+ " already, the limit; let those end that are not needed"));
			return;
		}
		try {
			start.accept(stream);
		}
		catch (RuntimeException ex) {
			stream.end(ex);
		}
	}

	/**
	 * Takes no more until {@link #resume()}.
	 */
	void refuse() {
		this.draining = true;
	}

	/**
	 * Ends all and takes no more until {@link #resume()}.
	 */
	void end() {
		refuse();
		this.open.forEach((stream) -> stream.end(shuttingDown()));
	}

	/**
	 * What a stream ends with because the service does.
	 * @return the failure
	 */
	MicroException.Unavailable shuttingDown() {
		return new MicroException.Unavailable("the " + this.id + " is shutting down; try again");
	}

	/**
	 * Takes calls again, unless closed.
	 */
	void resume() {
		this.draining = false;
	}

	/**
	 * Ends all for good.
	 */
	void close() {
		this.closed = true;
		end();
	}

}
