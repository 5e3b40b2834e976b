package mu.micro;

/**
 * Something held until it is closed, lost, or its holder dies. The provider renews it;
 * the holder needs to do nothing.
 */
public interface Lease extends AutoCloseable {

	/**
	 * Whether the lease is held, as far as this process knows.
	 * @return false once closed or lost
	 */
	boolean held();

	/**
	 * Has an action run once if the lease is lost: somebody else took it over, or it
	 * could not be renewed in time. It does not run when the lease is closed. If the
	 * lease is lost already the action runs now.
	 * @param action what to do, run on a thread of the provider
	 */
	void onLost(Runnable action);

	/**
	 * Gives the lease back. Idempotent; does nothing to a successor's lease when this one
	 * is lost.
	 */
	@Override
	void close();

}
