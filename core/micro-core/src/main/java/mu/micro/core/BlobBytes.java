package mu.micro.core;

import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Objects;

import mu.micro.blob.Blob;

/**
 * The bytes of a blob on their way from where they are kept. What is not as it was put is
 * an {@link IOException} before the last bytes are out, so that nobody takes it for
 * whole.
 */
public final class BlobBytes extends InputStream {

	private final InputStream source;

	private final Blob blob;

	private final String where;

	private final MessageDigest digest = sha256();

	private long left;

	private volatile boolean closed;

	/**
	 * Nothing is read yet.
	 * @param source the bytes as they come, closed by this
	 * @param blob the blob they should be
	 * @param where where they are kept, for messages
	 */
	public BlobBytes(InputStream source, Blob blob, String where) {
		this.source = source;
		this.blob = blob;
		this.where = where;
		this.left = blob.size();
	}

	/**
	 * Makes a digest.
	 * @return a SHA-256, which every JDK has
	 */
	public static MessageDigest sha256() {
		try {
			return MessageDigest.getInstance("SHA-256");
		}
		catch (NoSuchAlgorithmException ex) {
			throw new IllegalStateException(ex);
		}
	}

	@Override
	public int read() throws IOException {
		byte[] one = new byte[1];
		return (read(one, 0, 1) < 0) ? -1 : one[0] & 0xff;
	}

	@Override
	public int read(byte[] target, int offset, int length) throws IOException {
		Objects.checkFromIndexSize(offset, length, target.length);
		if (length == 0) {
			return 0;
		}
		int count = take(target, offset, (int) Math.min(length, this.left));
		if (this.left == 0) {
			return -1;
		}
		if (count < 0) {
			throw new IOException("the blob '" + this.blob.key() + "' in " + this.where + " ends " + this.left
					+ " bytes before its end");
		}
		this.digest.update(target, offset, count);
		if (count == this.left && !HexFormat.of().formatHex(this.digest.digest()).equals(this.blob.sha256())) {
			throw new IOException("the bytes of the blob '" + this.blob.key() + "' in " + this.where
					+ " are damaged: they are not those that were put; put it again or delete it");
		}
		this.left -= count;
		return count;
	}

	private int take(byte[] target, int offset, int length) throws IOException {
		try {
			if (!this.closed) {
				return (length > 0) ? this.source.read(target, offset, length) : 0;
			}
		}
		catch (IOException ex) {
			if (!this.closed) {
				throw ex;
			}
		}
		throw new IOException("the blob '" + this.blob.key() + "' is closed");
	}

	@Override
	public void close() throws IOException {
		this.closed = true;
		this.source.close();
	}

}
