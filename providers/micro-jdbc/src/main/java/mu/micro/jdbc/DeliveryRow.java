package mu.micro.jdbc;

import org.jspecify.annotations.Nullable;

/**
 * An event that was delivered to a group and is not done with, as the database has it.
 *
 * @param offset the event
 * @param attempt how often it was delivered
 * @param token what it was taken with by the member that handles it; 0 while it waits to
 * be delivered again
 * @param due when the time for that is over
 * @param error what went wrong the last time; null if nothing did
 */
record DeliveryRow(long offset, int attempt, long token, long due, @Nullable String error) {

	/**
	 * The same, no longer in flight.
	 * @param time when to deliver it again
	 * @param what what went wrong
	 * @return the delivery
	 */
	DeliveryRow failed(long time, String what) {
		return new DeliveryRow(this.offset, this.attempt, 0, time, what);
	}

	/**
	 * The same as if it had not been delivered this time.
	 * @param time when to deliver it again
	 * @return the delivery
	 */
	DeliveryRow returned(long time) {
		return new DeliveryRow(this.offset, this.attempt - 1, 0, time, this.error);
	}

	/**
	 * The same, delivered once more.
	 * @param with the token it is taken with
	 * @param time when the time for it is over
	 * @return the delivery
	 */
	DeliveryRow delivered(long with, long time) {
		return new DeliveryRow(this.offset, this.attempt + 1, with, time, this.error);
	}

	boolean inFlight() {
		return this.token != 0;
	}

	/**
	 * Whether it waits and can be delivered again.
	 * @param now the time
	 * @return whether
	 */
	boolean isReady(long now) {
		return !inFlight() && this.due <= now;
	}

	long checksum(long group) {
		byte[] bytes = (this.error != null) ? Place.utf8(this.error) : null;
		return Checksum.of(Checksum.of(bytes, Revisions.NOTHING), group, this.offset, this.attempt, this.token,
				this.due);
	}

}
