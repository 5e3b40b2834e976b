package mu.micro.gateway;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;

import io.grpc.BindableService;
import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import io.grpc.ServerInterceptors;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import mu.micro.Lease;
import mu.micro.grpc.Schema;
import mu.micro.registry.Instance;
import mu.micro.registry.Registry;

/**
 * A running and registered instance of a service.
 */
class Backend implements AutoCloseable {

	private final Server server;

	private final Lease lease;

	Backend(Registry registry, String name, BindableService service) {
		try {
			this.server = NettyServerBuilder
				.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
						InsecureServerCredentials.create())
				.addService(ServerInterceptors.intercept(service, new OrdersService.Capture()))
				.addService(ProtoReflectionServiceV1.newInstance())
				.build()
				.start();
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		this.lease = registry
			.register(
					new Instance(name, "latest", UUID.randomUUID().toString(), "127.0.0.1", this.server.getPort(),
							Map.of(Instance.SCHEMA, Schema.of(this.server.getServices()).hash())),
					Duration.ofSeconds(10));
	}

	/**
	 * Ends like a killed process: the registry still names it.
	 */
	void kill() {
		this.server.shutdownNow();
	}

	@Override
	public void close() {
		this.lease.close();
		this.server.shutdownNow();
	}

}
