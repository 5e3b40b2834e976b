package mu.micro.data;

import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;

import org.springframework.data.repository.query.parser.Part;

/**
 * What a query asks of one property. Ranges never hold for what is null, {@code Between}
 * includes both ends, and {@code Not} and the like are the opposite of the plain word,
 * also for null.
 *
 * @param path the property
 * @param type the comparison
 * @param arguments what to compare with, of the property's type
 * @param ignoreCase whether text is compared without regard to case
 */
record Term(EntityPath path, Part.Type type, List<? extends @Nullable Object> arguments, boolean ignoreCase) {

	/**
	 * Whether it holds.
	 * @param entity the entity
	 * @return whether it does
	 */
	boolean test(Object entity) {
		Object value = this.path.get(entity);
		return switch (this.type) {
			case SIMPLE_PROPERTY, TRUE, FALSE -> same(value, argument(0));
			case NEGATING_SIMPLE_PROPERTY -> !same(value, argument(0));
			case IS_NULL -> value == null;
			case IS_NOT_NULL -> value != null;
			case LESS_THAN, BEFORE -> value != null && compare(value, 0) < 0;
			case LESS_THAN_EQUAL -> value != null && compare(value, 0) <= 0;
			case GREATER_THAN, AFTER -> value != null && compare(value, 0) > 0;
			case GREATER_THAN_EQUAL -> value != null && compare(value, 0) >= 0;
			case BETWEEN -> value != null && compare(value, 0) >= 0 && compare(value, 1) <= 0;
			case IN -> isIn(value);
			case NOT_IN -> !isIn(value);
			case STARTING_WITH -> value != null && text(value).startsWith(text(argument(0)));
			case ENDING_WITH -> value != null && text(value).endsWith(text(argument(0)));
			case CONTAINING -> contains(value);
			case NOT_CONTAINING -> !contains(value);
			case LIKE -> value != null && like(text(value), text(argument(0)));
			case NOT_LIKE -> value == null || !like(text(value), text(argument(0)));
			case REGEX ->
				value != null && argument(0) instanceof Pattern pattern && pattern.matcher(value.toString()).find();
			case IS_EMPTY -> isEmpty(value);
			case IS_NOT_EMPTY -> !isEmpty(value);
			default -> throw new IllegalStateException(this.type + " was let in");
		};
	}

	@Nullable Object argument(int index) {
		return this.arguments.get(index);
	}

	private boolean same(@Nullable Object one, @Nullable Object other) {
		if (this.ignoreCase && one != null && other != null) {
			return text(one).equals(text(other));
		}
		return this.path.same(one, other);
	}

	private int compare(Object value, int index) {
		Object argument = argument(index);
		if (argument == null) {
			throw new IllegalStateException("null was let in");
		}
		return this.ignoreCase ? ValueForm.TEXT.compare(text(value), text(argument))
				: this.path.compare(value, argument);
	}

	private boolean isIn(@Nullable Object value) {
		return this.arguments.stream().anyMatch((each) -> same(value, each));
	}

	private boolean contains(@Nullable Object value) {
		if (this.path.isMany()) {
			return EntityPath.elements(value).stream().anyMatch((each) -> same(each, argument(0)));
		}
		return value != null && text(value).contains(text(argument(0)));
	}

	private String text(@Nullable Object value) {
		String text = String.valueOf(value);
		return this.ignoreCase ? text.toUpperCase(Locale.ROOT).toLowerCase(Locale.ROOT) : text;
	}

	private static boolean isEmpty(@Nullable Object value) {
		if (value instanceof Collection<?> collection) {
			return collection.isEmpty();
		}
		if (value instanceof Map<?, ?> map) {
			return map.isEmpty();
		}
		if (value instanceof CharSequence text) {
			return text.isEmpty();
		}
		return EntityPath.elements(value).isEmpty();
	}

	/**
	 * Whether a text is like a pattern, in which {@code %} is any text, {@code _} any
	 * character, and a backslash takes away the meaning of the next.
	 * @param text the text
	 * @param pattern the pattern
	 * @return whether it is
	 */
	static boolean like(String text, String pattern) {
		int[] characters = text.codePoints().toArray();
		int[] signs = pattern.codePoints().toArray();
		int at = 0;
		int sign = 0;
		int anyText = -1;
		int retry = 0;
		while (at < characters.length) {
			boolean literal = sign + 1 < signs.length && signs[sign] == '\\';
			if (sign < signs.length && signs[sign] == '%') {
				anyText = ++sign;
				retry = at;
			}
			else if (literal ? signs[sign + 1] == characters[at]
					: sign < signs.length && (signs[sign] == '_' || signs[sign] == characters[at])) {
				sign += literal ? 2 : 1;
				at++;
			}
			else if (anyText >= 0) {
				sign = anyText;
				at = ++retry;
			}
			else {
				return false;
			}
		}
		while (sign < signs.length && signs[sign] == '%') {
			sign++;
		}
		return sign == signs.length;
	}

	/**
	 * What all texts begin with that are like a pattern.
	 * @param pattern the pattern
	 * @return the beginning, perhaps empty
	 */
	static String prefix(String pattern) {
		int end = 0;
		while (end < pattern.length() && "%_\\".indexOf(pattern.charAt(end)) < 0) {
			end++;
		}
		return pattern.substring(0, end);
	}

}
