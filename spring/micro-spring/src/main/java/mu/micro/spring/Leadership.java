package mu.micro.spring;

import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

import mu.micro.Subscription;
import mu.micro.sync.Lock;
import mu.micro.sync.Sync;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;

import org.springframework.context.SmartLifecycle;
import org.springframework.scheduling.concurrent.ExecutorConfigurationSupport;

/**
 * What this application leads: it stands for leader of each name that a
 * {@link LeaderOnly} method has, while the context runs.
 * <p>
 * It stops after the schedulers. Calls that still run then are interrupted and waited
 * for, for the ttl at most, and then leadership is given back.
 */
public final class Leadership implements SmartLifecycle {

	private static final Log logger = LogFactory.getLog(Leadership.class);

	/**
	 * How long after its start an instance waits to be elected rather than leave a run
	 * out.
	 */
	private static final Duration ELECTION = Duration.ofSeconds(1);

	private final Supplier<Sync> sync;

	private final Duration ttl;

	private final ReentrantLock lock = new ReentrantLock();

	private final Condition ended = this.lock.newCondition();

	private final Map<String, Office> offices = new HashMap<>();

	private volatile boolean running;

	/**
	 * Stands for nothing yet.
	 * @param sync gives who elects, asked for once there is something to lead
	 * @param ttl how long leadership may outlive its leader
	 */
	public Leadership(Supplier<Sync> sync, Duration ttl) {
		this.sync = sync;
		this.ttl = ttl;
	}

	/**
	 * The lock by which this application leads a name, for its token.
	 * @param name the name
	 * @return the lock, held a moment ago; null where another leads or nobody
	 */
	public @Nullable Lock lock(String name) {
		Office office = office(name);
		Lock held = (office != null) ? office.term : null;
		return (held != null && held.held()) ? held : null;
	}

	private @Nullable Office office(String name) {
		this.lock.lock();
		try {
			return this.offices.get(name);
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * Stands for leader of one more name.
	 * @param name the name
	 */
	void stand(String name) {
		this.lock.lock();
		try {
			Office office = this.offices.computeIfAbsent(name, Office::new);
			if (this.running) {
				office.open();
			}
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * Makes a call if this application leads.
	 * @param name the name
	 * @param call the call
	 * @throws Throwable what the call throws
	 */
	void call(String name, Invocation call) throws Throwable {
		Office office = office(name);
		Run run = (office != null) ? office.begin() : null;
		if (run == null) {
			logger.trace("'" + name + "' is led by another or by nobody; a call is left out");
			return;
		}
		try {
			call.proceed();
		}
		finally {
			run.end();
		}
	}

	@Override
	public void start() {
		this.lock.lock();
		try {
			this.running = true;
			this.offices.values().forEach(Office::open);
		}
		finally {
			this.lock.unlock();
		}
	}

	@Override
	public void stop() {
		List<Office> open;
		this.lock.lock();
		try {
			this.running = false;
			open = List.copyOf(this.offices.values());
			open.forEach(Office::interrupt);
			await(open);
		}
		finally {
			this.lock.unlock();
		}
		open.forEach(Office::close);
	}

	private void await(List<Office> open) {
		long left = this.ttl.toNanos();
		try {
			while (left > 0 && open.stream().anyMatch((office) -> !office.runs.isEmpty())) {
				left = this.ended.awaitNanos(left);
			}
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
		open.stream()
			.filter((office) -> !office.runs.isEmpty())
			.forEach((office) -> logger.warn("A call under the leadership of '" + office.name
					+ "' goes on though it was interrupted; another instance may begin the same meanwhile."
					+ " Have it end when its thread is interrupted."));
	}

	@Override
	public boolean isRunning() {
		return this.running;
	}

	/**
	 * Before the schedulers start, and after they stopped.
	 */
	@Override
	public int getPhase() {
		return ExecutorConfigurationSupport.DEFAULT_PHASE - 1;
	}

	/**
	 * What to do as a leader.
	 */
	@FunctionalInterface
	interface Invocation {

		@Nullable Object proceed() throws Throwable;

	}

	/**
	 * One name to lead.
	 */
	private final class Office {

		private final String name;

		private final Set<Run> runs = new HashSet<>();

		private volatile CountDownLatch elected = new CountDownLatch(1);

		private volatile long opened;

		private volatile @Nullable Lock term;

		private @Nullable Subscription candidacy;

		Office(String name) {
			this.name = name;
		}

		void open() {
			if (this.candidacy == null) {
				this.elected = new CountDownLatch(1);
				this.opened = System.nanoTime();
				this.candidacy = Leadership.this.sync.get().lead(this.name, Leadership.this.ttl, this::elected);
			}
		}

		private void elected(Lock held) {
			this.term = held;
			held.onLost(() -> interrupt(held));
			this.elected.countDown();
		}

		@Nullable Run begin() {
			Lock held = term();
			if (held == null || !held.held()) {
				return null;
			}
			Run run = new Run(this, held);
			Leadership.this.lock.lock();
			try {
				if (!Leadership.this.running) {
					return null;
				}
				this.runs.add(run);
			}
			finally {
				Leadership.this.lock.unlock();
			}
			if (held.held()) {
				return run;
			}
			// Lost in this moment, maybe too early for its interruption.
			run.end();
			return null;
		}

		private @Nullable Lock term() {
			try {
				long left = this.opened + ELECTION.toNanos() - System.nanoTime();
				if (left > 0 && !this.elected.await(left, TimeUnit.NANOSECONDS)) {
					return null;
				}
				return this.term;
			}
			catch (InterruptedException ex) {
				Thread.currentThread().interrupt();
				return null;
			}
		}

		void interrupt() {
			this.runs.forEach(Run::interrupt);
		}

		private void interrupt(Lock lost) {
			Leadership.this.lock.lock();
			try {
				this.runs.stream().filter((run) -> run.term == lost).forEach(Run::interrupt);
			}
			finally {
				Leadership.this.lock.unlock();
			}
		}

		void close() {
			Subscription open;
			Leadership.this.lock.lock();
			try {
				open = this.candidacy;
				this.candidacy = null;
			}
			finally {
				Leadership.this.lock.unlock();
			}
			if (open != null) {
				open.close();
			}
		}

	}

	/**
	 * One call under way.
	 */
	private final class Run {

		private final Office office;

		private final Lock term;

		private final Thread thread = Thread.currentThread();

		private boolean interrupted;

		Run(Office office, Lock term) {
			this.office = office;
			this.term = term;
		}

		void interrupt() {
			this.interrupted = true;
			this.thread.interrupt();
		}

		void end() {
			Leadership.this.lock.lock();
			try {
				this.office.runs.remove(this);
				Leadership.this.ended.signalAll();
				if (this.interrupted) {
					// What was meant for this call and not for the thread's next.
					Thread.interrupted();
				}
			}
			finally {
				Leadership.this.lock.unlock();
			}
		}

	}

}
