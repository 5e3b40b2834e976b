package mu.micro.blob;

import java.time.Instant;

/**
 * What is known of a blob.
 *
 * @param key its key
 * @param contentType what it is, such as {@code image/png}
 * @param size its bytes
 * @param time when it was put, to the millisecond
 * @param sha256 the SHA-256 of its bytes in lower-case hexadecimal
 */
public record Blob(String key, String contentType, long size, Instant time, String sha256) {

}
