package mu.micro.events;

import java.util.List;

import mu.micro.Limits;
import mu.micro.MicroException;
import mu.micro.store.TableWrite;

/**
 * Writes to a namespace's tables and appends to its topics in one step, where both are
 * kept in one place: so an event says what was written, and what was written is told.
 */
public interface Outbox {

	/**
	 * Does all of it or nothing.
	 * @param writes what to write, up to {@link Limits#BATCH}
	 * @param appends what to append, up to {@link Limits#BATCH}; of all values and bodies
	 * together no more than {@link Limits#BATCH_BYTES}
	 * @return the events, as {@link Events#append} returns them
	 * @throws MicroException.Conflict if a write's condition does not hold
	 * @throws MicroException.Invalid if a limit is not kept, or two writes are to one key
	 * @throws MicroException.Unavailable if nothing was done
	 * @throws MicroException.OutcomeUnknown if it is not known whether all was done or
	 * nothing
	 */
	List<Event> apply(List<TableWrite> writes, List<Append> appends);

}
