package mu.micro.core;

import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Supplier;

import mu.micro.Lease;
import mu.micro.Limits;
import mu.micro.MicroException;
import mu.micro.Scoped;
import mu.micro.Subscription;
import mu.micro.registry.Instance;
import mu.micro.registry.Registry;

/**
 * A registry whose provider answers from what it holds in memory. The provider says what
 * is there and when that changed; scopes, watches, leases and closing are done here.
 */
public abstract class SnapshotRegistry implements Scoped<Registry> {

	private final ExecutorService executor = Threads.perTask("micro-registry-watch");

	private final Set<Watch<?>> watches = ConcurrentHashMap.newKeySet();

	private final Set<HeldLease> leases = ConcurrentHashMap.newKeySet();

	private final AtomicBoolean closed = new AtomicBoolean();

	/**
	 * The instances of a service, sorted by id. Must not block.
	 * @param namespace the namespace
	 * @param service the service
	 * @return an immutable list
	 */
	protected abstract List<Instance> instances(String namespace, String service);

	/**
	 * The names of a namespace's services, sorted. Must not block.
	 * @param namespace the namespace
	 * @return a set that does not change any more
	 */
	protected abstract Set<String> services(String namespace);

	/**
	 * Announces an instance. A provider that finds the lease superseded calls
	 * {@link HeldLease#lose()}.
	 * @param namespace the namespace
	 * @param instance the instance
	 * @param ttl how long it may outlive this process
	 * @param lease the lease it is announced under
	 */
	protected abstract void announce(String namespace, Instance instance, Duration ttl, HeldLease lease);

	/**
	 * Takes an announcement back, if it is there: not once another lease superseded this
	 * one, nor twice. Called by the holder's closing while the lease is held, and again
	 * for what was announced while the registry closed.
	 * @param namespace the namespace
	 * @param instance the instance
	 * @param lease the lease it was announced under
	 */
	protected abstract void withdraw(String namespace, Instance instance, HeldLease lease);

	/**
	 * Frees what the provider holds, after all leases and subscriptions ended.
	 */
	protected void release() {
	}

	/**
	 * Has the watchers of a namespace told what is so now.
	 * @param namespace where something changed
	 */
	protected final void changed(String namespace) {
		for (Watch<?> watch : this.watches) {
			if (watch.namespace.equals(namespace)) {
				watch.look();
			}
		}
	}

	/**
	 * Has all watchers told what is so now.
	 */
	protected final void changed() {
		this.watches.forEach(Watch::look);
	}

	@Override
	public final Registry in(String namespace) {
		return new View(Limits.name("namespace", namespace));
	}

	@Override
	public final void close() {
		if (!this.closed.compareAndSet(false, true)) {
			return;
		}
		this.leases.forEach(HeldLease::close);
		this.watches.forEach((watch) -> watch.delivery.close());
		release();
		this.executor.shutdownNow();
	}

	private final class Watch<T> {

		private final String namespace;

		private final Supplier<T> state;

		private final LatestState<T> delivery;

		Watch(String namespace, Supplier<T> state, Consumer<T> listener) {
			this.namespace = namespace;
			this.state = state;
			this.delivery = new LatestState<>(SnapshotRegistry.this.executor, listener,
					() -> SnapshotRegistry.this.watches.remove(this));
		}

		// Who finds it open here was added before the closing, which ends it.
		void look() {
			if (!SnapshotRegistry.this.closed.get()) {
				this.delivery.offerCurrent(this.state);
			}
		}

	}

	private final class View implements Registry {

		private final String namespace;

		View(String namespace) {
			this.namespace = namespace;
		}

		@Override
		public Lease register(Instance instance, Duration ttl) {
			checkOpen();
			HeldLease lease = new HeldLease((held) -> {
				SnapshotRegistry.this.leases.remove(held);
				withdraw(this.namespace, instance, held);
			});
			lease.onLost(() -> SnapshotRegistry.this.leases.remove(lease));
			SnapshotRegistry.this.leases.add(lease);
			try {
				announce(this.namespace, instance, ttl, lease);
			}
			catch (RuntimeException ex) {
				SnapshotRegistry.this.leases.remove(lease);
				throw ex;
			}
			if (SnapshotRegistry.this.closed.get()) {
				lease.close();
				// The closing may have closed it before it was announced.
				withdraw(this.namespace, instance, lease);
				throw closed();
			}
			return lease;
		}

		@Override
		public List<Instance> instances(String service) {
			checkOpen();
			return SnapshotRegistry.this.instances(this.namespace, service);
		}

		@Override
		public Set<String> services() {
			checkOpen();
			return SnapshotRegistry.this.services(this.namespace);
		}

		@Override
		public Subscription watch(String service, Consumer<List<Instance>> listener) {
			return watch(new Watch<>(this.namespace, () -> SnapshotRegistry.this.instances(this.namespace, service),
					listener));
		}

		@Override
		public Subscription watch(Consumer<Set<String>> listener) {
			return watch(new Watch<>(this.namespace, () -> SnapshotRegistry.this.services(this.namespace), listener));
		}

		private Subscription watch(Watch<?> watch) {
			checkOpen();
			SnapshotRegistry.this.watches.add(watch);
			if (SnapshotRegistry.this.closed.get()) {
				watch.delivery.close();
				throw closed();
			}
			watch.look();
			return watch.delivery;
		}

		private void checkOpen() {
			if (SnapshotRegistry.this.closed.get()) {
				throw closed();
			}
		}

		private static MicroException.Unavailable closed() {
			return new MicroException.Unavailable("the registry is closed");
		}

	}

}
