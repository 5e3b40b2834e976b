package mu.micro.memory;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

import mu.micro.Limits;
import mu.micro.Message;
import mu.micro.Subscription;
import mu.micro.core.DeadLetters;
import mu.micro.core.EventLog;
import mu.micro.core.KeyOrder;
import mu.micro.events.Append;
import mu.micro.events.Delivery;
import mu.micro.events.Event;
import mu.micro.events.From;
import mu.micro.events.Group;
import mu.micro.events.GroupState;
import mu.micro.events.Retention;
import org.jspecify.annotations.Nullable;

/**
 * What all views of one {@link MemoryEvents} have in common: the topics of all
 * namespaces, and who watches them.
 */
final class MemoryTopics {

	/**
	 * How often all topics are looked through for what is no longer kept; each one is
	 * whenever it is used.
	 */
	private static final Duration SWEEPS = Duration.ofMinutes(1);

	private final Clock clock;

	private final ReentrantLock lock = new ReentrantLock();

	private final Map<String, NavigableMap<String, Topic>> namespaces = new HashMap<>();

	private final ConcurrentMap<Place, Set<Watch>> watches = new ConcurrentHashMap<>();

	/**
	 * Of which topics there is news that has not been told, because the lock is held.
	 */
	private final Set<Place> news = new HashSet<>();

	private Instant swept = Instant.MIN;

	/**
	 * How often something was taken.
	 */
	private long taken;

	MemoryTopics(Clock clock) {
		this.clock = clock;
	}

	/**
	 * Does something as one step, that others see before or after.
	 * @param <T> what comes of it
	 * @param step what to do
	 * @return what came of it
	 */
	<T> T inOneStep(Supplier<T> step) {
		Set<Place> told = Set.of();
		this.lock.lock();
		try {
			return step.get();
		}
		finally {
			if (this.lock.getHoldCount() == 1) {
				told = Set.copyOf(this.news);
				this.news.clear();
			}
			this.lock.unlock();
			told.forEach(this::tell);
		}
	}

	private void tell(Place place) {
		this.watches.getOrDefault(place, Set.of()).forEach((watch) -> watch.news.run());
	}

	/**
	 * One namespace's topics.
	 * @param namespace the namespace
	 * @param retention how long events are kept
	 * @return the topics
	 */
	EventLog in(String namespace, Retention retention) {
		return new Log(namespace, retention);
	}

	private Instant now() {
		return this.clock.instant().truncatedTo(ChronoUnit.MILLIS);
	}

	private void sweep(Retention retention) {
		Instant now = now();
		if (this.swept.isBefore(now.minus(SWEEPS))) {
			this.swept = now;
			this.namespaces.values().forEach((topics) -> topics.values().forEach((topic) -> topic.trim(retention)));
		}
	}

	private record Place(String namespace, String topic) {
	}

	private final class Watch implements Subscription {

		private final Place place;

		private final Runnable news;

		Watch(Place place, Runnable news) {
			this.place = place;
			this.news = news;
		}

		@Override
		public void close() {
			MemoryTopics.this.watches.computeIfPresent(this.place, (key, all) -> {
				all.remove(this);
				return all.isEmpty() ? null : all;
			});
		}

	}

	private final class Log implements EventLog {

		private final String namespace;

		private final Retention retention;

		Log(String namespace, Retention retention) {
			this.namespace = namespace;
			this.retention = retention;
		}

		@Override
		public Event append(String topic, Message message) {
			return inOneStep(() -> {
				sweep(this.retention);
				return make(topic).append(message);
			});
		}

		@Override
		public List<Event> read(String topic, long from, int limit) {
			return inOneStep(() -> {
				Topic found = find(topic);
				return (found != null) ? found.read(from, limit) : List.of();
			});
		}

		@Override
		public long offsetAt(String topic, Instant time) {
			return inOneStep(() -> {
				Topic found = find(topic);
				return (found != null) ? found.offsetAt(time) : 1L;
			});
		}

		@Override
		public Set<String> topics() {
			return inOneStep(() -> {
				Set<String> names = new LinkedHashSet<>();
				all().forEach((name, topic) -> {
					topic.trim(this.retention);
					if (!topic.isEmpty()) {
						names.add(name);
					}
				});
				return names;
			});
		}

		@Override
		public List<GroupState> groups(String topic) {
			return inOneStep(() -> {
				Topic found = find(topic);
				return (found != null) ? found.states() : List.of();
			});
		}

		@Override
		public boolean removeGroup(String topic, String group) {
			return inOneStep(() -> {
				Topic found = find(topic);
				boolean removed = found != null && found.groups.remove(group) != null;
				if (removed) {
					MemoryTopics.this.news.add(new Place(this.namespace, topic));
				}
				return removed;
			});
		}

		@Override
		public void join(String topic, Group group) {
			inOneStep(() -> make(topic).join(group));
		}

