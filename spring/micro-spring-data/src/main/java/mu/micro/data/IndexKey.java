package mu.micro.data;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;

import mu.micro.Limits;
import org.jspecify.annotations.Nullable;

/**
 * The keys of an index's rows: a value's text, a tab, and the key of the entity that has
 * it. They are ordered by value, and those of one value by entity.
 * <p>
 * What has no value begins with {@code -}, every value with {@code =}. Characters up to
 * the newline are written as a newline and a letter, so that a tab ends the value and is
 * smaller than all that could stand in its place. Of a text of more than {@value #MOST}
 * code points the beginning is kept, and a digest of the whole: such keys tell texts
 * apart, and are ordered by the beginning.
 */
final class IndexKey {

	/**
	 * Code points that are kept of a text: all texts that begin with the same ones and go
	 * on are cut, so that their keys stand together.
	 */
	static final int MOST = 110;

	/**
	 * Bytes of UTF-8 in the key of an entity that has an index.
	 */
	static final int ENTITY = 500;

	static final String END = "\t";

	private static final String ESCAPE = "\n";

	private static final String CUT = "\nZ";

	private static final String BEHIND_CUT = "\n[";

	private IndexKey() {
	}

	/**
	 * What keys of a value begin with.
	 * @param text the value's text; null for no value
	 * @return the beginning, with the tab
	 */
	static String value(@Nullable String text) {
		return (text != null) ? "=" + shortened(text) + END : "-" + END;
	}

	/**
	 * The key of the entity.
	 * @param key the whole key
	 * @return what follows the value
	 */
	static String entity(String key) {
		return key.substring(key.indexOf(END) + 1);
	}

	/**
	 * What keys have in common whose order says nothing about their values, but that they
	 * are equal, or that they begin alike if they were cut.
	 * @param key the whole key
	 * @return the value as far as it is kept
	 */
	static String group(String key) {
		String value = key.substring(0, key.indexOf(END));
		int cut = value.indexOf(CUT);
		return (cut < 0) ? value : value.substring(0, cut + CUT.length());
	}

	/**
	 * Whether of a value only the beginning is kept.
	 * @param group the value as far as it is kept
	 * @return whether more is missing
	 */
	static boolean isCut(String group) {
		return group.endsWith(CUT);
	}

	static Interval equal(@Nullable String text) {
		return Interval.prefix(value(text));
	}

	static Interval present() {
		return Interval.prefix("=");
	}

	/**
	 * The keys of values that begin with a text, and perhaps a few more.
	 * @param text the text
	 * @return the interval
	 */
	static Interval startingWith(String text) {
		return Interval.prefix("=" + escaped(kept(text)));
	}

	/**
	 * The keys of values between two texts, and perhaps a few more.
	 * @param low the first text, null for the beginning
	 * @param withLow whether it is included
	 * @param high the last text, null for the end
	 * @param withHigh whether it is included
	 * @return the interval
	 */
	static Interval between(@Nullable String low, boolean withLow, @Nullable String high, boolean withHigh) {
		String after = "";
		if (low != null) {
			after = "=" + escaped(kept(low)) + ((withLow || !isWhole(low)) ? "" : ESCAPE);
		}
		String before = null;
		if (high != null) {
			before = "=" + escaped(kept(high)) + (isWhole(high) ? (withHigh ? ESCAPE : "") : BEHIND_CUT);
		}
		return new Interval("=", after, before);
	}

	/**
	 * Whether a text is kept whole, so that intervals that end at it have no more keys
	 * than they should.
	 * @param text the text
	 * @return whether it is
	 */
	static boolean isWhole(String text) {
		return text.codePointCount(0, text.length()) <= MOST;
	}

	/**
	 * Checks the key of an entity that has an index.
	 * @param key the key
	 * @return the key
	 * @throws mu.micro.MicroException.Invalid if it is longer than {@link #ENTITY}
	 */
	static String checked(String key) {
		return Limits.text("key of an entity that has an index", key, ENTITY);
	}

	private static String shortened(String text) {
		return escaped(kept(text)) + (isWhole(text) ? "" : CUT + digest(text));
	}

	private static String kept(String text) {
		return isWhole(text) ? text : text.substring(0, text.offsetByCodePoints(0, MOST));
	}

	private static String escaped(String text) {
		if (text.chars().noneMatch((character) -> character <= '\n')) {
			return text;
		}
		StringBuilder result = new StringBuilder();
		text.chars().forEach((character) -> {
			if (character <= '\n') {
				result.append(ESCAPE).append((char) ('A' + character));
			}
			else {
				result.append((char) character);
			}
		});
		return result.toString();
	}

	private static String digest(String text) {
		try {
			byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
			return Base64.getUrlEncoder().withoutPadding().encodeToString(digest);
		}
		catch (NoSuchAlgorithmException ex) {
			throw new IllegalStateException("every JDK has SHA-256", ex);
		}
	}

}
