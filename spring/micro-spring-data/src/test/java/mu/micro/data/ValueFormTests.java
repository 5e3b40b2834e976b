package mu.micro.data;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.DayOfWeek;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Date;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * The texts of values are equal and ordered as the values are.
 */
class ValueFormTests {

	private final Random random = new Random(1);

	@Test
	void integersOfAllSizesAreOneForm() {
		List<Object> values = new ArrayList<>(List.of(0, -1, 1, Long.MIN_VALUE, Long.MAX_VALUE, Integer.MIN_VALUE,
				Integer.MAX_VALUE, Byte.MIN_VALUE, Short.MAX_VALUE, 42L, 42, (short) 42, (byte) 42));
		add(values, () -> this.random.nextLong() >> this.random.nextInt(64));
		assertOrder(ValueForm.INTEGER, values, Comparator.comparingLong((value) -> ((Number) value).longValue()));
	}

	@Test
	void decimalsAreOrderedByValue() {
		List<Object> values = new ArrayList<>(Stream
			.of("0", "0.0", "-0.00", "1", "1.0", "1.00", "10", "1E+1", "9.99", "-1", "-1.2", "-1.23", "-12", "1.2",
					"1.23", "1E-300", "-1E-300", "1E+300", "-1E+300", "1E+2147483647", "1E-2147483647")
			.map(BigDecimal::new)
			.toList());
		add(values,
				() -> new BigDecimal(new BigInteger(this.random.nextInt(1, 80), this.random),
						this.random.nextInt(-30, 30))
					.multiply(this.random.nextBoolean() ? BigDecimal.ONE : BigDecimal.ONE.negate()));
		assertOrder(ValueForm.DECIMAL, values, Comparator.comparing((value) -> (BigDecimal) value));
		assertThat(ValueForm.DECIMAL.text(BigInteger.TEN)).isEqualTo(ValueForm.DECIMAL.text(new BigDecimal("1E+1")));
	}

	@Test
	void floatsAreOrderedAndZeroHasNoSign() {
		List<Object> values = new ArrayList<>(
				List.of(0.0, -0.0, 0.0f, 1.0, -1.0, 1.5f, Double.MIN_VALUE, -Double.MIN_VALUE, Double.MAX_VALUE,
						-Double.MAX_VALUE, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, Double.NaN, Float.NaN));
		add(values, () -> Double.longBitsToDouble(this.random.nextLong()));
		assertOrder(ValueForm.FLOAT, values,
				Comparator.comparingDouble((value) -> ((Number) value).doubleValue() + 0.0));
	}

	@Test
	void textIsOrderedByItsBytes() {
		List<Object> values = new ArrayList<>(
				List.of("", "a", "aa", "a\0", "a\t", "a\n", "a\nA", "a b", "\uE000", "\uD83D\uDE00", "é", "z", 'x'));
		add(values, () -> Texts.any(this.random, 6));
		assertOrder(ValueForm.TEXT, values,
				(one, other) -> Arrays.compareUnsigned(one.toString().getBytes(StandardCharsets.UTF_8),
						other.toString().getBytes(StandardCharsets.UTF_8)));
	}

	@Test
	void momentsAreOrderedWhateverTheirZone() {
		Instant now = Instant.parse("2026-03-01T12:00:00.123456789Z");
		List<Object> values = new ArrayList<>(List.of(now, Instant.EPOCH, Instant.MIN, Instant.MAX, now.plusNanos(1),
				now.minusNanos(1), OffsetDateTime.ofInstant(now, ZoneOffset.ofHours(5)),
				ZonedDateTime.ofInstant(now, ZoneId.of("Europe/Paris")), new Date(0), new Date(-1)));
		add(values, () -> Instant.ofEpochSecond(this.random.nextInt(), this.random.nextInt(1_000_000_000)));
		assertOrder(ValueForm.INSTANT, values, Comparator.comparing(ValueFormTests::instant));
	}

