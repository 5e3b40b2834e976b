package mu.micro.data;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Predicate;

import mu.micro.core.KeyOrder;
import org.jspecify.annotations.Nullable;

import org.springframework.data.mapping.PersistentProperty;
import org.springframework.data.repository.query.parser.Part;

/**
 * How a query is answered: from which keys or rows entities are read, and what is asked
 * of each of them then. That is always the whole condition, so that it never matters for
 * the result how they were found.
 *
 * @param branches what is read, one after the other
 * @param ordered whether entities come in the order of the query's first property
 * @param descending whether to read from the last to the first
 */
record Plan(List<Branch> branches, boolean ordered, boolean descending) {

	/**
	 * Makes a plan.
	 * @param condition what is asked
	 * @param order in which order
	 * @param limited whether some of the results are enough
	 * @param id the property that is the key, or null
	 * @param indexes gives the index of a property, or null
	 * @return the plan
	 */
	static Plan of(Condition condition, EntityOrder order, boolean limited, @Nullable PersistentProperty<?> id,
			Function<EntityPath, @Nullable IndexDefinition> indexes) {
		List<Branch> branches = new ArrayList<>();
		for (List<Term> terms : condition.alternatives()) {
			Access access = access(terms, id, indexes);
			if (access == null) {
				branches.clear();
				break;
			}
			List<List<Term>> earlier = condition.alternatives().subList(0, branches.size());
			branches.add(new Branch(access, (entity) -> Condition.holds(terms, entity)
					&& earlier.stream().noneMatch((each) -> Condition.holds(each, entity))));
		}
		if (branches.size() == 1) {
			Plan plan = new Plan(branches, isOrdered(branches.get(0).access, order, id), order.isDescending());
			if (plan.ordered || !limited || branches.get(0).access.rank <= Access.NARROW) {
				return plan;
			}
		}
		EntityPath first = order.natural();
		Access whole = (branches.size() > 1) ? null : inOrder(first, limited, id, indexes);
		if (whole != null) {
			return new Plan(List.of(new Branch(whole, condition)), true, order.isDescending());
		}
		return new Plan(branches.isEmpty() ? List.of(new Branch(Access.scan(), condition)) : branches, false, false);
	}

	private static boolean isOrdered(Access access, EntityOrder order, @Nullable PersistentProperty<?> id) {
		EntityPath first = order.natural();
		if (first == null) {
			return false;
		}
		return (access.index != null)
				? access.index.path().equals(first.name()) && access.index.form().isOrdered() && !access.index.many()
				: isKey(first, id) && EntityKey.order(first.type()) != null;
	}

	private static @Nullable Access inOrder(@Nullable EntityPath first, boolean limited,
			@Nullable PersistentProperty<?> id, Function<EntityPath, @Nullable IndexDefinition> indexes) {
		if (first == null) {
			return null;
		}
		if (isKey(first, id) && EntityKey.order(first.type()) != null) {
			return Access.scan();
		}
		IndexDefinition index = limited ? indexes.apply(first) : null;
		return (index != null && index.form().isOrdered() && !index.many())
				? new Access(index, List.of(Interval.ALL), false, Access.WHOLE) : null;
	}

	private static boolean isKey(EntityPath path, @Nullable PersistentProperty<?> id) {
		return id != null && path.name().equals(id.getName());
	}

	private static @Nullable Access access(List<Term> terms, @Nullable PersistentProperty<?> id,
			Function<EntityPath, @Nullable IndexDefinition> indexes) {
		Map<String, List<Term>> byPath = new LinkedHashMap<>();
		terms.forEach((each) -> byPath.computeIfAbsent(each.path().name(), (name) -> new ArrayList<>()).add(each));
		Access best = null;
		for (List<Term> some : byPath.values()) {
			EntityPath path = some.get(0).path();
			Access access;
			if (isKey(path, id)) {
				access = byKey(some);
			}
			else {
				IndexDefinition index = some.stream().allMatch(Term::ignoreCase) ? null : indexes.apply(path);
				access = (index != null) ? byIndex(some, index, some.size() == terms.size()) : null;
			}
			if (access != null && (best == null || access.rank < best.rank)) {
				best = access;
			}
		}
		return best;
	}

	private static @Nullable Access byKey(List<Term> terms) {
		for (Term term : terms) {
			if (!term.ignoreCase() && (term.type() == Part.Type.SIMPLE_PROPERTY || term.type() == Part.Type.IN)) {
				Map<String, Interval> keys = new TreeMap<>(KeyOrder.UTF8);
				for (Object id : term.arguments()) {
					if (id != null) {
						String key = EntityKey.of(id);
						keys.put(key, Interval.prefix(key));
					}
				}
				return new Access(null, List.copyOf(keys.values()), true, Access.ONE);
			}
			if (!term.ignoreCase() && term.type() == Part.Type.STARTING_WITH) {
				return new Access(null, List.of(Interval.prefix(String.valueOf(term.argument(0)))), false,
						Access.NARROW);
			}
		}
		return null;
	}

