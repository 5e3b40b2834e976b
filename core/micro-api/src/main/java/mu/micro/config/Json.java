package mu.micro.config;

import java.math.BigDecimal;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

import mu.micro.Limits;
import mu.micro.MicroException;

/**
 * A value as JSON has it, immutable. Two values are equal if they have the same JSON,
 * whatever the order of members; numbers are equal only if they are written the same, so
 * that {@code 1} is not {@code 1.0}.
 * <p>
 * {@code toString} tells the shape and never the content, for what was read may be a
 * secret and end in a log.
 */
public sealed interface Json {

	/**
	 * The value {@code null}: it is there and says nothing.
	 */
	Json NULL = new Null();

	/**
	 * A text.
	 * @param value the text
	 * @return the value
	 */
	static Text of(String value) {
		return new Text(value);
	}

	/**
	 * A whole number.
	 * @param value the number
	 * @return the value
	 */
	static Number of(long value) {
		return new Number(BigDecimal.valueOf(value));
	}

	/**
	 * A number.
	 * @param value the number
	 * @return the value
	 */
	static Number of(BigDecimal value) {
		return new Number(value);
	}

	/**
	 * A truth value.
	 * @param value the truth value
	 * @return the value
	 */
	static Bool of(boolean value) {
		return new Bool(value);
	}

	/**
	 * An array.
	 * @param items its items
	 * @return the value
	 */
	static Array of(List<? extends Json> items) {
		return new Array(List.copyOf(items));
	}

	/**
	 * An object.
	 * @param members its members
	 * @return the value
	 */
	static Struct of(Map<String, ? extends Json> members) {
		return new Struct(Collections.unmodifiableMap(members));
	}

	private static String unicode(String what, String text) {
		return Limits.text(what, text, Integer.MAX_VALUE);
	}

	/**
	 * An object.
	 *
	 * @param members its members, sorted by name
	 */
	record Struct(Map<String, Json> members) implements Json {

		/**
		 * Copies and sorts the members.
		 * @throws MicroException.Invalid if a name is no Unicode
		 */
		public Struct {
			TreeMap<String, Json> sorted = new TreeMap<>();
			members.forEach((name, value) -> sorted.put(unicode("name", name), Objects.requireNonNull(value)));
			members = Collections.unmodifiableMap(sorted);
		}

		@Override
		public String toString() {
			return "Struct" + this.members;
		}

	}

	/**
	 * An array.
	 *
	 * @param items its items
	 */
	record Array(List<Json> items) implements Json {

		/**
		 * Copies the items.
		 */
		public Array {
			items = List.copyOf(items);
		}

		@Override
		public String toString() {
			return "Array of " + this.items.size();
		}

	}

	/**
	 * A text.
	 *
	 * @param value the text
	 */
	record Text(String value) implements Json {

		/**
		 * Checks the text.
		 * @throws MicroException.Invalid if it is no Unicode because half of a surrogate
		 * pair is missing
		 */
		public Text {
			unicode("text", value);
		}

		@Override
		public String toString() {
			return "Text";
		}

	}

	/**
	 * A number, with every digit it was written with.
	 *
	 * @param value the number
	 */
	record Number(BigDecimal value) implements Json {

		/**
		 * How many digits a number may have, and how many places after the point or
		 * zeroes before it.
		 */
		public static final int DIGITS = 1000;

		/**
		 * Checks the size.
		 * @throws MicroException.Invalid if it is over {@link #DIGITS}
		 */
		public Number {
			if (value.precision() > DIGITS || Math.abs((long) value.scale()) > DIGITS) {
				throw new MicroException.Invalid(
						"a number has more than " + DIGITS + " digits, or an exponent beyond that; write it as a text");
			}
		}

		@Override
		public String toString() {
			return "Number";
		}

	}

	/**
	 * A truth value.
	 *
	 * @param value the truth value
	 */
	record Bool(boolean value) implements Json {

		@Override
		public String toString() {
			return "Bool";
		}

	}

	/**
	 * The value {@code null}.
	 */
	record Null() implements Json {

		@Override
		public String toString() {
			return "Null";
		}

	}

}
