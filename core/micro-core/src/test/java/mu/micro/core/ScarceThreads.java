package mu.micro.core;

import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * An executor that can run out of threads, as the system can.
 */
final class ScarceThreads extends ThreadPoolExecutor {

	final AtomicInteger refused = new AtomicInteger();

	volatile boolean none;

	ScarceThreads() {
		super(0, Integer.MAX_VALUE, 1, TimeUnit.SECONDS, new SynchronousQueue<>(), Threads.daemons("scarce"));
	}

	@Override
	public void execute(Runnable task) {
		if (this.none) {
			this.refused.incrementAndGet();
			throw new Error("no thread, on purpose");
		}
		super.execute(task);
	}

}
