package mu.micro.store;

import mu.micro.Subscription;

/**
 * A listener that hears of a store's changes.
 */
public interface Watch extends Subscription {

	/**
	 * How far this is: the listener has dealt with all changes up to this revision, and
	 * with none after it. To watch again from here leaves no gap and tells nothing twice.
	 * @return the revision; it only grows, and stays as it is once this is closed
	 */
	long revision();

}
