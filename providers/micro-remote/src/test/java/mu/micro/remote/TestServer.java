package mu.micro.remote;

import java.io.IOException;
import java.time.Duration;

import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import mu.micro.memory.MemoryRegistry;
import mu.micro.registry.Registry;
import mu.micro.services.RegistryService;

/**
 * A Micro server with a registry in memory.
 */
final class TestServer implements AutoCloseable {

	private final MemoryRegistry registry = new MemoryRegistry();

	private final RegistryService service = new RegistryService(this.registry, "micro", Duration.ofSeconds(5));

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
			this.server = Grpc.newServerBuilderForPort(port, InsecureServerCredentials.create())
				.addService(this.service)
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
	 * Ends without a word to anybody, and forgets.
	 */
	@Override
	public void close() {
		try {
			this.server.shutdownNow().awaitTermination();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
		this.service.close();
		this.registry.close();
	}

}
