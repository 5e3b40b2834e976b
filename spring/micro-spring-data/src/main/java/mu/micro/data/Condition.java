package mu.micro.data;

import java.util.List;
import java.util.function.Predicate;

/**
 * What a query asks of an entity: that one of several lists of terms holds as a whole.
 *
 * @param alternatives the lists; with none everything holds
 */
record Condition(List<List<Term>> alternatives) implements Predicate<Object> {

	/**
	 * Holds of everything.
	 */
	static final Condition ALL = new Condition(List.of());

	@Override
	public boolean test(Object entity) {
		return this.alternatives.isEmpty() || this.alternatives.stream().anyMatch((each) -> holds(each, entity));
	}

	static boolean holds(List<Term> terms, Object entity) {
		return terms.stream().allMatch((each) -> each.test(entity));
	}

}
