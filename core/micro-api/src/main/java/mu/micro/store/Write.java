package mu.micro.store;

import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;

import mu.micro.Limits;
import mu.micro.MicroException;
import org.jspecify.annotations.Nullable;

/**
 * A change of one key, not done yet.
 *
 * @param key the key, within {@link Limits#KEY}
 * @param value the new value, within {@link Limits#VALUE} and not to be changed
 * afterwards; null to delete
 * @param when the condition
 * @param ttl how long the entry stays, at least a millisecond and cut to whole ones; null
 * for ever
 * @param metadata what else to keep with the value, within {@link Limits#METADATA}
 */
public record Write(String key, byte @Nullable [] value, When when, @Nullable Duration ttl,
		Map<String, String> metadata) {

	private static final Duration LONGEST_TTL = Duration.ofDays(36_500);

	/**
	 * Checks the limits.
	 * @throws MicroException.Invalid if one is not kept, or a delete has a ttl or
	 * metadata
	 */
	public Write {
		Limits.key(key);
		metadata = Limits.metadata(metadata);
		if (value == null && (ttl != null || !metadata.isEmpty())) {
			throw new MicroException.Invalid("a delete has neither ttl nor metadata");
		}
		if (value != null && value.length > Limits.VALUE) {
			throw new MicroException.Invalid(
					"the value is " + value.length + " bytes, more than the limit of " + Limits.VALUE);
		}
		if (ttl != null && ttl.compareTo(Duration.ofMillis(1)) < 0) {
			throw new MicroException.Invalid("the ttl " + ttl + " is shorter than a millisecond");
		}
		if (ttl != null && ttl.compareTo(LONGEST_TTL) > 0) {
			throw new MicroException.Invalid("the ttl " + ttl + " is longer than a hundred years");
		}
		ttl = (ttl != null) ? ttl.truncatedTo(ChronoUnit.MILLIS) : null;
	}

	/**
	 * Writes a value, whatever was there.
	 * @param key the key
	 * @param value the value
	 * @return the write
	 */
	public static Write put(String key, byte[] value) {
		return new Write(key, value, When.ALWAYS, null, Map.of());
	}

	/**
	 * Deletes an entry, whatever it is.
	 * @param key the key
	 * @return the write
	 */
	public static Write delete(String key) {
		return new Write(key, null, When.ALWAYS, null, Map.of());
	}

	/**
	 * The same on a condition.
	 * @param condition the condition
	 * @return the write
	 */
	public Write withWhen(When condition) {
		return new Write(this.key, this.value, condition, this.ttl, this.metadata);
	}

	/**
	 * The same for a time.
	 * @param time how long the entry stays; null for ever
	 * @return the write
	 */
	public Write withTtl(@Nullable Duration time) {
		return new Write(this.key, this.value, this.when, time, this.metadata);
	}

	/**
	 * The same with metadata.
	 * @param entries what else to keep with the value
	 * @return the write
	 */
	public Write withMetadata(Map<String, String> entries) {
		return new Write(this.key, this.value, this.when, this.ttl, entries);
	}

	@Override
	public boolean equals(@Nullable Object other) {
		return other instanceof Write write && this.key.equals(write.key) && Arrays.equals(this.value, write.value)
				&& this.when.equals(write.when) && Objects.equals(this.ttl, write.ttl)
				&& this.metadata.equals(write.metadata);
	}

	@Override
	public int hashCode() {
		return Objects.hash(this.key, this.when, this.ttl);
	}

	@Override
	public String toString() {
		return "Write[key=" + this.key + ", " + ((this.value != null) ? this.value.length + " bytes" : "delete")
				+ ", when=" + this.when + ", ttl=" + this.ttl + ", metadata=" + this.metadata + "]";
	}

}
