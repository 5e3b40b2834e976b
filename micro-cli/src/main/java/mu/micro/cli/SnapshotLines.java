package mu.micro.cli;

import java.time.DateTimeException;
import java.time.Instant;
import java.util.Base64;
import java.util.Map;
import java.util.TreeMap;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.Strictness;
import mu.micro.MicroException;
import mu.micro.store.Entry;
import mu.micro.store.TableWrite;
import mu.micro.store.Write;
import org.jspecify.annotations.Nullable;

/**
 * The lines of a snapshot: one that says what it is, one for each entry, and one that
 * says that this was all. Each is a JSON object.
 */
final class SnapshotLines {

	private static final String FORMAT = "micro-store-snapshot";

	private static final int VERSION = 1;

	private static final Gson GSON = new GsonBuilder().setStrictness(Strictness.STRICT).disableHtmlEscaping().create();

	private SnapshotLines() {
	}

	/**
	 * Writes the first line.
	 * @param namespace whose data it is
	 * @param taken when it was begun
	 * @return the line, without its end
	 */
	static String first(String namespace, Instant taken) {
		JsonObject line = new JsonObject();
		line.addProperty("format", FORMAT);
		line.addProperty("version", VERSION);
		line.addProperty("namespace", namespace);
		line.addProperty("taken", taken.toString());
		return GSON.toJson(line);
	}

	/**
	 * Checks the first line.
	 * @param line the line, or null if there is none
	 * @param name what is read, for messages
	 * @throws Failure if it is the first line of nothing that is known here
	 */
	static void checkFirst(@Nullable String line, String name) {
		JsonObject first = (line != null) ? object(line) : null;
		if (first == null || !FORMAT.equals(text(first, "format"))) {
			throw Failure.usage("There is no snapshot in " + name + ": its first line would be {\"format\":\"" + FORMAT
					+ "\", and so on; make one with 'micro store snapshot'.");
		}
		String version = text(first, "version");
		if (!String.valueOf(VERSION).equals(version)) {
			throw Failure.usage("The snapshot in " + name + " has the version "
					+ Terminal.plain(String.valueOf(version)) + ", and this micro reads version " + VERSION
					+ ": use the micro that made it, or a newer one.");
		}
	}

	/**
	 * Writes an entry's line.
	 * @param table the entry's table
	 * @param entry the entry
	 * @return the line, without its end
	 */
	static String entry(String table, Entry entry) {
		JsonObject line = new JsonObject();
		line.addProperty("table", table);
		line.addProperty("key", entry.key());
		line.addProperty("value", Base64.getEncoder().encodeToString(entry.value()));
		if (!entry.metadata().isEmpty()) {
			JsonObject metadata = new JsonObject();
			new TreeMap<>(entry.metadata()).forEach(metadata::addProperty);
			line.add("metadata", metadata);
		}
		Instant expires = entry.expires();
		if (expires != null) {
			line.addProperty("expires", expires.toString());
		}
		return GSON.toJson(line);
	}

	/**
	 * Reads a line behind the first.
	 * @param line the line
	 * @param place where it stands, for messages
	 * @return the entry; or null if this is the last line
	 * @throws Failure if it is neither
	 */
	static @Nullable SnapshotEntry read(String line, String place) {
		JsonObject object = object(line);
		if (object == null) {
			throw Failure.usage(place + " is no JSON object: the file is damaged, or cut off there.");
		}
		if (object.has("entries")) {
			return null;
		}
		try {
			String table = required(object, "table");
			String key = required(object, "key");
			byte[] value = Base64.getDecoder().decode(required(object, "value"));
			Map<String, String> metadata = metadata(object.get("metadata"));
			String expires = text(object, "expires");
			Write write = Write.put(key, value).withMetadata(metadata);
			new TableWrite(table, write);
			return new SnapshotEntry(table, key, value, metadata, (expires != null) ? Instant.parse(expires) : null);
		}
		catch (IllegalArgumentException | DateTimeException | MicroException.Invalid ex) {
			throw new Failure(Failure.USAGE, place + " is no entry (" + Terminal.plain(String.valueOf(ex.getMessage()))
					+ "): the file is damaged.", ex);
		}
	}

	/**
	 * Writes the last line.
	 * @param entries how many entries there are
	 * @param revision the last write they have seen
	 * @return the line, without its end
	 */
	static String last(long entries, long revision) {
		JsonObject line = new JsonObject();
		line.addProperty("entries", entries);
		line.addProperty("revision", revision);
		return GSON.toJson(line);
	}

	/**
	 * Reads the last line.
	 * @param line the line
	 * @return how many entries there are, or a negative number if it does not tell
	 */
	static long entries(String line) {
		JsonObject object = object(line);
		String entries = (object != null) ? text(object, "entries") : null;
		return (entries != null && entries.matches("\\d{1,18}")) ? Long.parseLong(entries) : -1;
	}

	private static @Nullable JsonObject object(String line) {
		try {
			return GSON.fromJson(line, JsonObject.class);
		}
		catch (JsonParseException ex) {
			return null;
		}
	}

	private static Map<String, String> metadata(@Nullable JsonElement metadata) {
		Map<String, String> entries = new TreeMap<>();
		if (metadata != null) {
			if (!metadata.isJsonObject()) {
				throw new IllegalArgumentException("'metadata' is no object");
			}
			JsonObject object = metadata.getAsJsonObject();
			object.keySet().forEach((name) -> entries.put(name, required(object, name)));
		}
		return entries;
	}

	private static String required(JsonObject object, String name) {
		String text = text(object, name);
		if (text == null) {
			throw new IllegalArgumentException("'" + name + "' is missing, or no text");
		}
		return text;
	}

	private static @Nullable String text(JsonObject object, String name) {
		JsonElement element = object.get(name);
		return (element != null && element.isJsonPrimitive()) ? element.getAsString() : null;
	}

}
