package mu.micro.services;

import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;

import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import mu.micro.Limits;
import mu.micro.MicroException;
import mu.micro.Scoped;
import mu.micro.Subscription;
import mu.micro.grpc.Channels;
import mu.micro.grpc.Instances;
import mu.micro.grpc.Schemas;
import mu.micro.registry.Instance;
import mu.micro.registry.Registry;
import mu.micro.wire.registry.EmptyResponse;
import mu.micro.wire.registry.Endpoint;
import mu.micro.wire.registry.GetRequest;
import mu.micro.wire.registry.GetResponse;
import mu.micro.wire.registry.ListRequest;
import mu.micro.wire.registry.ListResponse;
import mu.micro.wire.registry.Node;
import mu.micro.wire.registry.Options;
import mu.micro.wire.registry.RegistryGrpc;
import mu.micro.wire.registry.Result;
import mu.micro.wire.registry.Service;
import mu.micro.wire.registry.WatchRequest;
import org.jspecify.annotations.Nullable;

/**
 * The registry on the wire. Nodes are kept for their owners, who renew them by
 * registering again; at most {@value #MOST_NODES} at a time. Endpoints are not stored:
 * they are read from running instances when somebody asks.
 * <p>
 * Handlers block and must not run on an event loop.
 */
public final class RegistryService extends RegistryGrpc.RegistryImplBase implements WatchedService, AutoCloseable {

	/**
	 * The name of the core service.
	 */
	public static final String NAME = "registry";

	/**
	 * How many nodes are kept for others; one more is {@code RESOURCE_EXHAUSTED}.
	 */
	public static final int MOST_NODES = 100_000;

	/**
	 * How many watches there may be at a time; one more is {@code RESOURCE_EXHAUSTED}.
	 */
	public static final int MOST_WATCHES = 10_000;

	/**
	 * How long a node stays when it does not say.
	 */
	public static final Duration TTL = Duration.ofSeconds(90);

	/**
	 * The longest a node may stay without being renewed.
	 */
	public static final Duration LONGEST_TTL = Duration.ofDays(1);

	private static final int MOST_NAMESPACES = 100;

	private static final int MAX_SCHEMA = 16 * 1024 * 1024;

	private final Scoped<Registry> registry;

	private final String namespace;

	private final Duration timeout;

	private final Leases leases;

	private final OpenStreams watches = new OpenStreams(NAME, "watches", MOST_WATCHES);

	private final ReentrantLock lock = new ReentrantLock();

	private final Map<String, Instruments> instruments = new LinkedHashMap<>(16, 0.75f, true);

	private volatile boolean closed;

	/**
	 * Serves a registry.
	 * @param registry who knows the instances; not closed by this
	 * @param namespace the namespace of calls that name none
	 * @param timeout how long asking one instance for its endpoints may take
	 */
	public RegistryService(Scoped<Registry> registry, String namespace, Duration timeout) {
		this(registry, namespace, timeout, MOST_NODES);
	}

	RegistryService(Scoped<Registry> registry, String namespace, Duration timeout, int mostNodes) {
		this.registry = registry;
		this.namespace = Limits.name("namespace", namespace);
		this.timeout = timeout;
		this.leases = new Leases(registry, mostNodes);
	}

	@Override
	public void getService(GetRequest request, StreamObserver<GetResponse> call) {
		Reply.with(NAME, call, () -> {
			String domain = domain(request.getOptions());
			String name = Limits.name("service's name", request.getService());
			List<Instance> instances = this.registry.in(domain).instances(name);
			if (instances.isEmpty()) {
				throw new MicroException.NotFound("service '" + name + "' not found in namespace '" + domain
						+ "'; start it, or list the services for those that are there");
			}
			List<Service> services = Instances.toServices(instances);
			return GetResponse.newBuilder()
				.addAllServices((request.getNodesOnly()) ? services : withEndpoints(domain, name, services))
				.build();
		});
	}

	@Override
	public void register(Service request, StreamObserver<EmptyResponse> call) {
		Reply.with(NAME, call, () -> {
			String domain = domain(request.getOptions());
			List<Instance> instances = Instances.fromServices(List.of(request));
			if (instances.isEmpty()) {
				throw new MicroException.Invalid(
						"service '" + request.getName() + "' has no node; register at least one");
			}
			long lease = this.leases.register(domain, instances, ttl(request.getOptions()), lease(request));
			return EmptyResponse.newBuilder().setLease(lease).build();
		});
	}

	@Override
	public void deregister(Service request, StreamObserver<EmptyResponse> call) {
		Reply.with(NAME, call, () -> {
			this.leases.deregister(domain(request.getOptions()), request.getName(),
					request.getNodesList().stream().map(Node::getId).toList(), lease(request));
			return EmptyResponse.getDefaultInstance();
		});
	}

	@Override
	public void listServices(ListRequest request, StreamObserver<ListResponse> call) {
		Reply.with(NAME, call, () -> {
			Registry scoped = this.registry.in(domain(request.getOptions()));
			ListResponse.Builder answer = ListResponse.newBuilder();
			for (String name : scoped.services()) {
				scoped.instances(name)
					.stream()
					.map(Instance::version)
					.distinct()
					.sorted()
					.forEach((version) -> answer.addServices(Service.newBuilder().setName(name).setVersion(version)));
			}
			return answer.build();
		});
	}

