package mu.micro.proxy;

import java.util.concurrent.TimeUnit;

import io.grpc.BindableService;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.stub.MetadataUtils;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

class HealthTests {

	private Stage stage;

	@BeforeEach
	void open() {
		this.stage = new Stage();
	}

	@AfterEach
	void close() throws Exception {
		this.stage.close();
	}

	private static HealthCheckRequest of(String service) {
		return HealthCheckRequest.newBuilder().setService(service).build();
	}

	private ServingStatus check(String service) {
		return HealthGrpc.newBlockingStub(this.stage.front).check(of(service)).getStatus();
	}

	private static BindableService trial() {
		return new TrialService();
	}

	@Test
	void anEmptyNameIsTheProxyItself() {
		assertThat(check("")).isEqualTo(ServingStatus.SERVING);
	}

	@Test
	void aServiceIsAskedByItsNameAndByItsGrpcServices() throws Exception {
		Stage.Backend backend = this.stage.start("trial", trial());
		assertThat(check("trial")).isEqualTo(ServingStatus.SERVING);
		assertThat(check("trial.Trial")).isEqualTo(ServingStatus.SERVING);
		backend.health().setStatus("trial.Trial", ServingStatus.NOT_SERVING);
		assertThat(check("trial")).isEqualTo(ServingStatus.SERVING);
		assertThat(check("trial.Trial")).isEqualTo(ServingStatus.NOT_SERVING);
	}

	@Test
	void aGrpcServiceThatItsServiceDoesNotOfferIsNotFound() throws Exception {
		this.stage.start("trial", trial());
		StatusRuntimeException ex = catchThrowableOfType(StatusRuntimeException.class, () -> check("trial.MadeUp"));
		assertThat(ex.getStatus().getCode()).isEqualTo(Status.Code.NOT_FOUND);
		assertThat(Stage.error(ex).getDetail()).contains("'trial.MadeUp'", "micro get service trial");
	}

	@Test
	void aLongNameIsRead() {
		StatusRuntimeException ex = catchThrowableOfType(StatusRuntimeException.class,
				() -> check("x".repeat(20 * 1024)));
		assertThat(ex.getStatus().getCode()).as(ex.toString()).isEqualTo(Status.Code.NOT_FOUND);
	}

	@Test
	void aNameOverTheLimitIsRefused() {
		StatusRuntimeException ex = catchThrowableOfType(StatusRuntimeException.class,
				() -> check("x".repeat(100 * 1024)));
		assertThat(ex.getStatus().getCode()).as(ex.toString()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
		assertThat(Stage.error(ex).getDetail()).contains("65536 bytes");
		assertThat(check("")).isEqualTo(ServingStatus.SERVING);
	}

	@Test
	void noMoreThanAThousandClientsWatch() throws Exception {
		Catcher<HealthCheckResponse> statuses = new Catcher<>();
		for (int i = 0; i < 1000; i++) {
			HealthGrpc.newStub(this.stage.front).watch(of(""), statuses);
		}
		statuses.awaitMessages(1000);
		ManagedChannel other = this.stage.open();
		try {
			StatusRuntimeException ex = catchThrowableOfType(StatusRuntimeException.class,
					() -> HealthGrpc.newBlockingStub(other).watch(of("")).next());
			assertThat(ex.getStatus().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
			this.stage.front.shutdownNow();
			Awaitility.await()
				.ignoreExceptions()
				.until(() -> HealthGrpc.newBlockingStub(other)
					.withDeadlineAfter(5, TimeUnit.SECONDS)
					.watch(of(""))
					.next()
					.getStatus() == ServingStatus.SERVING);
		}
		finally {
			other.shutdownNow();
		}
	}

	@Test
	void aServiceThatDoesNotRunIsNotFound() {
		StatusRuntimeException ex = catchThrowableOfType(StatusRuntimeException.class, () -> check("gone"));
		assertThat(ex.getStatus().getCode()).isEqualTo(Status.Code.NOT_FOUND);
	}

	@Test
	void aServiceThatDoesNotAnswerIsUnavailable() throws Exception {
		this.stage.start("trial", trial()).server().shutdownNow().awaitTermination();
		StatusRuntimeException ex = catchThrowableOfType(StatusRuntimeException.class, () -> check("trial"));
		assertThat(ex.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
	}

	@Test
	void aWatchOutlivesTheServicesInstances() throws Exception {
		Catcher<HealthCheckResponse> statuses = new Catcher<>();
		HealthGrpc.newStub(this.stage.front).withDeadlineAfter(30, TimeUnit.SECONDS).watch(of("trial"), statuses);
		statuses.awaitMessages(1);
		Stage.Backend backend = this.stage.start("trial", trial());
		statuses.awaitMessages(2);
		backend.server().shutdownNow();
		statuses.awaitMessages(3);
		backend.lease().close();
		statuses.awaitMessages(4);
		assertThat(statuses.messages).extracting(HealthCheckResponse::getStatus)
			.containsExactly(ServingStatus.SERVICE_UNKNOWN, ServingStatus.SERVING, ServingStatus.NOT_SERVING,
					ServingStatus.SERVICE_UNKNOWN);
	}

	@Test
	void theHeaderPassesTheQuestionOn() throws Exception {
		Stage.Backend backend = this.stage.start("trial", trial());
		backend.health().setStatus("", ServingStatus.NOT_SERVING);
		Metadata headers = new Metadata();
		headers.put(Headers.SERVICE, "trial");
		assertThat(HealthGrpc.newBlockingStub(this.stage.front)
			.withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers))
			.check(of(""))
			.getStatus()).isEqualTo(ServingStatus.NOT_SERVING);
	}

}
