package mu.micro.core;

import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

import mu.micro.Limits;
import mu.micro.MicroException;
import mu.micro.Scoped;
import mu.micro.Subscription;
import mu.micro.sync.Lock;
import mu.micro.sync.Sync;
import org.jspecify.annotations.Nullable;

/**
 * Sync over {@link Locks}: renewing, losing, giving back, leadership and closing are done
 * here.
 * <p>
 * Closing interrupts leaders and waits two seconds at most for them to return and for
 * locks to be given back. What was not given back by then is held by nobody here and
 * renewed no more; it is free when a leader that ignored its interruption returns, or
 * when its ttl is over. Closing a single candidacy waits for its leader for as long as
 * that takes.
 */
public abstract class LeasedSync implements Scoped<Sync> {

	private static final System.Logger logger = System.getLogger(LeasedSync.class.getName());

	/**
	 * How long one who gave leadership up leaves it to others.
	 */
	private static final Duration PAUSE = Duration.ofSeconds(1);

	private static final Duration LONGEST_RETRY = Duration.ofSeconds(5);

	private static final Duration CLOSING = Duration.ofSeconds(2);

	private static final Duration LONGEST_UNNOTICED = Duration.ofSeconds(1);

	private static final Duration FOREVER = Duration.ofDays(36_500);

	private static final int TRIES = 3;

	private final Locks locks;

	private final Clock clock;

	private final String owner = owner();

	private final ScheduledThreadPoolExecutor timer = Threads.timer("micro-sync-timer");

	private final ExecutorService executor;

	private final ReentrantLock lock = new ReentrantLock();

	private final Set<CompletableFuture<?>> waits = ConcurrentHashMap.newKeySet();

	private final Set<HeldLock> held = ConcurrentHashMap.newKeySet();

	private final Set<Candidate> candidates = ConcurrentHashMap.newKeySet();

	private volatile boolean closed;

	/**
	 * Sync over locks.
	 * @param locks where the locks are; closed by this
	 * @param clock this machine's time
	 */
	protected LeasedSync(Locks locks, Clock clock) {
		this(locks, clock, Threads.perTask("micro-sync"));
	}

	LeasedSync(Locks locks, Clock clock, ExecutorService executor) {
		this.locks = locks;
		this.clock = clock;
		this.executor = executor;
	}

	private static String owner() {
		String host = System.getenv().getOrDefault("HOSTNAME", System.getenv().getOrDefault("COMPUTERNAME", "here"));
		return "process " + ProcessHandle.current().pid() + " at " + host.substring(0, Math.min(host.length(), 64));
	}

	@Override
	public final Sync in(String namespace) {
		return new View(Limits.name("namespace", namespace));
	}

	@Override
	public final void close() {
		this.lock.lock();
		try {
			if (this.closed) {
				return;
			}
			this.closed = true;
		}
		finally {
			this.lock.unlock();
		}
		this.candidates.forEach(Candidate::leave);
		this.waits.forEach((wait) -> wait.completeExceptionally(closed()));
		List<CompletableFuture<?>> ends = new ArrayList<>();
		// A leader's lock is given back once it has returned, and not before.
		List<HeldLock> others = new ArrayList<>(this.held);
		for (Candidate candidate : this.candidates) {
			others.remove(candidate.term);
			ends.add(candidate.end());
		}
		others.forEach((lock) -> ends.add(lock.end()));
		awaitEnd(CompletableFuture.allOf(ends.toArray(CompletableFuture[]::new)));
		this.locks.close();
		this.timer.shutdownNow();
		this.executor.shutdown();
	}

	/*
	 * An own interruption is kept for later.
	 */
	private static void awaitEnd(Future<?> end) {
		boolean interrupted = Thread.interrupted();
		try {
			end.get(CLOSING.toMillis(), TimeUnit.MILLISECONDS);
		}
		catch (InterruptedException ex) {
			interrupted = true;
		}
		catch (ExecutionException | TimeoutException ex) {
			logger.log(System.Logger.Level.WARNING,
					"after " + CLOSING + " a leader still works, or a lock is not given back; its ttl ends it", ex);
		}
		finally {
			if (interrupted) {
				Thread.currentThread().interrupt();
			}
		}
	}

