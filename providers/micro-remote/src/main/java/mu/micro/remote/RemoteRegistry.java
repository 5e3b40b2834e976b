package mu.micro.remote;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;

import io.grpc.Context;
import io.grpc.ManagedChannel;
import mu.micro.Lease;
import mu.micro.Limits;
import mu.micro.MicroException;
import mu.micro.Scoped;
import mu.micro.Subscription;
import mu.micro.core.HeldLease;
import mu.micro.core.LatestState;
import mu.micro.grpc.Instances;
import mu.micro.registry.Instance;
import mu.micro.registry.Registry;
import mu.micro.wire.registry.EmptyResponse;
import mu.micro.wire.registry.GetRequest;
import mu.micro.wire.registry.ListRequest;
import mu.micro.wire.registry.Options;
import mu.micro.wire.registry.RegistryGrpc;
import mu.micro.wire.registry.Result;
import mu.micro.wire.registry.Service;
import mu.micro.wire.registry.WatchRequest;
import org.jspecify.annotations.Nullable;

/**
 * The registry of a Micro server.
 * <p>
 * <strong>Leases.</strong> The server keeps an instance for its ttl, and this renews it
 * every third of that, at most every ten seconds. While the server is away the lease
 * stays held and is tried again and again: when the server is back, also with an empty
 * memory, the instance is registered again without anybody's doing. So a lease is lost
 * for one reason only: the node was registered again since, by somebody else. Within this
 * registry that is known at once, else with the next renewal. The ttl is counted in whole
 * seconds, from one second to a day.
 * <p>
 * <strong>Watches</strong> outlive the server too. They begin to tell when it can be
 * reached, keep silent while it is away, and tell the state anew if it is another one
 * when it is back. Opening one never fails because the server is away.
 * <p>
 * <strong>All else</strong> ends within the timeout, and is
 * {@link MicroException.Unavailable} if the server has not answered by then; but
 * registering is {@link MicroException.OutcomeUnknown} then, for the server may have done
 * it. An answer that comes later, within a minute, has the instance deregistered; without
 * one it ends with its ttl. Trying again is harmless. Closing waits for the server for
 * two seconds at most; what it did not hear of ends with its ttl.
 */
public final class RemoteRegistry implements Scoped<Registry> {

	private static final System.Logger logger = System.getLogger(RemoteRegistry.class.getName());

	private static final Duration LONGEST_TTL = Duration.ofDays(1);

	private static final Duration LONGEST_RENEWAL = Duration.ofSeconds(10);

	private static final Duration LONGEST_WAIT = Duration.ofSeconds(5);

	private static final Duration CLOSING = Duration.ofSeconds(2);

	/**
	 * A watch is asked for again after this, so that a connection that died in silence is
	 * noticed.
	 */
	private static final Duration WATCH = Duration.ofMinutes(1);

	private final Connection server;

	private final ReentrantLock lock = new ReentrantLock();

	private final Map<Key, Announcement> announced = new ConcurrentHashMap<>();

	private final Set<Watch<?>> watches = ConcurrentHashMap.newKeySet();

	private volatile boolean closed;

	/**
	 * A registry at an address. Nothing is asked before the first call.
	 * @param address the server's {@code host:port}; a host of several addresses is tried
	 * at each
	 * @param timeout how long one call may take
	 * @throws MicroException.Invalid if the address is none
	 */
	public RemoteRegistry(String address, Duration timeout) {
		this.server = new Connection(address, timeout);
	}

	/**
	 * A registry behind a channel.
	 * @param address where the channel leads, for messages
	 * @param timeout how long one call may take
	 * @param channel the channel, closed by this
	 */
	public RemoteRegistry(String address, Duration timeout, ManagedChannel channel) {
		this.server = new Connection(address, timeout, channel);
	}

	@Override
	public Registry in(String namespace) {
		return new View(Limits.name("namespace", namespace));
	}

	@Override
	public void close() {
		this.lock.lock();
		try {
			if (this.closed) {
				return;
			}
			this.closed = true;
		}
		finally {
			this.lock.unlock();
		}
		List<Announcement> leaving = List.copyOf(this.announced.values());
		leaving.forEach((announcement) -> announcement.lease.close());
		this.watches.forEach((watch) -> watch.delivery.close());
		Connection.awaitEnd(
				CompletableFuture.allOf(
						leaving.stream().map((announcement) -> announcement.ended).toArray(CompletableFuture[]::new)),
				CLOSING);
		this.server.close();
	}