	@Override
	public void watch(WatchRequest request, StreamObserver<Result> observer) {
		ServerCallStreamObserver<Result> call = (ServerCallStreamObserver<Result>) observer;
		try {
			Registry scoped = this.registry.in(domain(request.getOptions()));
			String service = request.getService();
			if (!service.isEmpty()) {
				Limits.name("service's name", service);
			}
			if (!request.getWhole()) {
				Changes changes = new Changes();
				this.watches.open(call, () -> changes.next(now()), (stream) -> {
					if (service.isEmpty()) {
						changes.watchAll(scoped, stream);
					}
					else {
						changes.watchOne(scoped, service, stream);
					}
				});
			}
			else if (service.isEmpty()) {
				whole(call, RegistryService::named, (listener) -> scoped.watch(listener::accept));
			}
			else {
				whole(call, Instances::toServices, (listener) -> scoped.watch(service, listener::accept));
			}
		}
		catch (RuntimeException ex) {
			Reply.error(NAME, call, ex);
		}
	}

	private <T> void whole(ServerCallStreamObserver<Result> call, Function<T, Collection<Service>> services,
			Function<Consumer<T>, Subscription> watch) {
		AtomicReference<@Nullable T> latest = new AtomicReference<>();
		this.watches.open(call, () -> {
			T state = latest.getAndSet(null);
			return (state != null)
					? Result.newBuilder().addAllServices(services.apply(state)).setTimestamp(now()).build() : null;
		}, (stream) -> stream.add(watch.apply((state) -> stream.update(() -> latest.set(state)))));
	}

	private static List<Service> named(Set<String> names) {
		return names.stream().map((name) -> Service.newBuilder().setName(name).build()).toList();
	}

	private List<Service> withEndpoints(String domain, String name, List<Service> services) {
		List<Schemas.Offer> offers;
		try {
			offers = instruments(domain).schemas.of(name);
		}
		catch (MicroException ex) {
			// Who runs where is the answer; what they offer is known when they can be
			// asked.
			return services;
		}
		return services.stream()
			.map((service) -> service.toBuilder().addAllEndpoints(endpoints(service, offers)).build())
			.toList();
	}

	private static Collection<Endpoint> endpoints(Service service, List<Schemas.Offer> offers) {
		Map<String, Endpoint> endpoints = new LinkedHashMap<>();
		for (Schemas.Offer offer : offers) {
			if (offer.instances().stream().anyMatch((instance) -> instance.version().equals(service.getVersion()))) {
				Endpoints.of(offer.schema(), service.getName())
					.forEach((endpoint) -> endpoints.putIfAbsent(endpoint.getName(), endpoint));
			}
		}
		return new LinkedHashSet<>(endpoints.values());
	}

	private Instruments instruments(String domain) {
		Instruments dropped = null;
		this.lock.lock();
		try {
			if (this.closed) {
				throw new MicroException.Unavailable("the registry is shutting down; try again");
			}
			Instruments known = this.instruments.get(domain);
			if (known != null) {
				return known;
			}
			if (this.instruments.size() == MOST_NAMESPACES) {
				dropped = this.instruments.remove(this.instruments.keySet().iterator().next());
			}
			Registry scoped = this.registry.in(domain);
			Channels channels = new Channels(scoped, MAX_SCHEMA);
			Instruments made = new Instruments(channels, new Schemas(scoped, channels, this.timeout));
			this.instruments.put(domain, made);
			return made;
		}
		finally {
			this.lock.unlock();
			if (dropped != null) {
				dropped.close();
			}
		}
	}

	private String domain(Options options) {
		if (options.getDomain().equals("*")) {
			throw new MicroException.Invalid(
					"domain '*' (all namespaces) is not offered; name one namespace, or none for '" + this.namespace
							+ "'");
		}
		return (options.getDomain().isEmpty()) ? this.namespace : options.getDomain();
	}

	private static Duration ttl(Options options) {
		long seconds = options.getTtl();
		if (seconds < 0 || seconds > LONGEST_TTL.toSeconds()) {
			throw new MicroException.Invalid(
					"the ttl of " + seconds + " seconds is not between 0 and " + LONGEST_TTL.toSeconds());
		}
		return (seconds == 0) ? TTL : Duration.ofSeconds(seconds);
	}

	private static long lease(Service service) {
		long lease = service.getOptions().getLease();
		if (lease < 0) {
			throw new MicroException.Invalid("the lease " + lease + " is below 0; give back the one you were told");
		}
		return lease;
	}

	private static long now() {
		return System.currentTimeMillis() / 1000;
	}

	@Override
	public void endWatches() {
		this.watches.end();
	}

	@Override
	public void resumeWatches() {
		this.watches.resume();
	}

	/**
	 * Ends all watches for good, and the leases of all nodes that are kept.
	 */
	@Override
	public void close() {
		this.closed = true;
		this.watches.close();
		List<Instruments> open;
		this.lock.lock();
		try {
			open = List.copyOf(this.instruments.values());
			this.instruments.clear();
		}
		finally {
			this.lock.unlock();
		}
		open.forEach(Instruments::close);
		this.leases.close();
	}

	/**
	 * What instances of one namespace are asked with.
	 */
	private record Instruments(Channels channels, Schemas schemas) {

		void close() {
			this.schemas.close();
			this.channels.close();
		}

	}

}
