package mu.micro.jdbc;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.util.zip.CRC32C;

import org.jspecify.annotations.Nullable;

/**
 * A small file beside the database that holds the last revision that was acknowledged.
 * SQLite takes a log that is damaged, cut off or gone for one that ends there, and goes
 * on without what was committed; the mark tells. It is written after each commit and not
 * synced, so it knows all that a process acknowledged before it was killed, and possibly
 * less after the machine lost its power.
 */
final class SqliteMark implements AutoCloseable {

	private static final int BYTES = 2 * Long.BYTES;

	private static final System.Logger logger = System.getLogger(SqliteMark.class.getName());

	private final Path path;

	private final FileAttribute<?>[] attributes;

	/**
	 * Not a channel, which an interrupt would close.
	 */
	private @Nullable RandomAccessFile file;

	SqliteMark(Path path, FileAttribute<?>... attributes) {
		this.path = path;
		this.attributes = attributes;
	}

	Path path() {
		return this.path;
	}

	/**
	 * What it holds.
	 * @return a revision, 0 where there is none
	 */
	long read() {
		try {
			byte[] bytes = Files.readAllBytes(this.path);
			if (bytes.length == BYTES) {
				ByteBuffer buffer = ByteBuffer.wrap(bytes);
				long revision = buffer.getLong();
				return (buffer.getLong() == checksum(bytes)) ? revision : 0;
			}
		}
		catch (IOException ex) {
			logger.log(System.Logger.Level.DEBUG, "no mark is known", ex);
		}
		return 0;
	}

	/**
	 * Keeps a revision. Where that fails less can be told later, and nothing else.
	 * @param revision the revision
	 */
	void write(long revision) {
		byte[] bytes = ByteBuffer.allocate(BYTES).putLong(revision).array();
		ByteBuffer.wrap(bytes).putLong(Long.BYTES, checksum(bytes));
		try {
			RandomAccessFile open = this.file;
			if (open == null) {
				open = open();
				this.file = open;
			}
			open.seek(0);
			open.write(bytes);
		}
		catch (IOException ex) {
			logger.log(System.Logger.Level.DEBUG, "the mark " + this.path + " is not kept", ex);
		}
	}

	private RandomAccessFile open() throws IOException {
		try {
			Files.createFile(this.path, this.attributes);
		}
		catch (FileAlreadyExistsException ex) {
			// As always but the first time.
		}
		RandomAccessFile opened = new RandomAccessFile(this.path.toFile(), "rw");
		// There may be something else in it.
		opened.setLength(BYTES);
		return opened;
	}

	private static long checksum(byte[] bytes) {
		CRC32C crc = new CRC32C();
		crc.update(bytes, 0, Long.BYTES);
		return crc.getValue();
	}

	/**
	 * Lets go of the file; writing opens it again.
	 */
	@Override
	public void close() {
		try {
			if (this.file != null) {
				this.file.close();
				this.file = null;
			}
		}
		catch (IOException ex) {
			logger.log(System.Logger.Level.DEBUG, "the mark " + this.path + " did not close well", ex);
		}
	}

}
