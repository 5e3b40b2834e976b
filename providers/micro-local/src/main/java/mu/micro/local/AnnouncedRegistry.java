package mu.micro.local;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;

import mu.micro.MicroException;
import mu.micro.core.HeldLease;
import mu.micro.core.SnapshotRegistry;
import mu.micro.core.Threads;
import mu.micro.registry.Instance;
import org.jspecify.annotations.Nullable;

/**
 * A registry of equals: each node announces its own leases over a medium, hears those of
 * the others, and finds by itself which of two counts.
 */
abstract class AnnouncedRegistry extends SnapshotRegistry {

	private static final System.Logger logger = System.getLogger(AnnouncedRegistry.class.getName());

	private final Node node;

	private final Clock clock;

	private final Medium medium;

	private final ExecutorService losing = Threads.perTask("micro-registry-lost");

	private final ReentrantLock lock = new ReentrantLock();

	private final Map<Announcement.Key, Own> own = new HashMap<>();

	private boolean released;

	/**
	 * By namespace, service and id. Never changed, only replaced.
	 */
	private volatile Map<String, SortedMap<String, SortedMap<String, Announcement>>> known = Map.of();

	/**
	 * Opens the medium.
	 * @param node this registry
	 * @param clock tells newer from older
	 * @param medium how to reach the others
	 */
	AnnouncedRegistry(Node node, Clock clock, Medium medium) {
		this.node = node;
		this.clock = clock;
		this.medium = medium;
		medium.open(this::refresh);
		refresh();
	}

	@Override
	protected final List<Instance> instances(String namespace, String service) {
		return services(namespace, this.known).getOrDefault(service, new TreeMap<>())
			.values()
			.stream()
			.map(Announcement::instance)
			.toList();
	}

	@Override
	protected final Set<String> services(String namespace) {
		return new TreeSet<>(services(namespace, this.known).keySet());
	}

	@Override
	protected final void announce(String namespace, Instance instance, Duration ttl, HeldLease lease) {
		this.lock.lock();
		try {
			if (this.released) {
				throw new MicroException.Unavailable("the registry is closed");
			}
			Announcement announcement = new Announcement(this.node, nextSequence(namespace, instance), namespace,
					instance);
			Own before = this.own.put(announcement.key(), new Own(announcement, lease));
			try {
				announceOwn();
			}
			catch (MicroException ex) {
				this.own.remove(announcement.key());
				if (before != null) {
					this.own.put(announcement.key(), before);
				}
				announceOwnOrLater();
				throw ex;
			}
			if (before != null) {
				lose(before.lease);
			}
		}
		catch (MicroException ex) {
			// Nobody has this lease: have it forgotten.
			lease.lose();
			throw ex;
		}
		finally {
			this.lock.unlock();
		}
		refresh();
	}

	@Override
	protected final void withdraw(String namespace, Instance instance, HeldLease lease) {
		this.lock.lock();
		try {
			if (!this.own.values().removeIf((own) -> own.lease == lease)) {
				return;
			}
			announceOwnOrLater();
		}
		finally {
			this.lock.unlock();
		}
		refresh();
	}

	@Override
	protected final void release() {
		List<HeldLease> late;
		this.lock.lock();
		try {
			this.released = true;
			late = this.own.values().stream().map(Own::lease).toList();
		}
		finally {
			this.lock.unlock();
		}
		late.forEach(HeldLease::close);
		this.medium.close();
		this.losing.shutdown();
	}

	/**
	 * Finds what is so now, which leases of this node that ends, and who is to be told.
	 */
	private void refresh() {
		Set<String> changed;
		this.lock.lock();
		try {
			Map<Announcement.Key, Announcement> newest = new HashMap<>();
			Stream.concat(this.medium.heard().stream(), this.own.values().stream().map(Own::announcement))
				.forEach((announcement) -> newest.merge(announcement.key(), announcement,
						(one, other) -> other.newerThan(one) ? other : one));
			List<Own> superseded = this.own.values()
				.stream()
				.filter((own) -> !own.announcement.equals(newest.get(own.announcement.key())))
				.toList();
			if (!superseded.isEmpty()) {
				this.own.values().removeAll(superseded);
				announceOwnOrLater();
				superseded.forEach((own) -> lose(own.lease));
			}
			Map<String, SortedMap<String, SortedMap<String, Announcement>>> next = new HashMap<>();
			newest.values()
				.forEach((announcement) -> next.computeIfAbsent(announcement.namespace(), (key) -> new TreeMap<>())
					.computeIfAbsent(announcement.instance().service(), (key) -> new TreeMap<>())
					.put(announcement.instance().id(), announcement));
			changed = new HashSet<>(next.keySet());
			changed.addAll(this.known.keySet());
			changed.removeIf((namespace) -> services(namespace, next).equals(services(namespace, this.known)));
			this.known = next;
		}
		finally {
			this.lock.unlock();
		}
		changed.forEach(this::changed);
	}

	private void announceOwn() {
		if (this.released) {
			// The medium takes all back by itself, and would begin anew.
			return;
		}
		this.medium.announce(this.own.values().stream().map(Own::announcement).toList());
	}

	private void announceOwnOrLater() {
		try {
			announceOwn();
		}
		catch (MicroException.Unavailable ex) {
			logger.log(System.Logger.Level.DEBUG, "to be taken back later: " + ex.getMessage());
		}
	}

	// Newer than all that is known for this instance, also after the clock was set back.
	private long nextSequence(String namespace, Instance instance) {
		Announcement latest = find(namespace, instance);
		long now = ChronoUnit.MICROS.between(Instant.EPOCH, this.clock.instant());
		return (latest != null) ? Math.max(now, latest.sequence() + 1) : now;
	}

	private @Nullable Announcement find(String namespace, Instance instance) {
		return services(namespace, this.known).getOrDefault(instance.service(), new TreeMap<>()).get(instance.id());
	}

	// The holder's actions may take their time: they run on a thread of their own.
	private void lose(HeldLease lease) {
		this.losing.execute(lease::lose);
	}

	private static SortedMap<String, SortedMap<String, Announcement>> services(String namespace,
			Map<String, SortedMap<String, SortedMap<String, Announcement>>> known) {
		return known.getOrDefault(namespace, new TreeMap<>());
	}

	private record Own(Announcement announcement, HeldLease lease) {
	}

}
