package mu.micro.cli;

import java.io.IOException;
import java.io.Reader;
import java.io.StringReader;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class LinesTests {

	@Test
	void linesHaveAnyLengthUpToALimit() throws IOException {
		String longest = "x".repeat(16 * 1024 * 1024);
		Lines lines = new Lines(new StringReader("a\n\n" + longest + "\n" + longest + "y"), "there");
		assertThat(lines.next()).isEqualTo("a");
		assertThat(lines.next()).isEmpty();
		assertThat(lines.next()).isEqualTo(longest);
		assertThat(lines.place()).isEqualTo("Line 3 of there");
		assertThatExceptionOfType(Failure.class).isThrownBy(lines::next)
			.withMessage("Line 4 of there is longer than 16 million characters.");
	}

	@Test
	void theLastLineNeedsNoEnd() throws IOException {
		Lines lines = new Lines(new StringReader("a\nb"), "there");
		assertThat(lines.next()).isEqualTo("a");
		assertThat(lines.next()).isEqualTo("b");
		assertThat(lines.next()).isNull();
		assertThat(new Lines(Reader.nullReader(), "there").next()).isNull();
	}

	@Test
	void aLineIsThereBeforeTheNextIsWritten() throws IOException {
		Reader one = new Reader() {

			private final StringReader written = new StringReader("a\n");

			private boolean asked;

			@Override
			public int read(char[] buffer, int offset, int length) throws IOException {
				assertThat(this.asked).isFalse();
				this.asked = true;
				return this.written.read(buffer, offset, length);
			}

			@Override
			public void close() {
				this.written.close();
			}

		};
		assertThat(new Lines(one, "there").next()).isEqualTo("a");
	}

}
