package mu.micro.local;

import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;

import mu.micro.core.PrivateFile;

/**
 * What all who can read a directory know, and nobody else: a file of random bytes. Who
 * finds none makes it.
 */
final class Secret {

	private static final String FILE = "secret";

	private static final int BYTES = 32;

	private Secret() {
	}

	/**
	 * Reads a directory's secret, made now if there is none.
	 * @param directory a directory that is there
	 * @return the secret
	 * @throws IOException if it can neither be read nor made, with what to do about it
	 */
	static byte[] of(Path directory) throws IOException {
		Path file = directory.resolve(FILE);
		byte[] secret;
		try {
			secret = PrivateFile.readOrMake(file, BYTES + 1, Secret::random);
		}
		catch (IOException ex) {
			throw new IOException("the file " + file + " cannot be read or made (" + ex
					+ "); see to it that this user can read and write it", ex);
		}
		if (secret.length != BYTES) {
			throw new IOException("the file " + file + " does not hold " + BYTES
					+ " bytes; delete it, and start all services of this user anew");
		}
		return secret;
	}

	private static byte[] random() {
		byte[] secret = new byte[BYTES];
		new SecureRandom().nextBytes(secret);
		return secret;
	}

}
