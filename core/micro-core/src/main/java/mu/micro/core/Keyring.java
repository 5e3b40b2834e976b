package mu.micro.core;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

import mu.micro.MicroException;
import org.jspecify.annotations.Nullable;

/**
 * The root keys that secrets are sealed with. The first one seals, and all of them open
 * what they sealed, so a key is replaced by putting a new one before it, having
 * everything sealed again, and taking the old one away.
 * <p>
 * A secret is sealed with AES-256-GCM under a key of its namespace, which comes from the
 * root key by HKDF-SHA256, and is bound to its namespace and path: anywhere else it does
 * not open. The sealed text tells the root key's id, which comes from the key and tells
 * nothing of it, and the length of the secret.
 */
public final class Keyring {

	/**
	 * Bytes in a root key.
	 */
	public static final int BYTES = 32;

	/**
	 * Root keys in one ring.
	 */
	public static final int MOST_KEYS = 16;

	private static final String ADVICE = "; 'openssl rand -base64 " + BYTES + "' makes one";

	private static final int MAX_FILE = 4096;

	private static final int ID = 8;

	private static final int NONCE = 12;

	private static final int TAG = 16;

	private static final String CIPHER = "AES/GCM/NoPadding";

	private static final byte[] NO_SALT = new byte[0];

	// What is derived for one of these is never a key for another.
	private static final String FOR_ID = "micro config 1 id";

	private static final String FOR_NAMESPACE = "micro config 1 namespace ";

	private final Source source;

	private final SecureRandom random = new SecureRandom();

	private Keyring(Source source) {
		this.source = source;
	}

	/**
	 * A ring of keys that are configured.
	 * @param keys each key as the base64 of {@link #BYTES} random bytes; the first one
	 * seals
	 * @return the ring
	 * @throws MicroException.Invalid if there is none, or more than {@link #MOST_KEYS},
	 * or one is something else
	 */
	public static Keyring of(List<String> keys) {
		List<Key> parsed = parse(keys, "the key ring");
		return new Keyring((make) -> parsed);
	}

	/**
	 * A ring of keys in a file: one key as base64 on each line, the first one seals. Is
	 * there no file, the first secret makes one with a new key, which only this user can
	 * read. Several processes may do so at once and get the same.
	 * <p>
	 * The file is read for each secret, so that a change of it counts at once.
	 * @param file the file; its directory is made with it
	 * @return the ring
	 */
	public static Keyring file(Path file) {
		return new Keyring((make) -> {
			byte[] content;
			try {
				content = (make) ? PrivateFile.readOrMake(file, MAX_FILE + 1, Keyring::newFile)
						: PrivateFile.read(file, MAX_FILE + 1);
			}
			catch (IOException ex) {
				throw new MicroException.Unavailable("the key file " + file + " cannot be read or made (" + ex
						+ "); see to it that this user can read and write it", ex);
			}
			if (content == null) {
				return List.of();
			}
			try {
				return parse(new String(content, StandardCharsets.ISO_8859_1).lines()
					.map(String::strip)
					.filter((line) -> !line.isEmpty())
					.toList(), "the key file " + file);
			}
			catch (MicroException.Invalid ex) {
				throw new MicroException.Internal("no secret can be read or written: " + ex.getMessage(), null);
			}
		});
	}

	private static byte[] newFile() {
		byte[] key = new byte[BYTES];
		new SecureRandom().nextBytes(key);
		return (Base64.getEncoder().encodeToString(key) + "\n").getBytes(StandardCharsets.US_ASCII);
	}

	private static List<Key> parse(List<String> keys, String where) {
		if (keys.isEmpty() || keys.size() > MOST_KEYS) {
			throw new MicroException.Invalid(
					where + " has " + keys.size() + " keys, and must have 1 to " + MOST_KEYS + ADVICE);
		}
		List<Key> parsed = new ArrayList<>();
		for (String key : keys) {
			byte[] bytes = decode(key);
			if (bytes == null || bytes.length != BYTES) {
				throw new MicroException.Invalid("key " + (parsed.size() + 1) + " of " + where
						+ " is not the base64 of " + BYTES + " bytes" + ADVICE);
			}
			parsed.add(new Key(bytes));
		}
		return List.copyOf(parsed);
	}

	private static byte @Nullable [] decode(String base64) {
		try {
			return Base64.getDecoder().decode(base64.strip());
		}
		catch (IllegalArgumentException ex) {
			return null;
		}
	}

	/**
	 * What seals and opens the secrets of one namespace for one operation: the keys are
	 * looked up once.
	 * @param namespace where the secrets belong
	 * @return the seals
	 */
	Seals seals(String namespace) {
		return new Seals(namespace);
	}