	private void checkOpen() {
		if (this.closed) {
			throw closed();
		}
		// Locks rely on it: no thread for it is said before there is one.
		this.timer.prestartCoreThread();
	}

	private static MicroException.Unavailable closed() {
		return new MicroException.Unavailable("the locks are closed");
	}

	private @Nullable HeldLock acquire(String namespace, String name, Duration ttl, Duration wait,
			Consumer<CompletableFuture<?>> started) {
		long start = System.nanoTime();
		Duration left = wait;
		for (int i = 0; i < TRIES; i++) {
			Locks.Claim claim = new Locks.Claim(namespace, name, UUID.randomUUID().toString(), this.owner, ttl);
			HeldLock lock = acquire(claim, left, started);
			if (lock == null || lock.held()) {
				return lock;
			}
			// The first call took its time, or this process was stopped meanwhile.
			releaseQuietly(claim);
			left = wait.minusNanos(System.nanoTime() - start);
			left = (left.isNegative()) ? Duration.ZERO : left;
		}
		throw new MicroException.Unavailable("lock '" + name + "' was over each time that it was taken; the ttl " + ttl
				+ " is too short for how long that takes");
	}

	private @Nullable HeldLock acquire(Locks.Claim claim, Duration wait, Consumer<CompletableFuture<?>> started) {
		if (Thread.currentThread().isInterrupted()) {
			throw interrupted(claim, null);
		}
		long nanos = System.nanoTime();
		long millis = this.clock.millis();
		CompletableFuture<Locks.@Nullable Grant> answer = tryOnce(claim, wait);
		this.waits.add(answer);
		try {
			if (this.closed) {
				answer.completeExceptionally(closed());
			}
			started.accept(answer);
			Locks.Grant grant = answer.get();
			return (grant != null) ? hold(claim, grant, nanos, millis) : null;
		}
		catch (InterruptedException ex) {
			answer.cancel(true);
			release(claim, answer);
			Thread.currentThread().interrupt();
			throw interrupted(claim, ex);
		}
		catch (CancellationException ex) {
			throw new MicroException.Cancelled("waiting for lock '" + claim.name() + "' was given up", ex);
		}
		catch (ExecutionException ex) {
			throw (ex.getCause() instanceof MicroException failure) ? failure
					: new MicroException.Internal("lock '" + claim.name() + "' could not be taken", ex);
		}
		finally {
			this.waits.remove(answer);
		}
	}

	private CompletableFuture<Locks.@Nullable Grant> tryOnce(Locks.Claim claim, Duration wait) {
		try {
			return this.locks.acquire(claim, wait);
		}
		catch (MicroException.OutcomeUnknown ex) {
			throw (Thread.currentThread().isInterrupted()) ? interrupted(claim, ex) : ex;
		}
	}

	private static MicroException.Cancelled interrupted(Locks.Claim claim, @Nullable Exception ex) {
		return new MicroException.Cancelled("interrupted while waiting for lock '" + claim.name() + "'", ex);
	}

	/*
	 * It may have come in the very moment of the interruption.
	 */
	private void release(Locks.Claim claim, CompletableFuture<Locks.@Nullable Grant> answer) {
		if (!answer.isCompletedExceptionally() && answer.join() != null) {
			execute(() -> releaseQuietly(claim));
		}
	}

	private boolean releaseQuietly(Locks.Claim claim) {
		try {
			this.locks.release(claim);
			return true;
		}
		catch (RuntimeException ex) {
			logger.log(System.Logger.Level.DEBUG, "lock '" + claim.name() + "' is not given back yet", ex);
			return false;
		}
	}

