package mu.micro.cli;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.Deadline;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.BlockingClientCall;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import mu.micro.MicroException;
import mu.micro.grpc.Errors;
import mu.micro.grpc.Frames;
import mu.micro.grpc.Reflection;
import mu.micro.grpc.Schema;
import mu.micro.wire.debug.DebugGrpc;
import mu.micro.wire.registry.GetRequest;
import mu.micro.wire.registry.ListRequest;
import mu.micro.wire.registry.RegistryGrpc;
import mu.micro.wire.registry.Service;
import org.jspecify.annotations.Nullable;

/**
 * The one way to Micro: gRPC to its proxy. What fails here is a {@link Failure}.
 */
final class Proxy implements AutoCloseable {

	/**
	 * Names the service that a call is for, whatever gRPC service it names.
	 */
	static final Metadata.Key<String> SERVICE = Metadata.Key.of("micro-service", Metadata.ASCII_STRING_MARSHALLER);

	/**
	 * Names the one instance that a call is for, by its id.
	 */
	static final Metadata.Key<String> INSTANCE = Metadata.Key.of("micro-instance", Metadata.ASCII_STRING_MARSHALLER);

	private static final int MAX_MESSAGE = 64 * 1024 * 1024;

	private static final int CLOSE_MILLIS = 200;

	private static final String REGISTRY = "registry";

	/**
	 * How long a call waits for what it can do without.
	 */
	private static final Duration PATIENCE = Duration.ofSeconds(2);

	private final Options options;

	private final EventLoopGroup loop;

	private final ManagedChannel channel;

	/**
	 * Connects with the first call.
	 * @param options where the proxy is, and what calls carry
	 */
	Proxy(Options options) {
		this.options = options;
		InetSocketAddress address = address(options);
		// An event loop that still waits in the kernel when the JVM exits costs 300 ms:
		// one of our own can be ended before.
		this.loop = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
		this.channel = builder(address, this.loop).directExecutor().build();
	}

	private static InetSocketAddress address(Options options) {
		Options.Address proxy = options.address();
		InetSocketAddress address = new InetSocketAddress(proxy.host(), proxy.port());
		if (address.isUnresolved()) {
			throw new Failure(Failure.SERVICE, "The host '" + proxy.host()
					+ "' is unknown: say where Micro's proxy is with --proxy_address=host:port.");
		}
		return address;
	}

	private static NettyChannelBuilder builder(InetSocketAddress address, EventLoopGroup loop) {
		return NettyChannelBuilder.forAddress(address)
			.eventLoopGroup(loop)
			.channelType(NioSocketChannel.class)
			.usePlaintext()
			.maxInboundMessageSize(MAX_MESSAGE)
			.disableRetry();
	}

	private Proxy(Options options, EventLoopGroup loop, ManagedChannel channel) {
		this.options = options;
		this.loop = loop;
		this.channel = channel;
	}

	/**
	 * The same connection with other options.
	 * @param options what calls carry
	 * @return a proxy that ends with this one
	 */
	Proxy with(Options options) {
		return new Proxy(options, this.loop, this.channel);
	}

	Options options() {
		return this.options;
	}

	/**
	 * All that is running, each name and version once.
	 * @return services without nodes and endpoints
	 */
	List<Service> services() {
		Deadline deadline = deadline();
		try {
			return registry(deadline).listServices(ListRequest.getDefaultInstance()).getServicesList();
		}
		catch (StatusRuntimeException ex) {
			throw registryFailure(deadline, ex);
		}
	}

	/*
	 * The proxy says that nobody is registered under a name, and the registry says it of
	 * the name it was asked for.
	 */
	private Failure registryFailure(Deadline deadline, StatusRuntimeException ex) {
		if (Errors.read("", ex.getStatus(), ex.getTrailers()).getId().equals("proxy")
				&& ex.getStatus().getCode() == Status.Code.NOT_FOUND) {
			return missing(REGISTRY, ex);
		}
		return failure(REGISTRY, deadline, ex);
	}

	private static Failure missing(String service, Throwable cause) {
		return (service.equals(REGISTRY))
				? new Failure(Failure.SERVICE, "The registry is not running: start it with 'micro server'.", cause)
				: new Failure.NoService(service, cause);
	}

