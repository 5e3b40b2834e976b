package mu.micro.blob;

import java.io.InputStream;

/**
 * A blob that is being read. It stays as it was when it was opened, whatever happens to
 * its key meanwhile.
 */
public interface BlobContent extends AutoCloseable {

	/**
	 * What is known of it.
	 * @return the blob
	 */
	Blob blob();

	/**
	 * Its bytes, once. Reading throws an {@link java.io.IOException} before the end where
	 * they cannot be had, or are not those that were put.
	 * @return the bytes
	 */
	InputStream stream();

	/**
	 * Ends the reading. Idempotent.
	 */
	@Override
	void close();

}
