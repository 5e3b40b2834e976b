package mu.micro.gateway;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

import io.grpc.Metadata;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.util.concurrent.GlobalEventExecutor;
import mu.micro.MicroException;
import mu.micro.autoconfigure.PortTakenException;
import mu.micro.grpc.Text;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;
import reactor.netty.ChannelBindException;
import reactor.netty.DisposableServer;
import reactor.netty.NettyPipeline;
import reactor.netty.channel.AbortedException;
import reactor.netty.http.server.HttpServer;
import reactor.netty.http.server.HttpServerRequest;
import reactor.netty.http.server.HttpServerResponse;
import reactor.netty.resources.LoopResources;
import tools.jackson.databind.node.JsonNodeFactory;

import org.springframework.context.SmartLifecycle;

/**
 * The HTTP server: what a request must be before it is a call, and how answers are
 * written. Starts before the gRPC server and stops after it, so that the registry never
 * names a door that is closed.
 */
final class Door implements SmartLifecycle {

	/**
	 * Bytes in a request line.
	 */
	static final int MOST_LINE = 8 * 1024;

	/**
	 * Bytes in a request's headers.
	 */
	static final int MOST_HEADERS = 8 * 1024;

	private static final Log logger = LogFactory.getLog(Door.class);

	private static final Duration IDLE = Duration.ofSeconds(60);

	private static final Duration DRAIN = Duration.ofSeconds(8);

	private static final int BEFORE_GRPC_SERVER = 100;

	private static final int BODY_LATE = 408;

	private static final int CLIENT_GONE = 499;

	private static final byte[] NOTHING = {};

	private final String address;

	private final GatewayProperties properties;

	private final String version;

	private final Calls calls;

	private final MeterRegistry meters;

	private final AtomicInteger active = new AtomicInteger();

	private final Origins origins;

	private final AtomicLong held = new AtomicLong();

	private final long mostHeld;