	/**
	 * Seals and opens, on one thread.
	 */
	final class Seals {

		private final String namespace;

		private final Map<String, SecretKeySpec> derived = new HashMap<>();

		private @Nullable List<Key> keys;

		private Seals(String namespace) {
			this.namespace = namespace;
		}

		/**
		 * Seals a secret with the first key.
		 * @param path where it belongs
		 * @param secret the secret
		 * @return the sealed text, different each time
		 * @throws MicroException.Unavailable if the ring's file can neither be read nor
		 * made
		 */
		String seal(String path, byte[] secret) {
			Key key = keys(true).get(0);
			byte[] nonce = new byte[NONCE];
			Keyring.this.random.nextBytes(nonce);
			try {
				byte[] sealed = cipher(Cipher.ENCRYPT_MODE, key, path, nonce).doFinal(secret);
				byte[] whole = ByteBuffer.allocate(NONCE + sealed.length).put(nonce).put(sealed).array();
				return key.id + ":" + Base64.getEncoder().encodeToString(whole);
			}
			catch (GeneralSecurityException ex) {
				throw new IllegalStateException("this JDK has no " + CIPHER, ex);
			}
		}

		/**
		 * Opens a sealed secret.
		 * @param path where it was found
		 * @param sealed the sealed text
		 * @return the secret
		 * @throws MicroException.Unavailable if the ring's file cannot be read
		 * @throws MicroException.Internal if the ring has not the key, or the secret was
		 * sealed for another place, or changed since
		 */
		byte[] open(String path, String sealed) {
			int colon = sealed.indexOf(':');
			byte[] whole = decode(sealed.substring(colon + 1));
			if (colon < 1 || whole == null || whole.length < NONCE + TAG) {
				throw damaged(path);
			}
			String id = sealed.substring(0, colon);
			Key key = keys(false).stream()
				.filter((candidate) -> candidate.id.equals(id))
				.findFirst()
				.orElseThrow(() -> new MicroException.Internal(
						"the secret at '" + path + "' in namespace '" + this.namespace + "' is encrypted with the key "
								+ id + ", which is not in the key ring; put the key back, or set the secret again",
						null));
			try {
				return cipher(Cipher.DECRYPT_MODE, key, path, Arrays.copyOf(whole, NONCE)).doFinal(whole, NONCE,
						whole.length - NONCE);
			}
			catch (AEADBadTagException ex) {
				throw damaged(path);
			}
			catch (GeneralSecurityException ex) {
				throw new IllegalStateException("this JDK has no " + CIPHER, ex);
			}
		}

		/**
		 * Whether a secret is sealed with the first key.
		 * @param sealed the sealed text
		 * @return whether sealing it again would not change the key
		 */
		boolean current(String sealed) {
			List<Key> known = keys(false);
			return !known.isEmpty() && sealed.startsWith(known.get(0).id + ":");
		}

		private List<Key> keys(boolean make) {
			List<Key> known = this.keys;
			if (known == null || make && known.isEmpty()) {
				known = Keyring.this.source.keys(make);
				this.keys = known;
			}
			return known;
		}

		private Cipher cipher(int mode, Key key, String path, byte[] nonce) throws GeneralSecurityException {
			SecretKeySpec namespaceKey = this.derived.computeIfAbsent(key.id,
					(id) -> new SecretKeySpec(key.derive(FOR_NAMESPACE + this.namespace, BYTES), "AES"));
			Cipher cipher = Cipher.getInstance(CIPHER);
			cipher.init(mode, namespaceKey, new GCMParameterSpec(TAG * Byte.SIZE, nonce));
			// Neither holds a control character, so no two pairs are one text.
			cipher.updateAAD((this.namespace + "\0" + path).getBytes(StandardCharsets.UTF_8));
			return cipher;
		}

		private MicroException.Internal damaged(String path) {
			return new MicroException.Internal("the secret at '" + path + "' in namespace '" + this.namespace
					+ "' was changed or moved by somebody without its key; set it again", null);
		}

	}

	/**
	 * Where the keys are.
	 */
	@FunctionalInterface
	private interface Source {

		/**
		 * The keys.
		 * @param make whether to make one where there is none
		 * @return the keys, none only if not to be made
		 */
		List<Key> keys(boolean make);

	}

	private static final class Key {

		private final byte[] root;

		private final String id;

		Key(byte[] root) {
			this.root = root;
			this.id = HexFormat.of().formatHex(derive(FOR_ID, ID));
		}

		byte[] derive(String purpose, int length) {
			return Hkdf.derive(this.root, NO_SALT, purpose.getBytes(StandardCharsets.UTF_8), length);
		}

	}

}
