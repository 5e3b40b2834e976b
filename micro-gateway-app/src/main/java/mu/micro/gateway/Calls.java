package mu.micro.gateway;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;

import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.InvalidProtocolBufferException;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ClientStreamTracer;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Status;
import mu.micro.MicroException;
import mu.micro.core.Threads;
import mu.micro.grpc.Channels;
import mu.micro.grpc.Errors;
import mu.micro.grpc.Frames;
import mu.micro.grpc.Json;
import mu.micro.grpc.Schemas;
import mu.micro.grpc.Text;
import mu.micro.registry.Registry;
import mu.micro.wire.errors.Error;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;
import reactor.core.publisher.MonoSink;

/**
 * Calls endpoints with JSON. Finding the service and all work on JSON run on threads of
 * their own, never on an event loop.
 */
final class Calls implements AutoCloseable {

	/**
	 * The largest answer of a service in bytes, as in Micro v3.
	 */
	static final int MOST_ANSWER = 32 * 1024 * 1024;

	/**
	 * How gRPC says, in several languages, that a message is over its limit.
	 */
	private static final Pattern TOO_LARGE = Pattern.compile("larger than max|exceeds maximum size");

	private static final Duration SCHEMA_TIMEOUT = Duration.ofSeconds(5);

	private final Channels channels;

	private final Schemas schemas;

	private final ExecutorService threads = Threads.perTask("gateway-call");

	Calls(Registry registry) {
		this.channels = new Channels(registry, MOST_ANSWER);
		this.schemas = new Schemas(registry, this.channels, SCHEMA_TIMEOUT);
	}

	/**
	 * Calls an endpoint once somebody waits for the answer, and cancels the call when
	 * nobody does any more.
	 * @param request the call
	 * @return the answer, or a {@link Refusal}, within the request's time
	 */
	Mono<Answer> call(Request request) {
		Duration left = request.left();
		return Mono.<Answer>create((sink) -> {
			Exchange exchange = new Exchange(request, sink);
			sink.onDispose(exchange::cancel);
			sink.onCancel(exchange::interrupt);
			exchange.run(exchange::begin);
		}).timeout(left).onErrorMap(TimeoutException.class, (ex) -> late(request));
	}

	@Override
	public void close() {
		this.schemas.close();
		this.channels.close();
		this.threads.shutdownNow();
	}

	private Target resolve(Request request) {
		Route route = request.route();
		List<Schemas.Offer> offers = this.schemas.of(route.service());
		List<Target> targets = new ArrayList<>();
		for (Schemas.Offer offer : offers) {
			MethodDescriptor method = offer.schema().endpoint(route.endpoint(), route.service());
			if (method != null) {
				targets.add(new Target(offer, method));
			}
		}
		if (targets.isEmpty()) {
			TreeSet<String> endpoints = new TreeSet<>();
			offers.forEach((offer) -> endpoints.addAll(offer.schema().endpoints()));
			throw new Refusal(404,
					"service '" + route.service() + "' has no endpoint '" + Text.shortened(route.endpoint())
							+ "'; it has " + ((endpoints.isEmpty()) ? "none" : Text.list(endpoints)));
		}
		request.progress().found();
		List<Target> unary = targets.stream().filter(Target::isUnary).toList();
		if (unary.isEmpty()) {
			throw new Refusal(501, "endpoint '" + route.endpoint() + "' is a stream, which the gateway does not carry; "
					+ "use: micro stream " + route.service() + " " + route.endpoint() + " '{…}'");
		}
		return fitting(request, unary);
	}

	/*
	 * Where instances of one name have different contracts, those that take the request
	 * get it, the most common contract first.
	 */
	private static Target fitting(Request request, List<Target> targets) {
		Payload payload = Payload.of(request.body(), request.query());
		List<String> reasons = new ArrayList<>();
		for (Target target : targets) {
			Payload.checkAwaited();
			try {
				return target.with(payload.fit(target.offer.schema(), target.method.getInputType()));
			}
			catch (MicroException.Invalid ex) {
				reasons.add(String.valueOf(ex.getMessage()));
			}
		}
		if (reasons.size() == 1) {
			throw new MicroException.Invalid(reasons.get(0));
		}
		throw new MicroException.Invalid(reasons.size() + " different contracts run under the name '"
				+ request.route().service() + "' and none takes this request: "
				+ Text.list(reasons.stream().map((reason) -> "(" + reason + ")").toList())
				+ "; stop or rename the service that you do not mean");
	}

	private static Refusal late(Request request) {
		return new Refusal(Errors.error(request.route().service(), 504,
				"service '" + request.route().service() + "' did not answer within " + Text.of(request.timeout())));
	}

	/**
	 * An endpoint of some instances of a service.
	 */
	private record Target(Schemas.Offer offer, MethodDescriptor method, byte[] message) {

		private static final byte[] NONE = {};

		Target(Schemas.Offer offer, MethodDescriptor method) {
			this(offer, method, NONE);
		}

		boolean isUnary() {
			return !this.method.isClientStreaming() && !this.method.isServerStreaming();
		}

		Target with(DynamicMessage request) {
			return new Target(this.offer, this.method, request.toByteArray());
		}

		String name() {
			return this.method.getService().getFullName() + "/" + this.method.getName();
		}

	}

