package mu.micro.proxy;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiConsumer;
import java.util.function.BiPredicate;

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

	private static final int MOST_WATCHES = 1000;

	private final Routes routes;

	private final Channels channels;

	private final Workers workers;

	private final Set<Watch> watches = ConcurrentHashMap.newKeySet();

	private volatile boolean stopping;

	/**
	 * Answers for all services.
	 * @param routes which service a name belongs to
	 * @param channels how services are reached
	 * @param workers when watches ask again, and where looking up may block
	 */
	HealthService(Routes routes, Channels channels, Workers workers) {
		this.routes = routes;
		this.channels = channels;
		this.workers = workers;
	}

	/**
	 * Check and Watch.
	 * @param offered whether a service, named first, offers a gRPC service; may block
	 * @return what to serve
	 */
	ServerServiceDefinition definition(BiPredicate<String, String> offered) {
		return new HealthGrpc.HealthImplBase() {

			@Override
			public void check(HealthCheckRequest request, StreamObserver<HealthCheckResponse> out) {
				ask(request.getService(), offered, (answer, failure) -> {
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
				new Watch(request.getService(), offered, (ServerCallStreamObserver<HealthCheckResponse>) out).start();
			}

		}.bindService();
	}

	/**
	 * Ends all watches, so that none of them keeps the door from closing.
	 */
	void stop() {
		this.stopping = true;
		this.watches.forEach(Watch::stop);
	}

	private void ask(String name, BiPredicate<String, String> offered,
			BiConsumer<@Nullable HealthCheckResponse, @Nullable Throwable> answer) {
		if (name.isEmpty()) {
			answer.accept(response(ServingStatus.SERVING), null);
			return;
		}
		try {
			String service = this.routes.find(null, name);
			ask(service, (service.equals(name)) ? "" : name, offered, answer);
		}
		catch (MicroException ex) {
			answer.accept(null, Refusal.of(ex).exception());
		}
	}

	private void ask(String service, String name, BiPredicate<String, String> offered,
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
					if (!name.isEmpty() && Status.fromThrowable(failure).getCode() == Status.Code.NOT_FOUND) {
						askWhole(service, name, failure, offered, answer);
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

	// A service need not keep a status for each of the gRPC services that it offers.
	private void askWhole(String service, String name, Throwable failure, BiPredicate<String, String> offered,
			BiConsumer<@Nullable HealthCheckResponse, @Nullable Throwable> answer) {
		try {
			this.workers.blocking().execute(Context.current().wrap(() -> {
				boolean known;
				try {
					known = offered.test(service, name);
				}
				catch (MicroException ex) {
					answer.accept(null, failure);
					return;
				}
				if (known) {
					ask(service, "", offered, answer);
				}
				else {
					answer.accept(null,
							Refusal
								.of(new MicroException.NotFound("'" + service + "' has no gRPC service '" + name
										+ "'; see 'micro get service " + service + "' for what it has"))
								.exception());
				}
			}));
		}
		catch (RejectedExecutionException ex) {
			answer.accept(null, failure);
		}
	}

	private static HealthCheckResponse response(ServingStatus status) {
		return HealthCheckResponse.newBuilder().setStatus(status).build();
	}

	/**
	 * One client's watch. Answers arrive on other threads than the stop.
	 */
	private final class Watch {

		private final String name;

		private final BiPredicate<String, String> offered;

		private final ServerCallStreamObserver<HealthCheckResponse> out;

		private final Context context = Context.current();

		private final ReentrantLock lock = new ReentrantLock();

		private boolean over;

		private @Nullable Future<?> next;

		private @Nullable HealthCheckResponse last;

		Watch(String name, BiPredicate<String, String> offered, ServerCallStreamObserver<HealthCheckResponse> out) {
			this.name = name;
			this.offered = offered;
			this.out = out;
		}

		void start() {
			this.out.setOnCancelHandler(() -> end(null));
			HealthService.this.watches.add(this);
			if (HealthService.this.watches.size() > MOST_WATCHES) {
				end(Refusal
					.of(new MicroException.Exhausted("more than " + MOST_WATCHES
							+ " clients watch the health of services; check it, or watch again later"))
					.exception());
			}
			else if (HealthService.this.stopping) {
				stop();
			}
			else {
				ask();
			}
		}

		void stop() {
			end(Refusal.of(new MicroException.Unavailable("the proxy is stopping; watch again")).exception());
		}

		private void end(@Nullable Throwable failure) {
			HealthService.this.watches.remove(this);
			this.lock.lock();
			try {
				if (this.over) {
					return;
				}
				this.over = true;
				if (this.next != null) {
					this.next.cancel(false);
				}
				if (failure != null && !this.out.isCancelled()) {
					this.out.onError(failure);
				}
			}
			finally {
				this.lock.unlock();
			}
		}

		private void ask() {
			HealthService.this.ask(this.name, this.offered, this::tell);
		}

		private void tell(@Nullable HealthCheckResponse answer, @Nullable Throwable failure) {
			Status.Code code = (failure != null) ? Status.fromThrowable(failure).getCode() : Status.Code.OK;
			if (code == Status.Code.UNIMPLEMENTED) {
				end(failure);
				return;
			}
			HealthCheckResponse now = (answer != null) ? answer : response(
					(code == Status.Code.NOT_FOUND) ? ServingStatus.SERVICE_UNKNOWN : ServingStatus.NOT_SERVING);
			this.lock.lock();
			try {
				if (this.over) {
					return;
				}
				if (!now.equals(this.last) && this.out.isReady()) {
					this.last = now;
					this.out.onNext(now);
				}
				this.next = HealthService.this.workers.timer()
					.schedule(this.context.wrap(this::ask), EVERY_SECONDS, TimeUnit.SECONDS);
			}
			finally {
				this.lock.unlock();
			}
		}

	}

}