	private HeldLock hold(Locks.Claim claim, Locks.Grant grant, long nanos, long millis) {
		HeldLock taken = new HeldLock(claim, grant.token(), nanos + grant.waited().toNanos(),
				millis + grant.waited().toMillis());
		this.lock.lock();
		try {
			if (!this.closed) {
				this.held.add(taken);
				taken.start();
				return taken;
			}
		}
		finally {
			this.lock.unlock();
		}
		releaseQuietly(claim);
		throw closed();
	}

	private void start(Runnable task) {
		Threads.execute(task, this.executor, this.timer);
	}

	private void execute(Runnable task) {
		try {
			start(task);
		}
		catch (RejectedExecutionException ex) {
			// Closed meanwhile, which ends all locks.
		}
	}

	private @Nullable Future<?> after(Duration wait, Runnable task) {
		try {
			return this.timer.schedule(task, wait.toNanos(), TimeUnit.NANOSECONDS);
		}
		catch (RejectedExecutionException ex) {
			// Closed meanwhile, which ends all locks.
			return null;
		}
	}

	private static void cancel(@Nullable Future<?> scheduled) {
		if (scheduled != null) {
			scheduled.cancel(false);
		}
	}

	private static Duration least(Duration one, Duration other) {
		return (one.compareTo(other) < 0) ? one : other;
	}

	private static Duration between(Duration least, Duration most) {
		long nanos = most.minus(least).toNanos();
		return least.plusNanos((nanos > 0) ? ThreadLocalRandom.current().nextLong(nanos) : 0);
	}

	/**
	 * A lock that this process has, as far as it knows.
	 */
	private final class HeldLock implements Lock {

		private final Locks.Claim claim;

		private final long token;

		private final Duration lifetime;

		private final Duration interval;

		private final HeldLease lease = new HeldLease((closing) -> giveBack());

		/**
		 * Completes when the lock is over: with true if it was lost.
		 */
		private final CompletableFuture<Boolean> over = new CompletableFuture<>();

		private volatile Until until;

		private volatile boolean leaving;

		private volatile @Nullable Future<?> renewal;

		private volatile @Nullable Future<?> expiry;

		HeldLock(Locks.Claim claim, long token, long nanos, long millis) {
			this.claim = claim;
			this.token = token;
			this.lifetime = claim.ttl().dividedBy(10).multipliedBy(9);
			this.interval = claim.ttl().dividedBy(3);
			this.until = new Until(nanos + this.lifetime.toNanos(), millis + this.lifetime.toMillis());
			this.lease.onLost(() -> end(true));
		}

		void start() {
			this.renewal = after(this.interval, () -> execute(this::renew));
			this.expiry = after(untilLooked(), this::expire);
		}

		@Override
		public long token() {
			return this.token;
		}

		@Override
		public boolean held() {
			return !this.leaving && alive("it was not renewed in time");
		}

		@Override
		public void onLost(Runnable action) {
			this.lease.onLost(action);
		}

		@Override
		public void close() {
			this.lease.close();
		}

		/**
		 * From now on {@link #held()} is false, though it is renewed until it is closed.
		 */
		void leave() {
			this.leaving = true;
		}

		CompletableFuture<Void> end() {
			leave();
			return CompletableFuture.runAsync(this::close, LeasedSync.this::start);
		}

		private boolean alive(String loss) {
			if (this.until.passed(LeasedSync.this.clock)) {
				lose(loss);
			}
			return this.lease.held();
		}

		private void lose(String why) {
			if (this.lease.lose(LeasedSync.this::start)) {
				logger.log(System.Logger.Level.WARNING,
						"lock '" + this.claim.name() + "' with token " + this.token + " is lost: " + why);
			}
		}

		private void expire() {
			if (alive("it could not be renewed in time")) {
				this.expiry = after(untilLooked(), this::expire);
			}
		}

