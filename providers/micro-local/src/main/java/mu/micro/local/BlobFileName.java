package mu.micro.local;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

import mu.micro.core.BlobBytes;

/**
 * Names of files for any text. Two texts never have one name, not even where the file
 * system takes no heed of case, and none means something to it. Most can be read by
 * people. The end of a long text is told by its SHA-256 alone.
 */
final class BlobFileName {

	/**
	 * With a hash and a suffix that stays within the 255 bytes which file systems allow.
	 */
	private static final int LONGEST = 180;

	private static final char CUT = '~';

	private static final char ESCAPE = '%';

	private static final HexFormat HEX = HexFormat.of();

	private BlobFileName() {
	}

	/**
	 * The name for a text.
	 * @param text the text, which is Unicode
	 * @return the name, in lower-case ASCII and without a dot at its ends
	 */
	static String of(String text) {
		byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
		StringBuilder name = new StringBuilder();
		for (int i = 0; i < bytes.length; i++) {
			char one = (char) (bytes[i] & 0xff);
			boolean inner = i > 0 && i < bytes.length - 1;
			boolean plain = one >= 'a' && one <= 'z' || one >= '0' && one <= '9' || one == '-' || one == '_'
					|| one == '.' && inner;
			if (name.length() + ((plain) ? 1 : 3) > LONGEST) {
				return name.append(CUT).append(HEX.formatHex(BlobBytes.sha256().digest(bytes))).toString();
			}
			if (plain) {
				name.append(one);
			}
			else {
				name.append(ESCAPE).append(HEX.toHexDigits((byte) one));
			}
		}
		return name.toString();
	}

	/**
	 * Whether a name tells the beginning of its text only.
	 * @param name the name
	 * @return whether it was cut
	 */
	static boolean isCut(String name) {
		return name.indexOf(CUT) >= 0;
	}

	/**
	 * What a name tells of its text.
	 * @param name the name
	 * @return the bytes of the text in UTF-8, or the first of them where the name was
	 * cut; something else where the name is not one of these
	 */
	static byte[] known(String name) {
		int end = (isCut(name)) ? name.indexOf(CUT) : name.length();
		ByteArrayOutputStream bytes = new ByteArrayOutputStream();
		for (int i = 0; i < end; i++) {
			if (name.charAt(i) == ESCAPE && i + 2 < end && HexFormat.isHexDigit(name.charAt(i + 1))
					&& HexFormat.isHexDigit(name.charAt(i + 2))) {
				bytes.write(HexFormat.fromHexDigits(name, i + 1, i + 3));
				i += 2;
			}
			else {
				bytes.write(name.charAt(i));
			}
		}
		return bytes.toByteArray();
	}

}
