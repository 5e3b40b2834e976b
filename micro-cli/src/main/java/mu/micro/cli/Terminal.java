package mu.micro.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.util.List;
import java.util.Locale;
import java.util.Map;

import com.google.gson.FormattingStyle;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;

/**
 * Where a command reads and writes, and how it was asked to.
 *
 * @param options what every command takes
 * @param environment the process's environment
 * @param in standard input
 * @param out standard output
 * @param err standard error
 */
record Terminal(Options options, Map<String, String> environment, InputStream in, PrintStream out, PrintStream err) {

	private static final int WIDTH = 80;

	private static final char DEL = '\u007f';

	private static final char LAST_CONTROL = '\u009f';

	private static final int GAP = 2;

	Terminal with(Options options) {
		return new Terminal(options, this.environment, this.in, this.out, this.err);
	}

	/**
	 * Prints one JSON document: on one line for programs, and for people where it fits
	 * into {@value #WIDTH} columns.
	 * @param json the document
	 */
	void json(JsonElement json) {
		String line = line(json);
		if (this.options.json() || line.length() <= WIDTH) {
			this.out.println(line);
		}
		else {
			indented(json);
		}
	}

	/**
	 * Prints one JSON document over as many lines as it has members and items.
	 * @param json the document
	 */
	void indented(JsonElement json) {
		this.out.println(escaped(gson(FormattingStyle.PRETTY).toJson(json)));
	}

	/**
	 * Writes one JSON document on one line.
	 * @param json the document
	 * @return the line, without its end
	 */
	static String line(JsonElement json) {
		return escaped(gson(FormattingStyle.COMPACT).toJson(json));
	}

	/*
	 * JSON leaves DEL and the C1 controls as they are, and terminals obey some of them.
	 */
	private static String escaped(String json) {
		StringBuilder escaped = new StringBuilder(json.length());
		for (int i = 0; i < json.length(); i++) {
			char c = json.charAt(i);
			if (c >= DEL && c <= LAST_CONTROL) {
				escaped.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
			}
			else {
				escaped.append(c);
			}
		}
		return escaped.toString();
	}

	private static Gson gson(FormattingStyle style) {
		return new GsonBuilder().setFormattingStyle(style).disableHtmlEscaping().serializeNulls().create();
	}

	/**
	 * Prints text as it is, and ends its last line if it does not do so itself.
	 * @param text text that is printable
	 */
	void text(String text) {
		this.out.print(text);
		if (!text.endsWith("\n")) {
			this.out.println();
		}
	}

	/**
	 * Standard output for bytes.
	 * @return a stream, not to be closed, that fails where nobody takes what is written
	 */
	OutputStream bytes() {
		return new OutputStream() {

			@Override
			public void write(int octet) throws IOException {
				write(new byte[] { (byte) octet }, 0, 1);
			}

			@Override
			public void write(byte[] octets, int offset, int length) throws IOException {
				Terminal.this.out.write(octets, offset, length);
				if (Terminal.this.out.checkError()) {
					throw new IOException("nobody takes what is written to standard output");
				}
			}

		};
	}

	/**
	 * Prints lines whose cells stand below each other.
	 * @param rows the lines' cells
	 */
	void table(List<List<String>> rows) {
		int columns = rows.stream().mapToInt(List::size).max().orElse(0);
		int[] widths = new int[columns];
		for (List<String> row : rows) {
			for (int i = 0; i < row.size(); i++) {
				widths[i] = Math.max(widths[i], plain(row.get(i)).length());
			}
		}
		for (List<String> row : rows) {
			StringBuilder line = new StringBuilder();
			for (int i = 0; i < row.size(); i++) {
				String cell = plain(row.get(i));
				line.append(cell).append(" ".repeat(widths[i] - cell.length() + GAP));
			}
			this.out.println(line.toString().stripTrailing());
		}
	}

	/**
	 * A name from elsewhere on one line, such that a person can tell it from others.
	 * @param name any text
	 * @return the text with its control characters as {@code \\u} and four digits
	 */
	static String name(String name) {
		StringBuilder text = new StringBuilder(name.length());
		name.codePoints().forEach((point) -> {
			if (Character.isISOControl(point)) {
				text.append(String.format(Locale.ROOT, "\\u%04x", point));
			}
			else {
				text.appendCodePoint(point);
			}
		});
		return text.toString();
	}

	/**
	 * Text from elsewhere, made harmless for a terminal.
	 * @param text any text
	 * @return the text, on one line and without control characters
	 */
	static String plain(String text) {
		if (text.codePoints().noneMatch(Character::isISOControl)) {
			return text;
		}
		StringBuilder plain = new StringBuilder();
		text.codePoints().map((point) -> (Character.isISOControl(point)) ? ' ' : point).forEach(plain::appendCodePoint);
		return plain.toString().strip();
	}

}
