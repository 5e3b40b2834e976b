package mu.micro.core;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class KeyOrderTests {

	private static final List<Integer> POINTS = List.of(0, 0x61, 0x62, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xfffd,
			0xffff, 0x10000, 0x103ff, 0x10400, 0x1f600, 0x10ffff);

	@Test
	void theOrderIsThatOfTheBytes() {
		Random random = new Random(1);
		for (int i = 0; i < 50_000; i++) {
			String one = text(random);
			String other = text(random);
			int expected = Arrays.compareUnsigned(one.getBytes(StandardCharsets.UTF_8),
					other.getBytes(StandardCharsets.UTF_8));
			assertThat(Integer.signum(KeyOrder.UTF8.compare(one, other))).as("%s and %s", one, other)
				.isEqualTo(Integer.signum(expected));
		}
	}

	@Test
	void surrogatesComeLast() {
		assertThat(KeyOrder.UTF8.compare("\uffff", "\ud83d\ude00")).isNegative();
		assertThat("\uffff".compareTo("\ud83d\ude00")).isPositive();
	}

	private static String text(Random random) {
		StringBuilder text = new StringBuilder();
		for (int length = random.nextInt(4); length > 0; length--) {
			text.appendCodePoint(POINTS.get(random.nextInt(POINTS.size())));
		}
		return text.toString();
	}

}
