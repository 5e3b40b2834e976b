package mu.micro.cli;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;

import mu.micro.sync.Lock;
import org.jspecify.annotations.Nullable;
import sun.misc.Signal;
import sun.misc.SignalHandler;

/**
 * A program that runs while a lock is held. It gets micro's own standard streams.
 * <p>
 * Ctrl-C reaches it from the terminal and not from here: micro itself waits for its end,
 * as a shell does. A micro that is told to end otherwise tells the program to, and ends
 * after it, when the lock has been given back.
 */
final class LockedProgram implements AutoCloseable {

	private static final Signal INTERRUPT = new Signal("INT");

	private static final int STOP_SECONDS = 30;

	private final Terminal terminal;

	private final Duration grace;

	private final Thread caller = Thread.currentThread();

	private final CountDownLatch over = new CountDownLatch(1);

	private final Thread hook = new Thread(this::end, "micro-lock-end");

	private volatile @Nullable Process process;

	/**
	 * Begins to heed that micro is told to end, also while the lock is waited for.
	 * @param terminal where to complain
	 * @param grace how long the program may go on when it was told to end because the
	 * lock is lost
	 */
	LockedProgram(Terminal terminal, Duration grace) {
		this.terminal = terminal;
		this.grace = grace;
		Runtime.getRuntime().addShutdownHook(this.hook);
	}

	/**
	 * Runs the program until it has ended.
	 * @param command the program and its arguments
	 * @param environment its environment
	 * @param lock what is held meanwhile
	 * @param name the lock's name, for messages
	 * @return its exit code
	 * @throws Failure if it cannot be started, or the lock was lost
	 */
	int run(List<String> command, Map<String, String> environment, Lock lock, String name) {
		CompletableFuture<Void> lost = new CompletableFuture<>();
		SignalHandler before = Signal.handle(INTERRUPT, (signal) -> {
		});
		if (before == SignalHandler.SIG_IGN) {
			// So it stays for the program as well.
			Signal.handle(INTERRUPT, before);
		}
		try {
			Process started = Launch.start(command, environment);
			this.process = started;
			lock.onLost(() -> lost.complete(null));
			CompletableFuture.anyOf(started.onExit(), lost).get();
			if (lock.held()) {
				return started.waitFor();
			}
			throw lost(started, name);
		}
		catch (InterruptedException ex) {
			end(this.process, this.grace);
			Thread.currentThread().interrupt();
			throw new Failure(Failure.OTHER, "Interrupted.", ex);
		}
		catch (ExecutionException ex) {
			throw new IllegalStateException(ex);
		}
		finally {
			Signal.handle(INTERRUPT, before);
		}
	}

	private Failure lost(Process started, String name) {
		String what = "The lock '" + Terminal.plain(name)
				+ "' was lost: it could not be renewed in time, or was deleted. ";
		if (!started.isAlive()) {
			return new Failure(LockCommands.LOST, what + "The command had ended by itself then, with the exit code "
					+ started.exitValue() + ", but may have run without the lock.");
		}
		this.terminal.out().flush();
		boolean heeded = end(started, this.grace);
		return new Failure(LockCommands.LOST,
				what + "The command was told to end" + ((heeded) ? "." : ", and killed when it did not."));
	}

	/*
	 * Ends those as well that the program has started: they are not to go on when it is
	 * gone. Returns whether all heeded that they were told to end.
	 */
	private static boolean end(@Nullable Process process, Duration grace) {
		if (process == null) {
			return true;
		}
		List<ProcessHandle> all = Stream.concat(Stream.of(process.toHandle()), process.descendants()).toList();
		all.forEach(ProcessHandle::destroy);
		boolean heeded = ended(all, grace);
		if (!heeded) {
			Stream.concat(all.stream(), process.descendants()).forEach(ProcessHandle::destroyForcibly);
			ended(all, Duration.ofSeconds(STOP_SECONDS));
		}
		return heeded;
	}

	private static boolean ended(List<ProcessHandle> processes, Duration time) {
		CompletableFuture<?> end = CompletableFuture
			.allOf(processes.stream().map(ProcessHandle::onExit).toArray(CompletableFuture[]::new));
		try {
			end.get(time.toNanos(), TimeUnit.NANOSECONDS);
			return true;
		}
		catch (TimeoutException ex) {
			return false;
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			return false;
		}
		catch (ExecutionException ex) {
			throw new IllegalStateException(ex);
		}
	}

	// The JVM ends when this returns.
	private void end() {
		Process running = this.process;
		if (running != null) {
			end(running, Duration.ofSeconds(STOP_SECONDS));
		}
		else {
			this.caller.interrupt();
		}
		try {
			this.over.await(STOP_SECONDS, TimeUnit.SECONDS);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	/**
	 * Says that the lock has been given back, and nothing more is to be heeded.
	 */
	@Override
	public void close() {
		this.over.countDown();
		try {
			Runtime.getRuntime().removeShutdownHook(this.hook);
		}
		catch (IllegalStateException ex) {
			// The JVM is ending, and has waited for this.
		}
	}

}
