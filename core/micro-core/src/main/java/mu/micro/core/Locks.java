package mu.micro.core;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;

import mu.micro.Limits;
import mu.micro.MicroException;
import mu.micro.sync.Sync;
import org.jspecify.annotations.Nullable;

/**
 * Locks as a provider keeps them: each for a holder that is known by an id, and for a
 * time, which somebody else renews. Who asks is told nothing later on; so a server can
 * offer this to others and hold nothing itself.
 */
public interface Locks extends AutoCloseable {

	/**
	 * Takes a lock for a holder. Tries at once, on this thread; while another has it the
	 * rest happens elsewhere. Asking again for the same holder is harmless: if it has the
	 * lock by then it keeps it, for another ttl.
	 * @param claim who wants what
	 * @param wait how long to wait; zero to try once
	 * @return completes with the lock, or with null if another still has it after the
	 * wait, or with the last failure if the provider cannot be reached then; who cancels
	 * it gets no lock any more
	 * @throws MicroException if trying at once failed
	 */
	CompletableFuture<@Nullable Grant> acquire(Claim claim, Duration wait);

	/**
	 * Has a holder's lock stay for another ttl. Harmless to repeat.
	 * @param claim who has what
	 * @param token the token it was granted with
	 * @throws MicroException.Conflict if the holder has it no more
	 * @throws MicroException if that is not known or nothing was done
	 */
	void renew(Claim claim, long token);

	/**
	 * Gives a holder's lock back, if it has it. Harmless to repeat.
	 * @param claim who has what
	 * @throws MicroException if that is not certain
	 */
	void release(Claim claim);

	/**
	 * Ends all waits with {@link MicroException.Unavailable}, and then frees what this
	 * holds. What was granted stays as it is. Idempotent.
	 */
	@Override
	void close();

	/**
	 * Who wants or has which lock.
	 *
	 * @param namespace the namespace
	 * @param name the lock's name
	 * @param holder the holder's id, never used for another
	 * @param owner tells people who that is: a process and its machine
	 * @param ttl how long the lock stays unless it is renewed
	 */
	record Claim(String namespace, String name, String holder, String owner, Duration ttl) {

		/**
		 * The shortest ttl: below it, a renewal that is a little late would lose the
		 * lock.
		 */
		public static final Duration SHORTEST_TTL = Duration.ofSeconds(1);

		private static final int MAX_OWNER = 400;

		/**
		 * Checks the limits, and raises a ttl that is too short.
		 * @throws MicroException.Invalid if one is not kept
		 */
		public Claim {
			Limits.name("namespace", namespace);
			Limits.name("lock's name", name);
			Limits.name("holder's id", holder);
			Limits.text("lock's owner", owner, MAX_OWNER);
			if (ttl.isNegative() || ttl.isZero() || ttl.compareTo(Sync.LONGEST_TTL) > 0) {
				throw new MicroException.Invalid(
						"the ttl " + ttl + " is not positive or longer than " + Sync.LONGEST_TTL);
			}
			ttl = (ttl.compareTo(SHORTEST_TTL) < 0) ? SHORTEST_TTL : Duration.ofMillis(ttl.toMillis());
		}

	}

	/**
	 * A lock that was taken.
	 *
	 * @param token the fencing token
	 * @param waited how long after the call its ttl began, at least
	 */
	record Grant(long token, Duration waited) {
	}

}
