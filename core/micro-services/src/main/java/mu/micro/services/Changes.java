package mu.micro.services;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

import mu.micro.MicroException;
import mu.micro.Subscription;
import mu.micro.grpc.Instances;
import mu.micro.registry.Instance;
import mu.micro.registry.Registry;
import mu.micro.wire.registry.Result;
import mu.micro.wire.registry.Service;
import org.jspecify.annotations.Nullable;

/**
 * A watch as Micro v3 has it: what changed since it began, each result one version of a
 * service with those of its nodes that came, changed or went. Results carry no endpoints.
 * <p>
 * All but {@link #watchAll} is called by the {@link ResultStream}, one at a time.
 */
final class Changes {

	private static final int MOST_SERVICES = 10_000;

	private final Map<String, Feed> feeds = new TreeMap<>();

	private final Deque<Result> pending = new ArrayDeque<>();

	/**
	 * The next change that the client does not know of.
	 * @param seconds the time now, in seconds since 1970
	 * @return the change, or null if the client knows all
	 */
	@Nullable Result next(long seconds) {
		if (this.pending.isEmpty()) {
			this.feeds.values().forEach((feed) -> feed.compare(this.pending, seconds));
			this.feeds.values().removeIf(Feed::done);
		}
		return this.pending.poll();
	}

	/**
	 * Watches one service, whose first list is where the changes start from.
	 * @param registry where
	 * @param service the service
	 * @param stream where changes are sent
	 */
	void watchOne(Registry registry, String service, ResultStream<Result> stream) {
		Feed feed = new Feed(null);
		stream.update(() -> this.feeds.put(service, feed));
		stream.add(registry.watch(service, (instances) -> stream.update(() -> feed.tell(instances))));
	}

	/**
	 * Watches all services. Those there at first are where the changes start from.
	 * @param registry where
	 * @param stream where changes are sent
	 */
	void watchAll(Registry registry, ResultStream<Result> stream) {
		stream.add(registry.watch(new Names(registry, stream)::tell));
	}

	/**
	 * What is known of one service, and what the client was told of it.
	 */
	private static final class Feed {

		private @Nullable Map<String, Instance> told;

		private Map<String, Instance> known;

		private boolean gone;

		Feed(@Nullable Map<String, Instance> told) {
			this.told = told;
			this.known = (told != null) ? told : Map.of();
		}

		void tell(List<Instance> instances) {
			if (this.gone) {
				return;
			}
			this.known = new LinkedHashMap<>();
			instances.forEach((instance) -> this.known.put(instance.id(), instance));
			if (this.told == null) {
				this.told = this.known;
			}
		}

		// What the client never heard of is forgotten at once.
		@Nullable Feed end() {
			this.gone = true;
			this.known = Map.of();
			return (this.told == null || this.told.isEmpty()) ? null : this;
		}

		boolean done() {
			return this.gone;
		}

		void compare(Deque<Result> results, long seconds) {
			Map<String, Instance> before = this.told;
			if (before == null || before.equals(this.known)) {
				return;
			}
			List<Instance> deleted = new ArrayList<>();
			List<Instance> created = new ArrayList<>();
			List<Instance> updated = new ArrayList<>();
			for (Instance instance : before.values()) {
				Instance now = this.known.get(instance.id());
				// A node that changed its version is another version's node.
				if (now == null || !now.version().equals(instance.version())) {
					deleted.add(instance);
				}
			}
			for (Instance instance : this.known.values()) {
				Instance then = before.get(instance.id());
				if (then == null || !then.version().equals(instance.version())) {
					created.add(instance);
				}
				else if (!then.equals(instance)) {
					updated.add(instance);
				}
			}
			add(results, "delete", deleted, seconds);
			add(results, "create", created, seconds);
			add(results, "update", updated, seconds);
			this.told = this.known;
		}

		private static void add(Deque<Result> results, String action, List<Instance> instances, long seconds) {
			for (Service service : Instances.toServices(instances)) {
				results.add(Result.newBuilder().setAction(action).setService(service).setTimestamp(seconds).build());
			}
		}

	}

	/**
	 * Follows the names, and watches each service that has one. The registry calls it one
	 * at a time.
	 */
	private final class Names {

		private final Registry registry;

		private final ResultStream<Result> stream;

		private final Map<String, Subscription> watches = new HashMap<>();

		private boolean first = true;

		Names(Registry registry, ResultStream<Result> stream) {
			this.registry = registry;
			this.stream = stream;
		}

		void tell(Set<String> names) {
			try {
				follow(names);
			}
			catch (RuntimeException ex) {
				this.stream.end(ex);
			}
		}

		private void follow(Set<String> names) {
			if (names.size() > MOST_SERVICES) {
				throw new MicroException.Exhausted("there are more than " + MOST_SERVICES
						+ " services, too many to watch at once; watch those you need");
			}
			Set<String> gone = new HashSet<>(this.watches.keySet());
			gone.removeAll(names);
			for (String name : gone) {
				this.stream.remove(this.watches.remove(name));
				this.stream.update(() -> Changes.this.feeds.computeIfPresent(name, (key, feed) -> feed.end()));
			}
			for (String name : names) {
				if (!this.watches.containsKey(name)) {
					this.watches.put(name, follow(name));
				}
			}
			this.first = false;
		}

		private Subscription follow(String name) {
			Feed feed = new Feed((this.first) ? null : Map.of());
			this.stream.update(() -> {
				Feed before = Changes.this.feeds.put(name, feed);
				// The client was slow and does not know yet that the one before went.
				if (before != null) {
					feed.told = before.told;
					feed.known = before.known;
				}
			});
			Subscription watch = this.registry.watch(name,
					(instances) -> this.stream.update(() -> feed.tell(instances)));
			this.stream.add(watch);
			return watch;
		}

	}

}
