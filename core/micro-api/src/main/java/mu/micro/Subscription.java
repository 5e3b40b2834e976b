package mu.micro;

/**
 * A listener that is being called until this is closed.
 * <p>
 * Calls for one subscription come one at a time, in order, and never on an event loop: a
 * listener may block, and delays only itself. One that throws is called again with the
 * next state.
 */
public interface Subscription extends AutoCloseable {

	/**
	 * Ends the subscription. Idempotent. Once this returns no call of the listener
	 * starts; one that is running is waited for, unless this is called from within it.
	 */
	@Override
	void close();

}
