package mu.micro.local;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.zip.CRC32C;

import mu.micro.blob.Blob;

/**
 * What stands in a file before a blob's bytes: a line that says what the file is, the
 * length of the rest, then all that is known of the blob, and a checksum over it.
 *
 * @param namespace whose blob it is
 * @param blob the blob
 */
record BlobHeader(String namespace, Blob blob) {

	private static final byte[] MAGIC = "micro blob 1\n".getBytes(StandardCharsets.US_ASCII);

	private static final int SHA256 = 32;

	/**
	 * More than the longest texts make.
	 */
	private static final int LONGEST = 16 * 1024;

	/**
	 * Writes the header. How long it is depends on its texts alone.
	 * @return its bytes
	 */
	byte[] write() {
		ByteArrayOutputStream bytes = new ByteArrayOutputStream();
		try (DataOutputStream data = new DataOutputStream(bytes)) {
			data.writeUTF(this.namespace);
			data.writeUTF(this.blob.key());
			data.writeUTF(this.blob.contentType());
			data.writeLong(this.blob.size());
			data.writeLong(this.blob.time().toEpochMilli());
			data.write(HexFormat.of().parseHex(this.blob.sha256()));
			data.writeInt(checksum(bytes.toByteArray()));
			byte[] known = bytes.toByteArray();
			bytes.reset();
			data.write(MAGIC);
			data.writeInt(known.length);
			data.write(known);
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		return bytes.toByteArray();
	}

	/**
	 * Reads a header.
	 * @param file the file from its first byte, left at the first of the content
	 * @return the header
	 * @throws IOException if the file cannot be read, or there is no header as it was
	 * written
	 */
	static BlobHeader read(InputStream file) throws IOException {
		DataInputStream begin = new DataInputStream(new ByteArrayInputStream(file.readNBytes(MAGIC.length + 4)));
		if (!Arrays.equals(begin.readNBytes(MAGIC.length), MAGIC) || begin.available() < 4) {
			throw new IOException("it does not begin as a blob's file");
		}
		int length = begin.readInt();
		if (length < SHA256 || length > LONGEST) {
			throw new IOException("its header is damaged");
		}
		byte[] known = file.readNBytes(length);
		DataInputStream data = new DataInputStream(new ByteArrayInputStream(known));
		data.skipNBytes(Math.max(0, known.length - 4));
		if (known.length < length || data.readInt() != checksum(Arrays.copyOf(known, length - 4))) {
			throw new IOException("its header is damaged");
		}
		data.reset();
		String namespace = data.readUTF();
		String key = data.readUTF();
		String contentType = data.readUTF();
		long size = data.readLong();
		Instant time = Instant.ofEpochMilli(data.readLong());
		String sha256 = HexFormat.of().formatHex(data.readNBytes(SHA256));
		return new BlobHeader(namespace, new Blob(key, contentType, size, time, sha256));
	}

	private static int checksum(byte[] bytes) {
		CRC32C checksum = new CRC32C();
		checksum.update(bytes);
		return (int) checksum.getValue();
	}

}
