package mu.micro.jdbc;

import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.concurrent.ThreadLocalRandom;

import mu.micro.Limits;
import mu.micro.core.DeadLetters;
import mu.micro.core.EventLog;
import mu.micro.events.Delivery;
import mu.micro.events.Event;
import mu.micro.events.Group;

/**
 * What becomes of a group in an exchange: all is read and decided here, and nothing
 * written.
 */
final class GroupExchange {

	/**
	 * How old it may be that a group was known to be used. Much less than events and
	 * groups are kept.
	 */
	private static final Duration FRESH = Duration.ofSeconds(30);

	private final EventReader reader;

	private final TopicRow topic;

	private final GroupRow row;

	private final Group group;

	private final long now;

	/**
	 * By chance, so that it is no other's: not of another process, nor of a group before
	 * this one, nor of what is undone with a backup.
	 */
	private final long token = ThreadLocalRandom.current().nextLong(1, Long.MAX_VALUE);

	private final NavigableMap<Long, DeliveryRow> before;

	private final NavigableMap<Long, DeliveryRow> deliveries;

	private final List<Delivery> taken = new ArrayList<>();

	private final List<DeliveryRow> dead = new ArrayList<>();

	private long next;

	private long inFlight;

	private boolean madeRoom;

	private boolean cutOff;

	/**
	 * Begins with a group as it is.
	 * @param reader reads
	 * @param topic the topic
	 * @param row the group
	 * @param group how the caller wants it
	 * @param now the time
	 * @throws SQLException if it cannot be read
	 */
	GroupExchange(EventReader reader, TopicRow topic, GroupRow row, Group group, long now) throws SQLException {
		this.reader = reader;
		this.topic = topic;
		this.row = row;
		this.group = group;
		this.now = now;
		this.before = reader.deliveries(topic, row);
		this.deliveries = new TreeMap<>(this.before);
		// What is no longer kept is nobody's to take.
		this.next = Math.max(row.next(), topic.first());
	}

	/**
	 * Says what came of deliveries.
	 * @param outcomes what
	 */
	void settle(List<EventLog.Outcome> outcomes) {
		for (EventLog.Outcome outcome : outcomes) {
			DeliveryRow delivery = this.deliveries.get(outcome.offset());
			if (delivery != null && delivery.inFlight() && delivery.token() == outcome.token()) {
				settle(delivery, outcome);
			}
		}
		for (DeliveryRow each : List.copyOf(this.deliveries.values())) {
			DeliveryRow delivery = each;
			if (delivery.inFlight() && delivery.due() <= this.now) {
				delivery = delivery.failed(delivery.due(), DeadLetters.LATE);
				this.deliveries.put(delivery.offset(), delivery);
			}
			if (!delivery.inFlight() && delivery.attempt() >= this.group.maxDeliveries()) {
				this.madeRoom = true;
				this.dead.add(delivery);
				this.deliveries.remove(delivery.offset());
			}
		}
		this.inFlight = this.deliveries.values().stream().filter(DeliveryRow::inFlight).count();
	}

	private void settle(DeliveryRow delivery, EventLog.Outcome outcome) {
		if (outcome instanceof EventLog.Failed failed) {
			this.deliveries.put(delivery.offset(),
					delivery.failed(this.now + failed.pause().toMillis(), failed.error()));
			return;
		}
		this.madeRoom = true;
		if (outcome instanceof EventLog.Returned) {
			this.deliveries.put(delivery.offset(), delivery.returned(this.now));
		}
		else {
			this.deliveries.remove(delivery.offset());
		}
	}

