package mu.micro.grpc;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

import io.grpc.Attributes;
import io.grpc.EquivalentAddressGroup;
import io.grpc.NameResolver;
import io.grpc.NameResolverProvider;
import io.grpc.Status;
import io.grpc.StatusOr;
import io.grpc.SynchronizationContext;
import mu.micro.MicroException;
import mu.micro.Subscription;
import mu.micro.registry.Instance;
import mu.micro.registry.Registry;
import org.jspecify.annotations.Nullable;

/**
 * Resolves {@code micro:///name} to the instances of a service, as the registry's watch
 * tells them. {@code micro:///name?schema=hash} keeps to the instances with that
 * {@link Instance#SCHEMA}; an empty hash means those without one.
 * <p>
 * A host that is a name is looked up, and an instance joins once its host is known. Those
 * that are not are looked up again after {@value #AGAIN_SECONDS} seconds.
 * <p>
 * gRPC finds this class by itself; a channel says which registry it means with
 * {@code builder.setNameResolverArg(MicroNameResolverProvider.REGISTRY, registry)}.
 */
public final class MicroNameResolverProvider extends NameResolverProvider {

	/**
	 * The registry that a channel resolves names in.
	 */
	public static final NameResolver.Args.Key<Registry> REGISTRY = NameResolver.Args.Key.create("micro-registry");

	private static final String SCHEME = "micro";

	private static final String SCHEMA = "schema=";

	private static final int SILENCE_SECONDS = 5;

	private static final int AGAIN_SECONDS = 5;

	/**
	 * How many names one channel looks up at the same time.
	 */
	private static final int MOST_LOOK_UPS = 8;

	/**
	 * What is no name: it is read without asking anybody.
	 */
	private static final Pattern LITERAL = Pattern
		.compile("[0-9a-fA-F]*:.*|((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(\\.(?!$)|$)){4}");

	/**
	 * Below that of DNS, which thereby stays what targets without a scheme mean.
	 */
	private static final int PRIORITY = 1;

	private final LookUp names;

	/**
	 * Looks names up as the JDK does.
	 */
	public MicroNameResolverProvider() {
		this(InetAddress::getAllByName);
	}

	MicroNameResolverProvider(LookUp names) {
		this.names = names;
	}

	/**
	 * The target of a service.
	 * @param service the service's name
	 * @return what to give to a channel
	 */
	public static String target(String service) {
		return SCHEME + ":///" + encode(service);
	}

	/**
	 * The target of those instances of a service that offer one schema.
	 * @param service the service's name
	 * @param schema the schema's hash; empty for instances that tell none
	 * @return what to give to a channel
	 */
	public static String target(String service, String schema) {
		return target(service) + "?" + SCHEMA + encode(schema);
	}

	@Override
	protected boolean isAvailable() {
		return true;
	}

	@Override
	protected int priority() {
		return PRIORITY;
	}

	@Override
	public String getDefaultScheme() {
		return SCHEME;
	}

	@Override
	public @Nullable NameResolver newNameResolver(URI target, NameResolver.Args args) {
		if (!SCHEME.equals(target.getScheme())) {
			return null;
		}
		String path = target.getRawPath();
		if (path == null || path.length() < 2) {
			throw new IllegalArgumentException("'" + target + "' names no service; write micro:///name");
		}
		Registry registry = args.getArg(REGISTRY);
		if (registry == null) {
			throw new IllegalArgumentException("no registry to resolve '" + target
					+ "' in; build the channel with setNameResolverArg(MicroNameResolverProvider.REGISTRY, registry)");
		}
		String query = target.getRawQuery();
		String schema = (query != null && query.startsWith(SCHEMA)) ? decode(query.substring(SCHEMA.length())) : null;
		return new Resolver(registry, decode(path.substring(1)), schema, this.names, args);
	}

	private static String encode(String text) {
		return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
	}

	private static String decode(String text) {
		return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
	}

	/**
	 * Asks for the addresses of a host.
	 */
	@FunctionalInterface
	interface LookUp {

		InetAddress[] of(String host) throws UnknownHostException;

	}

	/**
	 * What is not final is used in the channel's context only, where nothing may block.
	 */
	private static final class Resolver extends NameResolver {

		private final Registry registry;

		private final String service;

		private final @Nullable String schema;

		private final ConfigOrError serviceConfig;

		private final SynchronizationContext context;

		private final ScheduledExecutorService timer;

		private final LookUp names;

		private final Executor executor;

		private final Map<String, List<InetAddress>> known = new HashMap<>();

		private final Set<String> wanted = new HashSet<>();

		private final Deque<String> waiting = new ArrayDeque<>();

		private List<Instance> instances = List.of();

		private int running;

		private @Nullable Subscription watch;

		private @Nullable Listener2 listener;

		private boolean told;

