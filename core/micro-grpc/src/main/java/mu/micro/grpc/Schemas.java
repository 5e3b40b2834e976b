package mu.micro.grpc;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiFunction;

import io.grpc.Context;
import io.grpc.Deadline;
import mu.micro.MicroException;
import mu.micro.Subscription;
import mu.micro.registry.Instance;
import mu.micro.registry.Registry;
import org.jspecify.annotations.Nullable;

/**
 * What running services offer, kept by the hash that their instances tell, so that a call
 * costs no look-up. Of services and schemas the {@value #MOST} used last are kept each.
 */
public final class Schemas implements AutoCloseable {

	/**
	 * How many services are watched, and how many schemas are kept.
	 */
	public static final int MOST = 1000;

	/**
	 * How many different offers of one service are read.
	 */
	private static final int MOST_OFFERS = 100;

	/**
	 * What the reader itself may need after its call has ended.
	 */
	private static final long SLACK = TimeUnit.SECONDS.toNanos(1);

	private final Registry registry;

	private final BiFunction<String, String, Schema> reader;

	private final Duration timeout;

	private final ReentrantLock lock = new ReentrantLock();

	private final Map<String, Watched> services = new LinkedHashMap<>(16, 0.75f, true);

	private final Map<Key, CompletableFuture<Schema>> schemas = new LinkedHashMap<>(16, 0.75f, true);

	private boolean closed;

	/**
	 * Nothing known yet.
	 * @param registry where services are found
	 * @param channels how instances are reached
	 * @param timeout how long reading one schema may take
	 */
	public Schemas(Registry registry, Channels channels, Duration timeout) {
		this(registry, (service, hash) -> Reflection.read(channels.to(service, hash), timeout), timeout);
	}

	Schemas(Registry registry, BiFunction<String, String, Schema> reader, Duration timeout) {
		this.registry = registry;
		this.reader = reader;
		this.timeout = timeout;
	}

	/**
	 * What the instances of a service offer. All offer the same, but while a new version
	 * is rolled out, or where two services took one name; of more than 100 offers 100 are
	 * told. What cannot be read is left out while anything can. May block on instances,
	 * on all at the same time, up to the timeout and a second in all.
	 * @param service the service's name
	 * @return at least one offer; the one of most instances first
	 * @throws MicroException.NotFound if no instance is running
	 * @throws MicroException.Unimplemented if the instances serve no reflection
	 * @throws MicroException.Unavailable if no instance can be reached
	 * @throws MicroException.TimedOut if no instance has answered in time
	 * @throws MicroException.Internal if what the instances offer is wrong
	 */
	public List<Offer> of(String service) {
		List<Reading> readings = groups(service).entrySet()
			.stream()
			.limit(MOST_OFFERS)
			.map((entry) -> new Reading(entry.getKey(), entry.getValue(),
					schema(new Key(service, entry.getKey(), marker(entry.getKey(), entry.getValue())))))
			.toList();
		long end = System.nanoTime() + this.timeout.toNanos() + SLACK;
		List<Offer> offers = new ArrayList<>();
		MicroException failure = new MicroException.NotFound(
				"no service '" + service + "' is running; see 'micro services' for those that are");
		for (Reading reading : readings) {
			try {
				offers.add(new Offer(reading.hash, await(service, reading.schema, end), reading.instances));
			}
			catch (MicroException ex) {
				failure = ex;
			}
		}
		if (offers.isEmpty()) {
			throw failure;
		}
		offers.sort(Comparator.comparing((Offer offer) -> -offer.instances().size()).thenComparing(Offer::hash));
		return offers;
	}

	// Instances that tell no hash are told apart by their ids: others may offer another
	// schema.
	private static String marker(String hash, List<Instance> instances) {
		return (hash.isEmpty()) ? instances.stream().map(Instance::id).toList().toString() : "";
	}

	private Map<String, List<Instance>> groups(String service) {
		this.lock.lock();
		try {
			if (this.closed) {
				throw new MicroException.Unavailable("the schemas are closed");
			}
			Watched known = this.services.get(service);
			if (known != null) {
				return known.groups;
			}
		}
		finally {
			this.lock.unlock();
		}
		List<Instance> instances = this.registry.instances(service);
		if (instances.isEmpty()) {
			return Map.of();
		}
		Watched watched = new Watched(service, instances);
		Watched dropped = null;
		this.lock.lock();
		try {
			if (this.closed) {
				return watched.groups;
			}
			Watched other = this.services.putIfAbsent(service, watched);
			if (other != null) {
				return other.groups;
			}
			if (this.services.size() > MOST) {
				dropped = this.services.remove(this.services.keySet().iterator().next());
			}
		}
		finally {
			this.lock.unlock();
		}
		if (dropped != null) {
			dropped.close();
		}
		watched.start();
		return watched.groups;
	}

