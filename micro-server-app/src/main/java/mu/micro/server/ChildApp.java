package mu.micro.server;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

import mu.micro.autoconfigure.PortTakenException;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;

/**
 * One child process. It is started again when it dies, later each time, and given up when
 * it never lives for long or its port is taken. It ends when the pipe on its standard
 * input closes, which the system does even if this process is killed.
 */
class ChildApp {

	static final int MAX_FAILURES = 6;

	private static final Log logger = LogFactory.getLog(ChildApp.class);

	static final Duration FIRST_DELAY = Duration.ofMillis(250);

	private static final String PORT_TAKEN = "ended because its port is taken";

	private static final Duration LONG_ENOUGH = Duration.ofSeconds(30);

	private static final Duration GRACE = Duration.ofSeconds(10);

	private final String name;

	private final List<String> command;

	private final Duration firstDelay;

	private final ReentrantLock lock = new ReentrantLock();

	private final Condition stopRequested = this.lock.newCondition();

	private final Thread keeper;

	private @Nullable Process process;

	private boolean stopping;

	private volatile String state = "starting";

	ChildApp(String name, List<String> command, Duration firstDelay) {
		this.name = name;
		this.command = command;
		this.firstDelay = firstDelay;
		this.keeper = new Thread(this::keep, "micro-app-" + name);
		this.keeper.setDaemon(true);
	}

	void start() {
		this.keeper.start();
	}

	String state() {
		return this.state;
	}

	boolean gaveUp() {
		return this.state.startsWith("gave up");
	}

	private void keep() {
		int failures = 0;
		while (true) {
			long began = System.nanoTime();
			String end = runOnce();
			if (System.nanoTime() - began > LONG_ENOUGH.toNanos()) {
				failures = 0;
			}
			failures++;
			boolean taken = end.equals(PORT_TAKEN);
			if (taken || failures == MAX_FAILURES) {
				this.state = "gave up: " + end;
				logger.error("The " + this.name + " " + end + (taken ? "" : ", " + failures + " times in a row,")
						+ " and is not started again. Mend what its lines above name, then restart the server.");
				return;
			}
			Duration delay = this.firstDelay.multipliedBy(1L << (failures - 1));
			this.state = "starting again: " + end;
			if (sleepUnlessStopping(delay, end)) {
				this.state = "stopped";
				return;
			}
		}
	}

	private String runOnce() {
		Process child;
		this.lock.lock();
		try {
			if (this.stopping) {
				return "was stopped";
			}
			child = new ProcessBuilder(this.command).redirectErrorStream(true).start();
			this.process = child;
		}
		catch (IOException ex) {
			return "cannot be started: " + ex.getMessage();
		}
		finally {
			this.lock.unlock();
		}
		this.state = "running as process " + child.pid();
		copyLines(child);
		try {
			int code = child.waitFor();
			return (code == PortTakenException.EXIT_CODE) ? PORT_TAKEN : "ended with exit code " + code;
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			return "was interrupted";
		}
	}

	/*
	 * Written as they come: these lines have a time and a level already.
	 */
	private void copyLines(Process child) {
		try (BufferedReader lines = new BufferedReader(
				new InputStreamReader(child.getInputStream(), StandardCharsets.UTF_8))) {
			for (String line = lines.readLine(); line != null; line = lines.readLine()) {
				System.out.println(this.name + " | " + line);
			}
		}
		catch (IOException ex) {
			logger.debug("the output of the " + this.name + " ended", ex);
		}
	}

	private boolean sleepUnlessStopping(Duration delay, String end) {
		this.lock.lock();
		try {
			if (!this.stopping) {
				logger.warn("The " + this.name + " " + end + "; started again in " + delay.toMillis() + " ms.");
			}
			long left = delay.toNanos();
			while (!this.stopping && left > 0) {
				left = this.stopRequested.awaitNanos(left);
			}
			return this.stopping;
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			return true;
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * Tells the process to end, by closing its pipe.
	 */
	void beginStop() {
		this.lock.lock();
		try {
			this.stopping = true;
			this.stopRequested.signalAll();
			if (this.process != null) {
				this.process.getOutputStream().close();
			}
		}
		catch (IOException ex) {
			logger.debug("the pipe of the " + this.name + " was closed already", ex);
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * Waits until the process ended, and ends it if it takes too long.
	 */
	void awaitStop() {
		Process child;
		this.lock.lock();
		try {
			child = this.process;
		}
		finally {
			this.lock.unlock();
		}
		if (child == null) {
			return;
		}
		try {
			if (!child.waitFor(GRACE.toMillis(), TimeUnit.MILLISECONDS)) {
				logger.warn("The " + this.name + " did not end within " + GRACE.toSeconds() + " s and is killed.");
				child.destroyForcibly();
			}
			this.keeper.join(GRACE.toMillis());
		}
		catch (InterruptedException ex) {
			child.destroyForcibly();
			Thread.currentThread().interrupt();
		}
	}

}
