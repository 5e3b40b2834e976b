package mu.micro.grpc;

import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

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

	/**
	 * Below that of DNS, which thereby stays what targets without a scheme mean.
	 */
	private static final int PRIORITY = 1;

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
		return new Resolver(registry, decode(path.substring(1)), schema, args);
	}

	private static String encode(String text) {
		return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
	}

	private static String decode(String text) {
		return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
	}

	private static final class Resolver extends NameResolver {

		private final Registry registry;

		private final String service;

		private final @Nullable String schema;

		private final ConfigOrError serviceConfig;

		private final SynchronizationContext context;

		private final ScheduledExecutorService timer;

		private @Nullable Subscription watch;

		private @Nullable Listener2 listener;

		private volatile boolean told;

		Resolver(Registry registry, String service, @Nullable String schema, Args args) {
			this.registry = registry;
			this.service = service;
			this.schema = schema;
			this.context = args.getSynchronizationContext();
			this.timer = args.getScheduledExecutorService();
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
					this.watch = this.registry.watch(this.service, (instances) -> tell(to, instances));
				}
				catch (MicroException ex) {
					to.onError(Status.UNAVAILABLE.withDescription(ex.getMessage()).withCause(ex));
					return;
				}
			}
			this.context.schedule(() -> {
				if (!this.told && this.listener != null) {
					to.onError(Status.UNAVAILABLE.withDescription("the registry has not said in " + SILENCE_SECONDS
							+ " s where '" + this.service + "' runs; see whether it can be reached"));
				}
			}, SILENCE_SECONDS, TimeUnit.SECONDS, this.timer);
		}

		private void tell(Listener2 to, List<Instance> instances) {
			this.told = true;
			List<EquivalentAddressGroup> addresses = instances.stream()
				.filter((instance) -> this.schema == null
						|| this.schema.equals(instance.metadata().getOrDefault(Instance.SCHEMA, "")))
				.map((instance) -> new EquivalentAddressGroup(new InetSocketAddress(instance.host(), instance.port())))
				.toList();
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
