package mu.micro.gateway;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;

import io.grpc.BindableService;
import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import io.grpc.ServerInterceptors;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import io.grpc.stub.StreamObserver;
import mu.micro.Lease;
import mu.micro.gateway.shop.Order;
import mu.micro.grpc.Schema;
import mu.micro.registry.Instance;
import mu.micro.registry.Registry;

/**
 * A running and registered instance of a service.
 */
public class Backend implements AutoCloseable {

	private final Server server;

	private final Lease lease;

	Backend(Registry registry, String name, BindableService service) {
		this(registry, name, service, Calls.MOST_ANSWER);
	}

	Backend(Registry registry, String name, BindableService service, int mostBytes) {
		this.server = start(service, mostBytes);
		this.lease = register(registry, name, this.server.getPort(), service);
	}

	private static Server start(BindableService service, int mostBytes) {
		try {
			return NettyServerBuilder
				.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
						InsecureServerCredentials.create())
				.addService(ServerInterceptors.intercept(service, new OrdersService.Capture()))
				.addService(ProtoReflectionServiceV1.newInstance())
				.maxInboundMessageSize(mostBytes)
				.build()
				.start();
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	static Lease register(Registry registry, String name, int port, BindableService service) {
		return registry.register(
				new Instance(name, "latest", UUID.randomUUID().toString(), "127.0.0.1", port,
						Map.of(Instance.SCHEMA, Schema.of(List.of(service.bindService())).hash())),
				Duration.ofSeconds(10));
	}

	/**
	 * Ends all calls, while the registry still names it.
	 */
	void stop() {
		this.server.shutdownNow();
	}

	@Override
	public void close() {
		this.lease.close();
		this.server.shutdownNow();
	}

	/**
	 * One to be killed: tells its port, then each call that waits.
	 * @param args none
	 * @throws InterruptedException never
	 */
	public static void main(String[] args) throws InterruptedException {
		Server server = start(new OrdersService() {

			@Override
			public void wait(Order request, StreamObserver<Order> observer) {
				System.out.println("waiting");
			}

		}, Calls.MOST_ANSWER);
		System.out.println(server.getPort());
		server.awaitTermination();
	}

}
