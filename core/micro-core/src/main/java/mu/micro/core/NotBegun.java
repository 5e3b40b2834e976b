package mu.micro.core;

/**
 * Thrown by a handler that passes events on, where nobody began to handle one: it goes
 * back at once, and does not count as delivered.
 */
public final class NotBegun extends Exception {

	/**
	 * Says why.
	 * @param message why nobody began
	 */
	public NotBegun(String message) {
		super(message, null, false, false);
	}

}
