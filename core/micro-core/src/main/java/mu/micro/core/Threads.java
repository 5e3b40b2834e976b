package mu.micro.core;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Threads on which blocking is fine: virtual ones where the running JDK has them, daemons
 * otherwise.
 */
public final class Threads {

	private Threads() {
	}

	/**
	 * An executor with one thread for each task.
	 * @param name what the threads are called
	 * @return the executor, to be closed with {@link ExecutorService#shutdownNow()}
	 */
	public static ExecutorService perTask(String name) {
		MethodHandles.Lookup lookup = MethodHandles.publicLookup();
		try {
			MethodHandle virtual = lookup.findStatic(Executors.class, "newVirtualThreadPerTaskExecutor",
					MethodType.methodType(ExecutorService.class));
			return (ExecutorService) virtual.invoke();
		}
		catch (NoSuchMethodException ex) {
			return Executors.newCachedThreadPool(daemons(name));
		}
		catch (Throwable ex) {
			throw new IllegalStateException("no virtual threads", ex);
		}
	}

	/**
	 * A single thread for timers, whose tasks must be short.
	 * @param name what the thread is called
	 * @return the executor, to be closed with {@link ExecutorService#shutdownNow()}
	 */
	public static ScheduledThreadPoolExecutor timer(String name) {
		ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1, daemons(name));
		timer.setRemoveOnCancelPolicy(true);
		timer.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
		return timer;
	}

	/**
	 * Makes daemon threads.
	 * @param name what the threads are called, followed by a number
	 * @return the factory
	 */
	public static ThreadFactory daemons(String name) {
		AtomicLong count = new AtomicLong();
		return (task) -> {
			Thread thread = new Thread(task, name + "-" + count.incrementAndGet());
			thread.setDaemon(true);
			return thread;
		};
	}

}
