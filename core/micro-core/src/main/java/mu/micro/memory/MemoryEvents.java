package mu.micro.memory;

import java.time.Clock;
import java.util.List;

import mu.micro.Scoped;
import mu.micro.core.EventLog;
import mu.micro.core.LoggedEvents;
import mu.micro.events.Append;
import mu.micro.events.Event;
import mu.micro.events.Events;
import mu.micro.events.Retention;

/**
 * Events within one JVM, that end with it. Not durable; otherwise all that events
 * promise.
 */
public final class MemoryEvents implements Scoped<Events> {

	private final MemoryTopics shared;

	private final Retention retention;

	private final LoggedEvents events;

	/**
	 * No events, kept as long as they are by default, with the system's time.
	 */
	public MemoryEvents() {
		this(Clock.systemUTC(), Retention.DEFAULT);
	}

	/**
	 * No events.
	 * @param clock the time
	 * @param retention how long events are kept
	 */
	public MemoryEvents(Clock clock, Retention retention) {
		this(new MemoryTopics(clock), retention);
	}

	/**
	 * One more view of the same events, with subscriptions of its own.
	 * @param other a view of the events
	 * @param retention how long this one keeps them
	 */
	public MemoryEvents(MemoryEvents other, Retention retention) {
		this(other.shared, retention);
	}

	private MemoryEvents(MemoryTopics shared, Retention retention) {
		this.shared = shared;
		this.retention = retention;
		this.events = new LoggedEvents(new Logs());
	}

	@Override
	public Events in(String namespace) {
		return this.events.in(namespace);
	}

	@Override
	public void close() {
		this.events.close();
	}

	/**
	 * Appends after something that may refuse to be done, in one step with it.
	 * @param namespace the namespace
	 * @param first what to do before
	 * @param appends what to append
	 * @return the events
	 */
	List<Event> append(String namespace, Runnable first, List<Append> appends) {
		EventLog log = this.shared.in(namespace, this.retention);
		return this.shared.inOneStep(() -> {
			first.run();
			return appends.stream().map((each) -> log.append(each.topic(), each.message())).toList();
		});
	}

	private final class Logs implements Scoped<EventLog> {

		@Override
		public EventLog in(String namespace) {
			return MemoryEvents.this.shared.in(namespace, MemoryEvents.this.retention);
		}

		@Override
		public void close() {
			// What is shared stays, and the subscriptions were ended before.
		}

	}

}