	/**
	 * The instances of a service.
	 * @param name the service's name
	 * @param endpoints whether to tell what they offer, which asks one of them
	 * @return at least one service, one for each version
	 */
	List<Service> service(String name, boolean endpoints) {
		GetRequest request = GetRequest.newBuilder().setService(name).setNodesOnly(!endpoints).build();
		Deadline deadline = deadline();
		try {
			List<Service> found = registry(deadline).getService(request).getServicesList();
			if (found.stream().mapToInt(Service::getNodesCount).sum() == 0) {
				throw new Failure.NoService(name, null);
			}
			return found;
		}
		catch (StatusRuntimeException ex) {
			Failure failure = registryFailure(deadline, ex);
			throw (ex.getStatus().getCode() == Status.Code.NOT_FOUND && failure.code() != Failure.SERVICE)
					? new Failure.NoService(name, ex) : failure;
		}
	}

	/**
	 * The instances of a service as far as the registry tells: calls need it only to
	 * choose among them, and do without it when it is away.
	 * @param name the service's name
	 * @return one service for each version, without endpoints; empty if the registry does
	 * not answer, or knows none
	 */
	List<Service> known(String name) {
		Deadline soon = Deadline.after(Math.min(PATIENCE.toNanos(), this.options.limit().toNanos()),
				TimeUnit.NANOSECONDS);
		try {
			return registry(soon).getService(GetRequest.newBuilder().setService(name).setNodesOnly(true).build())
				.getServicesList();
		}
		catch (StatusRuntimeException ex) {
			return List.of();
		}
	}

	/**
	 * What a service offers.
	 * @param name the service's name
	 * @return its schema
	 */
	Schema schema(String name) {
		Deadline deadline = deadline();
		try {
			return Reflection.read(to(name, null), this.options.limit());
		}
		catch (MicroException.NotFound ex) {
			throw missing(name, ex);
		}
		catch (MicroException.Unimplemented ex) {
			throw new Failure(Failure.ANSWER,
					"The service '" + name
							+ "' does not tell what it offers: it must serve gRPC reflection to be called by name.",
					ex);
		}
		catch (MicroException ex) {
			throw failure(name, deadline, ex);
		}
	}

	/**
	 * A stub for what each instance tells of itself.
	 * @param service the service's name
	 * @param instance the instance's id
	 * @return the stub, with a deadline
	 */
	DebugGrpc.DebugFutureStub debug(String service, String instance) {
		return DebugGrpc.newFutureStub(to(service, instance)).withDeadline(deadline());
	}

	/**
	 * Calls with one message for one message.
	 * @param service the service's name
	 * @param method {@code package.Service/Method}
	 * @param request the message's bytes
	 * @return the answer's bytes
	 */
	byte[] call(String service, String method, byte[] request) {
		Deadline deadline = deadline();
		try {
			return ClientCalls.blockingUnaryCall(to(service, null),
					Frames.method(method, MethodDescriptor.MethodType.UNARY),
					CallOptions.DEFAULT.withDeadline(deadline), request);
		}
		catch (StatusRuntimeException ex) {
			throw failure(service, deadline, ex);
		}
	}

	/**
	 * Opens a stream.
	 * @param service the service's name
	 * @param method {@code package.Service/Method}
	 * @param deadline when it ends at the latest, or null for a stream without limit
	 * @return the call; what its methods throw is for {@link #failure}
	 */
	BlockingClientCall<byte[], byte[]> stream(String service, String method, @Nullable Deadline deadline) {
		return ClientCalls.blockingBidiStreamingCall(to(service, null),
				Frames.method(method, MethodDescriptor.MethodType.BIDI_STREAMING),
				(deadline != null) ? CallOptions.DEFAULT.withDeadline(deadline) : CallOptions.DEFAULT);
	}

	private Channel to(String service, @Nullable String instance) {
		Metadata headers = headers(service);
		if (instance != null) {
			headers.discardAll(INSTANCE);
			headers.put(INSTANCE, instance);
		}
		return ClientInterceptors.intercept(this.channel, MetadataUtils.newAttachHeadersInterceptor(headers));
	}

