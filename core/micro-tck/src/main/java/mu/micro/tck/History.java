package mu.micro.tck;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Function;
import java.util.function.Supplier;

import mu.micro.MicroException;
import org.jspecify.annotations.Nullable;

/**
 * What concurrent callers did to one thing, and whether it was linearizable: whether each
 * operation can have taken effect at one moment between its call and its return (Herlihy
 * and Wing, 1990). The search is that of Wing and Gong (1993) with the memory of Lowe
 * (2017).
 * <p>
 * Operations that failed in a way that leaves their outcome open may have taken effect at
 * any moment after their call, or never.
 *
 * @param <S> the state of the thing, immutable, with equals and hashCode
 */
public final class History<S> {

	private final ConcurrentLinkedQueue<Operation<S>> operations = new ConcurrentLinkedQueue<>();

	/**
	 * Does an operation and records it.
	 * @param name what it is, for messages
	 * @param call does it
	 * @param effect given the result, what the operation means: the state after it, or
	 * null if it cannot have had this result in the state before
	 * @param unknown what the operation means if it took effect with its outcome open
	 * @param <R> the result's type
	 * @return the result, or null where the outcome is open
	 */
	public <R> @Nullable R record(String name, Supplier<R> call, Function<R, Effect<S>> effect, Effect<S> unknown) {
		long begin = System.nanoTime();
		try {
			R result = call.get();
			this.operations
				.add(new Operation<>(name + " = " + result, begin, System.nanoTime(), true, effect.apply(result)));
			return result;
		}
		catch (MicroException.OutcomeUnknown ex) {
			this.operations.add(new Operation<>(name + " = ?", begin, Long.MAX_VALUE, false, unknown));
			return null;
		}
		catch (MicroException.Unavailable ex) {
			// Nothing was done.
			return null;
		}
	}

	/**
	 * How many operations were recorded.
	 * @return their number
	 */
	public int size() {
		return this.operations.size();
	}

	/**
	 * Looks for an order that explains everything.
	 * @param initial the state before all operations
	 * @return null if there is one, else the longest explanation that was found and the
	 * operations that do not go with it
	 */
	public @Nullable String violation(S initial) {
		List<Operation<S>> all = new ArrayList<>(this.operations);
		all.sort(Comparator.comparingLong(Operation::begin));
		return new Search<>(all, initial).run();
	}

	/**
	 * What an operation does.
	 *
	 * @param <S> the state's type
	 */
	@FunctionalInterface
	public interface Effect<S> {

		/**
		 * Does it to a state.
		 * @param state the state before
		 * @return the state after, or null if it cannot have happened in this state
		 */
		@Nullable S on(S state);

	}

	/**
	 * One operation.
	 *
	 * @param name what it was
	 * @param begin when it was called
	 * @param end when it returned
	 * @param certain whether it took effect
	 * @param effect what it did
	 * @param <S> the state's type
	 */
	private record Operation<S>(String name, long begin, long end, boolean certain, Effect<S> effect) {
	}

	/**
	 * A search for an order.
	 *
	 * @param <S> the state's type
	 */
	private static final class Search<S> {

		private final List<Operation<S>> all;

		private final Set<List<Object>> seen = new HashSet<>();

		private final BitSet done = new BitSet();

		private final Deque<Integer> order = new ArrayDeque<>();

		private final Deque<S> states = new ArrayDeque<>();

		private List<Integer> longest = List.of();

		Search(List<Operation<S>> all, S initial) {
			this.all = all;
			this.states.push(initial);
		}

		/*
		 * Depth first, without recursion: histories are long.
		 */
		@Nullable String run() {
			int from = 0;
			while (!explained()) {
				int next = candidate(from);
				if (next >= 0) {
					from = 0;
					continue;
				}
				if (this.order.isEmpty()) {
					return message();
				}
				int last = this.order.pop();
				this.states.pop();
				this.done.clear(last);
				from = last + 1;
			}
			return null;
		}

		private boolean explained() {
			for (int i = this.done.nextClearBit(0); i < this.all.size(); i = this.done.nextClearBit(i + 1)) {
				if (this.all.get(i).certain) {
					return false;
				}
			}
			return true;
		}

		/*
		 * The next operation may be any that was called before all others that are left
		 * had returned.
		 */
		private int candidate(int from) {
			long firstEnd = Long.MAX_VALUE;
			for (int i = this.done.nextClearBit(0); i < this.all.size(); i = this.done.nextClearBit(i + 1)) {
				Operation<S> operation = this.all.get(i);
				if (operation.begin > firstEnd) {
					return -1;
				}
				if (i >= from && take(i, operation)) {
					return i;
				}
				firstEnd = Math.min(firstEnd, operation.end);
			}
			return -1;
		}

		private boolean take(int index, Operation<S> operation) {
			S after = operation.effect.on(this.states.getFirst());
			if (after == null) {
				return false;
			}
			this.done.set(index);
			if (!this.seen.add(List.of(this.done.clone(), after))) {
				this.done.clear(index);
				return false;
			}
			this.order.push(index);
			this.states.push(after);
			if (this.order.size() > this.longest.size()) {
				this.longest = List.copyOf(this.order);
			}
			return true;
		}

		private String message() {
			List<String> lines = new ArrayList<>();
			lines.add("no order explains all " + this.all.size() + " operations; the longest that was found ends with");
			int shown = Math.min(20, this.longest.size());
			for (int i = shown - 1; i >= 0; i--) {
				lines.add("  " + line(this.longest.get(i)));
			}
			lines.add("and does not go on with any of");
			this.all.stream()
				.filter((operation) -> !this.longest.contains(this.all.indexOf(operation)))
				.limit(20)
				.forEach((operation) -> lines.add("  " + line(this.all.indexOf(operation))));
			return String.join("\n", lines);
		}

		private String line(int index) {
			Operation<S> operation = this.all.get(index);
			long zero = this.all.get(0).begin;
			return operation.name + " from " + (operation.begin - zero) / 1000 + " us"
					+ ((operation.certain) ? " to " + (operation.end - zero) / 1000 + " us" : "");
		}

	}

}
