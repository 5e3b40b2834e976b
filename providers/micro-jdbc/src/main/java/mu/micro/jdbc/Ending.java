package mu.micro.jdbc;

import java.time.Duration;

/**
 * Ends a thread.
 */
final class Ending {

	private Ending() {
	}

	/**
	 * Interrupts a thread and waits for its end; an own interruption is kept for later.
	 * @param thread the thread
	 * @param most how long to wait
	 */
	static void of(Thread thread, Duration most) {
		thread.interrupt();
		boolean interrupted = Thread.interrupted();
		try {
			thread.join(most.toMillis());
		}
		catch (InterruptedException ex) {
			interrupted = true;
		}
		finally {
			if (interrupted) {
				Thread.currentThread().interrupt();
			}
		}
	}

}
