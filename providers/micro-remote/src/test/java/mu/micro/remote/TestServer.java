package mu.micro.remote;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Clock;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;

import io.grpc.ForwardingServerCall;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.netty.NettyServerBuilder;
import mu.micro.Scoped;
import mu.micro.blob.Blobs;
import mu.micro.broker.Broker;
import mu.micro.config.Config;
import mu.micro.core.Keyring;
import mu.micro.core.StoreConfig;
import mu.micro.core.StoreLocks;
import mu.micro.events.Events;
import mu.micro.memory.MemoryBlobs;
import mu.micro.memory.MemoryBroker;
import mu.micro.memory.MemoryDatabases;
import mu.micro.memory.MemoryEvents;
import mu.micro.memory.MemoryOutbox;
import mu.micro.memory.MemoryRegistry;
import mu.micro.registry.Registry;
import mu.micro.services.BlobService;
import mu.micro.services.BrokerService;
import mu.micro.services.ConfigService;
import mu.micro.services.DatabaseService;
import mu.micro.services.RegistryService;
import mu.micro.services.StreamService;
import mu.micro.services.SyncService;
import mu.micro.services.TopicsService;
import mu.micro.store.Databases;
import org.awaitility.Awaitility;

/**
 * A Micro server with a registry, databases, blobs, a broker and events in memory, and
 * config and locks on the databases.
 */
final class TestServer implements AutoCloseable {

	private static final String KEY = Base64.getEncoder().encodeToString(new byte[Keyring.BYTES]);

	private final MemoryRegistry registry = new MemoryRegistry();

	private final RegistryService service = new RegistryService(this.registry, "micro", Duration.ofSeconds(5));

	private final MemoryDatabases databases;

	private final DatabaseService store;

	private final Scoped<Blobs> blobs;

	private final BlobService files;

	private final StoreConfig config;

	private final ConfigService settings;

	private final StoreLocks locks;

	private final SyncService sync;

	private final MemoryBroker broker = new MemoryBroker();

	private final BrokerService messages = new BrokerService(this.broker, "micro");

	private final MemoryEvents events;

	private final StreamService consumers;

	private volatile CountDownLatch answering = new CountDownLatch(0);

	private final AtomicInteger calls = new AtomicInteger();

	private final AtomicInteger kept = new AtomicInteger();

	private final Server server;

	private final int port;

	TestServer() {
		this(0);
	}

	/**
	 * Starts with nothing registered and nothing stored.
	 * @param port where, or 0 for any; a client of somebody's may have it for a moment
	 */
	TestServer(int port) {
		this(port, new MemoryDatabases());
	}

	/**
	 * Starts with nothing registered and nothing stored.
	 * @param port where, or 0 for any; a client of somebody's may have it for a moment
	 * @param events the events, closed by this
	 */
	TestServer(int port, MemoryEvents events) {
		this(port, new MemoryDatabases(), new MemoryBlobs(), events);
	}

	/**
	 * Starts with nothing registered.
	 * @param port where, or 0 for any; a client of somebody's may have it for a moment
	 * @param databases what is stored, closed by this
	 */
	TestServer(int port, MemoryDatabases databases) {
		this(port, databases, new MemoryBlobs(), new MemoryEvents());
	}

	/**
	 * Starts with nothing registered or stored.
	 * @param port where, or 0 for any; a client of somebody's may have it for a moment
	 * @param blobs what blobs there are, closed by this
	 */
	TestServer(int port, Scoped<Blobs> blobs) {
		this(port, new MemoryDatabases(), blobs, new MemoryEvents());
	}

	private TestServer(int port, MemoryDatabases databases, Scoped<Blobs> blobs, MemoryEvents events) {
		this.events = events;
		this.consumers = new StreamService(events, "micro");
		this.databases = databases;
		this.store = new DatabaseService(databases, "micro");
		this.blobs = blobs;
		this.files = new BlobService(blobs, "micro");
		this.config = new StoreConfig(databases, Keyring.of(List.of(KEY)));
		this.settings = new ConfigService(this.config, "micro", Clock.systemUTC());
		this.locks = new StoreLocks(databases, Clock.systemUTC());
		this.sync = new SyncService(this.locks, "micro");
		this.server = Awaitility.await()
			.atMost(Duration.ofSeconds(5))
			.pollDelay(Duration.ZERO)
			.ignoreExceptionsInstanceOf(IOException.class)
			.until(() -> start(port), Objects::nonNull);
		this.port = this.server.getPort();
	}

	private Server start(int port) throws IOException {
		return NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), port))
			.addService(this.service)
			.addService(this.store)
			.addService(this.files)
			.addService(this.settings)
			.addService(this.sync)
			.addService(this.messages)
			.addService(this.consumers)
			.addService(new TopicsService(this.events, new MemoryOutbox(this.databases, this.events), "micro"))
			.maxInboundMessageSize(32 * 1024 * 1024)
			.intercept(new Pause())
			.build()
			.start();
	}

	/**
	 * Starts a server that is none of Micro's.
	 */
	static Server withoutServices() throws IOException {
		return NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
			.build()
			.start();
	}

	/**
	 * Waits until something holds.
	 */
	static void await(BooleanSupplier condition) {
		Awaitility.await()
			.atMost(Duration.ofSeconds(20))
			.pollInterval(Duration.ofMillis(20))
			.until(condition::getAsBoolean);
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

	Databases databases() {
		return this.databases;
	}

	Broker broker(String namespace) {
		return this.broker.in(namespace);
	}

	Events events(String namespace) {
		return this.events.in(namespace);
	}

	Config config(String namespace) {
		return this.config.in(namespace);
	}

	/**
	 * Ends the watches of the store, the broker and the events as a server does that is
	 * about to stop.
	 */
	void endWatches() {
		this.store.endWatches();
		this.messages.endWatches();
		this.consumers.endWatches();
	}

	void resumeWatches() {
		this.store.resumeWatches();
		this.messages.resumeWatches();
		this.consumers.resumeWatches();
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
	 * How many calls there have been.
	 */
	int calls() {
		return this.calls.get();
	}

	/**
	 * How many answers have been kept back until now.
	 */
	int kept() {
		return this.kept.get();
	}

	/**
	 * Ends without a word to anybody, and forgets.
	 */
	@Override
	public void close() {
		this.server.shutdownNow();
		try {
			this.server.awaitTermination();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
		// Not before there is nobody left to hear it.
		resume();
		this.service.close();
		this.registry.close();
		this.store.close();
		this.files.close();
		this.blobs.close();
		this.settings.close();
		this.config.close();
		this.sync.close();
		this.locks.close();
		this.databases.close();
		this.messages.close();
		this.broker.close();
		this.consumers.close();
		this.events.close();
	}

	/**
	 * Waits before each answer until there is no pause.
	 */
	private final class Pause implements ServerInterceptor {

		@Override
		public <Q, R> ServerCall.Listener<Q> interceptCall(ServerCall<Q, R> call, Metadata headers,
				ServerCallHandler<Q, R> next) {
			TestServer.this.calls.incrementAndGet();
			return next.startCall(new ForwardingServerCall.SimpleForwardingServerCall<>(call) {

				@Override
				public void sendMessage(R message) {
					if (TestServer.this.answering.getCount() > 0) {
						TestServer.this.kept.incrementAndGet();
					}
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
