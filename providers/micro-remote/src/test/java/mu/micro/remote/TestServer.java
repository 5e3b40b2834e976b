package mu.micro.remote;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;

import io.grpc.ForwardingServerCall;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.netty.NettyServerBuilder;
import mu.micro.memory.MemoryRegistry;
import mu.micro.registry.Registry;
import mu.micro.services.RegistryService;

/**
 * A Micro server with a registry in memory.
 */
final class TestServer implements AutoCloseable {

	private final MemoryRegistry registry = new MemoryRegistry();

	private final RegistryService service = new RegistryService(this.registry, "micro", Duration.ofSeconds(5));

	private volatile CountDownLatch answering = new CountDownLatch(0);

	private final Server server;

	private final int port;

	TestServer() {
		this(0);
	}

	/**
	 * Starts with nothing registered.
	 * @param port where, or 0 for any
	 */
	TestServer(int port) {
		try {
			this.server = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), port))
				.addService(this.service)
				.intercept(new Pause())
				.build()
				.start();
			this.port = this.server.getPort();
		}
		catch (IOException ex) {
			throw new IllegalStateException(ex);
		}
	}

	int port() {
		return this.port;
	}

	String address() {
		return "127.0.0.1:" + port();
	}

	Registry in(String namespace) {
		return this.registry.in(namespace);
	}

	/**
	 * Does what it is asked to, and keeps the answers back.
	 */
	void pause() {
		this.answering = new CountDownLatch(1);
	}

	void resume() {
		this.answering.countDown();
	}

	/**
	 * Ends without a word to anybody, and forgets.
	 */
	@Override
	public void close() {
		resume();
		try {
			this.server.shutdownNow().awaitTermination();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
		this.service.close();
		this.registry.close();
	}

	/**
	 * Waits before each answer until there is no pause.
	 */
	private final class Pause implements ServerInterceptor {

		@Override
		public <Q, R> ServerCall.Listener<Q> interceptCall(ServerCall<Q, R> call, Metadata headers,
				ServerCallHandler<Q, R> next) {
			return next.startCall(new ForwardingServerCall.SimpleForwardingServerCall<>(call) {

				@Override
				public void sendMessage(R message) {
					try {
						TestServer.this.answering.await();
					}
					catch (InterruptedException ex) {
						Thread.currentThread().interrupt();
					}
					super.sendMessage(message);
				}

			}, headers);
		}

	}

}
