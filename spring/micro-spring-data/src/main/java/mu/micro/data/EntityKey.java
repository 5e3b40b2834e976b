package mu.micro.data;

import java.util.Locale;
import java.util.UUID;

import org.jspecify.annotations.Nullable;

import org.springframework.core.convert.ConversionException;
import org.springframework.core.convert.ConversionService;
import org.springframework.core.convert.support.DefaultConversionService;
import org.springframework.dao.InvalidDataAccessApiUsageException;
import org.springframework.util.ClassUtils;

/**
 * The key that an entity with an id is stored under.
 * <p>
 * A text is itself. Whole numbers of all types are 19 digits, with zeros in front, and so
 * ordered as numbers; a negative one is a minus and its distance from the smallest
 * {@code long}. A UUID is its text, an enum its name. Any other type needs a text form
 * from which it can be made again: as Spring converts it, or {@code toString} with a
 * public constructor or static {@code valueOf}, {@code of} or {@code from} that takes it.
 */
final class EntityKey {

	private static final ConversionService CONVERSIONS = DefaultConversionService.getSharedInstance();

	private EntityKey() {
	}

	/**
	 * The key of an id.
	 * @param id the id
	 * @return its key
	 * @throws InvalidDataAccessApiUsageException if its type has no text form, or this
	 * one is not made again from its text
	 */
	static String of(Object id) {
		if (id instanceof String || id instanceof Character || id instanceof UUID) {
			return id.toString();
		}
		if (id instanceof Long || id instanceof Integer || id instanceof Short || id instanceof Byte) {
			return number(((Number) id).longValue());
		}
		if (id instanceof Enum<?> constant) {
			return constant.name();
		}
		return text(id);
	}

	/**
	 * The form whose order is that of the keys.
	 * @param type the type of the ids
	 * @return the form, or null if the keys of such ids have no order to rely on
	 */
	static @Nullable ValueForm order(Class<?> type) {
		ValueForm form = ValueForm.of(type);
		return (form == ValueForm.TEXT || form == ValueForm.INTEGER || form == ValueForm.UUID) ? form : null;
	}

	/**
	 * Whether ids of a type can have keys.
	 * @param type the type
	 * @return whether they can
	 */
	static boolean canBeOf(Class<?> type) {
		Class<?> boxed = ClassUtils.resolvePrimitiveIfNecessary(type);
		return boxed == Object.class
				|| (CONVERSIONS.canConvert(boxed, String.class) && CONVERSIONS.canConvert(String.class, boxed));
	}

	private static String number(long number) {
		return (number < 0) ? "-" + String.format(Locale.ROOT, "%019d", number - Long.MIN_VALUE)
				: String.format(Locale.ROOT, "%019d", number);
	}

	private static String text(Object id) {
		Exception cause = null;
		try {
			String text = CONVERSIONS.convert(id, String.class);
			if (text != null && id.equals(CONVERSIONS.convert(text, id.getClass()))) {
				return text;
			}
		}
		catch (ConversionException ex) {
			cause = ex;
		}
		throw new InvalidDataAccessApiUsageException("the id '" + id + "' of " + id.getClass()
				+ " cannot be a key: its type needs a toString, and a public static of(String) that makes an equal one "
				+ "of it again", cause);
	}

}
