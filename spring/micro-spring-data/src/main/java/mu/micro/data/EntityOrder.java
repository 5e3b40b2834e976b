package mu.micro.data;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

import mu.micro.core.KeyOrder;
import org.jspecify.annotations.Nullable;

import org.springframework.dao.InvalidDataAccessApiUsageException;
import org.springframework.data.domain.Sort;
import org.springframework.data.mapping.context.MappingContext;

/**
 * The order of a query's results. What is null comes before all values, or after them if
 * the order is descending, unless it is said otherwise. What is equal in all properties
 * is ordered by key, in the direction of the first.
 */
final class EntityOrder implements Comparator<EntityOrder.Ranked> {

	private final List<Criterion> criteria = new ArrayList<>();

	/**
	 * An order.
	 * @param sort what was asked for
	 * @param context knows the types
	 * @param type the entities' type
	 * @throws InvalidDataAccessApiUsageException if a property is not there or cannot be
	 * compared
	 */
	EntityOrder(Sort sort, MappingContext<?, ?> context, Class<?> type) {
		for (Sort.Order order : sort) {
			EntityPath path = EntityPath.of(context, type, order.getProperty());
			if (!path.isComparable()) {
				throw new InvalidDataAccessApiUsageException(
						"cannot sort by '" + path + "', whose values cannot be compared");
			}
			boolean nullsFirst = switch (order.getNullHandling()) {
				case NULLS_FIRST -> true;
				case NULLS_LAST -> false;
				case NATIVE -> order.isAscending();
			};
			this.criteria.add(new Criterion(path, order.isAscending(), nullsFirst,
					order.isIgnoreCase() && path.form() == ValueForm.TEXT));
		}
	}

	boolean isUnsorted() {
		return this.criteria.isEmpty();
	}

	/**
	 * Whether it is by one property alone.
	 * @return whether it is
	 */
	boolean isSingle() {
		return this.criteria.size() == 1;
	}

	boolean isDescending() {
		return !this.criteria.isEmpty() && !this.criteria.get(0).ascending;
	}

	/**
	 * The property by which keys or rows may be ordered already.
	 * @return the first property, or null if its order is none that they have
	 */
	@Nullable EntityPath natural() {
		Criterion first = this.criteria.isEmpty() ? null : this.criteria.get(0);
		return (first != null && !first.ignoreCase && first.nullsFirst == first.ascending) ? first.path : null;
	}

	/**
	 * An entity with what it is ordered by.
	 * @param stored the entity
	 * @return both
	 */
	Ranked rank(Stored stored) {
		@Nullable Object[] values = new Object[this.criteria.size()];
		for (int i = 0; i < values.length; i++) {
			values[i] = this.criteria.get(i).path.get(stored.entity());
		}
		return new Ranked(stored, values);
	}

	@Override
	public int compare(Ranked one, Ranked other) {
		for (int i = 0; i < this.criteria.size(); i++) {
			int result = this.criteria.get(i).compare(one.values[i], other.values[i]);
			if (result != 0) {
				return result;
			}
		}
		int keys = KeyOrder.UTF8.compare(one.stored.key(), other.stored.key());
		return isDescending() ? -keys : keys;
	}

	private record Criterion(EntityPath path, boolean ascending, boolean nullsFirst, boolean ignoreCase) {

		int compare(@Nullable Object one, @Nullable Object other) {
			if (one == null || other == null) {
				return (one == other) ? 0 : (((one == null) == this.nullsFirst) ? -1 : 1);
			}
			int result = this.ignoreCase ? this.path.compare(folded(one), folded(other))
					: this.path.compare(one, other);
			return this.ascending ? result : -result;
		}

		private static String folded(Object value) {
			return value.toString().toUpperCase(Locale.ROOT).toLowerCase(Locale.ROOT);
		}

	}

	/**
	 * An entity with what it is ordered by.
	 */
	static final class Ranked {

		private final Stored stored;

		private final @Nullable Object[] values;

		private Ranked(Stored stored, @Nullable Object[] values) {
			this.stored = stored;
			this.values = values;
		}

		Stored stored() {
			return this.stored;
		}

	}

}
