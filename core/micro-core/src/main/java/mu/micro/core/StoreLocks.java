package mu.micro.core;

import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

import mu.micro.MicroException;
import mu.micro.Subscription;
import mu.micro.store.Change;
import mu.micro.store.Databases;
import mu.micro.store.Entry;
import mu.micro.store.Store;
import mu.micro.store.When;
import mu.micro.store.Write;
import org.jspecify.annotations.Nullable;

/**
 * Locks as entries of a store: of each namespace's table {@value #TABLE}, where the key
 * is the lock's name and the value its holder's id. An entry is only written where there
 * is none, or over a revision that was its holder's; its ttl ends it. The token is the
 * revision of the write that took the lock.
 */
public final class StoreLocks implements Locks {

	/**
	 * The table. Its entries are for people to read and for nobody else to write.
	 */
	public static final String TABLE = "sync";

	/**
	 * How many may wait at a time; one more is {@link MicroException.Exhausted}.
	 */
	public static final int MOST_WAITS = 10_000;

	private static final System.Logger logger = System.getLogger(StoreLocks.class.getName());

	private static final String OWNER = "owner";

	private static final String SINCE = "since";

	private static final String TOKEN = "token";

	/**
	 * How long nobody looks who was not told to.
	 */
	private static final Duration LONGEST_NAP = Duration.ofSeconds(1);

	/**
	 * For clocks that are not the store's, by which a lock seems to be over and is not.
	 */
	private static final Duration SHORTEST_NAP = Duration.ofMillis(10);

	private static final Duration FAILURE_NAP = Duration.ofMillis(200);

	private static final int TRIES = 10;

	private final Databases databases;

	private final Clock clock;

	private final int most;

	private final ScheduledThreadPoolExecutor timer = Threads.timer("micro-lock-wait");

	private final ExecutorService executor;

	private final ReentrantLock lock = new ReentrantLock();

	private final Map<Key, Line> lines = new HashMap<>();

	private int waits;

	private boolean closed;

	/**
	 * Locks in a store.
	 * @param databases the store; not closed by this
	 * @param clock tells when a lock is over, if nobody gives it back
	 */
	public StoreLocks(Databases databases, Clock clock) {
		this(databases, clock, MOST_WAITS, Threads.perTask("micro-lock"));
	}

	StoreLocks(Databases databases, Clock clock, int most, ExecutorService executor) {
		this.databases = databases;
		this.clock = clock;
		this.most = most;
		this.executor = executor;
	}

	@Override
	public CompletableFuture<@Nullable Grant> acquire(Claim claim, Duration wait) {
		if (wait.isNegative()) {
			throw new MicroException.Invalid("the wait " + wait + " is negative");
		}
		checkOpen();
		// Whoever waits relies on it: no thread for it is said before anybody waits.
		this.timer.prestartCoreThread();
		Waiter waiter = new Waiter(claim);
		Store table = table(claim);
		Grant grant;
		try {
			grant = take(table, waiter);
		}
		catch (RuntimeException | Error ex) {
			waiter.unsure |= ex instanceof Error;
			waiter.answer.completeExceptionally(ex);
			waiter.tidy();
			throw ex;
		}
		if (grant != null || wait.isZero()) {
			waiter.answer.complete(grant);
			waiter.tidy();
			return waiter.answer;
		}
		Line line = join(new Key(claim.namespace(), claim.name()), table, waiter);
		waiter.answer.whenComplete((granted, failure) -> line.leave(waiter));
		waiter.end = after(wait, () -> execute(() -> line.over(waiter)));
		if (waiter.answer.isDone()) {
			cancel(waiter.end);
		}
		line.look();
		return waiter.answer;
	}

