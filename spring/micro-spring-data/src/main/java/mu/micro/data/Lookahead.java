package mu.micro.data;

import java.util.Iterator;
import java.util.NoSuchElementException;

import org.jspecify.annotations.Nullable;

/**
 * An iterator that finds its elements one at a time.
 *
 * @param <T> the elements
 */
abstract class Lookahead<T> implements Iterator<T> {

	private @Nullable T next;

	private boolean over;

	/**
	 * Finds the next element.
	 * @return the element, or null if there is none, and this is not called again
	 */
	abstract @Nullable T find();

	@Override
	public final boolean hasNext() {
		if (this.next == null && !this.over) {
			this.next = find();
			this.over = this.next == null;
		}
		return this.next != null;
	}

	@Override
	public final T next() {
		T found = hasNext() ? this.next : null;
		if (found == null) {
			throw new NoSuchElementException();
		}
		this.next = null;
		return found;
	}

}
