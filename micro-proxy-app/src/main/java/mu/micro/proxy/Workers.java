package mu.micro.proxy;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.ScheduledExecutorService;

import mu.micro.core.Threads;

/**
 * The threads beside gRPC's own. One bean, so that none of them is taken for the
 * application's task executor.
 *
 * @param blocking one thread for each task that may block
 * @param timer runs short tasks later
 */
record Workers(ExecutorService blocking, ScheduledExecutorService timer) implements AutoCloseable {

	Workers() {
		this(Threads.perTask("micro-proxy"), Threads.timer("micro-proxy-timer"));
	}

	@Override
	public void close() {
		this.blocking.shutdownNow();
		this.timer.shutdownNow();
	}

}
