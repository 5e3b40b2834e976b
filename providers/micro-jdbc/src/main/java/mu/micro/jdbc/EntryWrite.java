package mu.micro.jdbc;

import java.util.ArrayList;
import java.util.List;

import mu.micro.store.TableWrite;
import mu.micro.store.When;
import mu.micro.store.Write;
import org.jspecify.annotations.Nullable;

/**
 * A write as the database will have it: what the caller can prepare without the writer.
 *
 * @param place the table
 * @param key the key
 * @param value the value; null to delete
 * @param when the condition
 * @param ttl how many milliseconds it stays; 0 for ever
 * @param metadata the metadata; null where there is none
 * @param checksum the lower half of the checksum
 */
record EntryWrite(Place place, byte[] key, byte @Nullable [] value, When when, long ttl, byte @Nullable [] metadata,
		int checksum) {

	/**
	 * Prepares a batch.
	 * @param namespace whose tables
	 * @param writes the writes
	 * @return the same
	 */
	static List<EntryWrite> of(byte[] namespace, List<TableWrite> writes) {
		List<EntryWrite> prepared = new ArrayList<>(writes.size());
		for (TableWrite each : writes) {
			prepared.add(of(namespace, each));
		}
		return prepared;
	}

	private static EntryWrite of(byte[] namespace, TableWrite each) {
		Write write = each.write();
		byte[] value = write.value();
		byte[] metadata = Metadata.write(write.metadata());
		return new EntryWrite(new Place(namespace, Place.utf8(each.table())), Place.utf8(write.key()), value,
				write.when(), (write.ttl() != null) ? write.ttl().toMillis() : 0, metadata,
				(value != null) ? Checksum.of(metadata, value) : Checksum.NOTHING);
	}

	/**
	 * How large a batch is.
	 * @param writes the writes
	 * @return the bytes in their values
	 */
	static long size(List<EntryWrite> writes) {
		long bytes = 0;
		for (EntryWrite each : writes) {
			bytes += (each.value != null) ? each.value.length : 0;
		}
		return bytes;
	}

}
