package mu.micro.cli;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import io.grpc.BindableService;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.HandlerRegistry;
import io.grpc.InternalServer;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerMethodDefinition;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import mu.micro.Lease;
import mu.micro.MicroException;
import mu.micro.broker.Broker;
import mu.micro.cli.helloworld.HelloworldGrpc;
import mu.micro.config.Config;
import mu.micro.core.Keyring;
import mu.micro.core.StoreConfig;
import mu.micro.core.StoreLocks;
import mu.micro.core.StoreSync;
import mu.micro.events.Events;
import mu.micro.grpc.Errors;
import mu.micro.grpc.Frames;
import mu.micro.memory.MemoryBroker;
import mu.micro.memory.MemoryDatabases;
import mu.micro.memory.MemoryEvents;
import mu.micro.memory.MemoryRegistry;
import mu.micro.registry.Instance;
import mu.micro.registry.Registry;
import mu.micro.services.BrokerService;
import mu.micro.services.CallCounter;
import mu.micro.services.ConfigService;
import mu.micro.services.DatabaseService;
import mu.micro.services.DebugService;
import mu.micro.services.RegistryService;
import mu.micro.services.StreamService;
import mu.micro.services.SyncService;
import mu.micro.services.TopicsService;
import mu.micro.store.Database;

/**
 * One real server that is Micro and its services to the command line: registry, store,
 * config, locks, broker, events, debug, reflection and helloworld. Like the proxy it
 * knows services by the micro-service header. An instance whose id starts with "old"
 * offers people and no helloworld; of a service with such instances it is the one that
 * calls reach which name none.
 */
final class Stage implements AutoCloseable {

	private final MemoryRegistry registries = new MemoryRegistry();

	private final Registry registry = this.registries.in("micro");

	private final RegistryService service = new RegistryService(this.registries, "micro", Duration.ofSeconds(5));

	private final MemoryDatabases databases = new MemoryDatabases();

	private final DatabaseService database = new DatabaseService(this.databases, "micro");

	private final StoreConfig configs = new StoreConfig(this.databases, Keyring.of(List.of("A".repeat(43) + "=")));

	private final ConfigService config = new ConfigService(this.configs, "micro", Clock.systemUTC());

	private final StoreLocks locks = new StoreLocks(this.databases, Clock.systemUTC());

	private final SyncService sync = new SyncService(this.locks, "micro");

	private final MemoryBroker broker = new MemoryBroker();

	private final BrokerService messages = new BrokerService(this.broker, "micro");

	private final MemoryEvents events = new MemoryEvents();

	private final StreamService consumers = new StreamService(this.events, "micro");

	private final List<Metadata> calls = new CopyOnWriteArrayList<>();

	private final Server server;

	private final Server old = NettyServerBuilder.forPort(0).addService(new People()).build();

	private final AtomicInteger answers = new AtomicInteger(Integer.MAX_VALUE);

	private final Map<String, String> environment = new TreeMap<>();