		Resolver(Registry registry, String service, @Nullable String schema, LookUp names, Args args) {
			this.registry = registry;
			this.service = service;
			this.schema = schema;
			this.context = args.getSynchronizationContext();
			this.timer = args.getScheduledExecutorService();
			this.names = names;
			this.executor = Objects.requireNonNullElse(args.getOffloadExecutor(), this.timer);
			this.serviceConfig = args.getServiceConfigParser()
				.parseServiceConfig(
						Map.of("loadBalancingConfig", List.of(Map.of(MicroLoadBalancerProvider.POLICY, Map.of()))));
		}

		@Override
		public String getServiceAuthority() {
			return encode(this.service);
		}

		@Override
		public void start(Listener2 listener) {
			this.listener = listener;
			refresh();
		}

		// Called again, with back-off, after an error.
		@Override
		public void refresh() {
			Listener2 to = this.listener;
			if (to == null) {
				return;
			}
			if (this.watch == null) {
				try {
					this.watch = this.registry.watch(this.service, (all) -> this.context.execute(() -> update(all)));
				}
				catch (MicroException ex) {
					to.onError(Status.UNAVAILABLE.withDescription(ex.getMessage()).withCause(ex));
					return;
				}
			}
			this.instances.forEach((instance) -> want(instance.host()));
			this.context.schedule(() -> {
				if (!this.told && this.listener != null) {
					to.onError(Status.UNAVAILABLE.withDescription("the registry has not said in " + SILENCE_SECONDS
							+ " s where '" + this.service + "' runs; see whether it can be reached"));
				}
			}, SILENCE_SECONDS, TimeUnit.SECONDS, this.timer);
		}

		private void update(List<Instance> all) {
			if (this.listener == null) {
				return;
			}
			this.told = true;
			this.instances = all.stream()
				.filter((instance) -> this.schema == null
						|| this.schema.equals(instance.metadata().getOrDefault(Instance.SCHEMA, "")))
				.toList();
			Set<String> hosts = this.instances.stream().map(Instance::host).collect(Collectors.toSet());
			this.known.keySet().retainAll(hosts);
			hosts.forEach(this::want);
			publish();
		}

		private void want(String host) {
			if (LITERAL.matcher(host).matches()) {
				this.known.computeIfAbsent(host, (literal) -> find(this.names, literal));
			}
			else if (this.wanted.add(host)) {
				this.waiting.add(host);
				lookUp();
			}
		}

		private void lookUp() {
			while (this.listener != null && this.running < MOST_LOOK_UPS && !this.waiting.isEmpty()) {
				String host = this.waiting.remove();
				this.running++;
				this.executor.execute(() -> {
					List<InetAddress> found = find(this.names, host);
					this.context.execute(() -> found(host, found));
				});
			}
		}

		private static List<InetAddress> find(LookUp names, String host) {
			try {
				return Arrays.asList(names.of(host));
			}
			catch (UnknownHostException ex) {
				return List.of();
			}
		}

		private void found(String host, List<InetAddress> found) {
			this.running--;
			lookUp();
			if (this.listener == null
					|| this.instances.stream().noneMatch((instance) -> instance.host().equals(host))) {
				this.wanted.remove(host);
				return;
			}
			if (found.isEmpty()) {
				// What was found before may still be right.
				this.known.putIfAbsent(host, found);
				this.context.schedule(() -> {
					this.waiting.add(host);
					lookUp();
				}, AGAIN_SECONDS, TimeUnit.SECONDS, this.timer);
			}
			else {
				this.known.put(host, found);
				this.wanted.remove(host);
			}
			publish();
		}

		private void publish() {
			Listener2 to = this.listener;
			if (to == null) {
				return;
			}
			List<EquivalentAddressGroup> addresses = new ArrayList<>();
			for (Instance instance : this.instances) {
				List<SocketAddress> places = new ArrayList<>();
				this.known.getOrDefault(instance.host(), List.of())
					.forEach((address) -> places.add(new InetSocketAddress(address, instance.port())));
				if (!places.isEmpty()) {
					addresses.add(new EquivalentAddressGroup(places));
				}
			}
			if (addresses.isEmpty() && !this.instances.isEmpty()) {
				if (this.instances.stream().allMatch((instance) -> this.known.containsKey(instance.host()))) {
					to.onError(Status.UNAVAILABLE.withDescription(
							"nobody knows the host '" + this.instances.get(0).host() + "', where '" + this.service
									+ "' is registered; register it with an address that its callers can reach"));
				}
				return;
			}
			to.onResult(ResolutionResult.newBuilder()
				.setAddressesOrError(StatusOr.fromValue(addresses))
				.setAttributes(Attributes.newBuilder().set(MicroLoadBalancerProvider.SERVICE, this.service).build())
				.setServiceConfig(this.serviceConfig)
				.build());
		}

		@Override
		public void shutdown() {
			this.listener = null;
			if (this.watch != null) {
				this.watch.close();
			}
		}

	}

}