	private final ChannelGroup connections = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);

	private volatile boolean stopping;

	private @Nullable LoopResources loops;

	private volatile @Nullable DisposableServer server;

	Door(String address, GatewayProperties properties, String version, Calls calls, MeterRegistry meters) {
		this.address = address;
		this.origins = Origins.of(address);
		this.properties = properties;
		this.version = version;
		this.calls = calls;
		this.meters = meters;
		this.mostHeld = properties.mostHeld();
		Gauge.builder("micro.gateway.active", this.active, AtomicInteger::get)
			.description("Requests under way")
			.register(meters);
	}

	@Override
	public int getPhase() {
		return Integer.MAX_VALUE - BEFORE_GRPC_SERVER;
	}

	@Override
	public void start() {
		this.stopping = false;
		LoopResources loops = LoopResources.create("gateway", LoopResources.DEFAULT_IO_WORKER_COUNT, true);
		try {
			this.server = HttpServer.create()
				.runOn(loops)
				.bindAddress(() -> new InetSocketAddress(this.address, this.properties.port()))
				.channelGroup(this.connections)
				.httpRequestDecoder((spec) -> spec.maxInitialLineLength(MOST_LINE).maxHeaderSize(MOST_HEADERS))
				.idleTimeout(IDLE)
				.doOnChannelInit((observer, channel, remote) -> channel.pipeline()
					.addBefore(NettyPipeline.ReactiveBridge, "micro.malformed", new MalformedHttp()))
				.handle((request, response) -> Mono.defer(() -> new Visit(request, response).run()))
				.bindNow();
			this.loops = loops;
		}
		catch (ChannelBindException ex) {
			loops.dispose();
			if (inUse(ex)) {
				throw new PortTakenException(this.properties.port(), "micro.gateway.port", ex);
			}
			throw ex;
		}
		logger.info("http://" + this.address + ":" + port());
	}

	// Java's own sockets and the native ones have no type in common for it.
	private static boolean inUse(Throwable failure) {
		for (Throwable ex = failure; ex != null; ex = ex.getCause()) {
			if (ex instanceof IOException && ex.getMessage() != null && ex.getMessage().contains("in use")) {
				return true;
			}
		}
		return false;
	}

	/**
	 * The port that is listened on.
	 * @return the port, also where any free one was asked for
	 */
	int port() {
		DisposableServer server = this.server;
		if (server == null) {
			throw new IllegalStateException("the gateway is not started");
		}
		return server.port();
	}

	@Override
	public void stop() {
		DisposableServer server = this.server;
		LoopResources loops = this.loops;
		if (server == null || loops == null) {
			return;
		}
		this.stopping = true;
		try {
			server.disposeNow(DRAIN);
		}
		catch (IllegalStateException ex) {
			logger.warn(this.active.get() + " requests were cut off: they took longer than the " + DRAIN.toSeconds()
					+ " s that stopping waits for");
		}
		this.connections.close();
		loops.disposeLater(Duration.ZERO, Duration.ofSeconds(1)).block(Duration.ofSeconds(2));
		this.server = null;
	}

	@Override
	public boolean isRunning() {
		return this.server != null;
	}

	/**
	 * One request and its answer.
	 */
	private final class Visit implements Request.Progress {

		private final long began = System.nanoTime();

		private final HttpServerRequest request;

		private final HttpServerResponse response;

		private final Inbound inbound;

		private final String path;

		private final String query;

		/*
		 * The exchange itself, and the threads that work for it and may outlast it.
		 */
		private final AtomicInteger working = new AtomicInteger(1);

		private volatile @Nullable Route route;

		private volatile @Nullable Route found;

		private volatile int status = CLIENT_GONE;

		Visit(HttpServerRequest request, HttpServerResponse response) {
			this.request = request;
			this.response = response;
			this.inbound = new Inbound(request, mostBody(), Door.this.held, Door.this.mostHeld);
			String target = originForm(request.uri());
			int mark = target.indexOf('?');
			this.path = (mark < 0) ? target : target.substring(0, mark);
			this.query = (mark < 0) ? "" : target.substring(mark + 1);
		}

		Mono<Void> run() {
			int count = Door.this.active.incrementAndGet();
			return Mono.defer(() -> answer(count))
				.onErrorResume(this::refused)
				.publishOn(eventLoop())
				.flatMap(this::write)
				.doFinally((signal) -> end());
		}

		/*
		 * Answers are written on the connection's own thread, so that an exchange is over
		 * in the moment in which its answer is out: a next request in between, if it is
		 * to be the last, would be lost.
		 */
		private Scheduler eventLoop() {
			AtomicReference<Scheduler> loop = new AtomicReference<>(Schedulers.immediate());
			this.request
				.withConnection((connection) -> loop.set(Schedulers.fromExecutor(connection.channel().eventLoop())));
			return loop.get();
		}

		private Mono<Answer> answer(int count) {
			if (count > Door.this.properties.maxRequests()) {
				throw new Refusal(503, "the gateway has " + Door.this.properties.maxRequests()
						+ " requests under way, as many as it takes; try again", "Retry-After", "1");
			}
			Door.this.origins.check(headers());
			if (this.path.equals("/favicon.ico")) {
				allow("GET, HEAD", HttpMethod.GET, HttpMethod.HEAD);
				return Mono.just(new Answer(200, NOTHING, Map.of()));
			}
			Route route = Route.of(this.path);
			if (route == null) {
				allow("GET, HEAD", HttpMethod.GET, HttpMethod.HEAD);
				return Mono.just(
						Answer.ok(JsonNodeFactory.instance.objectNode().put("version", Door.this.version).toString()));
			}
			allow("GET, POST", HttpMethod.GET, HttpMethod.POST);
			this.route = route;
			checkBody();
			Metadata metadata = CallHeaders.pass(headers());
			Duration timeout = CallHeaders.timeout(headers(), Door.this.properties.timeout());
			long end = this.began + timeout.toNanos();
			return body(timeout).map((body) -> new Request(route, this.query, body, metadata, timeout, end, this))
				.flatMap(Door.this.calls::call);
		}

		private void allow(String all, HttpMethod... methods) {
			for (HttpMethod method : methods) {
				if (method.equals(this.request.method())) {
					return;
				}
			}
			throw new Refusal(405, this.request.method() + " is not answered at " + Text.shortened(this.path) + "; use "
					+ all.replace(", ", " or "), "Allow", all);
		}

		private void checkBody() {
			if (!hasBody()) {
				return;
			}
			if (this.request.method().equals(HttpMethod.GET)) {
				throw new Refusal(400, "a GET has no body; send it by POST, or as a query");
			}
			ContentTypes.check(headers());
			if (contentLength() > mostBody()) {
				throw Inbound.tooLarge(mostBody());
			}
		}

		private boolean hasBody() {
			return headers().contains(HttpHeaderNames.TRANSFER_ENCODING) || contentLength() > 0;
		}

		private long contentLength() {
			// The decoder refuses what is no number.
			return Long.parseLong(headers().get(HttpHeaderNames.CONTENT_LENGTH, "0"));
		}

		private HttpHeaders headers() {
			return this.request.requestHeaders();
		}

		private Mono<byte[]> body(Duration timeout) {
			if (!hasBody()) {
				return Mono.just(NOTHING);
			}
			return this.inbound.body()
				.timeout(timeout)
				.onErrorMap(TimeoutException.class,
						(ex) -> new Refusal(BODY_LATE, "the body did not arrive within " + timeout.toMillis() + " ms"));
		}

		private Mono<Answer> refused(Throwable ex) {
			if (ex instanceof Refusal refusal) {
				return Mono.just(refusal.answer());
			}
			if (ex instanceof MicroException known) {
				return Mono.just(Refusal.of(known).answer());
			}
			if (AbortedException.isConnectionReset(ex) || ex instanceof AbortedException) {
				return Mono.empty();
			}
			logger.error("A request for " + Text.shortened(this.path) + " failed", ex);
			return Mono.just(new Refusal(500, "the gateway failed at this request; its log tells how").answer());
		}

		private Mono<Void> write(Answer answer) {
			this.status = answer.status();
			this.response.status(answer.status());
			answer.headers().forEach(this.response::header);
			this.response.header(HttpHeaderNames.CONTENT_LENGTH, Integer.toString(answer.body().length));
			if (answer.body().length > 0) {
				this.response.header(HttpHeaderNames.CONTENT_TYPE, HttpHeaderValues.APPLICATION_JSON);
			}
			if (Door.this.stopping) {
				this.response.keepAlive(false);
			}
			if (this.request.method().equals(HttpMethod.HEAD)) {
				return this.response.sendHeaders().then();
			}
			Mono<byte[]> body = Mono.just(answer.body());
			if (!hasBody() || !this.inbound.isOpen()) {
				return this.response.sendByteArray(body).then();
			}
			this.response.keepAlive(false);
			if (answer.status() == BODY_LATE || this.inbound.isAwaited()) {
				return this.response.sendByteArray(body).then();
			}
			Flux<ByteBuf> lingering = Flux.concat(body.map(Unpooled::wrappedBuffer),
					this.inbound.discard().then(Mono.empty()));
			return this.response.send(lingering, (part) -> true).then();
		}

		@Override
		public void found() {
			this.found = this.route;
		}

		@Override
		public boolean begun() {
			return this.working.getAndUpdate((count) -> (count > 0) ? count + 1 : 0) > 0;
		}

		@Override
		public void ended() {
			if (this.working.decrementAndGet() == 0) {
				Door.this.active.decrementAndGet();
				this.inbound.release();
			}
		}

		private void end() {
			ended();
			Route route = this.found;
			Timer.builder("micro.gateway.requests")
				.description("Requests by endpoint; those for none that exists under none")
				.tag("service", (route != null) ? route.service() : "none")
				.tag("endpoint", (route != null) ? route.endpoint() : "none")
				.tag("status", Integer.toString(this.status))
				.register(Door.this.meters)
				.record(System.nanoTime() - this.began, TimeUnit.NANOSECONDS);
		}

		private int mostBody() {
			return Math.toIntExact(Door.this.properties.maxBody().toBytes());
		}

		/*
		 * A client may send the whole URL, as to a proxy.
		 */
		private static String originForm(String uri) {
			int scheme = uri.toLowerCase(Locale.ROOT).startsWith("http://") ? "http://".length() : -1;
			if (scheme < 0) {
				return uri;
			}
			int slash = uri.indexOf('/', scheme);
			return (slash < 0) ? "/" : uri.substring(slash);
		}

	}

}
