package mu.micro.gateway;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;

import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import mu.micro.MicroException;
import mu.micro.gateway.shop.Order;
import mu.micro.gateway.shop.OrdersGrpc;
import mu.micro.grpc.Errors;

/**
 * The service behind the gateway.
 */
class OrdersService extends OrdersGrpc.OrdersImplBase {

	private static final Context.Key<Metadata> METADATA = Context.key("metadata");

	final List<StreamObserver<Order>> waiting = new CopyOnWriteArrayList<>();

	final CountDownLatch cancelled = new CountDownLatch(1);

	@Override
	public void call(Order request, StreamObserver<Order> observer) {
		observer.onNext(request);
		observer.onCompleted();
	}

	@Override
	public void wait(Order request, StreamObserver<Order> observer) {
		((ServerCallStreamObserver<Order>) observer).setOnCancelHandler(this.cancelled::countDown);
		this.waiting.add(observer);
	}

	void answerAll() {
		this.waiting.forEach((observer) -> {
			observer.onNext(Order.newBuilder().setName("at last").build());
			observer.onCompleted();
		});
	}

	@Override
	public void fail(Order request, StreamObserver<Order> observer) {
		RuntimeException failure = switch (request.getName()) {
			case "own" -> Errors.toStatus("orders", new MicroException.Conflict("sold out, <try> again & again"));
			case "bare" -> Status.NOT_FOUND.withDescription("no such order").asRuntimeException();
			case "late" -> Status.DEADLINE_EXCEEDED.withDescription("the stock was slow").asRuntimeException();
			default -> new IllegalStateException("a defect");
		};
		observer.onError(failure);
	}

	@Override
	public void headers(Order request, StreamObserver<Order> observer) {
		Order.Builder answer = Order.newBuilder();
		Metadata metadata = METADATA.get();
		for (String key : metadata.keys()) {
			if (!key.endsWith(Metadata.BINARY_HEADER_SUFFIX)) {
				answer.putLabels(key, metadata.get(Metadata.Key.of(key, Metadata.ASCII_STRING_MARSHALLER)));
			}
		}
		observer.onNext(answer.build());
		observer.onCompleted();
	}

	/**
	 * Keeps the metadata for the service.
	 */
	static class Capture implements ServerInterceptor {

		@Override
		public <Q, A> ServerCall.Listener<Q> interceptCall(ServerCall<Q, A> call, Metadata headers,
				ServerCallHandler<Q, A> next) {
			return Contexts.interceptCall(Context.current().withValue(METADATA, headers), call, headers, next);
		}

	}

}
