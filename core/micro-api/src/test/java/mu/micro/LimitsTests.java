package mu.micro;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
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

	@Test
	void aNameThatIsNoUnicodeIsRefused() {
		for (String name : List.of("\ud83d", "a\ude00", "\ude00\ud83d", "a\ud83db")) {
			assertRefused(name, "the thing holds half of a surrogate pair");
		}
	}

	@Test
	void aKeyUpToItsLimitIsGivenBack() {
		for (String key : List.of("k", "\0", " ", "\n", "\u009f", "k".repeat(1024), "é".repeat(512), "€".repeat(341),
				WIDE.repeat(256))) {
			assertThat(Limits.key(key)).isSameAs(key);
		}
	}

	@Test
	void aKeyOverItsLimitIsRefused() {
		for (String key : List.of("k".repeat(1025), "é".repeat(512) + "k", "€".repeat(341) + "kk",
				WIDE.repeat(256) + "k")) {
			assertInvalid(() -> Limits.key(key), "the key is 1025 bytes, more than the limit of 1024");
		}
		assertInvalid(() -> Limits.key("é".repeat(1024)), "the key is 2048 bytes, more than the limit of 1024");
	}

	@Test
	void whatIsNoKeyIsRefused() {
		assertInvalid(() -> Limits.key(""), "the key is empty");
		for (String key : List.of("\ud83d", "a\ude00b", "\ude00\ud83d")) {
			assertInvalid(() -> Limits.key(key), "the key holds half of a surrogate pair");
		}
	}

	@Test
	void aTextMayBeEmptyAndHasTheLimitGiven() {
		for (String text : List.of("", "abc", "é", "€")) {
			assertThat(Limits.text("note", text, 3)).isSameAs(text);
		}
		for (String text : List.of("abcd", "éé", WIDE)) {
			assertInvalid(() -> Limits.text("note", text, 3), "the note is 4 bytes, more than the limit of 3");
		}
		assertInvalid(() -> Limits.text("note", "\udbff", 3), "the note holds half of a surrogate pair");
	}

	@Test
	void metadataUpToItsLimitIsCopiedAndSorted() {
		Map<String, String> given = new HashMap<>(Map.of("b", "v".repeat(1000), "é", "€".repeat(6), "", "abc"));
		Map<String, String> copy = Limits.metadata(given);
		assertThat(copy).isEqualTo(given);
		assertThat(copy.keySet()).containsExactly("", "b", "é");
		given.put("c", "3");
		assertThat(copy).hasSize(3);
		assertThatExceptionOfType(UnsupportedOperationException.class).isThrownBy(() -> copy.put("c", "3"));
		assertThat(Limits.metadata(Map.of())).isEmpty();
	}

	@Test
	void metadataOverItsLimitIsRefused() {
		for (Map<String, String> over : List.of(Map.of("é", "v".repeat(1023)), Map.of("k".repeat(1025), ""),
				Map.of("a", "v".repeat(511), "b", "v".repeat(512)))) {
			assertInvalid(() -> Limits.metadata(over), "the metadata is 1025 bytes, more than the limit of 1024");
		}
	}

	@Test
	void metadataThatIsNoUnicodeIsRefused() {
		for (Map<String, String> broken : List.of(Map.of("\ud83d", "v"), Map.of("k", "\ude00"))) {
			assertInvalid(() -> Limits.metadata(broken), "the metadata holds half of a surrogate pair");
		}
	}

	private static void assertRefused(String name, String message) {
		assertInvalid(() -> Limits.name("thing", name), message);
	}

	private static void assertInvalid(ThrowingCallable call, String message) {
		assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(call).withMessage(message);
	}

}
