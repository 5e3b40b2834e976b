package mu.micro.proxy;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

import io.grpc.BindableService;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.ServerInterceptor;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import mu.micro.Lease;
import mu.micro.grpc.Channels;
import mu.micro.grpc.Errors;
import mu.micro.grpc.Schema;
import mu.micro.grpc.Schemas;
import mu.micro.memory.MemoryRegistry;
import mu.micro.registry.Instance;
import mu.micro.registry.Registry;
import mu.micro.wire.errors.Error;
import org.awaitility.Awaitility;

import org.springframework.util.unit.DataSize;

/**
 * A proxy on a real socket, and backends behind it.
 */
final class Stage implements AutoCloseable {

	static final Duration TTL = Duration.ofSeconds(30);

	final MemoryRegistry registries = new MemoryRegistry();

	final Registry registry = this.registries.in("micro");

	final SimpleMeterRegistry meters = new SimpleMeterRegistry();

	final Door door;

	final ManagedChannel front;

	final Schemas schemas;

	private final Routes routes = new Routes(this.registry);

	private final Channels channels;

	private final Workers workers = new Workers();

	private final List<Backend> backends = new ArrayList<>();

	Stage() {
		this(properties(0));
	}

	Stage(ProxyProperties properties) {
		ProxyConfiguration configuration = new ProxyConfiguration();
		this.channels = configuration.channels(this.registry, properties);
		this.schemas = configuration.schemas(this.registry, this.channels);
		HealthService health = configuration.healthOfAll(this.routes, this.channels, this.workers);
		Forwarding forwarding = configuration.forwarding(this.routes, this.registry, this.channels, this.workers,
				configuration.reflectionForAll(this.routes, this.schemas, this.workers), health);
		this.door = new Door("127.0.0.1", properties, forwarding, health, this.channels, new CallMeter(this.meters));
		this.door.start();
		this.front = open();
		until("micro-none", false);
	}

	static ProxyProperties properties(int port) {
		return new ProxyProperties(port, DataSize.ofMegabytes(32), 1000, Duration.ofSeconds(2));
	}

	static Error error(Throwable failure) {
		return Errors.read("", io.grpc.Status.fromThrowable(failure), io.grpc.Status.trailersFromThrowable(failure));
	}

	ManagedChannel open() {
		return Grpc.newChannelBuilder("127.0.0.1:" + this.door.port(), InsecureChannelCredentials.create())
			.maxInboundMessageSize(64 << 20)
			.build();
	}

	Backend start(String service, BindableService implementation, ServerInterceptor... interceptors) throws Exception {
		HealthStatusManager health = new HealthStatusManager();
		ServerBuilder<?> builder = NettyServerBuilder
			.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
			.addService(implementation)
			.addService(health.getHealthService())
			.addService(ProtoReflectionServiceV1.newInstance())
			.maxInboundMessageSize(64 << 20);
		for (ServerInterceptor interceptor : interceptors) {
			builder.intercept(interceptor);
		}
		Server server = builder.build().start();
		Instance instance = new Instance(service, "latest", service + "-" + this.backends.size(), "127.0.0.1",
				server.getPort(), Map.of(Instance.SCHEMA, Schema.of(server.getServices()).hash()));
		Backend backend = new Backend(server, health, instance, register(instance));
		this.backends.add(backend);
		return backend;
	}

	Lease register(Instance instance) {
		Lease lease = this.registry.register(instance, TTL);
		until(instance.service(), true);
		return lease;
	}

	void until(String service, boolean known) {
		Awaitility.await()
			.pollInterval(Duration.ofMillis(2))
			.ignoreExceptions()
			.until(() -> this.routes.services().contains(service) == known);
	}

	int open(String gauge) {
		return (int) this.meters.get(gauge).gauge().value();
	}

	@Override
	public void close() throws Exception {
		this.front.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
		this.door.stop();
		this.schemas.close();
		this.channels.close();
		this.routes.close();
		this.workers.close();
		this.backends.forEach((backend) -> backend.server.shutdownNow());
		this.registries.close();
	}

	record Backend(Server server, HealthStatusManager health, Instance instance, Lease lease) {
	}

}
