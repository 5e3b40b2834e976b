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
 * @param progress told how the call goes on
 */
record Request(Route route, String query, byte[] body, Metadata metadata, Duration timeout, long end,
		Progress progress) {

	/**
	 * The time left.
	 * @return zero or more
	 */
	Duration left() {
		return Duration.ofNanos(Math.max(0, this.end - System.nanoTime()));
	}

	/**
	 * Hears how a call goes on.
	 */
	interface Progress {

		/**
		 * The endpoint exists.
		 */
		void found();

		/**
		 * A thread is to work for the call, maybe beyond the call's own end.
		 * @return false if the call is over, and nothing more is to be done
		 */
		boolean begun();

		/**
		 * A thread works for the call no more. Once for each that began.
		 */
		void ended();

	}

}
