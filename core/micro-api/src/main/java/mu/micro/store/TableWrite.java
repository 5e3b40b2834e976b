package mu.micro.store;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

import mu.micro.Limits;
import mu.micro.MicroException;

/**
 * A write to a named table, for a batch over several.
 *
 * @param table the table's name, within {@link Limits#NAME}
 * @param write what to do there
 * @see Database#apply
 */
public record TableWrite(String table, Write write) {

	/**
	 * Checks the name.
	 * @throws MicroException.Invalid if it is not a name
	 */
	public TableWrite {
		Limits.name("table's name", table);
	}

	/**
	 * Checks and copies a batch, for providers.
	 * @param writes the writes
	 * @return an unmodifiable copy
	 * @throws MicroException.Invalid if there are none, more than {@link Limits#BATCH},
	 * two to one key, or values of more than {@link Limits#BATCH_BYTES}
	 */
	public static List<TableWrite> batch(List<TableWrite> writes) {
		List<TableWrite> copy = List.copyOf(writes);
		if (copy.isEmpty()) {
			throw new MicroException.Invalid("the batch is empty");
		}
		if (copy.size() > Limits.BATCH) {
			throw new MicroException.Invalid(
					"the batch has " + copy.size() + " writes, more than the limit of " + Limits.BATCH);
		}
		Set<Map.Entry<String, String>> keys = new HashSet<>();
		long size = 0;
		for (TableWrite each : copy) {
			if (!keys.add(Map.entry(each.table, each.write.key()))) {
				throw new MicroException.Invalid(
						"the batch has two writes to the key '" + each.write.key() + "' of table '" + each.table + "'");
			}
			byte[] value = each.write.value();
			size += (value != null) ? value.length : 0;
		}
		if (size > Limits.BATCH_BYTES) {
			throw new MicroException.Invalid(
					"the values of the batch are " + size + " bytes, more than the limit of " + Limits.BATCH_BYTES);
		}
		return copy;
	}

}