		/*
		 * Timers stand still while the machine sleeps: who was away has to notice soon
		 * after it is back.
		 */
		private Duration untilLooked() {
			return least(left(), LONGEST_UNNOTICED);
		}

		private Duration left() {
			return Duration.ofNanos(Math.max(0, this.until.nanos - System.nanoTime()));
		}

		private void renew() {
			if (!alive("it was not renewed in time")) {
				return;
			}
			Until next = new Until(System.nanoTime() + this.lifetime.toNanos(),
					LeasedSync.this.clock.millis() + this.lifetime.toMillis());
			try {
				LeasedSync.this.locks.renew(this.claim, this.token);
				if (alive("its renewal was answered too late")) {
					this.until = next;
					this.renewal = after(this.interval, () -> execute(this::renew));
				}
			}
			catch (MicroException.Conflict ex) {
				lose("its time was over at the provider, or somebody deleted it");
			}
			catch (Throwable ex) {
				// An Error too: there is time left to try again.
				logger.log(System.Logger.Level.DEBUG, "lock '" + this.claim.name() + "' is not renewed yet", ex);
				this.renewal = after(retry(), () -> execute(this::renew));
			}
		}

		private Duration retry() {
			Duration most = least(this.interval.dividedBy(4), LONGEST_RETRY);
			return between(most.dividedBy(2), most);
		}

		/*
		 * An interrupted thread can give a lock back, too.
		 */
		private void giveBack() {
			end(false);
			boolean interrupted = Thread.interrupted();
			try {
				giveBack(System.nanoTime() + this.claim.ttl().toNanos());
			}
			finally {
				if (interrupted) {
					Thread.currentThread().interrupt();
				}
			}
		}

		private void giveBack(long end) {
			if (!releaseQuietly(this.claim) && System.nanoTime() - end < 0) {
				after(retry(), () -> execute(() -> giveBack(end)));
			}
		}

		private void end(boolean lost) {
			cancel(this.renewal);
			cancel(this.expiry);
			LeasedSync.this.held.remove(this);
			this.over.complete(lost);
		}

	}

	/**
	 * Until when a lock is held without another renewal: by the clock that does not run
	 * while the machine sleeps, and by the one that does.
	 */
	private record Until(long nanos, long millis) {

		boolean passed(Clock clock) {
			return System.nanoTime() - this.nanos >= 0 || clock.millis() >= this.millis;
		}

	}

	/**
	 * One who would lead.
	 */
	private final class Candidate implements Subscription {

		private final String namespace;

		private final String name;

		private final Duration ttl;

		private final Consumer<Lock> elected;

		private final CompletableFuture<Void> leaving = new CompletableFuture<>();

		private final CompletableFuture<Void> left = new CompletableFuture<>();

		private final ReentrantLock lock = new ReentrantLock();

		private volatile @Nullable CompletableFuture<?> wait;

		private volatile @Nullable HeldLock term;

		private @Nullable Thread caller;

		Candidate(String namespace, String name, Duration ttl, Consumer<Lock> elected) {
			this.namespace = namespace;
			this.name = name;
			this.ttl = ttl;
			this.elected = elected;
		}

		private void stand() {
			try {
				int failures = 0;
				while (!this.leaving.isDone()) {
					failures = (stood(failures)) ? 0 : failures + 1;
				}
			}
			finally {
				LeasedSync.this.candidates.remove(this);
				this.left.complete(null);
			}
		}

		private boolean stood(int failures) {
			try {
				HeldLock won = acquire(this.namespace, this.name, this.ttl, FOREVER, this::waiting);
				if (won != null) {
					serve(won);
				}
				return true;
			}
			catch (Throwable ex) {
				// An Error too: a candidacy lasts until it is closed.
				if (!this.leaving.isDone()) {
					logger.log((failures == 0) ? System.Logger.Level.WARNING : System.Logger.Level.DEBUG,
							"standing for leader of '" + this.name + "' failed, and is tried on: " + ex);
					Duration most = least(this.ttl.dividedBy(3), LONGEST_RETRY);
					pause(between(most.dividedBy(2), most));
				}
				return false;
			}
		}

