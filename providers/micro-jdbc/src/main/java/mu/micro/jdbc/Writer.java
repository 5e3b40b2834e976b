package mu.micro.jdbc;

import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedTransferQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

import mu.micro.MicroException;
import mu.micro.core.Threads;
import mu.micro.store.TableWrite;
import org.jspecify.annotations.Nullable;

/**
 * The one thread that writes. It takes what callers wait for, as much as there is, and
 * commits it in one transaction, so that many share one wait for the disk. It first gets
 * hold of the database and then looks who is still waiting: a caller that gives up before
 * knows that nothing was written.
 * <p>
 * It also clears away what has expired, and has the dialect take care of the database.
 */
final class Writer implements AutoCloseable {

	/**
	 * How many requests wait; who has one more waits for a place.
	 */
	private static final int QUEUE = 1024;

	/**
	 * How many requests share a commit, and how large their values may be.
	 */
	private static final int GROUP = 256;

	private static final long GROUP_BYTES = 16 * 1024 * 1024;

	/**
	 * How often it looks what has expired and what care is due.
	 */
	private static final Duration CARE = Duration.ofMillis(250);

	/**
	 * How long it tries to get hold of the database for that.
	 */
	private static final Duration PATIENCE = Duration.ofMillis(50);

	private static final System.Logger logger = System.getLogger(Writer.class.getName());

	private final Dialect dialect;

	private final Clock clock;

	private final Duration timeout;

	private final Runnable committed;

	private final Semaphore places = new Semaphore(QUEUE);

	/**
	 * What waits, of which there is no more than there are places.
	 */
	private final BlockingQueue<WriteRequest<?>> queue = new LinkedTransferQueue<>();

	/**
	 * What else is taken care of.
	 */
	private final List<Chore> chores = new CopyOnWriteArrayList<>();

	private final Thread thread;

	private volatile boolean closed;

	/**
	 * Whether somebody else is writing now.
	 */
	private volatile boolean busy;

	/**
	 * The connection, which belongs to the thread; null after it failed.
	 */
	private @Nullable EntryTable table;

	/**
	 * Whether to wait no longer until others are done, which belongs to it too.
	 */
	private BooleanSupplier enough;

	private long cared = System.nanoTime();

	private boolean untidy;

	/**
	 * Whether there was more to care for than there was time.
	 */
	private boolean behind;

	/**
	 * Connects and begins.
	 * @param dialect where to write
	 * @param clock tells when entries are over
	 * @param timeout how long a caller waits
	 * @param committed told after each commit; must not block
	 * @param waitedEnough whether to give up connecting
	 * @throws SQLException if there is no connection
	 */
	Writer(Dialect dialect, Clock clock, Duration timeout, Runnable committed, BooleanSupplier waitedEnough)
			throws SQLException {
		this.dialect = dialect;
		this.clock = clock;
		this.timeout = timeout;
		this.committed = committed;
		this.enough = waitedEnough;
		this.table = new EntryTable(dialect, this::isPatient);
		this.thread = Threads.daemons("micro-store-writer").newThread(this::run);
		this.thread.start();
	}

	/**
	 * Writes to tables, and waits for it.
	 * @param namespace whose tables
	 * @param writes all or none of these
	 * @return the revision of each
	 */
	List<Long> write(byte[] namespace, List<TableWrite> writes) {
		List<EntryWrite> prepared = EntryWrite.of(namespace, writes);
		return write((open, now) -> open.apply(prepared, now), EntryWrite.size(prepared));
	}

	/**
	 * Does a step in a transaction that others may share, and waits until it is durable.
	 * @param <T> what comes of it
	 * @param step all or nothing of this
	 * @param size how many bytes it writes, about
	 * @return what came of it
	 */
	<T> T write(WriteRequest.Step<T> step, long size) {
		WriteRequest<T> request = new WriteRequest<>(step, size);
		long end = System.nanoTime() + this.timeout.toNanos();
		boolean placed = false;
		try {
			placed = this.places.tryAcquire() || this.places.tryAcquire(this.timeout.toNanos(), TimeUnit.NANOSECONDS);
			if (!placed) {
				throw new MicroException.Unavailable("not written within " + this.timeout + ", because " + QUEUE
						+ " others wait to be written to " + this.dialect.name() + " already; write less at once");
			}
			this.queue.add(request);
			if (request.await(this.closed ? 0 : end - System.nanoTime())) {
				return request.result();
			}
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			if (withdraw(request)) {
				throw new MicroException.Cancelled("interrupted before it was written to " + this.dialect.name(), ex);
			}
			if (!request.isComplete()) {
				throw unknown("interrupted while it was being written", ex);
			}
			return request.result();
		}
		finally {
			if (placed) {
				this.places.release();
			}
		}
		if (withdraw(request)) {
			throw this.closed ? Readers.closed() : tooLate();
		}
		if (!request.isComplete()) {
			throw unknown("not written within " + this.timeout + ", but under way", null);
		}
		return request.result();
	}

