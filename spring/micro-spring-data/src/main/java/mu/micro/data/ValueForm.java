package mu.micro.data;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.Arrays;
import java.util.Date;
import java.util.HexFormat;
import java.util.Set;

import mu.micro.core.KeyOrder;
import org.jspecify.annotations.Nullable;

import org.springframework.util.ClassUtils;

/**
 * How the values of a property stand in the keys of an index: as text that is equal where
 * they are equal and, but for {@link #NAME}, ordered as they are. Queries compare by the
 * same rules whether or not there is an index. The names of the constants are stored.
 */
enum ValueForm {

	/**
	 * By code points, which is not quite {@link String#compareTo}.
	 */
	TEXT(String.class, Character.class) {

		@Override
		String text(Object value) {
			return value.toString();
		}

		@Override
		int compare(Object one, Object other) {
			return KeyOrder.UTF8.compare(one.toString(), other.toString());
		}

	},

	INTEGER(Byte.class, Short.class, Integer.class, Long.class) {

		@Override
		String text(Object value) {
			return hex(((Number) value).longValue());
		}

		@Override
		int compare(Object one, Object other) {
			return Long.compare(((Number) one).longValue(), ((Number) other).longValue());
		}

	},

	/**
	 * By value: 1.0 is 1.00.
	 */
	DECIMAL(BigInteger.class, BigDecimal.class) {

		@Override
		String text(Object value) {
			BigDecimal number = decimal(value).stripTrailingZeros();
			String digits = number.unscaledValue().abs().toString();
			long exponent = (long) digits.length() - number.scale();
			return switch (number.signum()) {
				case 1 -> "2" + hex(exponent) + digits;
				case 0 -> "1";
				default -> "0" + hex(~exponent) + complement(digits) + "~";
			};
		}

		@Override
		int compare(Object one, Object other) {
			return decimal(one).compareTo(decimal(other));
		}

	},

	/**
	 * Zero has no sign, and what is no number comes last.
	 */
	FLOAT(Float.class, Double.class) {

		@Override
		String text(Object value) {
			long bits = Double.doubleToLongBits(number(value));
			return hex((bits < 0) ? ~bits ^ Long.MIN_VALUE : bits);
		}

		@Override
		int compare(Object one, Object other) {
			return Double.compare(number(one), number(other));
		}

	},

	FLAG(Boolean.class) {

		@Override
		String text(Object value) {
			return value.toString();
		}

	},

	/**
	 * By the moment, whatever the zone.
	 */
	INSTANT(Instant.class, OffsetDateTime.class, ZonedDateTime.class, Date.class) {

		@Override
		String text(Object value) {
			Instant instant = instant(value);
			return hex(instant.getEpochSecond()) + hex(instant.getNano());
		}

		@Override
		int compare(Object one, Object other) {
			return instant(one).compareTo(instant(other));
		}

	},

	DATE(LocalDate.class) {

		@Override
		String text(Object value) {
			return hex(((LocalDate) value).toEpochDay());
		}

	},

	DATE_TIME(LocalDateTime.class) {

		@Override
		String text(Object value) {
			LocalDateTime time = (LocalDateTime) value;
			return hex(time.toEpochSecond(ZoneOffset.UTC)) + hex(time.getNano());
		}

	},

	TIME(LocalTime.class) {

		@Override
		String text(Object value) {
			return hex(((LocalTime) value).toNanoOfDay());
		}

	},

	DURATION(Duration.class) {

		@Override
		String text(Object value) {
			Duration duration = (Duration) value;
			return hex(duration.getSeconds()) + hex(duration.getNano());
		}

	},

	/**
	 * By their text, which is not {@link java.util.UUID#compareTo}.
	 */
	UUID(java.util.UUID.class) {

		@Override
		String text(Object value) {
			return value.toString();
		}

		@Override
		int compare(Object one, Object other) {
			return one.toString().compareTo(other.toString());
		}

	},

	/**
	 * Of an enum. Its order is that of the declaration, which may change, and is not kept
	 * in an index.
	 */
	NAME {

		@Override
		String text(Object value) {
			return ((Enum<?>) value).name();
		}

	};

	private static final HexFormat HEX = HexFormat.of();

	private final Set<Class<?>> types;

	ValueForm(Class<?>... types) {
		this.types = Set.of(types);
	}

	abstract String text(Object value);

	/**
	 * Compares two values of one type.
	 * @param one a value
	 * @param other another
	 * @return less than, equal to or more than zero
	 */
	@SuppressWarnings({ "unchecked", "rawtypes" })
	int compare(Object one, Object other) {
		return ((Comparable) one).compareTo(other);
	}

	/**
	 * Whether the order of the texts is that of the values.
	 * @return whether it is
	 */
	boolean isOrdered() {
		return this != NAME;
	}

	/**
	 * The form of a type's values.
	 * @param type the type
	 * @return the form, or null if the type has none
	 */
	static @Nullable ValueForm of(Class<?> type) {
		if (type.isEnum()) {
			return NAME;
		}
		Class<?> boxed = ClassUtils.resolvePrimitiveIfNecessary(type);
		return Arrays.stream(values()).filter((form) -> form.types.contains(boxed)).findFirst().orElse(null);
	}

	private static String hex(long number) {
		return HEX.toHexDigits(number ^ Long.MIN_VALUE);
	}

	private static String complement(String digits) {
		StringBuilder result = new StringBuilder(digits.length());
		digits.chars().forEach((digit) -> result.append((char) ('0' + '9' - digit)));
		return result.toString();
	}

	private static BigDecimal decimal(Object value) {
		return (value instanceof BigInteger whole) ? new BigDecimal(whole) : (BigDecimal) value;
	}

	/*
	 * The addition takes the sign off a zero.
	 */
	private static double number(Object value) {
		return ((Number) value).doubleValue() + 0.0;
	}

	private static Instant instant(Object value) {
		if (value instanceof OffsetDateTime time) {
			return time.toInstant();
		}
		if (value instanceof ZonedDateTime time) {
			return time.toInstant();
		}
		return (value instanceof Date date) ? Instant.ofEpochMilli(date.getTime()) : (Instant) value;
	}

}