	private CompletableFuture<Schema> schema(Key key) {
		CompletableFuture<Schema> mine = new CompletableFuture<>();
		CompletableFuture<Schema> known;
		this.lock.lock();
		try {
			known = this.schemas.putIfAbsent(key, mine);
			if (this.schemas.size() > MOST) {
				this.schemas.remove(this.schemas.keySet().iterator().next());
			}
		}
		finally {
			this.lock.unlock();
		}
		if (known != null) {
			return known;
		}
		read(key, mine);
		return mine;
	}

	// Others wait for it, so it must not end with the call it is made for.
	private void read(Key key, CompletableFuture<Schema> into) {
		Thread reader = new Thread(Context.ROOT.wrap(() -> {
			try {
				into.complete(this.reader.apply(key.service, key.hash));
			}
			catch (Throwable ex) {
				fail(key, into, ex);
			}
		}), "micro-schema");
		reader.setDaemon(true);
		try {
			reader.start();
		}
		catch (Throwable ex) {
			fail(key, into, ex);
		}
	}

	// Whatever it was: a reading that never ends would be waited for by all who come.
	private void fail(Key key, CompletableFuture<Schema> reading, Throwable failure) {
		this.lock.lock();
		try {
			this.schemas.remove(key, reading);
		}
		finally {
			this.lock.unlock();
		}
		reading.completeExceptionally(failure);
	}

	private static Schema await(String service, CompletableFuture<Schema> schema, long end) {
		Deadline deadline = Context.current().getDeadline();
		long most = end - System.nanoTime();
		try {
			return schema.get((deadline != null) ? Math.min(most, deadline.timeRemaining(TimeUnit.NANOSECONDS)) : most,
					TimeUnit.NANOSECONDS);
		}
		catch (ExecutionException ex) {
			throw Errors.toException((ex.getCause() != null) ? ex.getCause() : ex);
		}
		catch (TimeoutException ex) {
			throw new MicroException.TimedOut("'" + service + "' has not said in time what it offers", ex);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new MicroException.Cancelled("interrupted while reading a schema", ex);
		}
	}

	@Override
	public void close() {
		List<Watched> open;
		this.lock.lock();
		try {
			this.closed = true;
			open = new ArrayList<>(this.services.values());
			this.services.clear();
			this.schemas.clear();
		}
		finally {
			this.lock.unlock();
		}
		open.forEach(Watched::close);
	}

	/**
	 * What some instances of a service offer.
	 *
	 * @param hash the schema's hash as the instances tell it, empty if they tell none;
	 * with it {@link Channels#to(String, String)} reaches these instances
	 * @param schema what they offer
	 * @param instances the instances
	 */
	public record Offer(String hash, Schema schema, List<Instance> instances) {
	}

	private record Reading(String hash, List<Instance> instances, CompletableFuture<Schema> schema) {
	}

	private record Key(String service, String hash, String marker) {
	}

	/**
	 * The instances of a service by hash, as the registry last told them.
	 */
	private final class Watched {

		private final String service;

		private volatile Map<String, List<Instance>> groups;

		private volatile @Nullable Subscription watch;

		private volatile boolean closed;

		Watched(String service, List<Instance> instances) {
			this.service = service;
			this.groups = group(instances);
		}

		void start() {
			Subscription subscription = Schemas.this.registry.watch(this.service, this::update);
			this.watch = subscription;
			if (this.closed) {
				subscription.close();
			}
		}

		private void update(List<Instance> instances) {
			this.groups = group(instances);
			if (instances.isEmpty()) {
				forget();
			}
		}

		private void forget() {
			Schemas.this.lock.lock();
			try {
				Schemas.this.services.remove(this.service, this);
			}
			finally {
				Schemas.this.lock.unlock();
			}
			close();
		}

		void close() {
			this.closed = true;
			Subscription subscription = this.watch;
			if (subscription != null) {
				subscription.close();
			}
		}

		private static Map<String, List<Instance>> group(List<Instance> instances) {
			Map<String, List<Instance>> groups = new TreeMap<>();
			for (Instance instance : instances) {
				groups
					.computeIfAbsent(instance.metadata().getOrDefault(Instance.SCHEMA, ""), (hash) -> new ArrayList<>())
					.add(instance);
			}
			return groups;
		}

	}

}
