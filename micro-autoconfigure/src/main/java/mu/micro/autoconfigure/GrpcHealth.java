package mu.micro.autoconfigure;

import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;

import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.stub.StreamObserver;

import org.springframework.beans.factory.ObjectProvider;

/**
 * What gRPC health says about this application as a whole, which Boot feeds from its
 * health indicators.
 */
class GrpcHealth implements Supplier<String> {

	private final ObjectProvider<HealthStatusManager> manager;

	GrpcHealth(ObjectProvider<HealthStatusManager> manager) {
		this.manager = manager;
	}

	@Override
	public String get() {
		HealthStatusManager health = this.manager.getIfAvailable();
		return (health != null && health.getHealthService() instanceof HealthGrpc.AsyncService service) ? ask(service)
				: "ok";
	}

	private static String ask(HealthGrpc.AsyncService service) {
		AtomicReference<String> answer = new AtomicReference<>("unknown");
		service.check(HealthCheckRequest.getDefaultInstance(), new StreamObserver<>() {

			@Override
			public void onNext(HealthCheckResponse response) {
				boolean serving = response.getStatus() == HealthCheckResponse.ServingStatus.SERVING;
				answer.set((serving) ? "ok" : response.getStatus().name());
			}

			@Override
			public void onError(Throwable failure) {
				answer.set(String.valueOf(failure.getMessage()));
			}

			@Override
			public void onCompleted() {
			}

		});
		return answer.get();
	}

}