	private void checkOpen() {
		if (this.closed) {
			throw closed();
		}
	}

	private static MicroException.Unavailable closed() {
		return new MicroException.Unavailable("the registry is closed");
	}

	private static Service leased(Service service, long number) {
		return service.toBuilder().setOptions(service.getOptions().toBuilder().setLease(number)).build();
	}

	// Apart from the caller's context, whose end would end the call.
	private CompletableFuture<EmptyResponse> deregister(Service service) {
		Context previous = Context.ROOT.attach();
		try {
			return this.server.ask(RegistryGrpc.getDeregisterMethod(), service);
		}
		finally {
			Context.ROOT.detach(previous);
		}
	}

	private record Key(String namespace, String service, String id) {
	}

	/**
	 * An instance that is kept announced.
	 */
	private final class Announcement {

		private final Key key;

		private final Service message;

		private final long number;

		private final Duration interval;

		private final HeldLease lease = new HeldLease((held) -> end());

		private final CompletableFuture<Void> ended = new CompletableFuture<>();

		private final ReentrantLock lock = new ReentrantLock();

		private CompletableFuture<?> renewal = CompletableFuture.completedFuture(null);

		private @Nullable Future<?> next;

		private int failures;

		private boolean over;

		/**
		 * What was registered.
		 * @param key what it is known by
		 * @param message what was said to the server
		 * @param number the number it gave the lease
		 */
		Announcement(Key key, Service message, long number) {
			this.key = key;
			this.message = leased(message, number);
			this.number = number;
			Duration third = Duration.ofSeconds(message.getOptions().getTtl()).dividedBy(3);
			this.interval = (third.compareTo(LONGEST_RENEWAL) < 0) ? third : LONGEST_RENEWAL;
		}

		void renewLater(Duration wait) {
			this.lock.lock();
			try {
				if (!this.over) {
					this.next = RemoteRegistry.this.server.after(wait, this::renew);
				}
			}
			finally {
				this.lock.unlock();
			}
		}

		private void renew() {
			this.lock.lock();
			try {
				if (!this.over) {
					this.renewal = RemoteRegistry.this.server.ask(RegistryGrpc.getRegisterMethod(), this.message);
					this.renewal.whenComplete((answer, failure) -> renewed(failure));
				}
			}
			finally {
				this.lock.unlock();
			}
		}

		private void renewed(@Nullable Throwable failure) {
			if (failure == null) {
				this.failures = 0;
				renewLater(this.interval);
			}
			else if (failure instanceof MicroException.Conflict) {
				lose();
			}
			else {
				if (!(failure instanceof MicroException.Unavailable)) {
					logger.log(System.Logger.Level.WARNING, "'" + this.key.service + "' could not be registered again: "
							+ failure.getMessage() + "; this is tried on");
				}
				Duration most = (this.interval.compareTo(LONGEST_WAIT) < 0) ? this.interval : LONGEST_WAIT;
				renewLater(Connection.backOff(++this.failures, most));
			}
		}

		/**
		 * Ends it because somebody else has the node now.
		 */
		void lose() {
			stop();
			try {
				RemoteRegistry.this.server.executor().execute(this.lease::lose);
			}
			catch (RejectedExecutionException ex) {
				// Closed meanwhile, and with it the lease.
			}
		}

		private void end() {
			CompletableFuture<?> before = stop();
			// A renewal under way would register again what is ended first.
			before.handle((answer, failure) -> null)
				.thenCompose((nothing) -> deregister(this.message))
				.whenComplete((answer, failure) -> this.ended.complete(null));
			if (!RemoteRegistry.this.closed) {
				Connection.awaitEnd(this.ended, CLOSING);
			}
		}

		private CompletableFuture<?> stop() {
			RemoteRegistry.this.announced.remove(this.key, this);
			this.lock.lock();
			try {
				this.over = true;
				Connection.cancel(this.next);
				return this.renewal;
			}
			finally {
				this.lock.unlock();
			}
		}

	}

	/**
	 * A watch that outlives the server.
	 *
	 * @param <T> what is told
	 */
	private final class Watch<T> {

		private final LatestState<T> delivery;

