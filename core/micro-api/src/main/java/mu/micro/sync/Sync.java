package mu.micro.sync;

import java.time.Duration;
import java.util.function.Consumer;

import mu.micro.MicroException;
import mu.micro.Subscription;
import org.jspecify.annotations.Nullable;

/**
 * Locks and leaders of one namespace. A name within {@link mu.micro.Limits#NAME} has one
 * holder at a time, among all processes that use the namespace.
 * <p>
 * <strong>Time to live.</strong> A lock whose holder died is free within its ttl. A ttl
 * below the provider's shortest, which is two seconds at most, is raised to that; parts
 * of a millisecond are dropped. One that is not positive, or longer than
 * {@link #LONGEST_TTL}, is {@link MicroException.Invalid}.
 * <p>
 * <strong>Waiting.</strong> Who waits for a lock has it promptly once it is given back,
 * by the provider's telling and not by asking now and then. Nobody is promised a place in
 * a line.
 * <p>
 * <strong>No re-entry.</strong> Who holds a lock and asks for it again waits as anybody
 * else would.
 * <p>
 * <strong>Failures.</strong> Calls are {@link MicroException.Unavailable} when the
 * provider cannot be reached.
 */
public interface Sync {

	/**
	 * The longest ttl.
	 */
	Duration LONGEST_TTL = Duration.ofDays(1);

	/**
	 * Takes a lock. While this waits, failures of the provider are waited out.
	 * @param name what to lock
	 * @param ttl how long the lock may outlive its holder
	 * @param wait how long to wait while another has it; zero to try once
	 * @return the lock, held; null if another still has it
	 * @throws MicroException.Cancelled if the thread was interrupted
	 * @throws MicroException.Unavailable if the provider cannot be reached at first, or
	 * when the wait is over
	 * @throws MicroException.OutcomeUnknown if the provider's answer did not come: the
	 * name may be locked for as long as its ttl, by nobody
	 * @throws MicroException.Invalid if the wait is negative
	 */
	@Nullable Lock lock(String name, Duration ttl, Duration wait);

	/**
	 * Stands for leader, and again after each term, until closed. The leader is who holds
	 * the lock of that name. After a leader's death another is elected within twice the
	 * ttl. Failures of the provider are waited out.
	 * <p>
	 * A term ends when its lock is lost or closed, or when the listener throws; then
	 * others have a second's start before this stands again. It does not stand again
	 * before the listener has returned.
	 * <p>
	 * Closing the subscription ends the term in an order that keeps two leaders from
	 * working at once: {@link Lock#held()} is false, the listener's call is interrupted
	 * and waited for, then the lock is given back.
	 * @param name the name to lead
	 * @param ttl how long leadership may outlive its leader
	 * @param elected gets the lock at the beginning of each term. It may return at once,
	 * or work for the whole term: its thread is interrupted when the term ends while it
	 * runs
	 * @return ends the candidacy, and the term if there is one, when closed
	 */
	Subscription lead(String name, Duration ttl, Consumer<Lock> elected);

}
