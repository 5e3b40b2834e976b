package mu.micro.store;

import java.util.Collection;
import java.util.function.Consumer;

import mu.micro.Limits;
import mu.micro.MicroException;
import org.jspecify.annotations.Nullable;

/**
 * One table: values under keys.
 * <p>
 * Keys are text of 1 to {@link Limits#KEY} bytes of UTF-8, any character allowed, and are
 * ordered by those bytes. Values are bytes, up to {@link Limits#VALUE}. An entry whose
 * time is over is invisible at once, to the millisecond.
 * <p>
 * Revisions, durability and failures: {@link Database}.
 */
public interface Store {

	/**
	 * Reads one entry.
	 * @param key the key
	 * @return the entry, or null where there is none
	 */
	@Nullable Entry get(String key);

	/**
	 * Reads several entries as they were at one moment. One after the other they would
	 * cost as many calls, and each would be of its own moment.
	 * @param keys up to {@link Limits#PAGE} keys; one that is there twice is read once
	 * @return those that are there, in the order asked for; where not all fit into a page
	 * ask on for the keys behind the last one
	 * @throws MicroException.Invalid if there are more keys, or one is none
	 */
	Page get(Collection<String> keys);

	/**
	 * Writes one value, whatever was there.
	 * @param key the key
	 * @param value the value
	 * @return the revision of the write
	 */
	default long put(String key, byte[] value) {
		return put(Write.put(key, value));
	}

	/**
	 * Writes one entry. What it replaces is gone whole: without a ttl the entry stays,
	 * without metadata it has none.
	 * @param write the entry, with a value
	 * @return the revision of the write
	 * @throws MicroException.Conflict if its condition does not hold
	 * @throws MicroException.Invalid if it is a delete
	 */
	long put(Write write);

	/**
	 * Deletes one entry, whatever it is.
	 * @param key the key
	 * @return whether there was one
	 */
	default boolean delete(String key) {
		return delete(key, When.ALWAYS);
	}

	/**
	 * Deletes one entry.
	 * @param key the key
	 * @param when the condition
	 * @return whether there was one
	 * @throws MicroException.Conflict if the condition does not hold
	 */
	boolean delete(String key, When when);

	/**
	 * Lists entries as they were at one moment.
	 * @param query which, and how many
	 * @return the page
	 */
	Page list(Query query);

	/**
	 * Hears of changes after a revision, in the order of their revisions and each once.
	 * Of several changes to one key that happened meanwhile only the last may come, and
	 * it always does. A listing's revision leaves no gap and brings nothing twice.
	 * Others' changes are heard within a second. An entry whose time is over is cleared
	 * away, and that is heard, within ten seconds; a listing may have left it out before.
	 * <p>
	 * A provider keeps the changes of the last minutes, not for ever. Where it cannot
	 * tell all, because it is asked too late or the listener is too slow, it says
	 * {@link Change.Lagged} and goes on from there: list again. So it does where it is
	 * asked for what comes after a revision that it has not given yet, as after older
	 * data was put back.
	 * @param prefix what the keys begin with, taken literally; empty for all
	 * @param afterRevision where to begin: the revision of a {@link Page}, of a
	 * {@link Database#snapshot snapshot}, of an entry, or 0 for all that is there
	 * @param listener gets each change
	 * @return ends the calls when closed, and tells how far they are
	 * @throws MicroException.Invalid if the prefix is longer than {@link Limits#KEY} or
	 * no Unicode, or the revision is negative
	 */
	Watch watch(String prefix, long afterRevision, Consumer<Change> listener);

}
