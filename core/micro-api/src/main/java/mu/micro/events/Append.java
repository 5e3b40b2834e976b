package mu.micro.events;

import java.util.List;

import mu.micro.Limits;
import mu.micro.Message;
import mu.micro.MicroException;
import mu.micro.store.TableWrite;

/**
 * A message for a topic, not appended yet.
 *
 * @param topic the topic, a name within {@link Limits#NAME}
 * @param message the message
 */
public record Append(String topic, Message message) {

	/**
	 * Checks the topic.
	 * @throws MicroException.Invalid if it is no name
	 */
	public Append {
		Limits.name("topic", topic);
	}

	/**
	 * Checks and copies what is appended together with writes, for providers of
	 * {@link Outbox}.
	 * @param writes the writes, checked by {@link TableWrite#batch} if there are any
	 * @param appends what to append
	 * @return an unmodifiable copy
	 * @throws MicroException.Invalid if there are more than {@link Limits#BATCH}, or
	 * values and bodies of more than {@link Limits#BATCH_BYTES}
	 */
	public static List<Append> batch(List<TableWrite> writes, List<Append> appends) {
		List<Append> copy = List.copyOf(appends);
		if (copy.size() > Limits.BATCH) {
			throw new MicroException.Invalid(
					"the batch has " + copy.size() + " appends, more than the limit of " + Limits.BATCH);
		}
		long size = 0;
		for (TableWrite each : writes) {
			byte[] value = each.write().value();
			size += (value != null) ? value.length : 0;
		}
		for (Append each : copy) {
			size += each.message().body().length;
		}
		if (size > Limits.BATCH_BYTES) {
			throw new MicroException.Invalid("the values and bodies of the batch are " + size
					+ " bytes, more than the limit of " + Limits.BATCH_BYTES);
		}
		return copy;
	}

}
