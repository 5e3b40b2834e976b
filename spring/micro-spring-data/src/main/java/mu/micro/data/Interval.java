package mu.micro.data;

import org.jspecify.annotations.Nullable;

/**
 * Some of a table's keys: those that begin with a prefix, come after one text and before
 * another, neither included.
 *
 * @param prefix what they begin with; empty for all
 * @param after what they come after; empty for the beginning
 * @param before what they come before; null for the end
 */
record Interval(String prefix, String after, @Nullable String before) {

	/**
	 * All keys.
	 */
	static final Interval ALL = new Interval("", "", null);

	static Interval prefix(String prefix) {
		return new Interval(prefix, "", null);
	}

}