	/*
	 * Single values are best, then what text begins with, then what is between two
	 * values, and of single values the first term is taken.
	 */
	private static @Nullable Access byIndex(List<Term> terms, IndexDefinition index, boolean all) {
		for (Term term : terms) {
			List<? extends @Nullable Object> values = values(term, index);
			if (values != null && !term.ignoreCase()) {
				Map<String, Interval> rows = new TreeMap<>(KeyOrder.UTF8);
				for (Object value : values) {
					String text = (value != null) ? index.form().text(value) : null;
					rows.put(IndexKey.value(text), IndexKey.equal(text));
				}
				return new Access(index, List.copyOf(rows.values()), all && terms.size() == 1,
						index.unique() ? Access.ONE : Access.FEW);
			}
		}
		Range range = new Range(index);
		terms.forEach(range::add);
		return range.access(all);
	}

	private static @Nullable List<? extends @Nullable Object> values(Term term, IndexDefinition index) {
		if (index.many()) {
			return (term.type() == Part.Type.CONTAINING) ? term.arguments() : null;
		}
		return switch (term.type()) {
			case SIMPLE_PROPERTY, TRUE, FALSE, IN -> term.arguments();
			case IS_NULL -> Collections.singletonList(null);
			default -> null;
		};
	}

	/**
	 * Whether the whole table is read to find some of it.
	 * @return whether it is
	 */
	boolean isScan() {
		return this.branches.stream()
			.anyMatch((each) -> !each.filter.equals(Condition.ALL) && each.access.rank == Access.WHOLE);
	}

	/**
	 * Entities that are read, and what is asked of them.
	 *
	 * @param access where they are found
	 * @param filter what is asked
	 */
	record Branch(Access access, Predicate<Object> filter) {
	}

	/**
	 * Where entities are found: by rows of an index, or by their own keys.
	 *
	 * @param index the index, or null for the keys
	 * @param intervals which rows or keys, in order; apart from each other
	 * @param exact whether all entities found meet the condition, in the case of an
	 * index, or whether each interval is one key
	 * @param rank the less the better
	 */
	record Access(@Nullable IndexDefinition index, List<Interval> intervals, boolean exact, int rank) {

		static final int ONE = 0;

		static final int FEW = 1;

		static final int NARROW = 2;

		static final int WIDE = 3;

		static final int WHOLE = 4;

		static Access scan() {
			return new Access(null, List.of(Interval.ALL), false, WHOLE);
		}

	}

	/**
	 * What several terms on one property have in common.
	 */
	private static final class Range {

		private final IndexDefinition index;

		private @Nullable String low;

		private boolean withLow;

		private @Nullable String high;

		private boolean withHigh;

		private @Nullable String prefix;

		private boolean present;

		private int used;

		private boolean exact = true;

		private int terms;

		Range(IndexDefinition index) {
			this.index = index;
		}

		void add(Term term) {
			this.terms++;
			if (term.ignoreCase() || this.index.many()) {
				return;
			}
			if (term.type() == Part.Type.IS_NOT_NULL) {
				this.present = true;
				this.used++;
			}
			if (!this.index.form().isOrdered()) {
				return;
			}
			switch (term.type()) {
				case GREATER_THAN, AFTER -> low(term, 0, false);
				case GREATER_THAN_EQUAL -> low(term, 0, true);
				case LESS_THAN, BEFORE -> high(term, 0, false);
				case LESS_THAN_EQUAL -> high(term, 0, true);
				case BETWEEN -> {
					low(term, 0, true);
					high(term, 1, true);
					this.used--;
				}
				case STARTING_WITH -> prefix(String.valueOf(term.argument(0)), true);
				case LIKE -> prefix(Term.prefix(String.valueOf(term.argument(0))), false);
				default -> {
				}
			}
		}

		private void low(Term term, int argument, boolean with) {
			String text = text(term, argument);
			int later = (this.low != null) ? KeyOrder.UTF8.compare(text, this.low) : 1;
			if (later > 0 || (later == 0 && !with)) {
				this.low = text;
				this.withLow = with;
			}
			this.used++;
		}

		private void high(Term term, int argument, boolean with) {
			String text = text(term, argument);
			int later = (this.high != null) ? KeyOrder.UTF8.compare(text, this.high) : -1;
			if (later < 0 || (later == 0 && !with)) {
				this.high = text;
				this.withHigh = with;
			}
			this.used++;
		}

		private String text(Term term, int argument) {
			Object value = term.argument(argument);
			if (value == null) {
				throw new IllegalStateException("null was let in");
			}
			String text = this.index.form().text(value);
			this.exact &= IndexKey.isWhole(text);
			return text;
		}

		private void prefix(String text, boolean whole) {
			if (this.prefix == null && !text.isEmpty()) {
				this.prefix = text;
				this.exact &= whole && IndexKey.isWhole(text);
				this.used++;
			}
		}

		@Nullable Access access(boolean all) {
			boolean covered = all && this.exact && this.used == this.terms;
			if (this.prefix != null) {
				return new Access(this.index, List.of(IndexKey.startingWith(this.prefix)),
						covered && this.low == null && this.high == null, Access.NARROW);
			}
			if (this.low != null || this.high != null) {
				return new Access(this.index,
						List.of(IndexKey.between(this.low, this.withLow, this.high, this.withHigh)), covered,
						(this.low != null && this.high != null) ? Access.NARROW : Access.WIDE);
			}
			return this.present ? new Access(this.index, List.of(IndexKey.present()), covered, Access.WIDE) : null;
		}

	}

}
