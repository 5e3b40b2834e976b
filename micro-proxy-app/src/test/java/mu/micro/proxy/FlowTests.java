package mu.micro.proxy;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;

import com.google.protobuf.ByteString;
import io.grpc.stub.CallStreamObserver;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import mu.micro.proxy.trial.Ball;
import mu.micro.proxy.trial.TrialGrpc;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A fast sender waits for a slow reader, whatever lies between them.
 */
class FlowTests {

	/**
	 * The windows of both hops, as large as they may grow, and a few messages.
	 */
	private static final int BOUND = 24 << 20;

	/**
	 * Sent in all once the reader reads.
	 */
	private static final int ALL = 64 << 20;

	private static final Duration LONGEST = Duration.ofSeconds(60);

	private Stage stage;

	@BeforeEach
	void open() {
		this.stage = new Stage();
	}

	@AfterEach
	void close() throws Exception {
		this.stage.close();
	}

	private static void sendWhileReady(CallStreamObserver<Ball> out, Ball ball, AtomicInteger sent, int most) {
		while (out.isReady() && sent.get() < most) {
			out.onNext(ball);
			if (sent.incrementAndGet() == most) {
				out.onCompleted();
			}
		}
	}

	private static void settled(AtomicInteger sent, BooleanSupplier ready) {
		AtomicInteger before = new AtomicInteger(-1);
		Awaitility.await()
			.atMost(LONGEST)
			.pollInterval(Duration.ofMillis(300))
			.until(() -> before.getAndSet(sent.get()) == sent.get() && sent.get() > 0 && !ready.getAsBoolean());
	}

	private static Ball ball(int size) {
		return Ball.newBuilder().setBody(ByteString.copyFrom(new byte[size])).build();
	}

	@ParameterizedTest
	@ValueSource(ints = { 4 * 1024, 256 * 1024 })
	void aFastCallerWaitsForASlowService(int size) throws Exception {
		AtomicReference<ServerCallStreamObserver<Ball>> service = new AtomicReference<>();
		AtomicInteger received = new AtomicInteger();
		this.stage.start("trial", new TrialGrpc.TrialImplBase() {

			@Override
			public StreamObserver<Ball> up(StreamObserver<Ball> out) {
				ServerCallStreamObserver<Ball> call = (ServerCallStreamObserver<Ball>) out;
				call.disableAutoRequest();
				service.set(call);
				return new StreamObserver<>() {

					@Override
					public void onNext(Ball ball) {
						received.incrementAndGet();
						call.request(1);
					}

					@Override
					public void onError(Throwable failure) {
					}

					@Override
					public void onCompleted() {
						out.onNext(Ball.getDefaultInstance());
						out.onCompleted();
					}

				};
			}

		});
		AtomicInteger sent = new AtomicInteger();
		AtomicReference<ClientCallStreamObserver<Ball>> caller = new AtomicReference<>();
		CountDownLatch ended = new CountDownLatch(1);
		Ball ball = ball(size);
		int most = ALL / size;
		TrialGrpc.newStub(this.stage.front).up(new ClientResponseObserver<Ball, Ball>() {

			@Override
			public void beforeStart(ClientCallStreamObserver<Ball> balls) {
				caller.set(balls);
				balls.setOnReadyHandler(() -> sendWhileReady(balls, ball, sent, most));
			}

			@Override
			public void onNext(Ball answer) {
			}

			@Override
			public void onError(Throwable failure) {
			}

			@Override
			public void onCompleted() {
				ended.countDown();
			}

		});
		settled(sent, () -> caller.get().isReady());
		assertThat((long) sent.get() * size).isLessThan(BOUND);
		assertThat(received).hasValue(0);
		service.get().request(1);
		Awaitility.await().atMost(LONGEST).until(() -> ended.getCount() == 0);
		assertThat(received).hasValue(most);
	}

	@ParameterizedTest
	@ValueSource(ints = { 4 * 1024, 256 * 1024 })
	void aFastServiceWaitsForASlowCaller(int size) throws Exception {
		AtomicInteger sent = new AtomicInteger();
		AtomicReference<ServerCallStreamObserver<Ball>> service = new AtomicReference<>();
		Ball ball = ball(size);
		int most = ALL / size;
		this.stage.start("trial", new TrialGrpc.TrialImplBase() {

			@Override
			public void down(Ball request, StreamObserver<Ball> out) {
				ServerCallStreamObserver<Ball> call = (ServerCallStreamObserver<Ball>) out;
				service.set(call);
				call.setOnReadyHandler(() -> sendWhileReady(call, ball, sent, most));
			}

		});
		AtomicInteger received = new AtomicInteger();
		AtomicReference<ClientCallStreamObserver<Ball>> caller = new AtomicReference<>();
		CountDownLatch ended = new CountDownLatch(1);
		TrialGrpc.newStub(this.stage.front).down(ball(1), new ClientResponseObserver<Ball, Ball>() {

			@Override
			public void beforeStart(ClientCallStreamObserver<Ball> call) {
				call.disableAutoRequestWithInitial(0);
				caller.set(call);
			}

			@Override
			public void onNext(Ball answer) {
				received.incrementAndGet();
				caller.get().request(1);
			}

			@Override
			public void onError(Throwable failure) {
			}

			@Override
			public void onCompleted() {
				ended.countDown();
			}

		});
		settled(sent, () -> service.get().isReady());
		assertThat((long) sent.get() * size).isLessThan(BOUND);
		caller.get().request(1);
		Awaitility.await().atMost(LONGEST).until(() -> ended.getCount() == 0);
		assertThat(received).hasValue(most);
	}

	@Test
	void aStalledStreamHoldsUpNoOtherCallOfItsConnection() throws Exception {
		AtomicInteger sent = new AtomicInteger();
		List<ServerCallStreamObserver<Ball>> services = new CopyOnWriteArrayList<>();
		Ball ball = ball(64 * 1024);
		this.stage.start("trial", new TrialService() {

			@Override
			public void down(Ball request, StreamObserver<Ball> out) {
				ServerCallStreamObserver<Ball> call = (ServerCallStreamObserver<Ball>) out;
				services.add(call);
				call.setOnReadyHandler(() -> sendWhileReady(call, ball, sent, 1000));
			}

		});
		AtomicReference<ClientCallStreamObserver<Ball>> caller = new AtomicReference<>();
		for (int i = 0; i < 5; i++) {
			TrialGrpc.newStub(this.stage.front).down(ball(1), new ClientResponseObserver<Ball, Ball>() {

				@Override
				public void beforeStart(ClientCallStreamObserver<Ball> call) {
					call.disableAutoRequestWithInitial(0);
					caller.set(call);
				}

				@Override
				public void onNext(Ball answer) {
				}

				@Override
				public void onError(Throwable failure) {
				}

				@Override
				public void onCompleted() {
				}

			});
		}
		settled(sent, () -> services.size() < 5 || services.stream().anyMatch(CallStreamObserver::isReady));
		Ball large = ball(2 << 20);
		assertThat(TrialGrpc.newBlockingStub(this.stage.front).unary(large)).isEqualTo(large);
	}

}
