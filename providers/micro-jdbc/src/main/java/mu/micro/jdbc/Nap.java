package mu.micro.jdbc;

import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * A short wait of random length between two tries. With equal ones, or the engine's own
 * that grow, some of many processes would hardly ever get their turn.
 */
final class Nap {

	private static final long LEAST = TimeUnit.MICROSECONDS.toNanos(50);

	private static final long MOST = TimeUnit.MICROSECONDS.toNanos(350);

	private Nap() {
	}

	static void take() {
		LockSupport.parkNanos(ThreadLocalRandom.current().nextLong(LEAST, MOST));
	}

}