	@Test
	void timesAreOrdered() {
		assertNatural(ValueForm.DATE, LocalDate.MIN, LocalDate.MAX, LocalDate.EPOCH,
				() -> LocalDate.ofEpochDay(this.random.nextInt(-1_000_000, 1_000_000)));
		assertNatural(ValueForm.DATE_TIME, LocalDateTime.MIN, LocalDateTime.MAX,
				LocalDateTime.of(LocalDate.EPOCH, LocalTime.NOON),
				() -> LocalDateTime.ofEpochSecond(this.random.nextInt(), this.random.nextInt(1000), ZoneOffset.UTC));
		assertNatural(ValueForm.TIME, LocalTime.MIN, LocalTime.MAX, LocalTime.NOON,
				() -> LocalTime.ofNanoOfDay(this.random.nextLong(86_400_000_000_000L)));
		assertNatural(ValueForm.DURATION, Duration.ofSeconds(Long.MIN_VALUE), Duration.ofSeconds(Long.MAX_VALUE),
				Duration.ZERO, () -> Duration.ofNanos(this.random.nextLong()));
	}

	@Test
	void theRestIsTextAsItIs() {
		assertNatural(ValueForm.FLAG, false, true, true, this.random::nextBoolean);
		List<Object> uuids = new ArrayList<>();
		add(uuids, () -> new UUID(this.random.nextLong(), this.random.nextLong()));
		assertOrder(ValueForm.UUID, uuids, Comparator.comparing(Object::toString));
		assertThat(ValueForm.NAME.text(DayOfWeek.FRIDAY)).isEqualTo("FRIDAY");
		assertThat(ValueForm.NAME.compare(DayOfWeek.FRIDAY, DayOfWeek.MONDAY)).isPositive();
		assertThat(ValueForm.NAME.isOrdered()).isFalse();
	}

	@Test
	void aTypeHasOneFormOrNone() {
		assertThat(ValueForm.of(int.class)).isEqualTo(ValueForm.INTEGER);
		assertThat(ValueForm.of(Boolean.class)).isEqualTo(ValueForm.FLAG);
		assertThat(ValueForm.of(DayOfWeek.class)).isEqualTo(ValueForm.NAME);
		assertThat(ValueForm.of(Object.class)).isNull();
		assertThat(ValueForm.of(List.class)).isNull();
	}

	private void add(List<Object> values, Supplier<?> more) {
		for (int i = 0; i < 60; i++) {
			values.add(more.get());
		}
	}

	@SuppressWarnings({ "unchecked", "rawtypes" })
	private void assertNatural(ValueForm form, Object one, Object two, Object three, Supplier<?> more) {
		List<Object> values = new ArrayList<>(List.of(one, two, three));
		add(values, more);
		assertOrder(form, values, (Comparator) Comparator.naturalOrder());
	}

	private static void assertOrder(ValueForm form, List<Object> values, Comparator<Object> order) {
		for (Object one : values) {
			assertThat(ValueForm.of(one.getClass())).isEqualTo(form);
			for (Object other : values) {
				int expected = Integer.signum(order.compare(one, other));
				assertThat(Integer.signum(form.compare(one, other))).as("%s and %s", one, other).isEqualTo(expected);
				assertThat(Integer.signum(Arrays.compareUnsigned(bytes(form.text(one)), bytes(form.text(other)))))
					.as("texts of %s and %s", one, other)
					.isEqualTo(expected);
			}
		}
	}

	private static byte[] bytes(String text) {
		return text.getBytes(StandardCharsets.UTF_8);
	}

	private static Instant instant(Object value) {
		if (value instanceof OffsetDateTime time) {
			return time.toInstant();
		}
		if (value instanceof ZonedDateTime time) {
			return time.toInstant();
		}
		return (value instanceof Date date) ? date.toInstant() : (Instant) value;
	}

}
