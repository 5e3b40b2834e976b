package mu.micro.jdbc;

import java.sql.SQLException;
import java.time.Duration;
import java.util.Deque;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

import mu.micro.MicroException;
import org.jspecify.annotations.Nullable;

/**
 * The connections that are read from: a few, opened when they are needed, each used by
 * one caller at a time.
 */
final class Readers implements AutoCloseable {

	/**
	 * How many read at once; more wait.
	 */
	private static final int MOST = 8;

	/**
	 * Reading at once for longer than a call: those who copy a database.
	 */
	private static final int LONG_ONES = 4;

	private static final Duration CLOSING = Duration.ofSeconds(2);

	private final Dialect dialect;

	private final Duration timeout;

	private final Semaphore free = new Semaphore(MOST);

	private final Semaphore freeForLong = new Semaphore(LONG_ONES);

	private final Deque<Reader> idle = new ConcurrentLinkedDeque<>();

	private volatile boolean closed;

	Readers(Dialect dialect, Duration timeout) {
		this.dialect = dialect;
		this.timeout = timeout;
	}

	/**
	 * Reads within the timeout.
	 * @param <T> what is read
	 * @param reading reads, again if somebody is in its way
	 * @return what was read
	 */
	<T extends @Nullable Object> T read(Reading<T> reading) {
		Patience patience = new Patience(this.timeout);
		take(this.free, patience);
		try {
			return read(reading, patience);
		}
		finally {
			this.free.release();
		}
	}

	/**
	 * Reads on and on, with the timeout from each step to the next. A step that comes too
	 * late is the last.
	 * @param <T> what is read
	 * @param reading reads, and says when a step is done
	 * @return what was read
	 */
	<T extends @Nullable Object> T readLong(LongReading<T> reading) {
		Patience patience = new Patience(this.timeout);
		take(this.freeForLong, patience);
		try {
			return read((reader) -> reading.read(reader, () -> renew(patience)), patience);
		}
		finally {
			this.freeForLong.release();
		}
	}

	private void renew(Patience patience) {
		if (patience.left() <= 0) {
			throw new MicroException.Unavailable(
					"copying " + this.dialect.name() + " stood still for more than " + this.timeout
							+ ", in which its log cannot be cut down; take each entry sooner, or give it more time");
		}
		patience.renew();
	}

	private <T extends @Nullable Object> T read(Reading<T> reading, Patience patience) {
		while (true) {
			if (this.closed) {
				throw closed();
			}
			Reader reader = this.idle.pollFirst();
			if (reader != null && !reader.isCurrent()) {
				reader.close();
				continue;
			}
			boolean sound = true;
			boolean done = false;
			try {
				if (reader == null) {
					reader = new Reader(this.dialect, () -> !this.closed && patience.getAsBoolean());
				}
				reader.giveUpWhen(() -> this.closed || patience.isOver());
				T result = reading.read(reader);
				done = true;
				return result;
			}
			catch (SQLException ex) {
				// A statement that failed is of no use afterwards.
				sound = false;
				if (this.dialect.outcome(ex) != Dialect.Outcome.BUSY || patience.isOver()) {
					throw failure(ex);
				}
			}
			finally {
				giveBack(reader, sound && (done || reset(reader)));
			}
			Nap.take();
		}
	}

	private static boolean reset(@Nullable Reader reader) {
		return reader != null && reader.reset();
	}

	private void giveBack(@Nullable Reader reader, boolean sound) {
		if (reader == null) {
			return;
		}
		if (sound && reader.isCurrent()) {
			this.idle.addFirst(reader);
			if (this.closed) {
				closeIdle();
			}
		}
		else {
			reader.close();
		}
	}

	private void take(Semaphore semaphore, Patience patience) {
		try {
			if (semaphore.tryAcquire() || semaphore.tryAcquire(patience.left(), TimeUnit.NANOSECONDS)) {
				return;
			}
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new MicroException.Cancelled("interrupted while others read " + this.dialect.name(), ex);
		}
		throw new MicroException.Unavailable("not read within " + this.timeout + ", because others read "
				+ this.dialect.name() + " all that time; read less at once");
	}

	private MicroException failure(SQLException ex) {
		if (this.closed) {
			return closed();
		}
		if (Thread.currentThread().isInterrupted()) {
			return new MicroException.Cancelled("interrupted while reading " + this.dialect.name(), ex);
		}
		if (this.dialect.outcome(ex) == Dialect.Outcome.GIVEN_UP) {
			return new MicroException.Unavailable("not read within " + this.timeout + " from " + this.dialect.name()
					+ "; ask for less at once, or give it more time", ex);
		}
		return this.dialect.unavailable(ex);
	}

	static MicroException.Unavailable closed() {
		return new MicroException.Unavailable("the databases are closed");
	}

	/**
	 * Has those who read give up, waits for them but for those who copy, and closes the
	 * connections; who gives one back later closes it.
	 */
	@Override
	public void close() {
		this.closed = true;
		boolean interrupted = Thread.interrupted();
		try {
			if (this.free.tryAcquire(MOST, CLOSING.toNanos(), TimeUnit.NANOSECONDS)) {
				this.free.release(MOST);
			}
		}
		catch (InterruptedException ex) {
			interrupted = true;
		}
		closeIdle();
		if (interrupted) {
			Thread.currentThread().interrupt();
		}
	}

	private void closeIdle() {
		for (Reader reader = this.idle.pollFirst(); reader != null; reader = this.idle.pollFirst()) {
			reader.close();
		}
	}

	/**
	 * A reading.
	 *
	 * @param <T> what is read
	 */
	@FunctionalInterface
	interface Reading<T extends @Nullable Object> {

		T read(Reader reader) throws SQLException;

	}

	/**
	 * A long reading.
	 *
	 * @param <T> what is read
	 */
	@FunctionalInterface
	interface LongReading<T extends @Nullable Object> {

		T read(Reader reader, Runnable step) throws SQLException;

	}

	/**
	 * How long one caller waits, in all that it waits for.
	 */
	static final class Patience implements BooleanSupplier {

		private final long nanos;

		private volatile long end;

		Patience(Duration time) {
			this.nanos = time.toNanos();
			renew();
		}

		void renew() {
			this.end = System.nanoTime() + this.nanos;
		}

		long left() {
			return this.end - System.nanoTime();
		}

		boolean isOver() {
			return left() <= 0 || Thread.currentThread().isInterrupted();
		}

		/**
		 * Waits a little, or says that it is enough.
		 */
		@Override
		public boolean getAsBoolean() {
			if (isOver()) {
				return false;
			}
			Nap.take();
			return true;
		}

	}

}