		private void waiting(CompletableFuture<?> begun) {
			this.wait = begun;
			if (this.leaving.isDone()) {
				begun.cancel(true);
			}
		}

		private void serve(HeldLock won) {
			this.term = won;
			if (this.leaving.isDone()) {
				won.leave();
			}
			try {
				won.over.thenRun(this::interrupt);
				if (call(won)) {
					CompletableFuture.anyOf(this.leaving, won.over).join();
				}
			}
			finally {
				won.close();
				this.term = null;
			}
			if (!won.over.join()) {
				pause(PAUSE);
			}
		}

		private boolean call(HeldLock won) {
			if (!begin(won)) {
				return true;
			}
			try {
				this.elected.accept(won);
				return true;
			}
			catch (Throwable ex) {
				// An Error too: others can lead then.
				logger.log(System.Logger.Level.WARNING,
						"the leader of '" + this.name + "' failed and makes way for another", ex);
				return false;
			}
			finally {
				ended();
			}
		}

		private boolean begin(HeldLock won) {
			this.lock.lock();
			try {
				if (this.leaving.isDone() || won.over.isDone()) {
					return false;
				}
				this.caller = Thread.currentThread();
				return true;
			}
			finally {
				this.lock.unlock();
			}
		}

		private void ended() {
			this.lock.lock();
			try {
				this.caller = null;
			}
			finally {
				this.lock.unlock();
			}
			// What was meant for the listener.
			Thread.interrupted();
		}

		private void interrupt() {
			this.lock.lock();
			try {
				if (this.caller != null && this.caller != Thread.currentThread()) {
					this.caller.interrupt();
				}
			}
			finally {
				this.lock.unlock();
			}
		}

		private void pause(Duration time) {
			try {
				this.leaving.get(time.toMillis(), TimeUnit.MILLISECONDS);
			}
			catch (TimeoutException | InterruptedException ex) {
				// Time to go on.
			}
			catch (ExecutionException ex) {
				throw new IllegalStateException(ex);
			}
		}

		/**
		 * Has it end, and does not wait for that.
		 */
		void leave() {
			this.leaving.complete(null);
			HeldLock current = this.term;
			if (current != null) {
				current.leave();
			}
			CompletableFuture<?> begun = this.wait;
			if (begun != null) {
				begun.cancel(true);
			}
			interrupt();
		}

		/**
		 * Has it end, and does not wait for that either.
		 * @return completes when the listener has returned and the lock was given back;
		 * at once where the listener itself calls this
		 */
		CompletableFuture<Void> end() {
			leave();
			this.lock.lock();
			try {
				return (this.caller == Thread.currentThread()) ? CompletableFuture.completedFuture(null) : this.left;
			}
			finally {
				this.lock.unlock();
			}
		}

		@Override
		public void close() {
			end().join();
		}

	}

	private final class View implements Sync {

		private final String namespace;

		View(String namespace) {
			this.namespace = namespace;
		}

		@Override
		public @Nullable Lock lock(String name, Duration ttl, Duration wait) {
			checkOpen();
			return acquire(this.namespace, name, ttl, wait, (begun) -> {
			});
		}

		@Override
		public Subscription lead(String name, Duration ttl, Consumer<Lock> elected) {
			Locks.Claim checked = new Locks.Claim(this.namespace, name, this.namespace, LeasedSync.this.owner, ttl);
			Candidate candidate = new Candidate(this.namespace, name, checked.ttl(), elected);
			LeasedSync.this.lock.lock();
			try {
				checkOpen();
				LeasedSync.this.candidates.add(candidate);
				start(candidate::stand);
			}
			finally {
				LeasedSync.this.lock.unlock();
			}
			return candidate;
		}

	}

}
