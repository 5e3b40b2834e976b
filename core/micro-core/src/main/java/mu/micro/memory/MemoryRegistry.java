package mu.micro.memory;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;

import mu.micro.core.HeldLease;
import mu.micro.core.SnapshotRegistry;
import mu.micro.registry.Instance;

/**
 * A registry within one JVM. Settles at once. Its instances live as long as the view
 * through which they were registered: where all parties are one process there is no other
 * way to die.
 */
public final class MemoryRegistry extends SnapshotRegistry {

	private final Shared shared;

	/**
	 * An empty registry.
	 */
	public MemoryRegistry() {
		this(new Shared());
	}

	/**
	 * One more view of the same registry, with leases and subscriptions of its own.
	 * @param other a view of the registry
	 */
	public MemoryRegistry(MemoryRegistry other) {
		this(other.shared);
	}

	private MemoryRegistry(Shared shared) {
		this.shared = shared;
		shared.views.add(this);
	}

	@Override
	protected List<Instance> instances(String namespace, String service) {
		this.shared.lock.lock();
		try {
			return this.shared.services(namespace)
				.getOrDefault(service, Map.of())
				.values()
				.stream()
				.map(Registered::instance)
				.toList();
		}
		finally {
			this.shared.lock.unlock();
		}
	}

	@Override
	protected Set<String> services(String namespace) {
		this.shared.lock.lock();
		try {
			return new TreeSet<>(this.shared.services(namespace).keySet());
		}
		finally {
			this.shared.lock.unlock();
		}
	}

	@Override
	protected void announce(String namespace, Instance instance, Duration ttl, HeldLease lease) {
		Registered before;
		this.shared.lock.lock();
		try {
			before = this.shared.namespaces.computeIfAbsent(namespace, (key) -> new TreeMap<>())
				.computeIfAbsent(instance.service(), (key) -> new TreeMap<>())
				.put(instance.id(), new Registered(instance, lease));
		}
		finally {
			this.shared.lock.unlock();
		}
		if (before != null) {
			before.lease.lose();
		}
		this.shared.views.forEach((view) -> view.changed(namespace));
	}

	@Override
	protected void withdraw(String namespace, Instance instance, HeldLease lease) {
		this.shared.lock.lock();
		try {
			Map<String, Map<String, Registered>> services = this.shared.services(namespace);
			Map<String, Registered> instances = services.getOrDefault(instance.service(), Map.of());
			if (!instances.remove(instance.id(), new Registered(instance, lease))) {
				return;
			}
			if (instances.isEmpty()) {
				services.remove(instance.service());
			}
			if (services.isEmpty()) {
				this.shared.namespaces.remove(namespace);
			}
		}
		finally {
			this.shared.lock.unlock();
		}
		this.shared.views.forEach((view) -> view.changed(namespace));
	}

	@Override
	protected void release() {
		this.shared.views.remove(this);
	}

	private record Registered(Instance instance, HeldLease lease) {
	}

	/**
	 * What all views have in common.
	 */
	private static final class Shared {

		private final ReentrantLock lock = new ReentrantLock();

		private final Map<String, Map<String, Map<String, Registered>>> namespaces = new TreeMap<>();

		private final Set<MemoryRegistry> views = ConcurrentHashMap.newKeySet();

		Map<String, Map<String, Registered>> services(String namespace) {
			return this.namespaces.getOrDefault(namespace, Map.of());
		}

	}

}
