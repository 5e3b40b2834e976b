package mu.micro.store;

import java.util.List;

import mu.micro.Limits;

/**
 * A part of a listing.
 *
 * @param entries the entries, in the order asked for; they end before the limit where
 * their values would pass {@link Limits#BATCH_BYTES}
 * @param revision the last write to the namespace that this listing saw, at most; watch
 * from here
 * @param more whether there were more; go on with {@link Query#withAfter} the last key
 */
public record Page(List<Entry> entries, long revision, boolean more) {

	/**
	 * Copies the list.
	 */
	public Page {
		entries = List.copyOf(entries);
	}

}
