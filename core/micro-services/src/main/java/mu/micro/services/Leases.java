package mu.micro.services;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;

import mu.micro.Lease;
import mu.micro.MicroException;
import mu.micro.Scoped;
import mu.micro.core.Threads;
import mu.micro.registry.Instance;
import mu.micro.registry.Registry;
import org.jspecify.annotations.Nullable;

/**
 * What is announced for others: each instance under a lease of this process, which ends
 * when its owner has not renewed it in time.
 * <p>
 * Leases have numbers that grow with time, also over restarts of this process. So when it
 * starts with nothing and two owners of one node renew, the later one has it, whoever
 * comes first.
 */
final class Leases implements AutoCloseable {

	private static final int STRIPES = 64;

	private static final int ENDERS = 4;

	private static final Duration CLOSING = Duration.ofSeconds(5);

	private final Scoped<Registry> registry;

	private final int most;

	private final Semaphore room;

	private final ConcurrentMap<Key, Kept> all = new ConcurrentHashMap<>();

	private final List<ReentrantLock> locks = Stream.generate(ReentrantLock::new).limit(STRIPES).toList();

	private final AtomicLong last = new AtomicLong();

	private final ScheduledThreadPoolExecutor timer = Threads.timer("micro-registry-expiry");

	// Has at most one task for each lease.
	private final ThreadPoolExecutor enders = new ThreadPoolExecutor(ENDERS, ENDERS, 1, TimeUnit.SECONDS,
			new LinkedBlockingQueue<>(), Threads.daemons("micro-registry-end"));

	private volatile boolean closed;

	Leases(Scoped<Registry> registry, int most) {
		this.registry = registry;
		this.most = most;
		this.room = new Semaphore(most);
		this.enders.allowCoreThreadTimeOut(true);
	}

	/**
	 * Announces instances, or renews what is announced.
	 * @param namespace where
	 * @param instances what
	 * @param ttl how long they stay without being renewed
	 * @param number the lease to renew, or 0 for a new one
	 * @return the lease's number
	 */
	long register(String namespace, Collection<Instance> instances, Duration ttl, long number) {
		long lease = (number == 0) ? next() : given(number);
		for (Instance instance : instances) {
			Key key = new Key(namespace, instance.service(), instance.id());
			ReentrantLock lock = lock(key);
			lock.lock();
			try {
				register(key, instance, ttl, lease);
			}
			finally {
				lock.unlock();
			}
		}
		return lease;
	}

	private void register(Key key, Instance instance, Duration ttl, long number) {
		if (this.closed) {
			throw new MicroException.Unavailable("the registry is shutting down; try again");
		}
		Kept before = this.all.get(key);
		if (before != null && number < before.number) {
			throw taken(key);
		}
		if (before != null && before.lease.held() && before.instance.equals(instance) && before.ttl.equals(ttl)) {
			before.renew(number);
			return;
		}
		if (before != null && before.number == number && !before.lease.held() && announcedByOthers(key)) {
			throw taken(key);
		}
		if (before == null && !this.room.tryAcquire()) {
			throw new MicroException.Exhausted("the registry keeps " + this.most
					+ " nodes for others, its limit; let those end that are not needed");
		}
		Kept kept;
		try {
			Lease lease = this.registry.in(key.namespace).register(instance, ttl);
			kept = new Kept(key, instance, ttl, number, lease);
		}
		catch (RuntimeException ex) {
			if (before == null) {
				this.room.release();
			}
			throw ex;
		}
		this.all.put(key, kept);
		kept.watch(ttl);
		if (before != null) {
			before.end();
		}
	}

	/**
	 * Ends what is announced.
	 * @param namespace where
	 * @param service the service
	 * @param ids the ids of its instances; those unknown are ended already
	 * @param number the lease to end, or 0 for whichever it is
	 */
	void deregister(String namespace, String service, Collection<String> ids, long number) {
		for (String id : ids) {
			Key key = new Key(namespace, service, id);
			ReentrantLock lock = lock(key);
			lock.lock();
			try {
				Kept kept = this.all.get(key);
				if (kept != null && (number == 0 || number == kept.number)) {
					remove(kept);
				}
			}
			finally {
				lock.unlock();
			}
		}
	}

