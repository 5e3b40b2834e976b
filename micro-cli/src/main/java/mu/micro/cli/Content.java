package mu.micro.cli;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

import org.jspecify.annotations.Nullable;

/**
 * A value whose meaning only its writer knows, as it can be shown.
 *
 * @param bytes the value
 */
record Content(byte[] bytes) {

	private static final int CELL = 40;

	/**
	 * The value as text.
	 * @return the text, or null if it is no UTF-8
	 */
	@Nullable String text() {
		try {
			return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(this.bytes)).toString();
		}
		catch (CharacterCodingException ex) {
			return null;
		}
	}

	/**
	 * The value as text that a terminal shows as it is.
	 * @return the text, or null if it is none, or holds control characters other than
	 * those that separate lines and columns
	 */
	@Nullable String printable() {
		String text = text();
		return (text != null && printable(text)) ? text : null;
	}

	/**
	 * Whether a terminal shows a text as it is.
	 * @param text the text
	 * @return false if it holds control characters other than those that separate lines
	 * and columns
	 */
	static boolean printable(String text) {
		for (int i = 0; i < text.length(); i++) {
			char c = text.charAt(i);
			boolean line = c == '\n' || c == '\r' && i + 1 < text.length() && text.charAt(i + 1) == '\n';
			if (Character.isISOControl(c) && !line && c != '\t') {
				return false;
			}
		}
		return true;
	}

	String base64() {
		return Base64.getEncoder().encodeToString(this.bytes);
	}

	/**
	 * The value in a table.
	 * @return its beginning where it is long; in base64, and saying so, where it is not
	 * printable
	 */
	String cell() {
		String text = printable();
		String shown = (text != null) ? text : base64();
		boolean whole = shown.codePointCount(0, shown.length()) <= CELL;
		String cell = (whole) ? shown : shown.substring(0, shown.offsetByCodePoints(0, CELL)) + "...";
		if (text != null) {
			return (whole) ? cell : cell + " (" + this.bytes.length + " bytes)";
		}
		return cell + ((whole) ? " (base64)" : " (base64 of " + this.bytes.length + " bytes)");
	}

}
