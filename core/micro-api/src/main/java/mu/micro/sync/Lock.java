package mu.micro.sync;

import mu.micro.Lease;

/**
 * A lock that is held.
 * <p>
 * The provider renews it every third of its ttl. Where no renewal succeeds, it is lost
 * nine tenths of the ttl after the last one that did, counted by this process's clocks
 * from before it was asked for. The lock is somebody else's after the whole ttl at the
 * earliest, so that what {@link #onLost} begins has a tenth of the ttl to end what relies
 * on the lock.
 * <p>
 * {@link #held()} reads the clocks itself: a process that was stopped, or a machine that
 * slept, for too long gets false from the first call on, and that call has the actions of
 * {@link #onLost} started if nothing else did. What such a process had under way when it
 * was stopped goes on nevertheless; only the {@link #token()} protects from that.
 * <p>
 * A lock that is lost can neither give back nor renew what its successor holds.
 */
public interface Lock extends Lease {

	/**
	 * The fencing token: a positive number, larger than that of every earlier holder of
	 * the name. What the lock protects should keep the largest token it has seen, and
	 * refuse what comes with a smaller one.
	 * @return the token, the same for as long as the lock is held
	 */
	long token();

	/**
	 * Gives the lock back, so that another can have it at once. Idempotent; does nothing
	 * to a successor's lock when this one is lost. Where the provider cannot be reached
	 * this is tried on in the background until the ttl has passed, which ends the lock in
	 * any case.
	 */
	@Override
	void close();

}
