package mu.micro.cli;

import java.io.IOException;
import java.io.Reader;

import org.jspecify.annotations.Nullable;

/**
 * Lines of text, none longer than {@value #LONGEST} characters.
 */
final class Lines {

	private static final int LONGEST = 16 * 1024 * 1024;

	private final Reader in;

	private final String name;

	private final char[] buffer = new char[8192];

	private int from;

	private int to;

	private int number;

	/**
	 * The lines of a text.
	 * @param in the text, read ahead of the lines
	 * @param name what is read, for messages
	 */
	Lines(Reader in, String name) {
		this.in = in;
		this.name = name;
	}

	/**
	 * Reads on.
	 * @return the next line without its end, or null if there is none
	 * @throws Failure if it is too long
	 * @throws IOException if it cannot be read
	 */
	@Nullable String next() throws IOException {
		if (this.from == this.to && !fill()) {
			return null;
		}
		this.number++;
		StringBuilder line = new StringBuilder();
		do {
			int end = this.from;
			while (end < this.to && this.buffer[end] != '\n') {
				end++;
			}
			if (line.length() + end - this.from > LONGEST) {
				throw Failure.usage(place() + " is longer than 16 million characters.");
			}
			line.append(this.buffer, this.from, end - this.from);
			this.from = Math.min(end + 1, this.to);
			if (end < this.to) {
				return line.toString();
			}
		}
		while (fill());
		return line.toString();
	}

	private boolean fill() throws IOException {
		this.from = 0;
		this.to = Math.max(0, this.in.read(this.buffer));
		return this.to > 0;
	}

	/**
	 * Where the last line stands.
	 * @return such as {@code Line 2 of standard input}
	 */
	String place() {
		return "Line " + this.number + " of " + this.name;
	}

}