	private boolean withdraw(WriteRequest<?> request) {
		if (!request.withdraw()) {
			return false;
		}
		this.queue.remove(request);
		return true;
	}

	private MicroException.Unavailable tooLate() {
		if (this.busy) {
			return new MicroException.Unavailable("not written within " + this.timeout
					+ ", because another process is writing to " + this.dialect.name()
					+ " all that time; see whether one is stopped, and continue or end it");
		}
		return new MicroException.Unavailable("not written within " + this.timeout + ", because " + this.dialect.name()
				+ " takes what is written so slowly; write less at once, or see what keeps the disk busy");
	}

	private MicroException.OutcomeUnknown unknown(String what, @Nullable Throwable cause) {
		return new MicroException.OutcomeUnknown(
				what + " to " + this.dialect.name() + "; read whether it was, before trying again", cause);
	}

	private void run() {
		try {
			while (!this.closed) {
				WriteRequest<?> request = this.queue.poll(CARE.toMillis(), TimeUnit.MILLISECONDS);
				if (request != null) {
					serve(request);
				}
				if (this.behind || System.nanoTime() - this.cared >= CARE.toNanos()) {
					care();
					this.cared = System.nanoTime();
				}
			}
		}
		catch (InterruptedException ex) {
			// Closed: done.
		}
		finally {
			disconnect();
			for (WriteRequest<?> left = this.queue.poll(); left != null; left = this.queue.poll()) {
				refuse(left, Readers::closed);
			}
		}
	}

	private void serve(WriteRequest<?> first) {
		List<WriteRequest<?>> group = new ArrayList<>();
		try {
			BooleanSupplier waitedEnough = () -> this.closed || (first.isWithdrawn() && this.queue.isEmpty());
			EntryTable open = connected(waitedEnough);
			if (begin(open, waitedEnough) && !write(open, first, group)) {
				// One of them is not to be written: not the fault of the others.
				for (WriteRequest<?> each : group) {
					writeAlone(each);
				}
			}
			refuse(first, Readers::closed);
		}
		catch (SQLException ex) {
			disconnect();
			refuse(first, () -> this.dialect.unavailable(ex));
			group.forEach((each) -> each.fail(() -> this.dialect.unavailable(ex)));
		}
		catch (MicroException.Unavailable ex) {
			disconnect();
			refuse(first, () -> ex);
			group.forEach((each) -> each.fail(() -> ex));
		}
		catch (Throwable ex) {
			// An Error too: the requests that follow are none the worse for it.
			logger.log(System.Logger.Level.WARNING, "writing to " + this.dialect.name() + " failed", ex);
			disconnect();
			refuse(first, () -> new MicroException.Unavailable(
					"not written to " + this.dialect.name() + ", because of " + ex + "; try again", ex));
			group.forEach((each) -> each.fail(() -> unknown("failed while it was being written", ex)));
		}
	}

	private void refuse(WriteRequest<?> request, Supplier<MicroException.Unavailable> why) {
		if (request.take()) {
			request.fail(why);
		}
	}

	/*
	 * Gets hold of the database, or has had enough of waiting for it.
	 */
	private boolean begin(EntryTable open, BooleanSupplier waitedEnough) throws SQLException {
		this.enough = waitedEnough;
		this.busy = true;
		while (true) {
			try {
				open.begin();
				this.busy = false;
				return true;
			}
			catch (SQLException ex) {
				if (this.dialect.outcome(ex) != Dialect.Outcome.BUSY) {
					throw ex;
				}
			}
			if (!isPatient()) {
				return false;
			}
		}
	}

	private boolean isPatient() {
		this.busy = true;
		if (this.enough.getAsBoolean()) {
			return false;
		}
		Nap.take();
		return true;
	}

	/*
	 * Takes requests and writes them, with those that come meanwhile, in the transaction
	 * that was begun, and answers them. False if they are as before, because one of them
	 * failed.
	 */
	private boolean write(EntryTable open, WriteRequest<?> first, List<WriteRequest<?>> group) {
		List<Runnable> answers = new ArrayList<>();
		try {
			long now = this.clock.millis();
			long size = 0;
			WriteRequest<?> next = first;
			while (next != null) {
				if (next.take()) {
					group.add(next);
					size += next.size();
					answers.add(next.apply(open, now));
				}
				next = (group.size() < GROUP && size < GROUP_BYTES) ? this.queue.poll() : null;
			}
			open.forget();
		}
		catch (SQLException ex) {
			logger.log(System.Logger.Level.DEBUG, "a group of writes to " + this.dialect.name() + " failed", ex);
			disconnect();
			return false;
		}
		commit(open, group, answers);
		return true;
	}

