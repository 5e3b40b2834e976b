package mu.micro;

import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The limits that all providers share. What is over a limit is
 * {@link MicroException.Invalid}, and the message names the limit.
 */
public final class Limits {

	/**
	 * Code points in a name: of a service, a namespace, a table or a topic.
	 */
	public static final int NAME = 200;

	/**
	 * Bytes of UTF-8 in all keys and values of one metadata map together.
	 */
	public static final int METADATA = 1024;

	/**
	 * Bytes of UTF-8 in a store's key.
	 */
	public static final int KEY = 1024;

	/**
	 * Bytes in a store's value: 8 MB.
	 */
	public static final int VALUE = 8 * 1024 * 1024;

	/**
	 * Entries in one page of a listing, and keys that are read in one call.
	 */
	public static final int PAGE = 1000;

	/**
	 * Writes in one batch.
	 */
	public static final int BATCH = 1000;

	/**
	 * Bytes in all values of one batch, or of one page, together: 16 MB.
	 */
	public static final int BATCH_BYTES = 16 * 1024 * 1024;

	/**
	 * Bytes of UTF-8 in all headers of a message together.
	 */
	public static final int HEADERS = 16 * 1024;

	/**
	 * Bytes in a message's body. With its headers a message fits into the 1 MB that
	 * brokers take without being told otherwise.
	 */
	public static final int BODY = 1_000_000;

	private Limits() {
	}

	/**
	 * Checks a name.
	 * @param what what the name is of, for the message
	 * @param name the name
	 * @return the name
	 * @throws MicroException.Invalid if the name is blank, holds a control character, is
	 * longer than {@link #NAME} code points, or no Unicode
	 */
	public static String name(String what, String name) {
		if (name.isBlank()) {
			throw new MicroException.Invalid("the " + what + " is blank");
		}
		if (name.codePointCount(0, name.length()) > NAME) {
			throw new MicroException.Invalid("the " + what + " is longer than " + NAME + " code points");
		}
		for (int i = 0; i < name.length(); i++) {
			if (Character.isISOControl(name.charAt(i))) {
				throw new MicroException.Invalid("the " + what + " holds a control character");
			}
		}
		bytes(what, name);
		return name;
	}

	/**
	 * Checks a store's key.
	 * @param key the key
	 * @return the key
	 * @throws MicroException.Invalid if it is empty, longer than {@link #KEY}, or no
	 * Unicode
	 */
	public static String key(String key) {
		if (key.isEmpty()) {
			throw new MicroException.Invalid("the key is empty");
		}
		return text("key", key, KEY);
	}

	/**
	 * Checks the keys of one call.
	 * @param keys the keys
	 * @return the keys, each once, in their order
	 * @throws MicroException.Invalid if there are more than {@link #PAGE}, or one is none
	 */
	public static Set<String> keys(Collection<String> keys) {
		if (keys.size() > PAGE) {
			throw new MicroException.Invalid(keys.size() + " keys are more than the limit of " + PAGE + " in one call");
		}
		Set<String> checked = new LinkedHashSet<>(keys);
		checked.forEach(Limits::key);
		return checked;
	}

	/**
	 * Checks a text.
	 * @param what what the text is, for the message
	 * @param text the text
	 * @param most how many bytes of UTF-8 it may have
	 * @return the text
	 * @throws MicroException.Invalid if it is longer, or no Unicode because half of a
	 * surrogate pair is missing
	 */
	public static String text(String what, String text, int most) {
		limit(what, bytes(what, text), most);
		return text;
	}

	private static void limit(String what, int size, int most) {
		if (size > most) {
			throw new MicroException.Invalid("the " + what + " is " + size + " bytes, more than the limit of " + most);
		}
	}

	/*
	 * How long a text is in UTF-8. What is no Unicode would be written as '?', so that
	 * two texts would be one. Counted and not encoded, as each message read is checked.
	 */
	private static int bytes(String what, String text) {
		int bytes = 0;
		int at = 0;
		while (at < text.length()) {
			int point = text.codePointAt(at);
			if (point >= Character.MIN_SURROGATE && point <= Character.MAX_SURROGATE) {
				throw new MicroException.Invalid("the " + what + " holds half of a surrogate pair");
			}
			bytes += (point < 0x80) ? 1 : (point < 0x800) ? 2 : (point < 0x10000) ? 3 : 4;
			at += Character.charCount(point);
		}
		return bytes;
	}

	/**
	 * Checks and copies metadata.
	 * @param metadata the entries
	 * @return an unmodifiable copy, sorted by key
	 * @throws MicroException.Invalid if it is over {@link #METADATA} or no Unicode
	 */
	public static Map<String, String> metadata(Map<String, String> metadata) {
		return texts("metadata", metadata, METADATA);
	}

	/**
	 * Checks and copies a message's headers.
	 * @param headers the headers
	 * @return an unmodifiable copy, sorted by name
	 * @throws MicroException.Invalid if they are over {@link #HEADERS} or no Unicode, or
	 * one has no {@link #name name}
	 */
	public static Map<String, String> headers(Map<String, String> headers) {
		headers.keySet().forEach((name) -> name("header's name", name));
		return texts("headers", headers, HEADERS);
	}

	private static Map<String, String> texts(String what, Map<String, String> texts, int most) {
		if (texts.isEmpty()) {
			return Map.of();
		}
		Map<String, String> copy = Collections.unmodifiableMap(new TreeMap<>(texts));
		int size = 0;
		for (Map.Entry<String, String> entry : copy.entrySet()) {
			size += bytes(what, entry.getKey()) + bytes(what, entry.getValue());
		}
		limit(what, size, most);
		return copy;
	}

}
