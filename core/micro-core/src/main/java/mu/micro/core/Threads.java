package mu.micro.core;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Threads on which blocking is fine: virtual ones where the running JDK has them, daemons
 * otherwise.
 */
public final class Threads {

	private static final System.Logger logger = System.getLogger(Threads.class.getName());

	/**
	 * After how long it is tried again to get a thread.
	 */
	private static final Duration AGAIN = Duration.ofMillis(100);

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
	 * Has a task run that others rely on. Where there is no thread to be had for it, it
	 * is tried again until there is one.
	 * @param task the task
	 * @param executor where it runs
	 * @param timer for trying again, with its thread started
	 * @throws RejectedExecutionException if the executor takes no more
	 */
	static void execute(Runnable task, Executor executor, ScheduledExecutorService timer) {
		try {
			executor.execute(task);
		}
		catch (Error ex) {
			logger.log(System.Logger.Level.WARNING, "there is no thread to be had, which is tried again: " + ex);
			timer.schedule(() -> execute(task, executor, timer), AGAIN.toMillis(), TimeUnit.MILLISECONDS);
		}
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
