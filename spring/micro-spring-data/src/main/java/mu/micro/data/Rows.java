package mu.micro.data;

import mu.micro.Limits;
import mu.micro.core.KeyOrder;
import mu.micro.store.Entry;
import mu.micro.store.Page;
import mu.micro.store.Query;
import mu.micro.store.Store;
import org.jspecify.annotations.Nullable;

/**
 * The entries of an interval of keys, in pages that are small at first. One page at most
 * is held.
 */
final class Rows extends Lookahead<Entry> {

	private static final int FIRST = 32;

	private static final int GROWTH = 4;

	private final Store store;

	private final Interval interval;

	private final Runnable afterPage;

	private Query query;

	private @Nullable Page page;

	private int index;

	/**
	 * Nothing read yet.
	 * @param store the table
	 * @param interval which keys
	 * @param descending whether to begin with the last
	 * @param keysOnly whether to leave out values
	 * @param afterPage runs when a page was read, before anything of it is handed over
	 */
	Rows(Store store, Interval interval, boolean descending, boolean keysOnly, Runnable afterPage) {
		this.store = store;
		this.interval = interval;
		this.afterPage = afterPage;
		String before = interval.before();
		String from = descending ? ((before != null) ? before : "") : interval.after();
		this.query = new Query(interval.prefix(), "", from, 0, FIRST, descending, keysOnly);
	}

	@Override
	@Nullable Entry find() {
		while (true) {
			Page current = (this.page != null) ? this.page : read();
			if (this.index < current.entries().size()) {
				Entry entry = current.entries().get(this.index++);
				return isBeyond(entry.key()) ? null : entry;
			}
			if (!current.more()) {
				return null;
			}
			this.query = this.query.withAfter(current.entries().get(current.entries().size() - 1).key())
				.withLimit(Math.min(Limits.PAGE, this.query.limit() * GROWTH));
			this.page = null;
		}
	}

	private Page read() {
		Page read = this.store.list(this.query);
		this.afterPage.run();
		this.page = read;
		this.index = 0;
		return read;
	}

	private boolean isBeyond(String key) {
		if (this.query.descending()) {
			return KeyOrder.UTF8.compare(key, this.interval.after()) <= 0;
		}
		String before = this.interval.before();
		return before != null && KeyOrder.UTF8.compare(key, before) >= 0;
	}

}