	/**
	 * A server with some of store, config, sync, broker and events.
	 * @param data which of them
	 * @throws IOException if there is no port
	 */
	Stage(String... data) throws IOException {
		CallCounter counter = new CallCounter();
		Map<String, List<BindableService>> known = Map.of("store", List.of(this.database), "config",
				List.of(this.config), "sync", List.of(this.sync), "broker", List.of(this.messages), "events",
				List.of(this.consumers, new TopicsService(this.events, null, "micro")));
		NettyServerBuilder builder = NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0));
		List.of(data).forEach((name) -> known.get(name).forEach(builder::addService));
		this.server = builder.addService(new Helloworld())
			.addService(new People())
			.addService(this.service)
			.addService(new DebugService(() -> "ok", counter))
			.addService(ProtoReflectionServiceV1.newInstance())
			.fallbackHandlerRegistry(new Elsewhere())
			.intercept(counter)
			.intercept(new Route())
			.maxInboundMessageSize(32 * 1024 * 1024)
			.build()
			.start();
		this.environment.put("MICRO_PROXY", "127.0.0.1:" + this.server.getPort());
		register("helloworld", "h-1");
		register("registry", "r-1");
		List.of(data).forEach((name) -> register(name, name + "-1"));
	}

	Lease register(String service, String id) {
		return register(service, id, Map.of("zone", "here"));
	}

	Lease register(String service, String id, Map<String, String> metadata) {
		return this.registry.register(new Instance(service, "latest", id, "127.0.0.1", this.server.getPort(), metadata),
				Duration.ofMinutes(5));
	}

	/**
	 * What the store serves.
	 * @param namespace whose
	 * @return the data
	 */
	Database database(String namespace) {
		return this.databases.in(namespace);
	}

	/**
	 * What the config serves.
	 * @param namespace whose
	 * @return the settings
	 */
	Config config(String namespace) {
		return this.configs.in(namespace);
	}

	/**
	 * What the broker serves.
	 * @param namespace whose
	 * @return the broker
	 */
	Broker broker(String namespace) {
		return this.broker.in(namespace);
	}

	/**
	 * What the events serve.
	 * @param namespace whose
	 * @return the events
	 */
	Events events(String namespace) {
		return this.events.in(namespace);
	}

	/**
	 * The locks that the server gives, held by somebody else.
	 * @return to be closed
	 */
	StoreSync somebody() {
		return new StoreSync(this.databases, Clock.systemUTC());
	}

	/**
	 * How many calls are answered yet; then there is silence.
	 * @param count how many from now on
	 */
	void answer(int count) {
		this.answers.set(count);
	}

	int port() {
		return this.server.getPort();
	}

	/**
	 * The last call's metadata.
	 * @param key the key
	 * @return its value
	 */
	String header(String key) {
		return this.calls.get(this.calls.size() - 1).get(Metadata.Key.of(key, Metadata.ASCII_STRING_MARSHALLER));
	}

	List<String> headers(String key) {
		return this.calls.stream()
			.map((call) -> call.get(Metadata.Key.of(key, Metadata.ASCII_STRING_MARSHALLER)))
			.filter((value) -> value != null)
			.toList();
	}

	Map<String, String> environment() {
		return this.environment;
	}

	Ran micro(String... args) {
		return micro(new ByteArrayInputStream(new byte[0]), args);
	}

	Ran micro(InputStream in, String... args) {
		ByteArrayOutputStream out = new ByteArrayOutputStream();
		ByteArrayOutputStream err = new ByteArrayOutputStream();
		int code = new Micro(this.environment, in, new PrintStream(out, false, StandardCharsets.UTF_8),
				new PrintStream(err, true, StandardCharsets.UTF_8))
			.run(args);
		return new Ran(code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
	}

	static InputStream lines(String... lines) {
		return new ByteArrayInputStream((String.join("\n", lines) + "\n").getBytes(StandardCharsets.UTF_8));
	}

	@Override
	public void close() throws InterruptedException {
		this.server.shutdownNow();
		this.server.awaitTermination(10, TimeUnit.SECONDS);
		this.service.close();
		this.database.close();
		this.sync.close();
		this.locks.close();
		this.config.close();
		this.configs.close();
		this.registries.close();
		this.databases.close();
		this.messages.close();
		this.broker.close();
		this.consumers.close();
		this.events.close();
	}

	/**
	 * How a command ended.
	 *
	 * @param code its exit code
	 * @param out what it printed
	 * @param err what it complained of
	 */
	record Ran(int code, String out, String err) {

		static Ran of(String out) {
			return new Ran(0, out, "");
		}

		List<String> lines() {
			return this.out.lines().toList();
		}

	}

	/**
	 * Refuses services that are not registered.
	 */
	private final class Route implements ServerInterceptor {

		@Override
		public <Q, R> ServerCall.Listener<Q> interceptCall(ServerCall<Q, R> call, Metadata headers,
				ServerCallHandler<Q, R> next) {
			Stage.this.calls.add(headers);
			if (Stage.this.answers.getAndDecrement() <= 0) {
				return new ServerCall.Listener<>() {
				};
			}
			String name = headers.get(Proxy.SERVICE);
			List<String> known = new ArrayList<>(Stage.this.registry.services());
			if (name != null && !known.contains(name)) {
				return end(call, Errors.toStatus("proxy", new MicroException.NotFound("no service '" + name + "'")));
			}
			if (name == null || !old(name, headers.get(Proxy.INSTANCE))) {
				return next.startCall(call, headers);
			}
			if (HelloworldGrpc.SERVICE_NAME.equals(call.getMethodDescriptor().getServiceName())) {
				return end(call, Errors.toStatus(name, new MicroException.Unimplemented("that came later")));
			}
			// Reflection tells what the server offers that it finds here.
			Context context = Context.current().withValue(InternalServer.SERVER_CONTEXT_KEY, Stage.this.old);
			return Contexts.interceptCall(context, call, headers, next);
		}

		private boolean old(String service, String instance) {
			return (instance != null) ? instance.startsWith("old")
					: Stage.this.registry.instances(service)
						.stream()
						.anyMatch((candidate) -> candidate.id().startsWith("old"));
		}

		private <Q, R> ServerCall.Listener<Q> end(ServerCall<Q, R> call, StatusRuntimeException ex) {
			call.close(ex.getStatus(), ex.getTrailers());
			return new ServerCall.Listener<>() {
			};
		}

	}

	/**
	 * Has calls to what is not here come as far as the others.
	 */
	private static final class Elsewhere extends HandlerRegistry {

		@Override
		public ServerMethodDefinition<?, ?> lookupMethod(String name, String authority) {
			ServerCallHandler<byte[], byte[]> handler = (call, headers) -> {
				call.close(Status.UNIMPLEMENTED.withDescription("not here"), new Metadata());
				return new ServerCall.Listener<>() {
				};
			};
			return ServerMethodDefinition.create(Frames.method(name, MethodDescriptor.MethodType.UNARY), handler);
		}

	}

}
