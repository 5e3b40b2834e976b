package mu.micro.store;

import mu.micro.Limits;

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
	 */
	public TableWrite {
		Limits.name("table's name", table);
	}

}
