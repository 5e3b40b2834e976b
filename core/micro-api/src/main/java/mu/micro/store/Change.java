package mu.micro.store;

/**
 * What a watcher hears.
 */
public sealed interface Change {

	/**
	 * The write that this came from.
	 * @return its revision
	 */
	long revision();

	/**
	 * An entry was written.
	 *
	 * @param entry the entry
	 */
	record Put(Entry entry) implements Change {

		@Override
		public long revision() {
			return this.entry.revision();
		}

	}

	/**
	 * An entry was deleted.
	 *
	 * @param key its key
	 * @param revision the delete's revision
	 */
	record Deleted(String key, long revision) implements Change {
	}

	/**
	 * An entry's time was over.
	 *
	 * @param key its key
	 * @param revision the revision under which it was cleared away
	 */
	record Expired(String key, long revision) implements Change {
	}

	/**
	 * Changes were lost: list again. What comes next is newer than this revision, which
	 * may be an earlier one than was told before, where older data was put back.
	 *
	 * @param revision the last change that is not told any more, at least
	 */
	record Lagged(long revision) implements Change {
	}

}