	private Line join(Key key, Store table, Waiter waiter) {
		this.lock.lock();
		try {
			if (this.closed) {
				throw closed();
			}
			if (this.waits == this.most) {
				throw new MicroException.Exhausted(
						this.most + " wait for locks already, the limit; let those end that are not needed");
			}
			this.waits++;
			Line line = this.lines.computeIfAbsent(key, (missing) -> new Line(key, table));
			line.waiters.add(waiter);
			return line;
		}
		finally {
			this.lock.unlock();
		}
	}

	@Override
	public void renew(Claim claim, long token) {
		Store table = table(claim);
		for (int i = 0; i < TRIES; i++) {
			Entry there = table.get(claim.name());
			if (there == null || !heldBy(claim, there) || token(there) != token) {
				throw new MicroException.Conflict("lock '" + claim.name() + "' with token " + token
						+ " was not renewed in time, or given back; take it again");
			}
			if (rewrite(table, claim, there)) {
				return;
			}
		}
		throw busy(claim);
	}

	@Override
	public void release(Claim claim) {
		Store table = table(claim);
		for (int i = 0; i < TRIES; i++) {
			Entry there = table.get(claim.name());
			if (there == null || !heldBy(claim, there)) {
				return;
			}
			try {
				table.delete(claim.name(), When.revision(there.revision()));
				return;
			}
			catch (MicroException.Conflict ex) {
				// Renewed meanwhile, or over.
			}
		}
		throw busy(claim);
	}

	@Override
	public void close() {
		List<Waiter> ended;
		List<Subscription> watches;
		this.lock.lock();
		try {
			if (this.closed) {
				return;
			}
			this.closed = true;
			ended = this.lines.values().stream().flatMap((line) -> line.waiters.stream()).toList();
			watches = this.lines.values().stream().map(Line::takeWatch).flatMap(List::stream).toList();
		}
		finally {
			this.lock.unlock();
		}
		ended.forEach((waiter) -> waiter.answer.completeExceptionally(closed()));
		watches.forEach(Subscription::close);
		this.timer.shutdownNow();
		this.executor.shutdown();
	}

	private void checkOpen() {
		this.lock.lock();
		try {
			if (this.closed) {
				throw closed();
			}
		}
		finally {
			this.lock.unlock();
		}
	}

	private static MicroException.Unavailable closed() {
		return new MicroException.Unavailable("the locks are closed");
	}

	private static MicroException.Unavailable busy(Claim claim) {
		return new MicroException.Unavailable("lock '" + claim.name()
				+ "' is written by somebody else all the time; find out who uses its holder's id");
	}

	private Store table(Claim claim) {
		return this.databases.in(claim.namespace()).table(TABLE);
	}

	/*
	 * Null if another has it.
	 */
	private @Nullable Grant take(Store table, Waiter waiter) {
		Claim claim = waiter.claim;
		Duration waited = waiter.waited();
		try {
			String since = this.clock.instant().truncatedTo(ChronoUnit.SECONDS).toString();
			long revision = table.put(entry(claim, Map.of(OWNER, claim.owner(), SINCE, since)).withWhen(When.ABSENT));
			return new Grant(revision, waited);
		}
		catch (MicroException.Conflict ex) {
			Entry there = table.get(claim.name());
			return (there != null) ? keep(table, waiter, there) : null;
		}
		catch (MicroException.OutcomeUnknown ex) {
			waiter.unsure = true;
			Entry there = table.get(claim.name());
			if (there == null) {
				throw ex;
			}
			return keep(table, waiter, there);
		}
	}

	/*
	 * The lock that this holder has already, because it asked before and the answer was
	 * lost: for a whole ttl from now on. Null if it is another's.
	 */
	private @Nullable Grant keep(Store table, Waiter waiter, Entry there) {
		Duration waited = waiter.waited();
		return (heldBy(waiter.claim, there) && rewrite(table, waiter.claim, there)) ? new Grant(token(there), waited)
				: null;
	}

