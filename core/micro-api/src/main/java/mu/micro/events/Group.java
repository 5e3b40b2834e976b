package mu.micro.events;

import java.time.Duration;

import mu.micro.Limits;
import mu.micro.MicroException;

/**
 * Consumers that share a topic's events, in however many processes, and one place in the
 * topic that outlives them.
 * <p>
 * Its members should agree on the settings; where they do not, each goes by its own.
 *
 * @param name the group's name within {@link Limits#NAME}
 * @param from where it begins if it is not there yet
 * @param ackWait how long a handler may take, from a millisecond to a day; after that it
 * is interrupted, and the event is delivered again
 * @param maxDeliveries how often an event is delivered at most, at least once
 * @param maxInFlight how many events are being handled at once, by all members together:
 * 1 to 1,000
 */
public record Group(String name, From from, Duration ackWait, int maxDeliveries, int maxInFlight) {

	private static final Duration LONGEST = Duration.ofDays(1);

	private static final int MOST_IN_FLIGHT = 1000;

	/**
	 * Checks the limits.
	 * @throws MicroException.Invalid if one is not kept
	 */
	public Group {
		Limits.name("group's name", name);
		if (ackWait.compareTo(Duration.ofMillis(1)) < 0 || ackWait.compareTo(LONGEST) > 0) {
			throw new MicroException.Invalid(
					"the time " + ackWait + " for a handler is not between a millisecond and a day");
		}
		if (maxDeliveries < 1) {
			throw new MicroException.Invalid("an event is delivered at least once, not " + maxDeliveries + " times");
		}
		if (maxInFlight < 1 || maxInFlight > MOST_IN_FLIGHT) {
			throw new MicroException.Invalid(
					"the number " + maxInFlight + " of events at once is not between 1 and " + MOST_IN_FLIGHT);
		}
	}

	/**
	 * A group that begins with the oldest event, gives a handler 30 seconds, delivers an
	 * event five times, and handles one at a time.
	 * @param name the group's name
	 * @return the group
	 */
	public static Group of(String name) {
		return new Group(name, From.START, Duration.ofSeconds(30), 5, 1);
	}

	/**
	 * The same with another beginning.
	 * @param beginning where it begins
	 * @return the group
	 */
	public Group withFrom(From beginning) {
		return new Group(this.name, beginning, this.ackWait, this.maxDeliveries, this.maxInFlight);
	}

	/**
	 * The same with another time for handlers.
	 * @param time how long one may take
	 * @return the group
	 */
	public Group withAckWait(Duration time) {
		return new Group(this.name, this.from, time, this.maxDeliveries, this.maxInFlight);
	}

	/**
	 * The same with another number of deliveries.
	 * @param most how many at most
	 * @return the group
	 */
	public Group withMaxDeliveries(int most) {
		return new Group(this.name, this.from, this.ackWait, most, this.maxInFlight);
	}

	/**
	 * The same with another number of events at once.
	 * @param most how many at most
	 * @return the group
	 */
	public Group withMaxInFlight(int most) {
		return new Group(this.name, this.from, this.ackWait, this.maxDeliveries, most);
	}

}
