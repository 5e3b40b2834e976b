package mu.micro.events;

import java.time.Instant;

import mu.micro.MicroException;

/**
 * Where a group begins that is not there yet.
 */
public sealed interface From {

	/**
	 * With the oldest event that is kept.
	 */
	From START = new Offset(0);

	/**
	 * With the first event that is appended from now on.
	 */
	From NOW = new Now();

	/**
	 * With an event.
	 * @param offset its offset; the oldest event that is kept if that is later
	 * @return the beginning
	 */
	static From offset(long offset) {
		return new Offset(offset);
	}

	/**
	 * With the first event that was appended at a time or after it.
	 * @param time the time
	 * @return the beginning
	 */
	static From time(Instant time) {
		return new Time(time);
	}

	/**
	 * With an event.
	 *
	 * @param offset its offset
	 */
	record Offset(long offset) implements From {

		/**
		 * Checks the offset.
		 * @throws MicroException.Invalid if it is negative
		 */
		public Offset {
			if (offset < 0) {
				throw new MicroException.Invalid("the offset " + offset + " to begin with is negative");
			}
		}

	}

	/**
	 * With a time.
	 *
	 * @param time the time
	 */
	record Time(Instant time) implements From {

	}

	/**
	 * With what is new.
	 */
	record Now() implements From {

	}

}