	private void remove(Kept kept) {
		this.all.remove(kept.key, kept);
		this.room.release();
		kept.end();
	}

	// A lease is also lost when the provider could not keep it; then nobody has the node.
	private boolean announcedByOthers(Key key) {
		return this.registry.in(key.namespace)
			.instances(key.service)
			.stream()
			.anyMatch((instance) -> instance.id().equals(key.id));
	}

	private static MicroException.Conflict taken(Key key) {
		return new MicroException.Conflict("node '" + key.id + "' of '" + key.service
				+ "' was registered again since, by somebody else; give each node an id of its own");
	}

	// Microseconds since 1970: above every number this process or one before it gave.
	private long next() {
		return this.last.updateAndGet((previous) -> Math.max(previous + 1, micros()));
	}

	// A number from before a restart, which the clock may have been ahead of then.
	private long given(long number) {
		if (number > micros() + TimeUnit.DAYS.toMicros(1)) {
			throw new MicroException.Invalid(
					"the lease " + number + " was never given; register with lease 0 for a new one");
		}
		this.last.accumulateAndGet(number, Math::max);
		return number;
	}

	private static long micros() {
		return TimeUnit.MILLISECONDS.toMicros(System.currentTimeMillis());
	}

	private ReentrantLock lock(Key key) {
		return this.locks.get(Math.floorMod(key.hashCode(), STRIPES));
	}

	@Override
	public void close() {
		if (this.closed) {
			return;
		}
		this.closed = true;
		this.timer.shutdownNow();
		this.all.values().forEach((kept) -> this.enders.execute(kept.lease::close));
		this.enders.shutdown();
		try {
			if (!this.enders.awaitTermination(CLOSING.toMillis(), TimeUnit.MILLISECONDS)) {
				this.enders.shutdownNow();
			}
		}
		catch (InterruptedException ex) {
			this.enders.shutdownNow();
			Thread.currentThread().interrupt();
		}
	}

	private record Key(String namespace, String service, String id) {
	}

	/**
	 * One announced instance. All but {@link #check} is called with the key's lock held.
	 */
	private final class Kept {

		private final Key key;

		private final Instance instance;

		private final Duration ttl;

		private final Lease lease;

		private volatile long number;

		private volatile long end;

		private volatile @Nullable Future<?> next;

		Kept(Key key, Instance instance, Duration ttl, long number, Lease lease) {
			this.key = key;
			this.instance = instance;
			this.ttl = ttl;
			this.lease = lease;
			renew(number);
		}

		void renew(long number) {
			this.number = number;
			this.end = System.nanoTime() + this.ttl.toNanos();
		}

		void watch(Duration wait) {
			try {
				this.next = Leases.this.timer.schedule(this::check, wait.toNanos(), TimeUnit.NANOSECONDS);
			}
			catch (RejectedExecutionException ex) {
				// Closed meanwhile, which ends all leases.
			}
		}

		private void check() {
			try {
				Leases.this.enders.execute(this::endUnlessRenewed);
			}
			catch (RejectedExecutionException ex) {
				// Closed meanwhile, which ends all leases.
			}
		}

		private void endUnlessRenewed() {
			ReentrantLock lock = lock(this.key);
			lock.lock();
			try {
				if (Leases.this.all.get(this.key) != this) {
					return;
				}
				long left = this.end - System.nanoTime();
				if (left > 0) {
					watch(Duration.ofNanos(left));
				}
				else {
					remove(this);
				}
			}
			finally {
				lock.unlock();
			}
		}

		void end() {
			Future<?> scheduled = this.next;
			if (scheduled != null) {
				scheduled.cancel(false);
			}
			this.lease.close();
		}

	}

}
