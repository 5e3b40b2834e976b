package mu.micro.services;

import mu.micro.MicroException;

/**
 * How often a client wants to be told that a stream stands.
 */
final class StandingTime {

	private static final long SHORTEST = 1000;

	private static final long LONGEST = 600_000;

	private StandingTime() {
	}

	/**
	 * Checks what a client asked for.
	 * @param asked the milliseconds between two words, or 0
	 * @return the same
	 * @throws MicroException.Invalid if the time is too short or too long
	 */
	static long checked(long asked) {
		if (asked != 0 && (asked < SHORTEST || asked > LONGEST)) {
			throw new MicroException.Invalid(
					"standing_ms of " + asked + " is neither 0 nor between " + SHORTEST + " and " + LONGEST);
		}
		return asked;
	}

}
