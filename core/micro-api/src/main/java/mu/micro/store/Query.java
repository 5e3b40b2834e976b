package mu.micro.store;

import mu.micro.Limits;
import mu.micro.MicroException;

/**
 * Which entries to list. All parts hold together: prefix and suffix, then order, after,
 * offset and limit.
 *
 * @param prefix what the keys begin with, taken literally; empty for all
 * @param suffix what the keys end with, taken literally; empty for all
 * @param after the key after which to begin, in the order of the listing, whether or not
 * it is there; empty for the beginning
 * @param offset how many to leave out from there
 * @param limit how many to list, 1 to {@link Limits#PAGE}
 * @param descending whether to begin with the last
 * @param keysOnly whether to leave out values and metadata
 */
public record Query(String prefix, String suffix, String after, int offset, int limit, boolean descending,
		boolean keysOnly) {

	/**
	 * The first {@link Limits#PAGE} entries of all.
	 */
	public static final Query ALL = new Query("", "", "", 0, Limits.PAGE, false, false);

	/**
	 * Checks the limits.
	 * @throws MicroException.Invalid if one is not kept
	 */
	public Query {
		Limits.text("prefix", prefix, Limits.KEY);
		Limits.text("suffix", suffix, Limits.KEY);
		Limits.text("key to begin after", after, Limits.KEY);
		if (offset < 0) {
			throw new MicroException.Invalid("the offset " + offset + " is negative");
		}
		if (limit < 1 || limit > Limits.PAGE) {
			throw new MicroException.Invalid("the limit " + limit + " is not between 1 and " + Limits.PAGE);
		}
	}

	/**
	 * The first {@link Limits#PAGE} entries whose keys begin with a text.
	 * @param prefix the text
	 * @return the query
	 */
	public static Query prefix(String prefix) {
		return new Query(prefix, "", "", 0, Limits.PAGE, false, false);
	}

	/**
	 * The same with a suffix.
	 * @param text what the keys end with
	 * @return the query
	 */
	public Query withSuffix(String text) {
		return new Query(this.prefix, text, this.after, this.offset, this.limit, this.descending, this.keysOnly);
	}

	/**
	 * The same after a key.
	 * @param key the last key of the page before
	 * @return the query
	 */
	public Query withAfter(String key) {
		return new Query(this.prefix, this.suffix, key, this.offset, this.limit, this.descending, this.keysOnly);
	}

	/**
	 * The same with an offset.
	 * @param count how many to leave out
	 * @return the query
	 */
	public Query withOffset(int count) {
		return new Query(this.prefix, this.suffix, this.after, count, this.limit, this.descending, this.keysOnly);
	}

	/**
	 * The same with a limit.
	 * @param count how many to list
	 * @return the query
	 */
	public Query withLimit(int count) {
		return new Query(this.prefix, this.suffix, this.after, this.offset, count, this.descending, this.keysOnly);
	}

	/**
	 * The same from the last key to the first.
	 * @return the query
	 */
	public Query withDescending() {
		return new Query(this.prefix, this.suffix, this.after, this.offset, this.limit, true, this.keysOnly);
	}

	/**
	 * The same without values and metadata.
	 * @return the query
	 */
	public Query withKeysOnly() {
		return new Query(this.prefix, this.suffix, this.after, this.offset, this.limit, this.descending, true);
	}

}
