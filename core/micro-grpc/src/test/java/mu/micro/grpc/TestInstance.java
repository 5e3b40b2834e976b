package mu.micro.grpc;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

import io.grpc.BindableService;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import io.grpc.stub.StreamObserver;
import mu.micro.Lease;
import mu.micro.registry.Instance;
import mu.micro.registry.Registry;
import mu.micro.test.kinds.Ask;
import mu.micro.test.kinds.Everything;
import mu.micro.test.kinds.KindsGrpc;
import mu.micro.test.kinds.Place;
import mu.micro.test.others.OthersGrpc;

/**
 * A server on loopback that can be registered.
 */
final class TestInstance implements AutoCloseable {

	private final AtomicInteger reflected = new AtomicInteger();

	private final Server server;

	private final String schema;

	private final String id;

	private final String host;

	private final int port;

	/**
	 * A server.
	 * @param id what it answers as
	 * @param services what it serves
	 */
	TestInstance(String id, BindableService... services) {
		this(id, InetAddress.getLoopbackAddress(), services);
	}

	/**
	 * A server.
	 * @param id what it answers as
	 * @param address where it listens
	 * @param services what it serves
	 */
	TestInstance(String id, InetAddress address, BindableService... services) {
		this.id = id;
		this.host = address.getHostAddress();
		ServerBuilder<?> builder = NettyServerBuilder.forAddress(new InetSocketAddress(address, 0))
			.intercept(new ReflectionCounter(this.reflected));
		for (BindableService service : services) {
			builder.addService(service);
		}
		try {
			this.server = builder.build().start();
		}
		catch (IOException ex) {
			throw new IllegalStateException(ex);
		}
		this.port = this.server.getPort();
		this.schema = Schema.of(this.server.getServices()).hash();
	}

	/**
	 * A server of {@code kinds.Kinds}, which says where it was called.
	 * @param id what it answers as
	 * @return the server
	 */
	static TestInstance kinds(String id) {
		return new TestInstance(id, new Kinds(id), ProtoReflectionServiceV1.newInstance());
	}

	/**
	 * A server of another contract.
	 * @param id what it answers as
	 * @return the server
	 */
	static TestInstance others(String id) {
		return new TestInstance(id, new Others(), ProtoReflectionServiceV1.newInstance());
	}

	Lease register(Registry registry, String service) {
		return registry.register(instance(service, Map.of(Instance.SCHEMA, this.schema)), Duration.ofSeconds(30));
	}

	Instance instance(String service, Map<String, String> metadata) {
		return instance(service, this.host, metadata);
	}

	Instance instance(String service, String host, Map<String, String> metadata) {
		return new Instance(service, "latest", this.id, host, this.port, metadata);
	}

	String schema() {
		return this.schema;
	}

	int reflected() {
		return this.reflected.get();
	}

	List<String> services() {
		return this.server.getServices().stream().map((service) -> service.getServiceDescriptor().getName()).toList();
	}

	int port() {
		return this.port;
	}

	@Override
	public void close() {
		try {
			this.server.shutdownNow().awaitTermination();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	private record ReflectionCounter(AtomicInteger count) implements ServerInterceptor {

		@Override
		public <Q, R> ServerCall.Listener<Q> interceptCall(ServerCall<Q, R> call, Metadata headers,
				ServerCallHandler<Q, R> next) {
			if (call.getMethodDescriptor().getFullMethodName().startsWith("grpc.reflection.")) {
				this.count.incrementAndGet();
			}
			return next.startCall(call, headers);
		}

	}

	/**
	 * Echoes, and says where.
	 */
	static final class Kinds extends KindsGrpc.KindsImplBase {

		private final String id;

		Kinds(String id) {
			this.id = id;
		}

		@Override
		public void echo(Everything request, StreamObserver<Everything> call) {
			call.onNext(request);
			call.onCompleted();
		}

		@Override
		public void where(Ask request, StreamObserver<Place> call) {
			call.onNext(Place.newBuilder().setId(this.id).build());
			call.onCompleted();
		}

	}

	/**
	 * Answers nothing.
	 */
	static final class Others extends OthersGrpc.OthersImplBase {

	}

}
