package mu.micro.core;

import java.util.List;

import mu.micro.Limits;
import mu.micro.store.Entry;
import mu.micro.store.Page;
import mu.micro.store.Query;
import mu.micro.store.Store;

/**
 * A listing of any length, read page by page. Each page is of one moment, all together
 * are not.
 */
public final class Pages {

	private final Store table;

	private Query query;

	private long left;

	private boolean more = true;

	/**
	 * A listing, of which nothing is read yet.
	 * @param table what to list
	 * @param query which entries; its limit does not count
	 * @param limit how many at most; 0 or less for all
	 */
	public Pages(Store table, Query query, long limit) {
		this.table = table;
		this.query = query;
		this.left = (limit > 0) ? limit : Long.MAX_VALUE;
	}

	/**
	 * Reads on.
	 * @return some entries; none at the end
	 */
	public List<Entry> next() {
		if (!this.more) {
			return List.of();
		}
		Page page = this.table.list(this.query.withLimit((int) Math.min(this.left, Limits.PAGE)));
		List<Entry> entries = page.entries();
		this.left -= entries.size();
		this.more = page.more() && this.left > 0 && !entries.isEmpty();
		if (this.more) {
			this.query = this.query.withOffset(0).withAfter(entries.get(entries.size() - 1).key());
		}
		return entries;
	}

}
