package mu.micro.local;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.HexFormat;

import mu.micro.blob.Blob;
import mu.micro.core.BlobBytes;

/**
 * A file that is being written under another name, until it is whole. Interrupts do not
 * close it.
 */
final class BlobDraft implements AutoCloseable {

	/**
	 * How much may wait to be written to the disk, so that the last of it is there soon.
	 */
	private static final long UNSYNCED = 64 * 1024 * 1024;

	private final Path path;

	private final RandomAccessFile file;

	private final String namespace;

	private final Blob begun;

	private final MessageDigest digest = BlobBytes.sha256();

	private long size;

	private long unsynced;

	/**
	 * Makes the file.
	 * @param directory where it is while it is written
	 * @param namespace whose blob it will be
	 * @param key the blob's key
	 * @param contentType what it is
	 * @throws IOException if there can be no such file
	 */
	BlobDraft(Path directory, String namespace, String key, String contentType) throws IOException {
		this.namespace = namespace;
		this.begun = new Blob(key, contentType, 0, Instant.EPOCH,
				HexFormat.of().formatHex(BlobBytes.sha256().digest()));
		// For this user's eyes only, as all temporary files are.
		this.path = Files.createTempFile(directory, "", FileBlobs.WRITING);
		try {
			this.file = new RandomAccessFile(this.path.toFile(), "rw");
		}
		catch (IOException ex) {
			Files.deleteIfExists(this.path);
			throw ex;
		}
		try {
			// Written again when all is known.
			this.file.write(new BlobHeader(namespace, this.begun).write());
		}
		catch (IOException ex) {
			close();
			throw ex;
		}
	}

	void write(byte[] bytes, int count) throws IOException {
		this.file.write(bytes, 0, count);
		this.digest.update(bytes, 0, count);
		this.size += count;
		this.unsynced += count;
		if (this.unsynced >= UNSYNCED) {
			this.file.getFD().sync();
			this.unsynced = 0;
		}
	}

	/**
	 * Ends the file and puts it in its place.
	 * @param target where it goes, in place of what is there
	 * @param time the time of the blob
	 * @return the blob
	 * @throws IOException if that could not be done, and what is there stays
	 */
	Blob moveTo(Path target, Instant time) throws IOException {
		Blob blob = new Blob(this.begun.key(), this.begun.contentType(), this.size, time,
				HexFormat.of().formatHex(this.digest.digest()));
		this.file.seek(0);
		this.file.write(new BlobHeader(this.namespace, blob).write());
		this.file.getFD().sync();
		this.file.close();
		Files.move(this.path, target, StandardCopyOption.ATOMIC_MOVE);
		return blob;
	}

	/**
	 * Deletes what was not moved.
	 */
	@Override
	public void close() throws IOException {
		this.file.close();
		Files.deleteIfExists(this.path);
	}

}
