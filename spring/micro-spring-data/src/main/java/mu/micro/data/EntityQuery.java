package mu.micro.data;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;

import mu.micro.Limits;
import mu.micro.data.EntityOrder.Ranked;
import mu.micro.data.EntityTable.Upkeep;
import mu.micro.data.Plan.Access;
import mu.micro.store.Entry;
import mu.micro.store.Page;
import org.jspecify.annotations.Nullable;

/**
 * A question to a table. Each page that is read is of one moment, and each entity is
 * asked as it is when it is read.
 *
 * @param type what the results are; others are left out
 * @param condition what is asked of them
 * @param filter what else is asked of them
 * @param order in which order they come
 * @param offset how many to leave out
 * @param rows how many to give; negative for all
 * @param observer hears of the plan
 */
record EntityQuery(Class<?> type, Condition condition, Predicate<Object> filter, EntityOrder order, long offset,
		long rows, Consumer<Plan> observer) {

	private static final int REPLANS = 10;

	/**
	 * Begins to read.
	 * @param table the table
	 * @return the results, which are read as they are asked for
	 * @throws IndexDroppedException if indexes come and go too fast; also by the
	 * iterator, if an index is dropped after the first result
	 */
	Iterator<Stored> in(EntityTable table) {
		return replanned(() -> {
			Iterator<Stored> results = results(table);
			results.hasNext();
			return results;
		});
	}

	/**
	 * Reads all results.
	 * @param table the table
	 * @return the results
	 * @throws IndexDroppedException if indexes come and go too fast
	 */
	List<Stored> all(EntityTable table) {
		return replanned(() -> {
			List<Stored> all = new ArrayList<>();
			results(table).forEachRemaining(all::add);
			return all;
		});
	}

	/**
	 * Counts the results, by the rows of an index alone where they tell.
	 * @param table the table
	 * @return the number, no more than the query gives
	 * @throws IndexDroppedException if indexes come and go too fast
	 */
	long count(EntityTable table) {
		return replanned(() -> counted(table));
	}

	private static <T> T replanned(Supplier<T> reading) {
		for (int attempt = 1;; attempt++) {
			try {
				return reading.get();
			}
			catch (IndexDroppedException ex) {
				if (attempt == REPLANS) {
					throw ex;
				}
			}
		}
	}

	private Iterator<Stored> results(EntityTable table) {
		if (this.rows == 0) {
			return Collections.emptyIterator();
		}
		Iterator<Stored> results = sorted(table, plan(table));
		for (long skipped = 0; skipped < this.offset && results.hasNext(); skipped++) {
			results.next();
		}
		return (this.rows < 0) ? results : new Lookahead<>() {

			private long left = EntityQuery.this.rows;

			@Override
			@Nullable Stored find() {
				return (this.left-- > 0 && results.hasNext()) ? results.next() : null;
			}

		};
	}

	private Plan plan(EntityTable table) {
		Upkeep known = table.upkeep();
		Plan plan = Plan.of(this.condition, this.order, this.rows >= 0, table.type().idProperty(),
				(path) -> table.index(known, path));
		this.observer.accept(plan);
		return plan;
	}

	private long counted(EntityTable table) {
		long most = (this.rows < 0) ? Long.MAX_VALUE : this.rows;
		boolean any = this.filter == Whatever.ENTITY && this.type.isAssignableFrom(table.type().type());
		Plan plan = plan(table);
		long count = 0;
		if (any && this.condition.alternatives().isEmpty()) {
			Iterator<Entry> entries = new Rows(table.store(), Interval.ALL, false, true, () -> {
			});
			while (count < most && entries.hasNext()) {
				entries.next();
				count++;
			}
			return count;
		}
		Access access = plan.branches().get(0).access();
		if (any && plan.branches().size() == 1 && access.index() != null && access.exact() && !access.index().unique()
				&& !access.index().many()) {
			Iterator<Entry> rows = rows(table, access, false, true);
			while (count < most && rows.hasNext()) {
				Entry row = rows.next();
				count += (row.expires() == null || table.contains(IndexKey.entity(row.key()))) ? 1 : 0;
			}
			return count;
		}
		Iterator<Hit> hits = hits(table, plan);
		while (count < most && hits.hasNext()) {
			hits.next();
			count++;
		}
		return count;
	}

	private Iterator<Stored> sorted(EntityTable table, Plan plan) {
		Iterator<Hit> hits = hits(table, plan);
		if (this.order.isUnsorted()) {
			return new Lookahead<>() {

				@Override
				@Nullable Stored find() {
					return hits.hasNext() ? hits.next().stored : null;
				}

			};
		}
		return new Sorted(hits, plan.ordered());
	}

	private Iterator<Hit> hits(EntityTable table, Plan plan) {
		Deque<Plan.Branch> branches = new ArrayDeque<>(plan.branches());
		return new Lookahead<>() {

			private Iterator<Hit> current = Collections.emptyIterator();

			private Predicate<Object> asked = Condition.ALL;

			@Override
			@Nullable Hit find() {
				while (true) {
					while (this.current.hasNext()) {
						Hit hit = this.current.next();
						Object entity = hit.stored.entity();
						if (EntityQuery.this.type.isInstance(entity) && this.asked.test(entity)
								&& EntityQuery.this.filter.test(entity)) {
							return hit;
						}
					}
					Plan.Branch next = branches.poll();
					if (next == null) {
						return null;
					}
					this.asked = next.filter();
					this.current = found(table, next.access(), plan.descending());
				}
			}

		};
	}

	private static Iterator<Hit> found(EntityTable table, Access access, boolean descending) {
		if (access.index() == null && access.exact()) {
			List<Lead> leads = new ArrayList<>();
			access.intervals().forEach((each) -> leads.add(new Lead(each.prefix(), each.prefix())));
			if (descending) {
				Collections.reverse(leads);
			}
			return new Led(table, leads.iterator());
		}
		Iterator<Entry> rows = rows(table, access, descending, false);
		if (access.index() != null) {
			return new Led(table, new Lookahead<>() {

				@Override
				@Nullable Lead find() {
					return rows.hasNext() ? Lead.of(rows.next()) : null;
				}

			});
		}
		return new Lookahead<>() {

			@Override
			@Nullable Hit find() {
				if (!rows.hasNext()) {
					return null;
				}
				Entry entry = rows.next();
				return new Hit(table.stored(entry), entry.key());
			}

		};
	}

	/*
	 * The rows or entities of the intervals, one interval after the other. Values are
	 * read only where they are needed: of entities, and of unique rows.
	 */
	private static Iterator<Entry> rows(EntityTable table, Access access, boolean descending, boolean keysOnly) {
		IndexDefinition index = access.index();
		List<Interval> intervals = new ArrayList<>(access.intervals());
		if (descending) {
			Collections.reverse(intervals);
		}
		AtomicReference<Upkeep> known = new AtomicReference<>(table.using(index));
		Iterator<Interval> each = intervals.iterator();
		return new Lookahead<>() {

			private Iterator<Entry> current = Collections.emptyIterator();

			@Override
			@Nullable Entry find() {
				while (!this.current.hasNext()) {
					if (!each.hasNext()) {
						return null;
					}
					Interval interval = each.next();
					if (index != null) {
						this.current = new Rows(table.rows(index), interval, descending, keysOnly || !index.unique(),
								() -> known.set(table.check(index, known.get())));
					}
					else {
						this.current = new Rows(table.store(), interval, descending, keysOnly, () -> {
						});
					}
				}
				return this.current.next();
			}

		};
	}

	/**
	 * Asks nothing.
	 */
	enum Whatever implements Predicate<Object> {

		/**
		 * Any entity will do.
		 */
		ENTITY;

		@Override
		public boolean test(Object entity) {
			return true;
		}

	}

	/**
	 * An entity that was found.
	 *
	 * @param stored the entity
	 * @param group what it has in common with those of which the order of reading does
	 * not tell which comes first
	 */
	private record Hit(Stored stored, String group) {
	}

	/**
	 * What leads to an entity.
	 *
	 * @param key the entity's key
	 * @param group see {@link Hit}
	 */
	private record Lead(String key, String group) {

		static Lead of(Entry row) {
			boolean unique = row.key().endsWith(IndexKey.END);
			return new Lead(unique ? EntityTable.owner(row) : IndexKey.entity(row.key()), IndexKey.group(row.key()));
		}

	}

	/**
	 * The entities that leads lead to. More and more of them are read at once: few at
	 * first, for a limit may end the reading early. One page at most is held.
	 */
	private static final class Led extends Lookahead<Hit> {

		private static final int GROWTH = 4;

		private final EntityTable table;

		private final Iterator<Lead> leads;

		private final Deque<Lead> unread = new ArrayDeque<>();

		private final Deque<Lead> read = new ArrayDeque<>();

		private final Map<String, Entry> entries = new HashMap<>();

		private int most = 1;

		Led(EntityTable table, Iterator<Lead> leads) {
			this.table = table;
			this.leads = leads;
		}

		@Override
		@Nullable Hit find() {
			while (!this.read.isEmpty() || readMore()) {
				Lead lead = this.read.remove();
				Entry entry = this.entries.get(lead.key);
				if (entry != null) {
					return new Hit(this.table.stored(entry), lead.group);
				}
			}
			return null;
		}

		private boolean readMore() {
			while (this.unread.size() < this.most && this.leads.hasNext()) {
				this.unread.add(this.leads.next());
			}
			if (this.unread.isEmpty()) {
				return false;
			}
			this.most = Math.min(Limits.PAGE, this.most * GROWTH);
			Page page = this.table.store().get(this.unread.stream().map(Lead::key).toList());
			this.entries.clear();
			page.entries().forEach((entry) -> this.entries.put(entry.key(), entry));
			String last = page.more() ? page.entries().get(page.entries().size() - 1).key() : null;
			Lead lead;
			do {
				lead = this.unread.remove();
				this.read.add(lead);
			}
			while (!this.unread.isEmpty() && !lead.key.equals(last));
			return true;
		}

	}

	/**
	 * Sorts what was found: all at once, or group after group where the groups come in
	 * order. Of a group no more is held than is asked for.
	 */
	private final class Sorted extends Lookahead<Stored> {

		private final Iterator<Hit> hits;

		private final boolean grouped;

		private final Deque<Stored> sorted = new ArrayDeque<>();

		private @Nullable Hit next;

		private long given;

		Sorted(Iterator<Hit> hits, boolean grouped) {
			this.hits = hits;
			this.grouped = grouped;
		}

		@Override
		@Nullable Stored find() {
			if (this.sorted.isEmpty()) {
				Hit first = (this.next != null) ? this.next : (this.hits.hasNext() ? this.hits.next() : null);
				this.next = null;
				if (first == null) {
					return null;
				}
				if (this.grouped && EntityQuery.this.order.isSingle() && !IndexKey.isCut(first.group)) {
					this.given++;
					return first.stored;
				}
				sort(first);
			}
			this.given++;
			return this.sorted.poll();
		}

		private void sort(Hit first) {
			long most = most();
			PriorityQueue<Ranked> best = new PriorityQueue<>(EntityQuery.this.order.reversed());
			Hit hit = first;
			while (hit != null) {
				best.add(EntityQuery.this.order.rank(hit.stored));
				if (best.size() > most) {
					best.poll();
				}
				hit = this.hits.hasNext() ? this.hits.next() : null;
				if (hit != null && this.grouped && !hit.group.equals(first.group)) {
					this.next = hit;
					hit = null;
				}
			}
			while (!best.isEmpty()) {
				this.sorted.addFirst(best.remove().stored());
			}
		}

		private long most() {
			long wanted = (EntityQuery.this.rows < 0) ? Long.MAX_VALUE
					: EntityQuery.this.offset + EntityQuery.this.rows - this.given;
			return Math.max(1, wanted);
		}

	}

}
