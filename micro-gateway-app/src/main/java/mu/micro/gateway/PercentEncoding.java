package mu.micro.gateway;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

import mu.micro.MicroException;
import mu.micro.grpc.Text;

/**
 * Percent-encoded parts of a request target, as UTF-8 and nothing else.
 */
final class PercentEncoding {

	private static final int BYTE = 0xFF;

	private static final int HEX = 16;

	private PercentEncoding() {
	}

	/**
	 * Decodes.
	 * @param text one part of a request target, as it came: a character is a byte
	 * @param query whether a plus is a space, as it is in a query
	 * @return the text
	 * @throws MicroException.Invalid if a percent sign has no two hexadecimal digits
	 * after it, or the bytes are no UTF-8
	 */
	static String decode(String text, boolean query) {
		ByteBuffer bytes = ByteBuffer.allocate(text.length());
		for (int i = 0; i < text.length(); i++) {
			char c = text.charAt(i);
			if (c == '%') {
				bytes.put((byte) octet(text, i));
				i += 2;
			}
			else if (c > BYTE) {
				throw malformed(text);
			}
			else {
				bytes.put((byte) ((query && c == '+') ? ' ' : c));
			}
		}
		try {
			return StandardCharsets.UTF_8.newDecoder().decode(bytes.flip()).toString();
		}
		catch (CharacterCodingException ex) {
			throw malformed(text);
		}
	}

	private static int octet(String text, int percent) {
		int high = (percent + 2 < text.length()) ? Character.digit(text.charAt(percent + 1), HEX) : -1;
		int low = (percent + 2 < text.length()) ? Character.digit(text.charAt(percent + 2), HEX) : -1;
		if (high < 0 || low < 0) {
			throw malformed(text);
		}
		return high * HEX + low;
	}

	private static MicroException.Invalid malformed(String text) {
		return new MicroException.Invalid("'" + Text.shortened(text) + "' is not percent-encoded UTF-8; "
				+ "write each byte of other characters as % and two hexadecimal digits");
	}

}
