package mu.micro.store;

import java.util.List;
import java.util.Set;
import java.util.function.BiConsumer;

import mu.micro.Limits;
import mu.micro.MicroException;

/**
 * The data of one namespace: tables of entries.
 * <p>
 * <strong>Revisions.</strong> Each write gets a revision, a positive number that is
 * larger than that of every write to this namespace before it and is never used again,
 * also not after a delete, an expiry or a restart. Writes of one batch have revisions of
 * their own, in the batch's order.
 * <p>
 * <strong>Order.</strong> A write that returned is seen by every read that begins after
 * it, through whichever view.
 * <p>
 * <strong>Durability.</strong> What a durable provider has acknowledged is there after a
 * crash at any moment, and of an unacknowledged batch all or nothing.
 * <p>
 * <strong>Failures.</strong> Every call ends within the caller's deadline, else within
 * the provider's timeout. A call that could not be carried out is
 * {@link MicroException.Unavailable} and has changed nothing; a write of which that is
 * not certain is {@link MicroException.OutcomeUnknown}: read before trying again. A wait
 * that is interrupted is {@link MicroException.Cancelled}, or
 * {@link MicroException.OutcomeUnknown} if the write was under way. What is over one of
 * the {@link Limits} is {@link MicroException.Invalid}.
 */
public interface Database {

	/**
	 * A table. Cheap, and makes nothing: a table is there while it has an entry.
	 * @param name a name within {@link Limits#NAME}
	 * @return the table
	 * @throws MicroException.Invalid if it is not a name
	 */
	Store table(String name);

	/**
	 * The tables that have an entry.
	 * @return the names, sorted by their UTF-8
	 */
	Set<String> tables();

	/**
	 * Does all writes or none, as one step that nobody sees in part.
	 * @param writes one to {@link Limits#BATCH} writes to different keys, with values of
	 * {@link Limits#BATCH_BYTES} in all
	 * @return the revision of each write, in order; 0 for a delete that found nothing
	 * @throws MicroException.Conflict if a condition does not hold; nothing was done
	 */
	List<Long> apply(List<TableWrite> writes);

	/**
	 * Hands over every entry of every table as they were at one moment during this call,
	 * in the order of tables and keys, while others go on writing. Values are read as
	 * they are handed over, and not held together; a provider may bound how long it keeps
	 * that moment for a sink that takes its time.
	 * @param sink gets each table's name and entry; what it throws ends the call and
	 * comes out of it
	 * @return the revision of that moment
	 * @throws MicroException.Unavailable also if the sink took too long for an entry
	 */
	long snapshot(BiConsumer<String, Entry> sink);

}
