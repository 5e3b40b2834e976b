package mu.micro.events;

import java.time.Duration;

import mu.micro.MicroException;

/**
 * How long events are kept. What is over either limit goes, the oldest first, but nothing
 * of the last {@link #LEAST two minutes}.
 *
 * @param age how old events become
 * @param bytes how large the bodies and headers of one topic become
 */
public record Retention(Duration age, long bytes) {

	/**
	 * For how long everything is kept, and an id is known.
	 */
	public static final Duration LEAST = Duration.ofMinutes(2);

	/**
	 * A week, and 1 GB in a topic.
	 */
	public static final Retention DEFAULT = new Retention(Duration.ofDays(7), 1024 * 1024 * 1024);

	/**
	 * Checks the limits.
	 * @throws MicroException.Invalid if events would be kept for less than two minutes,
	 * or none at all
	 */
	public Retention {
		if (age.compareTo(LEAST) < 0) {
			throw new MicroException.Invalid("events are kept for two minutes at least, not for " + age);
		}
		if (bytes < 1) {
			throw new MicroException.Invalid("no event can be kept in " + bytes + " bytes");
		}
	}

}