		@Override
		public Taken exchange(String topic, Group group, List<Outcome> outcomes, int wanted) {
			return inOneStep(() -> {
				Topic found = make(topic);
				Exchange exchange = new Exchange(found, found.join(group), group);
				outcomes.forEach(exchange::settle);
				Taken taken = exchange.take(wanted);
				exchange.dead.forEach((letter) -> {
					Topic dead = make(letter.topic());
					dead.append((dead.ids.containsKey(letter.message().id()) ? DeadLetters.another(letter) : letter)
						.message());
				});
				if (!outcomes.isEmpty() && exchange.more) {
					MemoryTopics.this.news.add(new Place(this.namespace, topic));
				}
				return taken;
			});
		}

		@Override
		public Subscription watch(String topic, Runnable news) {
			Watch watch = new Watch(new Place(this.namespace, topic), news);
			MemoryTopics.this.watches.compute(watch.place, (place, before) -> {
				Set<Watch> all = (before != null) ? before : ConcurrentHashMap.newKeySet();
				all.add(watch);
				return all;
			});
			return watch;
		}

		private NavigableMap<String, Topic> all() {
			return MemoryTopics.this.namespaces.getOrDefault(this.namespace, Collections.emptyNavigableMap());
		}

		private @Nullable Topic find(String topic) {
			Topic found = all().get(topic);
			if (found != null) {
				found.trim(this.retention);
			}
			return found;
		}

		private Topic make(String topic) {
			Topic made = MemoryTopics.this.namespaces
				.computeIfAbsent(this.namespace, (key) -> new TreeMap<>(KeyOrder.UTF8))
				.computeIfAbsent(topic, (key) -> new Topic(new Place(this.namespace, topic)));
			made.trim(this.retention);
			return made;
		}

	}

	/**
	 * A topic. Its last offset outlives its events.
	 */
	private final class Topic {

		private final Place place;

		private final NavigableMap<Long, Event> events = new TreeMap<>();

		private final Map<String, Event> ids = new HashMap<>();

		private final NavigableMap<String, State> groups = new TreeMap<>(KeyOrder.UTF8);

		private long last;

		private Instant time = Instant.EPOCH;

		private long bytes;

		Topic(Place place) {
			this.place = place;
		}

		Event append(Message message) {
			Event known = this.ids.get(message.id());
			if (known != null) {
				return known;
			}
			Instant now = now();
			this.time = now.isAfter(this.time) ? now : this.time;
			this.last++;
			Event event = new Event(this.place.topic, this.last, this.time, message);
			this.events.put(this.last, event);
			this.ids.put(message.id(), event);
			this.bytes += event.message().size();
			MemoryTopics.this.news.add(this.place);
			return event;
		}

		List<Event> read(long from, int limit) {
			List<Event> page = new ArrayList<>();
			long size = 0;
			for (Event event : this.events.tailMap(from, true).values()) {
				size += event.message().size();
				if (page.size() == limit || size > Limits.BATCH_BYTES && !page.isEmpty()) {
					break;
				}
				page.add(event);
			}
			return page;
		}

		/*
		 * Between the two, events before the time and the others meet.
		 */
		long offsetAt(Instant from) {
			long low = first();
			long high = this.last + 1;
			while (low < high) {
				long middle = low + (high - low) / 2;
				if (Objects.requireNonNull(this.events.get(middle)).time().isBefore(from)) {
					low = middle + 1;
				}
				else {
					high = middle;
				}
			}
			return low;
		}

		long first() {
			return this.last + 1 - this.events.size();
		}

		boolean isEmpty() {
			return this.events.isEmpty() && this.groups.isEmpty();
		}

		void trim(Retention retention) {
			Instant now = now();
			Iterator<Event> all = this.events.values().iterator();
			boolean going = true;
			while (going && all.hasNext()) {
				Event event = all.next();
				Duration age = Duration.between(event.time(), now);
				going = age.compareTo(Retention.LEAST) > 0
						&& (age.compareTo(retention.age()) > 0 || this.bytes > retention.bytes());
				if (going) {
					all.remove();
					this.ids.remove(event.message().id());
					this.bytes -= event.message().size();
				}
			}
			this.groups.values()
				.removeIf((group) -> Duration.between(group.used, now).compareTo(retention.age()) > 0
						&& group.inFlight.values().stream().noneMatch((each) -> each.until.isAfter(now)));
			this.groups.values().forEach((group) -> group.begin(first()));
		}

		State join(Group group) {
			Instant now = now();
			State state = this.groups.computeIfAbsent(group.name(), (key) -> new State(beginning(group.from()), now));
			state.used = now;
			return state;
		}

		private long beginning(From from) {
			if (from instanceof From.Offset offset) {
				return Math.max(first(), offset.offset());
			}
			return (from instanceof From.Time begin) ? offsetAt(begin.time()) : this.last + 1;
		}

		List<GroupState> states() {
			return this.groups.entrySet()
				.stream()
				.map((group) -> group.getValue().state(group.getKey(), this.last))
				.toList();
		}

	}

