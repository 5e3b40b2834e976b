package mu.micro.store;

import java.util.List;

import mu.micro.Limits;

/**
 * A part of a listing, or of the entries that were asked for by their keys.
 *
 * @param entries the entries, in the order asked for; they end before the limit where
 * their values would pass {@link Limits#BATCH_BYTES}
 * @param revision how far this listing saw: every write to the namespace up to this
 * revision, and none after it. Watch from here; of several pages, from the first's
 * @param more whether there were more; go on with {@link Query#withAfter} the last key,
 * or with the keys behind it
 */
public record Page(List<Entry> entries, long revision, boolean more) {

	/**
	 * Copies the list.
	 */
	public Page {
		entries = List.copyOf(entries);
	}

}
