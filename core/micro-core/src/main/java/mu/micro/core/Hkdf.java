package mu.micro.core;

import java.io.ByteArrayOutputStream;
import java.security.GeneralSecurityException;
import java.util.Arrays;

import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Keys from keys: HKDF with SHA-256, as
 * <a href="https://www.rfc-editor.org/rfc/rfc5869">RFC 5869</a> has it.
 */
public final class Hkdf {

	private static final String MAC = "HmacSHA256";

	private static final int HASH = 32;

	private Hkdf() {
	}

	/**
	 * Derives a key.
	 * @param key the input keying material
	 * @param salt the salt; empty for none
	 * @param info what the derived key is for
	 * @param length how many bytes it has, at most 255 times 32
	 * @return the derived key
	 */
	public static byte[] derive(byte[] key, byte[] salt, byte[] info, int length) {
		byte[] extracted = hash((salt.length > 0) ? salt : new byte[HASH], key);
		ByteArrayOutputStream expanded = new ByteArrayOutputStream();
		byte[] block = new byte[0];
		for (int i = 1; expanded.size() < length; i++) {
			block = hash(extracted, block, info, new byte[] { (byte) i });
			expanded.writeBytes(block);
		}
		return Arrays.copyOf(expanded.toByteArray(), length);
	}

	private static byte[] hash(byte[] key, byte[]... parts) {
		try {
			Mac mac = Mac.getInstance(MAC);
			mac.init(new SecretKeySpec(key, MAC));
			for (byte[] part : parts) {
				mac.update(part);
			}
			return mac.doFinal();
		}
		catch (GeneralSecurityException ex) {
			throw new IllegalStateException("this JDK has no " + MAC, ex);
		}
	}

}
