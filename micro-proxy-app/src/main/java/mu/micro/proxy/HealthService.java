package mu.micro.proxy;

import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;

import io.grpc.Context;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import mu.micro.MicroException;
import mu.micro.grpc.Channels;
import org.jspecify.annotations.Nullable;

/**
 * <a href="https://grpc.io/docs/guides/health-checking/">gRPC health</a> for all
 * services: the proxy's own for no name, and what an instance says of itself for a
 * service's name as registered or the full name of a gRPC service. A watch asks once a
 * second, so that it outlives the instances that answer it.
 */
final class HealthService {

	private static final long EVERY_SECONDS = 1;

	private static final long TIMEOUT_SECONDS = 5;

	private final Routes routes;

	private final Channels channels;

	private final ScheduledExecutorService timer;

	private volatile boolean stopping;

	/**
	 * Answers for all services.
	 * @param routes which service a name belongs to
	 * @param channels how services are reached
	 * @param timer when watches ask again
	 */
	HealthService(Routes routes, Channels channels, ScheduledExecutorService timer) {
		this.routes = routes;
		this.channels = channels;
		this.timer = timer;
	}

	/**
	 * Check and Watch.
	 * @return what to serve
	 */
	ServerServiceDefinition definition() {
		return new HealthGrpc.HealthImplBase() {

			@Override
			public void check(HealthCheckRequest request, StreamObserver<HealthCheckResponse> out) {
				ask(request.getService(), (answer, failure) -> {
					if (answer != null) {
						out.onNext(answer);
						out.onCompleted();
					}
					else {
						out.onError(failure);
					}
				});
			}

			@Override
			public void watch(HealthCheckRequest request, StreamObserver<HealthCheckResponse> out) {
				new Watch(request.getService(), (ServerCallStreamObserver<HealthCheckResponse>) out).ask();
			}

		}.bindService();
	}

	/**
	 * Ends all watches within a second, so that none of them keeps the door from closing.
	 */
	void stop() {
		this.stopping = true;
	}

	private void ask(String name, BiConsumer<@Nullable HealthCheckResponse, @Nullable Throwable> answer) {
		if (name.isEmpty()) {
			answer.accept(response(ServingStatus.SERVING), null);
			return;
		}
		try {
			String service = this.routes.find(null, name);
			ask(service, (service.equals(name)) ? "" : name, answer);
		}
		catch (MicroException ex) {
			answer.accept(null, Refusal.of(ex).exception());
		}
	}

	private void ask(String service, String name,
			BiConsumer<@Nullable HealthCheckResponse, @Nullable Throwable> answer) {
		HealthGrpc.newStub(this.channels.to(service))
			.withDeadlineAfter(TIMEOUT_SECONDS, TimeUnit.SECONDS)
			.check(HealthCheckRequest.newBuilder().setService(name).build(), new StreamObserver<>() {

				@Override
				public void onNext(HealthCheckResponse response) {
					answer.accept(response, null);
				}

				@Override
				public void onError(Throwable failure) {
					// It need not keep a status for each of its gRPC services.
					if (!name.isEmpty() && Status.fromThrowable(failure).getCode() == Status.Code.NOT_FOUND) {
						ask(service, "", answer);
					}
					else {
						answer.accept(null, failure);
					}
				}

				@Override
				public void onCompleted() {
				}

			});
	}

	private static HealthCheckResponse response(ServingStatus status) {
		return HealthCheckResponse.newBuilder().setStatus(status).build();
	}

	/**
	 * One client's watch.
	 */
	private final class Watch {

		private final String name;

		private final ServerCallStreamObserver<HealthCheckResponse> out;

		private final Context context = Context.current();

		private @Nullable HealthCheckResponse last;

		Watch(String name, ServerCallStreamObserver<HealthCheckResponse> out) {
			this.name = name;
			this.out = out;
			out.setOnCancelHandler(() -> {
			});
		}

		void ask() {
			if (!this.out.isCancelled()) {
				HealthService.this.ask(this.name, this::tell);
			}
		}

		private void tell(@Nullable HealthCheckResponse answer, @Nullable Throwable failure) {
			if (this.out.isCancelled()) {
				return;
			}
			if (HealthService.this.stopping) {
				this.out.onError(
						Refusal.of(new MicroException.Unavailable("the proxy is stopping; watch again")).exception());
				return;
			}
			Status.Code code = (failure != null) ? Status.fromThrowable(failure).getCode() : Status.Code.OK;
			if (code == Status.Code.UNIMPLEMENTED) {
				this.out.onError(failure);
				return;
			}
			HealthCheckResponse now = (answer != null) ? answer : response(
					(code == Status.Code.NOT_FOUND) ? ServingStatus.SERVICE_UNKNOWN : ServingStatus.NOT_SERVING);
			if (!now.equals(this.last) && this.out.isReady()) {
				this.last = now;
				this.out.onNext(now);
			}
			HealthService.this.timer.schedule(this.context.wrap(this::ask), EVERY_SECONDS, TimeUnit.SECONDS);
		}

	}

}
