package mu.micro.data;

import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.DayOfWeek;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.UUID;

import org.junit.jupiter.api.Test;

import org.springframework.dao.InvalidDataAccessApiUsageException;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * What ids look like as keys.
 */
class EntityKeyTests {

	@Test
	void textIsItself() {
		assertThat(EntityKey.of("a\tb")).isEqualTo("a\tb");
	}

	@Test
	void numbersOfAllSizesAreNineteenDigits() {
		assertThat(EntityKey.of(42)).isEqualTo("0000000000000000042")
			.isEqualTo(EntityKey.of(42L))
			.isEqualTo(EntityKey.of((short) 42))
			.isEqualTo(EntityKey.of((byte) 42));
		assertThat(EntityKey.of(-1)).isEqualTo("-9223372036854775807");
		assertThat(EntityKey.of(Long.MIN_VALUE)).isEqualTo("-0000000000000000000");
	}

	@Test
	void numbersAreOrdered() {
		Random random = new Random(3);
		for (int i = 0; i < 1000; i++) {
			long one = random.nextLong() >> random.nextInt(64);
			long other = random.nextLong() >> random.nextInt(64);
			assertThat(Integer.signum(compare(EntityKey.of(one), EntityKey.of(other))))
				.isEqualTo(Integer.signum(Long.compare(one, other)));
		}
		assertThat(EntityKey.order(long.class)).isEqualTo(ValueForm.INTEGER);
	}

	@Test
	void othersAreTheirText() {
		UUID uuid = UUID.randomUUID();
		assertThat(EntityKey.of(uuid)).isEqualTo(uuid.toString());
		assertThat(EntityKey.of(DayOfWeek.FRIDAY)).isEqualTo("FRIDAY");
		assertThat(EntityKey.of(new BigDecimal("1.20"))).isEqualTo("1.20");
		assertThat(EntityKey.of(new Isbn("1-23"))).isEqualTo("1-23");
		assertThat(EntityKey.order(Isbn.class)).isNull();
	}

	@Test
	void whatCannotBeMadeAgainIsRefused() {
		assertThat(EntityKey.canBeOf(Isbn.class)).isTrue();
		assertThat(EntityKey.canBeOf(int.class)).isTrue();
		assertThat(EntityKey.canBeOf(ThreadLocal.class)).isFalse();
		assertThatExceptionOfType(InvalidDataAccessApiUsageException.class).isThrownBy(() -> EntityKey.of(new Object()))
			.withMessageContaining("of(String)");
		assertThatExceptionOfType(InvalidDataAccessApiUsageException.class)
			.isThrownBy(() -> EntityKey.of(new Forgetful("ab")))
			.withMessageContaining("makes an equal one");
	}

	@Test
	void twoIdsNeverHaveOneKey() {
		List<Object> ids = List.of(1, -1, 0, Long.MAX_VALUE, Long.MIN_VALUE, Long.MIN_VALUE + 1);
		assertThat(ids.stream().map(EntityKey::of)).doesNotHaveDuplicates();
	}

	private static int compare(String one, String other) {
		return Arrays.compareUnsigned(one.getBytes(StandardCharsets.UTF_8), other.getBytes(StandardCharsets.UTF_8));
	}

	public record Isbn(String text) {

		@Override
		public String toString() {
			return this.text;
		}

	}

	public record Forgetful(String text) {

		@Override
		public String toString() {
			return this.text.substring(1);
		}

	}

}