	private void writeAlone(WriteRequest<?> request) throws SQLException {
		EntryTable open = connected(giveUpAfter(PATIENCE));
		if (!begin(open, giveUpAfter(PATIENCE))) {
			request.fail(this::tooLate);
			return;
		}
		Runnable answer;
		try {
			answer = request.apply(open, this.clock.millis());
			open.forget();
		}
		catch (SQLException ex) {
			disconnect();
			request.fail(() -> this.dialect.unavailable(ex));
			return;
		}
		commit(open, List.of(request), List.of(answer));
	}

	private void commit(EntryTable open, List<WriteRequest<?>> group, List<Runnable> answers) {
		try {
			open.commit();
		}
		catch (MicroException ex) {
			disconnect();
			group.forEach((each) -> each.fail(() -> ex));
			return;
		}
		catch (SQLException ex) {
			disconnect();
			boolean unclear = this.dialect.outcome(ex) == Dialect.Outcome.UNKNOWN;
			group.forEach((each) -> each.fail(
					() -> unclear ? unknown("failed while it was being committed", ex) : this.dialect.unavailable(ex)));
			return;
		}
		answers.forEach(Runnable::run);
		this.committed.run();
	}

	private void care() {
		try {
			EntryTable open = connected(giveUpAfter(PATIENCE));
			long now = this.clock.millis();
			while (open.isDue(now) && begin(open, giveUpAfter(PATIENCE))) {
				open.sweep(now);
				open.forget();
				open.commit();
				this.committed.run();
				if (!this.queue.isEmpty()) {
					break;
				}
			}
			this.enough = giveUpAfter(PATIENCE);
			boolean more = true;
			while (more && !this.closed) {
				more = this.dialect.tidy(open.statements()) && this.queue.isEmpty();
			}
			this.behind = false;
			for (Chore chore : this.chores) {
				this.behind |= care(open, chore, now);
			}
			this.untidy = false;
		}
		catch (Throwable ex) {
			boolean inTheWay = ex instanceof SQLException failure
					&& this.dialect.outcome(failure) == Dialect.Outcome.BUSY;
			logger.log((inTheWay || this.untidy) ? System.Logger.Level.DEBUG : System.Logger.Level.WARNING,
					this.dialect.name() + " was not cleaned up; that is tried again", ex);
			this.untidy = !inTheWay;
			disconnect();
		}
	}

	// Whether there is more to do, which waits until the others were served.
	private boolean care(EntryTable open, Chore chore, long now) throws SQLException {
		while (chore.isDue(open, now) && begin(open, giveUpAfter(PATIENCE))) {
			chore.step(open, now);
			open.forget();
			open.commit();
			if (!this.queue.isEmpty()) {
				return true;
			}
		}
		return false;
	}

	/**
	 * Has something more taken care of.
	 * @param chore what
	 */
	void add(Chore chore) {
		this.chores.add(chore);
	}

	void remove(Chore chore) {
		this.chores.remove(chore);
	}

	private BooleanSupplier giveUpAfter(Duration time) {
		long end = System.nanoTime() + time.toNanos();
		return () -> this.closed || System.nanoTime() - end >= 0;
	}

	private EntryTable connected(BooleanSupplier waitedEnough) throws SQLException {
		this.enough = waitedEnough;
		EntryTable open = this.table;
		if (open == null) {
			open = new EntryTable(this.dialect, this::isPatient);
			this.table = open;
		}
		return open;
	}

	// What was begun is undone with it. A statement that failed is of no use afterwards.
	private void disconnect() {
		if (this.table != null) {
			this.table.close();
			this.table = null;
		}
	}

	/**
	 * Ends it: what is being written is written, what waits is not.
	 */
	@Override
	public void close() {
		this.closed = true;
		Ending.of(this.thread, this.timeout);
	}

	/**
	 * What has to be done from time to time, in short steps.
	 */
	interface Chore {

		/**
		 * Whether it is time to.
		 * @param open where, in no transaction
		 * @param now the time
		 * @return whether
		 * @throws SQLException if that cannot be read
		 */
		boolean isDue(EntryTable open, long now) throws SQLException;

		/**
		 * Does some of it.
		 * @param open the transaction
		 * @param now the time
		 * @throws SQLException if that failed
		 */
		void step(EntryTable open, long now) throws SQLException;

	}

}