		private final LastingCall<WatchRequest, Result> call;

		Watch(WatchRequest request, Function<Collection<Service>, T> read, Consumer<T> listener) {
			this.delivery = new LatestState<>(RemoteRegistry.this.server.executor(), listener, this::end);
			this.call = new LastingCall<>(RemoteRegistry.this.server, RegistryGrpc.getWatchMethod(), WATCH, WATCH,
					() -> request, (result, more) -> {
						this.delivery.offer(read.apply(result.getServicesList()));
						more.run();
					});
		}

		private void end() {
			RemoteRegistry.this.watches.remove(this);
			this.call.close();
		}

	}

	private final class View implements Registry {

		private final String namespace;

		View(String namespace) {
			this.namespace = namespace;
		}

		private Options.Builder options() {
			return Options.newBuilder().setDomain(this.namespace);
		}

		@Override
		public Lease register(Instance instance, Duration ttl) {
			checkOpen();
			Service message = Instances.toServices(List.of(instance))
				.get(0)
				.toBuilder()
				.setOptions(options().setTtl(seconds(ttl)))
				.build();
			// What is answered late nobody would renew or end.
			long number = RemoteRegistry.this.server
				.write(RegistryGrpc.getRegisterMethod(), message,
						(late) -> deregister(leased(message, late.getLease())))
				.getLease();
			Announcement announcement = new Announcement(new Key(this.namespace, instance.service(), instance.id()),
					message, number);
			keep(announcement);
			return announcement.lease;
		}

		private void keep(Announcement announcement) {
			Announcement superseded;
			RemoteRegistry.this.lock.lock();
			try {
				if (RemoteRegistry.this.closed) {
					deregister(announcement.message);
					throw closed();
				}
				Announcement other = RemoteRegistry.this.announced.get(announcement.key);
				boolean later = other == null || other.number <= announcement.number;
				superseded = (later) ? other : announcement;
				if (later) {
					RemoteRegistry.this.announced.put(announcement.key, announcement);
					announcement.renewLater(announcement.interval);
				}
			}
			finally {
				RemoteRegistry.this.lock.unlock();
			}
			if (superseded != null) {
				superseded.lose();
			}
		}

		private static long seconds(Duration ttl) {
			long seconds = ttl.plusSeconds(1).minusNanos(1).toSeconds();
			return Math.max(1, Math.min(seconds, LONGEST_TTL.toSeconds()));
		}

		@Override
		public List<Instance> instances(String service) {
			checkOpen();
			GetRequest request = GetRequest.newBuilder()
				.setService(service)
				.setOptions(options())
				.setNodesOnly(true)
				.build();
			try {
				return List.copyOf(Instances.fromServices(RemoteRegistry.this.server
					.await(RemoteRegistry.this.server.ask(RegistryGrpc.getGetServiceMethod(), request))
					.getServicesList()));
			}
			catch (MicroException.NotFound ex) {
				return List.of();
			}
		}

		@Override
		public Set<String> services() {
			checkOpen();
			ListRequest request = ListRequest.newBuilder().setOptions(options()).build();
			return names(RemoteRegistry.this.server
				.await(RemoteRegistry.this.server.ask(RegistryGrpc.getListServicesMethod(), request))
				.getServicesList());
		}

		@Override
		public Subscription watch(String service, Consumer<List<Instance>> listener) {
			return watch(Limits.name("service's name", service),
					(services) -> List.copyOf(Instances.fromServices(services)), listener);
		}

		@Override
		public Subscription watch(Consumer<Set<String>> listener) {
			return watch("", View::names, listener);
		}

		private <T> Subscription watch(String service, Function<Collection<Service>, T> read, Consumer<T> listener) {
			WatchRequest request = WatchRequest.newBuilder()
				.setService(service)
				.setOptions(options())
				.setWhole(true)
				.build();
			Watch<T> watch = new Watch<>(request, read, listener);
			RemoteRegistry.this.lock.lock();
			try {
				checkOpen();
				RemoteRegistry.this.watches.add(watch);
			}
			finally {
				RemoteRegistry.this.lock.unlock();
			}
			watch.call.open();
			return watch.delivery;
		}

		private static Set<String> names(Collection<Service> services) {
			Set<String> names = new TreeSet<>();
			services.forEach((service) -> names.add(service.getName()));
			return names;
		}

	}

}