	private Metadata headers(String service) {
		Metadata headers = new Metadata();
		for (Map.Entry<String, String> entry : this.options.metadata().entrySet()) {
			headers.put(Metadata.Key.of(entry.getKey(), Metadata.ASCII_STRING_MARSHALLER), entry.getValue());
		}
		headers.discardAll(SERVICE);
		headers.put(SERVICE, service);
		return headers;
	}

	/**
	 * A connection of its own to one service. What is called over it is never called back
	 * on the event loop.
	 * @param service the service's name
	 * @return a channel, to be closed before this proxy is
	 */
	ManagedChannel channel(String service) {
		return builder(address(this.options), this.loop)
			.intercept(MetadataUtils.newAttachHeadersInterceptor(headers(service)))
			.build();
	}

	private RegistryGrpc.RegistryBlockingStub registry(Deadline deadline) {
		return RegistryGrpc.newBlockingStub(to(REGISTRY, null)).withDeadline(deadline);
	}

	/**
	 * When a call that starts now ends at the latest.
	 * @return the time said, or the default, from now
	 */
	Deadline deadline() {
		return Deadline.after(this.options.limit().toNanos(), TimeUnit.NANOSECONDS);
	}

	/**
	 * What a failed call means to a person.
	 * @param service whom the call was for
	 * @param deadline the call's own, or null if it had none
	 * @param failure how it failed
	 * @return the sentence and the exit code
	 */
	Failure failure(String service, @Nullable Deadline deadline, Throwable failure) {
		if (spoiled(failure)) {
			return new Failure(Failure.SERVICE, "What answers at " + this.options.address()
					+ " is no proxy of Micro: unless set otherwise the proxy is at port 8081, and the gateway at 8080;"
					+ " say where the proxy is with --proxy_address.", failure);
		}
		MicroException meant = Errors.toException(failure);
		String detail = String.valueOf(meant.getMessage());
		if (meant instanceof MicroException.TimedOut && (deadline == null || !deadline.isExpired())) {
			return Failure.told(Failure.TIMEOUT, detail, failure);
		}
		if (meant instanceof MicroException.TimedOut) {
			return new Failure(Failure.TIMEOUT,
					silence(service) + ": try again, or give it longer with --request_timeout.", failure);
		}
		if (meant instanceof MicroException.Unauthenticated || meant instanceof MicroException.Denied) {
			return Failure.told(Failure.DENIED, "Not authorized to perform this request: " + detail, failure);
		}
		if (meant instanceof MicroException.Unimplemented) {
			return Failure.told(Failure.ENDPOINT, "The service '" + service + "' does not offer this: " + detail,
					failure);
		}
		if (meant instanceof MicroException.Unavailable) {
			// A status that came over the wire has no cause.
			if (cause(failure, IOException.class) != null) {
				return new Failure(Failure.SERVICE, "Cannot reach Micro at " + this.options.address()
						+ ": start it with 'micro server', or say where it is with --proxy_address.", failure);
			}
			return Failure.told(Failure.SERVICE, detail, failure);
		}
		return Failure.told(Failure.ANSWER, detail, failure);
	}

	/**
	 * Says that an answer did not come in time.
	 * @param service whom the call was for
	 * @return the beginning of a sentence
	 */
	String silence(String service) {
		return "The service '" + service + "' did not answer within " + text(this.options.limit().toMillis());
	}

	private static String text(long millis) {
		return (millis % 1000 == 0) ? millis / 1000 + " s" : millis + " ms";
	}

	// What came is not HTTP/2 at all.
	private static boolean spoiled(Throwable failure) {
		Http2Exception cause = cause(failure, Http2Exception.class);
		return cause != null && cause.error() == Http2Error.PROTOCOL_ERROR && !Http2Exception.isStreamError(cause);
	}

	private static <T> @Nullable T cause(Throwable failure, Class<T> type) {
		Throwable cause = failure;
		for (int depth = 0; cause != null && depth < 10; depth++) {
			if (type.isInstance(cause)) {
				return type.cast(cause);
			}
			cause = cause.getCause();
		}
		return null;
	}

	@Override
	public void close() {
		this.channel.shutdownNow();
		this.loop.shutdownGracefully(0, 0, TimeUnit.MILLISECONDS).awaitUninterruptibly(CLOSE_MILLIS);
	}

}