	/**
	 * One call under way.
	 */
	private final class Exchange extends ClientCall.Listener<byte[]> {

		private final Request request;

		private final MonoSink<Answer> sink;

		private volatile @Nullable ClientCall<byte[], byte[]> call;

		private volatile boolean cancelled;

		private volatile boolean answered;

		private volatile @Nullable Future<?> task;

		private @Nullable Target target;

		private byte @Nullable [] message;

		Exchange(Request request, MonoSink<Answer> sink) {
			this.request = request;
			this.sink = sink;
		}

		/*
		 * Runs one step on a thread of its own; whatever it throws ends the request.
		 */
		void run(Runnable step) {
			FutureTask<?> task = new FutureTask<>(() -> {
				try {
					step.run();
				}
				catch (Throwable ex) {
					if (!this.cancelled) {
						this.sink.error(ex);
					}
				}
			}, null) {

				@Override
				public void run() {
					try {
						super.run();
					}
					finally {
						Exchange.this.request.progress().ended();
					}
				}

			};
			this.task = task;
			if (this.cancelled) {
				task.cancel(true);
			}
			if (!this.request.progress().begun()) {
				return;
			}
			try {
				Calls.this.threads.execute(task);
			}
			catch (RejectedExecutionException ex) {
				this.request.progress().ended();
				this.sink.error(new MicroException.Unavailable("the gateway is stopping; try again", ex));
			}
		}

		void begin() {
			if (this.cancelled) {
				return;
			}
			Target target = resolve(this.request);
			this.target = target;
			ClientCall<byte[], byte[]> call = Calls.this.channels
				.to(this.request.route().service(), target.offer.hash())
				.newCall(Frames.method(target.name(), MethodType.UNARY),
						CallOptions.DEFAULT.withDeadlineAfter(this.request.left().toNanos(), TimeUnit.NANOSECONDS)
							.withStreamTracerFactory(new End()));
			call.start(this, this.request.metadata());
			this.call = call;
			if (this.cancelled) {
				cancel();
				return;
			}
			call.request(2);
			call.sendMessage(target.message);
			call.halfClose();
		}

		void cancel() {
			this.cancelled = true;
			ClientCall<byte[], byte[]> call = this.call;
			if (call != null) {
				call.cancel("the HTTP client no longer waits", null);
			}
		}

		/*
		 * Nobody waits: what still works for the call need not end its work.
		 */
		void interrupt() {
			this.cancelled = true;
			Future<?> task = this.task;
			if (task != null) {
				task.cancel(true);
			}
		}

		@Override
		public void onMessage(byte[] message) {
			this.message = message;
		}

		@Override
		public void onClose(Status status, Metadata trailers) {
			if (!this.cancelled) {
				run(() -> finish(status, trailers));
			}
		}

		private void finish(Status status, Metadata trailers) {
			Target target = this.target;
			byte[] message = this.message;
			if (!status.isOk() || target == null || message == null) {
				this.sink.error(failure((status.isOk()) ? Status.INTERNAL.withDescription("no answer came") : status,
						trailers));
				return;
			}
			try {
				DynamicMessage answer = DynamicMessage.parseFrom(target.method.getOutputType(), message);
				this.sink.success(Answer.ok(Json.print(target.offer.schema(), answer, false)));
			}
			catch (InvalidProtocolBufferException ex) {
				throw new Refusal(Errors.error(service(), 502, "service '" + service() + "' answered what is no "
						+ target.method.getOutputType().getFullName() + ": " + ex.getMessage()));
			}
		}

		private Refusal failure(Status status, Metadata trailers) {
			Error error = Errors.read("", status, trailers);
			if (!error.getId().isEmpty()) {
				return new Refusal(error);
			}
			if (status.getCode() == Status.Code.DEADLINE_EXCEEDED && this.request.left().isZero()) {
				return late(this.request);
			}
			// Nobody here cancelled a call whose end arrives here: the service did.
			if (status.getCode() == Status.Code.UNAVAILABLE || status.getCode() == Status.Code.CANCELLED) {
				return new Refusal(Errors.error(service(), 503,
						"service '" + service() + "' cannot be reached, or went away before it answered ("
								+ error.getDetail() + "); see 'micro services' for those that run, then try again"));
			}
			if (status.getCode() == Status.Code.RESOURCE_EXHAUSTED && TOO_LARGE.matcher(error.getDetail()).find()) {
				return new Refusal((this.answered)
						? Errors.error(service(), 413,
								"service '" + service() + "' takes no message as large as this one ("
										+ Text.shortened(error.getDetail())
										+ "); send less, or raise the limit of that service")
						: Errors.error(service(), 502, "the answer of service '" + service() + "' is larger than the "
								+ MOST_ANSWER + " bytes that the gateway takes; ask it for less"));
			}
			return new Refusal(error.toBuilder().setId(service()).build());
		}

		private String service() {
			return this.request.route().service();
		}

		/**
		 * Learns whether it is the service that ended the call: a status looks the same
		 * when it was made here.
		 */
		private final class End extends ClientStreamTracer.Factory {

			@Override
			public ClientStreamTracer newClientStreamTracer(ClientStreamTracer.StreamInfo info, Metadata headers) {
				return new ClientStreamTracer() {

					@Override
					public void inboundTrailers(Metadata trailers) {
						Exchange.this.answered = true;
					}

				};
			}

		}

	}

}
