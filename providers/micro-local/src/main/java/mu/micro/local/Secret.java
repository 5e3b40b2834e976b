package mu.micro.local;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.SecureRandom;

import org.jspecify.annotations.Nullable;

/**
 * What all who can read a directory know, and nobody else: a file of random bytes. Who
 * finds none makes it. It is there as a whole or not at all.
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
		try {
			byte[] secret = read(file);
			if (secret == null) {
				make(file);
				secret = read(file);
			}
			if (secret != null && secret.length == BYTES) {
				return secret;
			}
		}
		catch (IOException ex) {
			throw new IOException("the file " + file + " cannot be read or made (" + ex
					+ "); see to it that this user can read and write it", ex);
		}
		throw new IOException("the file " + file + " does not hold " + BYTES
				+ " bytes; delete it, and start all services of this user anew");
	}

	private static byte @Nullable [] read(Path file) throws IOException {
		try (InputStream content = Files.newInputStream(file)) {
			return content.readNBytes(BYTES + 1);
		}
		catch (NoSuchFileException ex) {
			return null;
		}
	}

	// A link appears with its content, and never in place of another.
	private static void make(Path file) throws IOException {
		byte[] secret = new byte[BYTES];
		new SecureRandom().nextBytes(secret);
		// For this user's eyes only, as all temporary files are.
		Path made = Files.createTempFile(file.getParent(), FILE, ".tmp");
		try {
			Files.write(made, secret);
			Files.createLink(file, made);
		}
		catch (FileAlreadyExistsException ex) {
			// Another process was first: its secret counts.
		}
		catch (IOException | UnsupportedOperationException ex) {
			// No links here: of two at once the later wins, and they meet by files alone.
			Files.move(made, file, StandardCopyOption.ATOMIC_MOVE);
		}
		finally {
			Files.deleteIfExists(made);
		}
	}

}
