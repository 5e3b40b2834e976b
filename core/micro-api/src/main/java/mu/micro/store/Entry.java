package mu.micro.store;

import java.time.Instant;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;

import org.jspecify.annotations.Nullable;

/**
 * What stands under a key.
 *
 * @param key the key
 * @param value the value, not to be changed; empty where only keys were asked for
 * @param revision the write that made it so
 * @param metadata what the writer said of it; empty where only keys were asked for
 * @param expires when it is over; null for never
 */
public record Entry(String key, byte[] value, long revision, Map<String, String> metadata, @Nullable Instant expires) {

	/**
	 * Copies the metadata.
	 */
	public Entry {
		metadata = Map.copyOf(metadata);
	}

	@Override
	public boolean equals(@Nullable Object other) {
		return other instanceof Entry entry && this.key.equals(entry.key) && this.revision == entry.revision
				&& Arrays.equals(this.value, entry.value) && this.metadata.equals(entry.metadata)
				&& Objects.equals(this.expires, entry.expires);
	}

	@Override
	public int hashCode() {
		return Objects.hash(this.key, this.revision);
	}

	@Override
	public String toString() {
		return "Entry[key=" + this.key + ", value=" + this.value.length + " bytes, revision=" + this.revision
				+ ", metadata=" + this.metadata + ", expires=" + this.expires + "]";
	}

}
