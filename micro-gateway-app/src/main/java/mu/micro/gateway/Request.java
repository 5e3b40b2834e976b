package mu.micro.gateway;

import java.time.Duration;

import io.grpc.Metadata;

/**
 * One request for an endpoint, read in whole.
 *
 * @param route the endpoint
 * @param query the query string, percent-encoded
 * @param body a JSON object, or nothing
 * @param metadata what is passed on
 * @param timeout how long the request may take
 * @param end when that time is over, as {@link System#nanoTime()} tells it
 * @param onFound called once the endpoint is found to exist
 */
record Request(Route route, String query, byte[] body, Metadata metadata, Duration timeout, long end,
		Runnable onFound) {

	/**
	 * The time left.
	 * @return zero or more
	 */
	Duration left() {
		return Duration.ofNanos(Math.max(0, this.end - System.nanoTime()));
	}

	void found() {
		this.onFound.run();
	}

}