	/**
	 * Takes events.
	 * @param wanted how many at most
	 * @throws SQLException if they cannot be read
	 */
	void take(int wanted) throws SQLException {
		long size = 0;
		for (DeliveryRow waiting : ready()) {
			if (this.taken.size() == wanted || isFull()) {
				break;
			}
			Event event = this.reader.event(this.topic, waiting.offset());
			if (event == null) {
				// No longer kept.
				this.deliveries.remove(waiting.offset());
				continue;
			}
			take(event, waiting);
			size += event.message().body().length;
			if (size > Limits.BATCH_BYTES) {
				this.cutOff = true;
				return;
			}
		}
		int room = Math.min(wanted - this.taken.size(), this.group.maxInFlight() - this.deliveries.size());
		if (room <= 0) {
			return;
		}
		List<Event> events = this.reader.events(this.topic, this.next, room, Limits.BATCH_BYTES - size);
		for (Event event : events) {
			take(event, new DeliveryRow(event.offset(), 0, 0, this.now, null));
			this.next = event.offset() + 1;
		}
		this.cutOff = events.size() < room && this.next <= this.topic.last();
	}

	private List<DeliveryRow> ready() {
		return this.deliveries.values().stream().filter((each) -> each.isReady(this.now)).toList();
	}

	private boolean isFull() {
		return this.inFlight >= this.group.maxInFlight();
	}

	private void take(Event event, DeliveryRow waiting) {
		DeliveryRow delivery = waiting.delivered(this.token, this.now + this.group.ackWait().toMillis());
		this.deliveries.put(delivery.offset(), delivery);
		this.inFlight++;
		this.taken.add(new Delivery(event, delivery.attempt(), delivery.error()));
	}

	boolean tookAny() {
		return !this.taken.isEmpty();
	}

	/**
	 * What was taken.
	 * @return the answer to the caller
	 */
	EventLog.Taken taken() {
		Duration due = this.deliveries.values()
			.stream()
			.map(DeliveryRow::due)
			.filter((time) -> time > this.now)
			.min(Long::compare)
			.map((time) -> Duration.ofMillis(time - this.now))
			.orElse(null);
		return new EventLog.Taken(this.taken, this.token, this.cutOff ? Duration.ZERO : due);
	}

	/**
	 * Whether there is something left to take.
	 * @return whether
	 */
	boolean leavesSome() {
		return (!ready().isEmpty() && !isFull())
				|| (this.next <= this.topic.last() && this.deliveries.size() < this.group.maxInFlight());
	}

	/**
	 * Whether others have to be told, because they may take now what they could not
	 * before.
	 * @return whether
	 */
	boolean isNews() {
		return this.madeRoom && leavesSome();
	}

	/**
	 * Whether anything is to be written.
	 * @return whether
	 */
	boolean changesAnything() {
		return !this.deliveries.equals(this.before) || this.next != this.row.next() || used() != this.row.used();
	}

	private long used() {
		long known = this.row.used();
		return (known <= this.now && this.now - known < FRESH.toMillis()) ? known : this.now;
	}

	/**
	 * The group afterwards.
	 * @param revision its revision
	 * @return the group
	 */
	GroupRow row(long revision) {
		return new GroupRow(this.row.number(), this.row.topic(), this.row.name(), this.next, used(), revision);
	}

	/**
	 * What failed too often, and is done with.
	 * @return the deliveries
	 */
	List<DeliveryRow> dead() {
		return this.dead;
	}

	/**
	 * Keeps a delivery that is not done with after all.
	 * @param delivery the delivery
	 */
	void keep(DeliveryRow delivery) {
		this.deliveries.put(delivery.offset(), delivery);
	}

	/**
	 * The deliveries that are no longer there.
	 * @return their offsets
	 */
	List<Long> gone() {
		return this.before.keySet().stream().filter((offset) -> !this.deliveries.containsKey(offset)).toList();
	}

	/**
	 * The deliveries that are new or otherwise than before.
	 * @return the deliveries
	 */
	List<DeliveryRow> changed() {
		return this.deliveries.entrySet()
			.stream()
			.filter((each) -> !each.getValue().equals(this.before.get(each.getKey())))
			.map(Map.Entry::getValue)
			.toList();
	}

}
