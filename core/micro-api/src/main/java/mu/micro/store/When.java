package mu.micro.store;

import mu.micro.MicroException;

/**
 * What must hold of an entry for a write to be done; else it is
 * {@link MicroException.Conflict}.
 */
public sealed interface When {

	/**
	 * Whatever is there.
	 */
	When ALWAYS = new Always();

	/**
	 * Only if there is no entry.
	 */
	When ABSENT = new Absent();

	/**
	 * Only if there is an entry with this revision.
	 * @param value the revision
	 * @return the condition
	 */
	static When revision(long value) {
		return new Revision(value);
	}

	/**
	 * Whatever is there.
	 */
	record Always() implements When {
	}

	/**
	 * Only if there is no entry.
	 */
	record Absent() implements When {
	}

	/**
	 * Only if there is an entry with this revision.
	 *
	 * @param value the revision
	 */
	record Revision(long value) implements When {

		/**
		 * Checks the number.
		 * @throws MicroException.Invalid if it is not positive
		 */
		public Revision {
			if (value < 1) {
				throw new MicroException.Invalid("the revision " + value + " is not positive");
			}
		}

	}

}
