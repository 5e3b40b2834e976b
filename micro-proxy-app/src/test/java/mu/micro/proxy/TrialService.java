package mu.micro.proxy;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.stub.StreamObserver;
import mu.micro.proxy.trial.Ball;
import mu.micro.proxy.trial.TrialGrpc;

/**
 * Throws balls back, and remembers what reached it.
 */
class TrialService extends TrialGrpc.TrialImplBase implements ServerInterceptor {

	final AtomicReference<Metadata> headers = new AtomicReference<>();

	/**
	 * The time that a call had left when it arrived.
	 */
	final AtomicReference<Duration> left = new AtomicReference<>();

	final CountDownLatch reached = new CountDownLatch(1);

	final CountDownLatch cancelled = new CountDownLatch(1);

	@Override
	public <Q, A> ServerCall.Listener<Q> interceptCall(ServerCall<Q, A> call, Metadata headers,
			ServerCallHandler<Q, A> next) {
		this.headers.set(headers);
		Deadline deadline = Context.current().getDeadline();
		if (deadline != null) {
			this.left.set(Duration.ofMillis(deadline.timeRemaining(TimeUnit.MILLISECONDS)));
		}
		Context.current().addListener((context) -> {
			if (context.cancellationCause() != null) {
				this.cancelled.countDown();
			}
		}, Runnable::run);
		return next.startCall(call, headers);
	}

	@Override
	public void unary(Ball ball, StreamObserver<Ball> out) {
		this.reached.countDown();
		out.onNext(ball);
		out.onCompleted();
	}

	@Override
	public void down(Ball ball, StreamObserver<Ball> out) {
		this.reached.countDown();
		for (int i = 0; i < ball.getNumber(); i++) {
			out.onNext(Ball.newBuilder().setNumber(i).build());
		}
		out.onCompleted();
	}

	@Override
	public StreamObserver<Ball> up(StreamObserver<Ball> out) {
		this.reached.countDown();
		AtomicInteger count = new AtomicInteger();
		return new StreamObserver<>() {

			@Override
			public void onNext(Ball ball) {
				count.incrementAndGet();
			}

			@Override
			public void onError(Throwable failure) {
			}

			@Override
			public void onCompleted() {
				out.onNext(Ball.newBuilder().setNumber(count.get()).build());
				out.onCompleted();
			}

		};
	}

	@Override
	public StreamObserver<Ball> both(StreamObserver<Ball> out) {
		this.reached.countDown();
		return new StreamObserver<>() {

			@Override
			public void onNext(Ball ball) {
				out.onNext(ball);
			}

			@Override
			public void onError(Throwable failure) {
			}

			@Override
			public void onCompleted() {
				out.onCompleted();
			}

		};
	}

}
