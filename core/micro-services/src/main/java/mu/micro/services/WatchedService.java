package mu.micro.services;

/**
 * A core service with calls that last for as long as their callers like.
 */
public interface WatchedService {

	/**
	 * Ends all watches, and takes no new ones until {@link #resumeWatches()}, so that a
	 * graceful shutdown of the server need not wait for them.
	 */
	void endWatches();

	/**
	 * Takes watches again, after a server was started again.
	 */
	void resumeWatches();

}
