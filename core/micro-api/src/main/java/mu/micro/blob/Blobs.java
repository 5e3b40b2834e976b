package mu.micro.blob;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;

import mu.micro.Limits;
import mu.micro.MicroException;
import org.jspecify.annotations.Nullable;

/**
 * Files under keys, of any size, which pass through and are never held in memory as a
 * whole.
 * <p>
 * Keys are those of a store: text of 1 to {@link Limits#KEY} bytes of UTF-8, any
 * character allowed, ordered by those bytes.
 */
public interface Blobs {

	/**
	 * What a blob is of which nobody said.
	 */
	String OCTET_STREAM = "application/octet-stream";

	/**
	 * Puts a blob in the place of what was there. Others see the one or the other, whole;
	 * it is durable when this returns. If two do so at once, the last one to end stays.
	 * @param key the key
	 * @param contentType what it is, a name within {@link Limits#NAME}
	 * @param content its bytes, read to their end and not closed
	 * @return the blob
	 * @throws IOException what reading the content threw; nothing was put
	 * @throws MicroException.Invalid if the key or the content type is none
	 * @throws MicroException.Unavailable if it could not be put; what was there is there
	 * still
	 * @throws MicroException.OutcomeUnknown if it may have been put
	 */
	Blob put(String key, String contentType, InputStream content) throws IOException;

	/**
	 * Looks for a blob.
	 * @param key the key
	 * @return the blob, or null where there is none
	 */
	@Nullable Blob find(String key);

	/**
	 * Opens a blob.
	 * @param key the key
	 * @return the blob, to be closed; or null where there is none
	 */
	@Nullable BlobContent get(String key);

	/**
	 * Deletes a blob.
	 * @param key the key
	 * @return whether there was one
	 */
	boolean delete(String key);

	/**
	 * Lists blobs in the order of their keys.
	 * @param prefix what the keys begin with, taken literally; empty for all
	 * @param after the key to begin behind; empty to begin with the first
	 * @param limit how many at most, 1 to {@link Limits#PAGE}
	 * @return the blobs; fewer than the limit only if there are no more
	 */
	List<Blob> list(String prefix, String after, int limit);

}
