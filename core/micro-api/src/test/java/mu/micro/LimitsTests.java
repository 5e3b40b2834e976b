package mu.micro;

import java.util.List;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class LimitsTests {

	/**
	 * One code point of two chars.
	 */
	private static final String WIDE = "😀";

	@Test
	void aNameUpToItsLimitIsGivenBack() {
		for (String name : List.of("a", " a ", "ü b", "n".repeat(200), WIDE.repeat(200))) {
			assertThat(Limits.name("thing", name)).isSameAs(name);
		}
	}

	@Test
	void aNameOverItsLimitIsRefused() {
		for (String name : List.of("n".repeat(201), WIDE.repeat(201), WIDE.repeat(200) + "n")) {
			assertRefused(name, "the thing is longer than 200 code points");
		}
	}

	@Test
	void aBlankNameIsRefused() {
		for (String name : List.of("", " ", "\t\n", "\u2003")) {
			assertRefused(name, "the thing is blank");
		}
	}

	@Test
	void aNameWithAControlCharacterIsRefused() {
		for (String control : List.of("\0", "\t", "\n", "\u001f", "\u007f", "\u0085", "\u009f")) {
			for (String name : List.of("a" + control + "b", control + "b", "a" + control)) {
				assertRefused(name, "the thing holds a control character");
			}
		}
	}

	private static void assertRefused(String name, String message) {
		assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(() -> Limits.name("thing", name))
			.withMessage(message);
	}

}
