package mu.micro.cli;

import java.time.Instant;
import java.util.Map;

import org.jspecify.annotations.Nullable;

/**
 * An entry as a snapshot has it.
 *
 * @param table its table
 * @param key its key
 * @param value its value
 * @param metadata what its writer said of it
 * @param expires when it is over; null for never
 */
record SnapshotEntry(String table, String key, byte[] value, Map<String, String> metadata, @Nullable Instant expires) {
}