	private static boolean rewrite(Store table, Claim claim, Entry there) {
		Map<String, String> metadata = new HashMap<>(there.metadata());
		metadata.put(TOKEN, Long.toString(token(there)));
		try {
			table.put(entry(claim, metadata).withWhen(When.revision(there.revision())));
			return true;
		}
		catch (MicroException.Conflict ex) {
			return false;
		}
	}

	private static Write entry(Claim claim, Map<String, String> metadata) {
		return Write.put(claim.name(), claim.holder().getBytes(StandardCharsets.UTF_8))
			.withTtl(claim.ttl())
			.withMetadata(metadata);
	}

	private static boolean heldBy(Claim claim, Entry entry) {
		return claim.holder().equals(new String(entry.value(), StandardCharsets.UTF_8));
	}

	private static long token(Entry entry) {
		String token = entry.metadata().get(TOKEN);
		return (token != null) ? Long.parseLong(token) : entry.revision();
	}

	private void execute(Runnable task) {
		try {
			Threads.execute(task, this.executor, this.timer);
		}
		catch (RejectedExecutionException ex) {
			// Closed meanwhile, which ends all waits.
		}
	}

	private @Nullable Future<?> after(Duration wait, Runnable task) {
		try {
			return this.timer.schedule(task, TimeUnit.NANOSECONDS.convert(wait), TimeUnit.NANOSECONDS);
		}
		catch (RejectedExecutionException ex) {
			// Closed meanwhile, which ends all waits.
			return null;
		}
	}

	private static void cancel(@Nullable Future<?> scheduled) {
		if (scheduled != null) {
			scheduled.cancel(false);
		}
	}

	private record Key(String namespace, String name) {
	}

	/**
	 * One who wants a lock.
	 */
	private final class Waiter {

		private final Claim claim;

		private final CompletableFuture<@Nullable Grant> answer = new CompletableFuture<>();

		private final long start = System.nanoTime();

		private volatile @Nullable Future<?> end;

		/**
		 * Whether a write may have happened, or may yet, that nobody knows of.
		 */
		private volatile boolean unsure;

		Waiter(Claim claim) {
			this.claim = claim;
		}

		Duration waited() {
			return Duration.ofNanos(System.nanoTime() - this.start);
		}

		void tidy() {
			cancel(this.end);
			if (this.unsure && (this.answer.isCompletedExceptionally() || this.answer.join() == null)) {
				abandon();
			}
		}

		/**
		 * Gives back what nobody waits for any more.
		 */
		void abandon() {
			execute(() -> {
				try {
					release(this.claim);
				}
				catch (Throwable ex) {
					logger.log(System.Logger.Level.DEBUG,
							"lock '" + this.claim.name() + "' may stay taken until its ttl is over", ex);
				}
			});
		}

	}

	/**
	 * Those who wait for one lock. Only the first of them asks the store.
	 */
	private final class Line {

		private final Key key;

		private final Store table;

		private final Deque<Waiter> waiters = new ArrayDeque<>();

		private volatile @Nullable MicroException failure;

		private @Nullable Subscription watch;

		private @Nullable Future<?> next;

		private boolean looking;

		private boolean again;

		Line(Key key, Store table) {
			this.key = key;
			this.table = table;
		}

		/**
		 * Has the store asked, as soon as it can be. Does not block.
		 */
		void look() {
			StoreLocks.this.lock.lock();
			try {
				this.again = true;
				if (this.looking) {
					return;
				}
				this.looking = true;
			}
			finally {
				StoreLocks.this.lock.unlock();
			}
			execute(this::lookOn);
		}

		private void lookOn() {
			while (goOn()) {
				Waiter first = first();
				if (first != null) {
					ask(first);
				}
			}
		}

		private boolean goOn() {
			StoreLocks.this.lock.lock();
			try {
				this.looking = this.again;
				this.again = false;
				return this.looking;
			}
			finally {
				StoreLocks.this.lock.unlock();
			}
		}

