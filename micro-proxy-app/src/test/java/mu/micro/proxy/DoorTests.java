package mu.micro.proxy;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import io.grpc.Status;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.stub.StreamObserver;
import mu.micro.MicroException;
import mu.micro.autoconfigure.PortTakenException;
import mu.micro.proxy.trial.Ball;
import mu.micro.proxy.trial.TrialGrpc;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

import org.springframework.util.unit.DataSize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class DoorTests {

	@Test
	void aPortInUseIsNamed() throws Exception {
		try (Stage stage = new Stage()) {
			int port = stage.door.port();
			assertThatExceptionOfType(PortTakenException.class).isThrownBy(() -> new Stage(Stage.properties(port)))
				.satisfies((ex) -> assertThat(ex.port()).isEqualTo(port));
		}
	}

	@Test
	void openCallsEndBeforeTheDoorCloses() throws Exception {
		try (Stage stage = new Stage(new ProxyProperties(0, DataSize.ofMegabytes(1), 1000, Duration.ofMinutes(1)))) {
			TrialService trial = new TrialService();
			stage.start("trial", trial, trial);
			Catcher<Ball> answers = new Catcher<>();
			StreamObserver<Ball> balls = TrialGrpc.newStub(stage.front).both(answers);
			balls.onNext(Ball.getDefaultInstance());
			answers.awaitMessages(1);
			CompletableFuture<Void> stopped = CompletableFuture.runAsync(stage.door::stop);
			balls.onNext(Ball.getDefaultInstance());
			answers.awaitMessages(2);
			balls.onCompleted();
			assertThat(answers.status()).isEqualTo(Status.Code.OK);
			stopped.get(10, TimeUnit.SECONDS);
			assertThat(stage.door.isRunning()).isFalse();
		}
	}

	@Test
	void aCallWithoutEndIsCutOffWhenTheTimeIsOver() throws Exception {
		try (Stage stage = new Stage()) {
			TrialService trial = new TrialService();
			stage.start("trial", trial, trial);
			Catcher<Ball> answers = new Catcher<>();
			TrialGrpc.newStub(stage.front).both(answers).onNext(Ball.getDefaultInstance());
			answers.awaitMessages(1);
			stage.door.stop();
			assertThat(answers.status()).isEqualTo(Status.Code.UNAVAILABLE);
			assertThat(trial.cancelled.await(10, TimeUnit.SECONDS)).isTrue();
			Awaitility.await().untilAsserted(() -> assertThat(stage.open("micro.proxy.calls.open")).isZero());
		}
	}

	@Test
	void aHealthWatchDoesNotHoldUpTheStop() throws Exception {
		try (Stage stage = new Stage(new ProxyProperties(0, DataSize.ofMegabytes(1), 1000, Duration.ofMinutes(1)))) {
			Catcher<HealthCheckResponse> statuses = new Catcher<>();
			HealthGrpc.newStub(stage.front).watch(HealthCheckRequest.getDefaultInstance(), statuses);
			statuses.awaitMessages(1);
			CompletableFuture.runAsync(stage.door::stop).get(20, TimeUnit.SECONDS);
			assertThat(statuses.status()).isEqualTo(Status.Code.UNAVAILABLE);
		}
	}

	@Test
	void aLimitThatMakesNoSenseIsRefused() {
		assertThatExceptionOfType(MicroException.Invalid.class)
			.isThrownBy(() -> new ProxyProperties(0, DataSize.ofBytes(0), 1, Duration.ZERO))
			.withMessageContaining("micro.proxy.max-message");
	}

}
