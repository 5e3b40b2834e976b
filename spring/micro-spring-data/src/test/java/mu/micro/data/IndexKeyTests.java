package mu.micro.data;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

import mu.micro.Limits;
import mu.micro.MicroException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Keys of rows keep values apart and in order, and intervals hold what they say.
 */
class IndexKeyTests {

	private final Random random = new Random(2);

	@Test
	void keysAreOrderedByValueAndThenByEntity() {
		List<String> values = values();
		for (String one : values) {
			for (String other : values) {
				String left = IndexKey.value(one);
				String right = IndexKey.value(other);
				assertThat(left.equals(right)).as("%s and %s", one, other).isEqualTo(one.equals(other));
				if (!IndexKey.group(left).equals(IndexKey.group(right))) {
					assertThat(Integer.signum(compare(left + "z", right + "a"))).as("%s and %s", one, other)
						.isEqualTo(Integer.signum(compare(one, other)));
				}
			}
		}
		assertThat(compare(IndexKey.value("x") + "a", IndexKey.value("x") + "b")).isNegative();
	}

	@Test
	void nothingComesBeforeEverything() {
		values().forEach(
				(value) -> assertThat(compare(IndexKey.value(null) + "z", IndexKey.value(value) + "a")).isNegative());
		assertThat(IndexKey.value(null)).isNotEqualTo(IndexKey.value(""));
	}

	@Test
	void onlyLongTextsAreCutAndTheyStandTogether() {
		String most = "x".repeat(IndexKey.MOST);
		assertThat(IndexKey.isCut(IndexKey.group(IndexKey.value(most)))).isFalse();
		assertThat(IndexKey.group(IndexKey.value(most + "a"))).isEqualTo(IndexKey.group(IndexKey.value(most + "bc")))
			.satisfies((group) -> assertThat(IndexKey.isCut(group)).isTrue());
		assertThat(IndexKey.value(most + "a")).isNotEqualTo(IndexKey.value(most + "b"));
		assertThat(IndexKey.isCut(IndexKey.group(IndexKey.value("a\nZ")))).isFalse();
	}

	@Test
	void theLongestKeyIsWithinTheStoresLimit() {
		String value = "\uD83D\uDE00".repeat(IndexKey.MOST + 1);
		String key = "k".repeat(IndexKey.ENTITY);
		assertThat(Limits.key(IndexKey.value(value) + IndexKey.checked(key))).endsWith(key);
		assertThat(Limits.key(IndexKey.value("\n".repeat(1000)) + key)).endsWith(key);
		assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(() -> IndexKey.checked(key + "k"))
			.withMessageContaining("500");
	}

	@Test
	void theEntityIsReadFromTheKey() {
		for (String entity : List.of("a", "a\tb", "=\t", "\n")) {
			assertThat(IndexKey.entity(IndexKey.value("x\ty") + entity)).isEqualTo(entity);
			assertThat(IndexKey.entity(IndexKey.value(null) + entity)).isEqualTo(entity);
		}
	}

	@Test
	void intervalsHoldWhatTheySayAndNoMoreWhereTextsAreWhole() {
		List<String> values = values();
		for (int i = 0; i < 200; i++) {
			String low = pick(values);
			String high = pick(values);
			boolean withLow = this.random.nextBoolean();
			boolean withHigh = this.random.nextBoolean();
			boolean whole = IndexKey.isWhole(low) && IndexKey.isWhole(high);
			Interval interval = IndexKey.between(low, withLow, high, withHigh);
			Interval from = IndexKey.between(low, withLow, null, false);
			Interval to = IndexKey.between(null, false, high, withHigh);
			for (String value : values) {
				int first = compare(value, low);
				int last = compare(value, high);
				boolean above = first > 0 || (first == 0 && withLow);
				boolean below = last < 0 || (last == 0 && withHigh);
				assertHolds(interval, value, above && below, whole);
				assertHolds(from, value, above, whole);
				assertHolds(to, value, below, whole);
				assertHolds(IndexKey.startingWith(low), value, value.startsWith(low), IndexKey.isWhole(low));
				assertHolds(IndexKey.equal(low), value, value.equals(low), true);
			}
			assertThat(holds(interval, null) || holds(from, null) || holds(to, null)).isFalse();
			assertThat(holds(IndexKey.startingWith(low), null)).isFalse();
		}
		values.forEach((value) -> assertHolds(IndexKey.present(), value, true, true));
		assertThat(holds(IndexKey.present(), null)).isFalse();
		assertThat(holds(IndexKey.equal(null), null)).isTrue();
	}

	private List<String> values() {
		List<String> values = new ArrayList<>(List.of("", "\t", "\n", "\nZ", "\n[", "a", "a".repeat(IndexKey.MOST),
				"a".repeat(IndexKey.MOST) + "é", "a".repeat(IndexKey.MOST) + "\t", "\n".repeat(IndexKey.MOST + 1)));
		for (int i = 0; i < 80; i++) {
			values.add(Texts.perhapsLong(this.random));
		}
		return values;
	}

	private String pick(List<String> values) {
		return values.get(this.random.nextInt(values.size()));
	}

	private static void assertHolds(Interval interval, String value, boolean expected, boolean exact) {
		boolean held = holds(interval, value);
		if (expected || exact) {
			assertThat(held).as("%s in %s", value, interval).isEqualTo(expected);
		}
	}

	private static boolean holds(Interval interval, @Nullable String value) {
		String key = IndexKey.value(value) + "id";
		String before = interval.before();
		return key.startsWith(interval.prefix()) && compare(key, interval.after()) > 0
				&& (before == null || compare(key, before) < 0);
	}

	private static int compare(String one, String other) {
		return Arrays.compareUnsigned(one.getBytes(StandardCharsets.UTF_8), other.getBytes(StandardCharsets.UTF_8));
	}

}
