package mu.micro.jdbc;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;

import mu.micro.MicroException;
import mu.micro.store.TableWrite;
import mu.micro.store.When;
import mu.micro.store.Write;
import org.jspecify.annotations.Nullable;

/**
 * What one caller wants written, as one step. Until the writer takes it the caller can
 * withdraw it; from then on it may be written.
 */
final class WriteRequest {

	private enum State {

		WAITING, WITHDRAWN, TAKEN

	}

	private final List<Row> rows;

	private final long size;

	private final AtomicReference<State> state = new AtomicReference<>(State.WAITING);

	private final CountDownLatch done = new CountDownLatch(1);

	private Supplier<List<Long>> outcome = List::of;

	/**
	 * Prepares as much as the caller can without the writer.
	 * @param namespace whose tables
	 * @param writes all or none of these
	 */
	WriteRequest(byte[] namespace, List<TableWrite> writes) {
		List<Row> prepared = new ArrayList<>(writes.size());
		long bytes = 0;
		for (TableWrite each : writes) {
			Row row = Row.of(namespace, each);
			prepared.add(row);
			bytes += (row.value != null) ? row.value.length : 0;
		}
		this.rows = prepared;
		this.size = bytes;
	}

	List<Row> rows() {
		return this.rows;
	}

	/**
	 * How large it is.
	 * @return the bytes in its values
	 */
	long size() {
		return this.size;
	}

	/**
	 * Makes sure that the caller still wants it, and from now on does not withdraw it.
	 * @return whether it is to be written
	 */
	boolean take() {
		return this.state.compareAndSet(State.WAITING, State.TAKEN);
	}

	/**
	 * Makes sure that it will not be written.
	 * @return false if it may be all the same, because it was taken
	 */
	boolean withdraw() {
		return this.state.compareAndSet(State.WAITING, State.WITHDRAWN);
	}

	boolean isWithdrawn() {
		return this.state.get() == State.WITHDRAWN;
	}

	/**
	 * Says what came of it; the first time counts.
	 * @param what gives the revisions or throws, on the caller's thread
	 */
	void complete(Supplier<List<Long>> what) {
		if (!isComplete()) {
			this.outcome = what;
			this.done.countDown();
		}
	}

	void fail(Supplier<? extends MicroException> failure) {
		complete(() -> {
			throw failure.get();
		});
	}

	boolean isComplete() {
		return this.done.getCount() == 0;
	}

	/**
	 * Waits until it is complete.
	 * @param nanos how long at most
	 * @return whether it is
	 * @throws InterruptedException if interrupted
	 */
	boolean await(long nanos) throws InterruptedException {
		return this.done.await(nanos, TimeUnit.NANOSECONDS);
	}

	/**
	 * What came of it, once it is complete.
	 * @return the revision of each write
	 */
	List<Long> revisions() {
		return this.outcome.get();
	}

	/**
	 * A write as the database will have it.
	 *
	 * @param place the table
	 * @param key the key
	 * @param value the value; null to delete
	 * @param when the condition
	 * @param ttl how many milliseconds it stays; 0 for ever
	 * @param metadata the metadata; null where there is none
	 * @param checksum the lower half of the checksum
	 */
	record Row(Place place, byte[] key, byte @Nullable [] value, When when, long ttl, byte @Nullable [] metadata,
			int checksum) {

		private static Row of(byte[] namespace, TableWrite each) {
			Write write = each.write();
			byte[] value = write.value();
			byte[] metadata = Metadata.write(write.metadata());
			return new Row(new Place(namespace, Place.utf8(each.table())), Place.utf8(write.key()), value, write.when(),
					(write.ttl() != null) ? write.ttl().toMillis() : 0, metadata,
					(value != null) ? Checksum.of(metadata, value) : Checksum.NOTHING);
		}

	}

}