	/**
	 * What a group has done of a topic.
	 */
	private static final class State {

		/**
		 * The first that was never taken.
		 */
		private long next;

		/**
		 * What was taken and is neither handled nor given up, by offset.
		 */
		private final NavigableMap<Long, InFlight> inFlight = new TreeMap<>();

		private Instant used;

		State(long next, Instant used) {
			this.next = next;
			this.used = used;
		}

		void begin(long first) {
			this.inFlight.headMap(first).clear();
			this.next = Math.max(this.next, first);
		}

		GroupState state(String name, long last) {
			int returned = (int) this.inFlight.values().stream().filter((each) -> each.attempt == 0).count();
			return new GroupState(name, this.inFlight.isEmpty() ? this.next : this.inFlight.firstKey(),
					this.inFlight.size() - returned, Math.max(0, last - this.next + 1) + returned);
		}

	}

	/**
	 * An event in flight.
	 */
	private static final class InFlight {

		private int attempt;

		/**
		 * What it was taken with by the member that has it; 0 while it waits for its next
		 * delivery.
		 */
		private long token;

		private Instant until = Instant.MIN;

		private @Nullable String error;

	}

	/**
	 * One exchange.
	 */
	private final class Exchange {

		private final Topic topic;

		private final State state;

		private final Group group;

		private final Instant now = MemoryTopics.this.clock.instant();

		private final List<Append> dead = new ArrayList<>();

		/**
		 * Whether more could be taken at once.
		 */
		private boolean more;

		Exchange(Topic topic, State state, Group group) {
			this.topic = topic;
			this.state = state;
			this.group = group;
		}

		void settle(EventLog.Outcome outcome) {
			InFlight flight = this.state.inFlight.get(outcome.offset());
			if (flight == null || flight.token != outcome.token()) {
				return;
			}
			flight.token = 0;
			if (outcome instanceof EventLog.Failed failed) {
				flight.until = this.now.plus(failed.pause());
				flight.error = failed.error();
				if (flight.attempt >= this.group.maxDeliveries()) {
					giveUp(outcome.offset(), flight);
				}
			}
			else if (outcome instanceof EventLog.Returned) {
				flight.until = this.now;
				flight.attempt--;
			}
			else {
				this.state.inFlight.remove(outcome.offset());
			}
		}

		private void giveUp(long offset, InFlight flight) {
			this.state.inFlight.remove(offset);
			Append letter = DeadLetters.of(event(offset), this.group.name(), flight.attempt,
					Objects.requireNonNullElse(flight.error, DeadLetters.LATE));
			if (letter != null) {
				this.dead.add(letter);
			}
		}

		private Event event(long offset) {
			return Objects.requireNonNull(this.topic.events.get(offset));
		}

		EventLog.Taken take(int wanted) {
			this.state.inFlight.entrySet()
				.stream()
				.filter((each) -> each.getValue().token != 0 && !each.getValue().until.isAfter(this.now))
				.toList()
				.forEach((each) -> late(each.getKey(), each.getValue()));
			List<Long> ready = ready();
			List<Delivery> deliveries = new ArrayList<>();
			long size = 0;
			MemoryTopics.this.taken++;
			for (long offset : ready) {
				size += event(offset).message().size();
				if (deliveries.size() == wanted || size > Limits.BATCH_BYTES && !deliveries.isEmpty()) {
					break;
				}
				deliveries.add(deliver(offset));
			}
			this.more = deliveries.size() < ready.size();
			return new EventLog.Taken(deliveries, MemoryTopics.this.taken, this.more ? Duration.ZERO : due());
		}

		private void late(long offset, InFlight flight) {
			flight.token = 0;
			flight.error = DeadLetters.LATE;
			if (flight.attempt >= this.group.maxDeliveries()) {
				giveUp(offset, flight);
			}
		}

		private List<Long> ready() {
			List<Long> ready = new ArrayList<>();
			this.state.inFlight.forEach((offset, flight) -> {
				if (flight.token == 0 && !flight.until.isAfter(this.now)) {
					ready.add(offset);
				}
			});
			int room = this.group.maxInFlight() - this.state.inFlight.size();
			for (long offset = this.state.next; offset <= this.topic.last && room > 0; offset++) {
				ready.add(offset);
				room--;
			}
			return ready;
		}

		private Delivery deliver(long offset) {
			InFlight flight = this.state.inFlight.computeIfAbsent(offset, (key) -> new InFlight());
			flight.token = MemoryTopics.this.taken;
			flight.attempt++;
			flight.until = this.now.plus(this.group.ackWait());
			this.state.next = Math.max(this.state.next, offset + 1);
			return new Delivery(event(offset), flight.attempt, flight.error);
		}

		private @Nullable Duration due() {
			return this.state.inFlight.values()
				.stream()
				.map((flight) -> flight.until)
				.min(Comparator.naturalOrder())
				.map((first) -> Duration.between(this.now, first))
				.orElse(null);
		}

	}

}