		private @Nullable Waiter first() {
			List<Subscription> over;
			StoreLocks.this.lock.lock();
			try {
				cancel(this.next);
				if (!this.waiters.isEmpty()) {
					return this.waiters.peekFirst();
				}
				StoreLocks.this.lines.remove(this.key, this);
				over = takeWatch();
			}
			finally {
				StoreLocks.this.lock.unlock();
			}
			over.forEach(Subscription::close);
			return null;
		}

		private void ask(Waiter first) {
			try {
				Entry there = this.table.get(this.key.name());
				Grant grant = (there != null) ? keep(this.table, first, there) : take(this.table, first);
				this.failure = null;
				if (grant != null) {
					if (!first.answer.complete(grant)) {
						first.abandon();
					}
				}
				else if (there == null) {
					// Another was quicker, and is seen now.
					look();
				}
				else {
					watch(there);
					nap(until(there));
				}
			}
			catch (MicroException.Unavailable | MicroException.OutcomeUnknown | MicroException.TimedOut
					| MicroException.Exhausted ex) {
				this.failure = ex;
				nap(FAILURE_NAP);
			}
			catch (RuntimeException ex) {
				first.answer.completeExceptionally(ex);
			}
			catch (Error ex) {
				// Such as of too many threads, which passes: others wait behind this one.
				logger.log(System.Logger.Level.WARNING,
						"lock '" + this.key.name() + "' cannot be asked for; that is tried again", ex);
				first.unsure = true;
				this.failure = new MicroException.Unavailable(
						"lock '" + this.key.name() + "' could not be asked for: " + ex, ex);
				nap(FAILURE_NAP);
			}
		}

		/*
		 * From the revision that was seen, so that nothing is missed.
		 */
		private void watch(Entry there) {
			if (this.watch != null) {
				return;
			}
			Subscription opened = this.table.watch(this.key.name(), there.revision(), this::heard);
			StoreLocks.this.lock.lock();
			try {
				if (!StoreLocks.this.closed) {
					this.watch = opened;
					return;
				}
			}
			finally {
				StoreLocks.this.lock.unlock();
			}
			opened.close();
		}

		/*
		 * What was written over is still taken. Names that only begin with this one are
		 * heard of too.
		 */
		private void heard(Change change) {
			if (change instanceof Change.Lagged
					|| change instanceof Change.Deleted deleted && deleted.key().equals(this.key.name())
					|| change instanceof Change.Expired expired && expired.key().equals(this.key.name())) {
				look();
			}
		}

		private Duration until(Entry there) {
			if (there.expires() == null) {
				return LONGEST_NAP;
			}
			Duration left = Duration.between(StoreLocks.this.clock.instant(), there.expires()).plusMillis(1);
			Duration most = (left.compareTo(LONGEST_NAP) < 0) ? left : LONGEST_NAP;
			return (most.compareTo(SHORTEST_NAP) > 0) ? most : SHORTEST_NAP;
		}

		private void nap(Duration time) {
			StoreLocks.this.lock.lock();
			try {
				this.next = after(time, this::look);
			}
			finally {
				StoreLocks.this.lock.unlock();
			}
		}

		void leave(Waiter waiter) {
			StoreLocks.this.lock.lock();
			try {
				this.waiters.remove(waiter);
				StoreLocks.this.waits--;
			}
			finally {
				StoreLocks.this.lock.unlock();
			}
			waiter.tidy();
			look();
		}

		void over(Waiter waiter) {
			MicroException last = this.failure;
			if (last != null) {
				waiter.answer.completeExceptionally(last);
			}
			else {
				waiter.answer.complete(null);
			}
		}

		/*
		 * With the lock held. Closed by whoever takes it, without the lock.
		 */
		List<Subscription> takeWatch() {
			Subscription taken = this.watch;
			this.watch = null;
			return (taken != null) ? List.of(taken) : List.of();
		}

	}

}
