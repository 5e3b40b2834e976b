package mu.micro.proxy;

import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;

import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import org.awaitility.Awaitility;

/**
 * Remembers what came back.
 *
 * @param <T> the messages' type
 */
class Catcher<T> implements StreamObserver<T> {

	final Queue<T> messages = new ConcurrentLinkedQueue<>();

	private final CompletableFuture<Throwable> end = new CompletableFuture<>();

	@Override
	public void onNext(T message) {
		this.messages.add(message);
	}

	@Override
	public void onError(Throwable failure) {
		this.end.complete(failure);
	}

	@Override
	public void onCompleted() {
		this.end.complete(Status.OK.asException());
	}

	Throwable failure() {
		Awaitility.await().pollInterval(Duration.ofMillis(2)).until(this.end::isDone);
		return this.end.join();
	}

	Status.Code status() {
		return Status.fromThrowable(failure()).getCode();
	}

	void awaitMessages(int count) {
		Awaitility.await().pollInterval(Duration.ofMillis(2)).until(() -> this.messages.size() >= count);
	}

}
