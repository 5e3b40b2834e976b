package mu.micro.jdbc;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

import mu.micro.MicroException;
import org.jspecify.annotations.Nullable;

/**
 * What is kept with each row so that a change of its bytes is noticed. The lower half is
 * the CRC32C of what the row holds, the upper one of where and when that is and of the
 * lower: so a listing of keys is checked without reading values.
 */
final class Checksum {

	/**
	 * Of a row that holds nothing.
	 */
	static final int NOTHING = of(null, new byte[0]);

	private Checksum() {
	}

	/**
	 * The lower half.
	 * @param metadata what the row holds
	 * @param value what else it holds
	 * @return the half
	 */
	static int of(byte @Nullable [] metadata, byte[] value) {
		CRC32C crc = new CRC32C();
		crc.update(ByteBuffer.allocate(Integer.BYTES).putInt((metadata != null) ? metadata.length : -1).flip());
		if (metadata != null) {
			crc.update(metadata, 0, metadata.length);
		}
		crc.update(value, 0, value.length);
		return (int) crc.getValue();
	}

	/**
	 * All of it.
	 * @param row where and when
	 * @param lower the lower half
	 * @return the checksum
	 */
	static long of(Row row, int lower) {
		CRC32C crc = new CRC32C();
		ByteBuffer numbers = ByteBuffer.allocate(4 * Integer.BYTES + 2 * Long.BYTES);
		numbers.putInt(row.place().namespace().length).putInt(row.place().table().length).putInt(row.key().length);
		numbers.putLong(row.revision()).putLong(row.tail()).putInt(lower);
		crc.update(numbers.flip());
		crc.update(row.place().namespace(), 0, row.place().namespace().length);
		crc.update(row.place().table(), 0, row.place().table().length);
		crc.update(row.key(), 0, row.key().length);
		return crc.getValue() << Integer.SIZE | Integer.toUnsignedLong(lower);
	}

	/**
	 * The lower half, of an event.
	 * @param id what the row holds
	 * @param headers what else it holds
	 * @param body and what else
	 * @return the half
	 */
	static int of(byte[] id, byte @Nullable [] headers, byte[] body) {
		CRC32C crc = new CRC32C();
		crc.update(ByteBuffer.allocate(Integer.BYTES).putInt(id.length).flip());
		crc.update(id, 0, id.length);
		crc.update(ByteBuffer.allocate(Integer.BYTES).putInt(of(headers, body)).flip());
		return (int) crc.getValue();
	}

	/**
	 * All of it, of a row of numbers.
	 * @param lower the lower half
	 * @param numbers the numbers
	 * @return the checksum
	 */
	static long of(int lower, long... numbers) {
		CRC32C crc = new CRC32C();
		ByteBuffer bytes = ByteBuffer.allocate(Integer.BYTES + numbers.length * Long.BYTES).putInt(lower);
		for (long number : numbers) {
			bytes.putLong(number);
		}
		crc.update(bytes.flip());
		return crc.getValue() << Integer.SIZE | Integer.toUnsignedLong(lower);
	}

	/**
	 * Whether a row is where and when it was written.
	 * @param checksum what is kept with it
	 * @param row the row
	 * @return whether
	 */
	static boolean matches(long checksum, Row row) {
		return checksum == of(row, (int) checksum);
	}

	/**
	 * What all rows have.
	 *
	 * @param place the table
	 * @param key the key
	 * @param revision the revision
	 * @param tail the one more number that there is: when an entry expires, or how it
	 * went
	 */
	record Row(Place place, byte[] key, long revision, long tail) {

		/**
		 * What to tell who reads a row that is not as it was written.
		 * @param dialect where it was read
		 * @return the exception
		 */
		MicroException.Unavailable damaged(Dialect dialect) {
			return new MicroException.Unavailable("the entry '" + Place.text(this.key) + "' of table '"
					+ Place.text(this.place.table()) + "' of namespace '" + Place.text(this.place.namespace())
					+ "' is damaged in " + dialect.name() + ": write it again or delete it, or restore a snapshot");
		}

	}

}
