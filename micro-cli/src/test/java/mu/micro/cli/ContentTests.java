package mu.micro.cli;

import java.nio.charset.StandardCharsets;
import java.time.Duration;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

class ContentTests {

	@ParameterizedTest
	@ValueSource(strings = { "", "a", "one\ntwo\r\n\tthree", "é 🙂" })
	void plainTextIsShownAsItIs(String text) {
		assertThat(of(text).printable()).isEqualTo(text);
	}

	@ParameterizedTest
	@ValueSource(strings = { "\u0000", "a\rb", "a\r", "\u001b[31m", "\u007f", "\u009b" })
	void textThatSteersATerminalIsNot(String text) {
		assertThat(of(text).text()).isEqualTo(text);
		assertThat(of(text).printable()).isNull();
		assertThat(of(text).cell()).endsWith("(base64)");
	}

	@Test
	void whatIsNoUtf8IsNoText() {
		assertThat(new Content(new byte[] { (byte) 0xc3 }).text()).isNull();
		assertThat(new Content(new byte[] { (byte) 0xed, (byte) 0xa0, (byte) 0x80 }).text()).isNull();
	}

	@Test
	void aCellIsNeverLong() {
		assertThat(of("🙂".repeat(40)).cell()).isEqualTo("🙂".repeat(40));
		assertThat(of("🙂".repeat(41)).cell()).isEqualTo("🙂".repeat(40) + "... (164 bytes)");
		assertThat(new Content(new byte[31]).cell()).isEqualTo("A".repeat(40) + "... (base64 of 31 bytes)");
	}

	@ParameterizedTest
	@CsvSource({ "-1,0s", "0,0s", "1,1ms", "999,999ms", "1000,1s", "61999,1m1s", "7200000,2h0m0s",
			"90061000,1d1h1m1s" })
	void timesThatAreLeftAreShort(long millis, String text) {
		assertThat(Time.text(Duration.ofMillis(millis))).isEqualTo(text);
	}

	private static Content of(String text) {
		return new Content(text.getBytes(StandardCharsets.UTF_8));
	}

}
