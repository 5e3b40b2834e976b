package mu.micro.grpc;

import java.time.Instant;

import mu.micro.blob.Blob;

/**
 * Blobs as the store's wire has them. Times are whole milliseconds there.
 */
public final class BlobMessages {

	/**
	 * How many bytes of a blob one message has at most: 64 KB.
	 */
	public static final int CHUNK = 64 * 1024;

	private BlobMessages() {
	}

	/**
	 * Writes what is known of a blob.
	 * @param blob the blob
	 * @return the message
	 */
	public static mu.micro.wire.store.Blob toMessage(Blob blob) {
		return mu.micro.wire.store.Blob.newBuilder()
			.setKey(blob.key())
			.setContentType(blob.contentType())
			.setSize(blob.size())
			.setTime(blob.time().toEpochMilli())
			.setSha256(blob.sha256())
			.build();
	}

	/**
	 * Reads what is known of a blob.
	 * @param message the message
	 * @return the blob
	 */
	public static Blob fromMessage(mu.micro.wire.store.Blob message) {
		return new Blob(message.getKey(), message.getContentType(), message.getSize(),
				Instant.ofEpochMilli(message.getTime()), message.getSha256());
	}

}
