package mu.micro.proxy;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

import io.grpc.Status;
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
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * A service that ends in mid-call ends its calls at once.
 */
class DyingServiceTests {

	private final CountDownLatch reached = new CountDownLatch(1);

	private Stage stage;

	private Stage.Backend backend;

	@BeforeEach
	void open() throws Exception {
		this.stage = new Stage();
		this.backend = this.stage.start("trial", new Silent());
	}

	@AfterEach
	void close() throws Exception {
		this.stage.close();
	}

	@ParameterizedTest
	@ValueSource(strings = { "unary", "down", "up", "both" })
	void endsACallOfAnyKind(String kind) throws Exception {
		Catcher<Ball> answers = new Catcher<>();
		Ball ball = Ball.newBuilder().setNumber(1).build();
		TrialGrpc.TrialStub stub = TrialGrpc.newStub(this.stage.front);
		switch (kind) {
			case "unary" -> stub.unary(ball, answers);
			case "down" -> stub.down(ball, answers);
			case "up" -> stub.up(answers).onNext(ball);
			default -> stub.both(answers).onNext(ball);
		}
		assertThat(this.reached.await(10, TimeUnit.SECONDS)).isTrue();
		this.backend.server().shutdownNow();
		assertThat(answers.status()).isEqualTo(Status.Code.UNAVAILABLE);
		assertThat(Stage.error(answers.failure()).getId()).isEqualTo("proxy");
		assertThat(Stage.error(answers.failure()).getDetail()).contains("'trial'", "micro services");
		Awaitility.await().untilAsserted(() -> assertThat(this.stage.open("micro.proxy.calls.open")).isZero());
	}

	@Test
	void endsTheStreamOfAClientThatDoesNotWatchItsOwnDeadline() throws Exception {
		try (RawClient client = new RawClient(this.stage.door.port())) {
			assertThatExceptionOfType(ExecutionException.class)
				.isThrownBy(() -> client.call("application/grpc", "/trial.Trial/Unary", "grpc-timeout", "200m"))
				.withMessageContaining("reset");
		}
		Awaitility.await().untilAsserted(() -> assertThat(this.stage.open("micro.proxy.calls.open")).isZero());
	}

	@Test
	void reachesTheServiceThatIsStartedInItsPlace() throws Exception {
		this.backend.server().shutdownNow().awaitTermination();
		this.backend.lease().close();
		this.stage.until("trial", false);
		TrialService next = new TrialService();
		this.stage.start("trial", next, next);
		Awaitility.await()
			.ignoreExceptions()
			.until(() -> TrialGrpc.newBlockingStub(this.stage.front).unary(Ball.getDefaultInstance()) != null);
	}

	private final class Silent extends TrialGrpc.TrialImplBase {

		@Override
		public void unary(Ball request, StreamObserver<Ball> out) {
			DyingServiceTests.this.reached.countDown();
		}

		@Override
		public void down(Ball request, StreamObserver<Ball> out) {
			out.onNext(request);
			DyingServiceTests.this.reached.countDown();
		}

		@Override
		public StreamObserver<Ball> up(StreamObserver<Ball> out) {
			DyingServiceTests.this.reached.countDown();
			return new Catcher<>();
		}

		@Override
		public StreamObserver<Ball> both(StreamObserver<Ball> out) {
			out.onNext(Ball.getDefaultInstance());
			DyingServiceTests.this.reached.countDown();
			return new Catcher<>();
		}

	}

}
