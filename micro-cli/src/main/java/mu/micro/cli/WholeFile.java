package mu.micro.cli;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/**
 * Files that are written whole or not at all.
 */
final class WholeFile {

	private WholeFile() {
	}

	/**
	 * Writes a file. What is there is replaced when all is written and on the disk, and
	 * whoever is killed in between leaves it. What is no regular file, such as a pipe, is
	 * written to as it is.
	 * @param path the file
	 * @param content writes it
	 * @param <T> what writing it gives
	 * @return what that gave
	 * @throws IOException if it cannot be written
	 */
	static <T> T write(Path path, Content<T> content) throws IOException {
		if (Files.exists(path) && !Files.isRegularFile(path)) {
			try (OutputStream out = Files.newOutputStream(path)) {
				return content.write(out);
			}
		}
		return replace((Files.exists(path)) ? path.toRealPath() : path.toAbsolutePath(), content);
	}

	private static <T> T replace(Path path, Content<T> content) throws IOException {
		// Readable by nobody else.
		Path part = Files.createTempFile(path.getParent(), "." + path.getFileName() + ".", ".part");
		part.toFile().deleteOnExit();
		try {
			T written;
			try (FileOutputStream out = new FileOutputStream(part.toFile())) {
				written = content.write(out);
				out.getFD().sync();
			}
			Files.move(part, path, StandardCopyOption.ATOMIC_MOVE);
			return written;
		}
		finally {
			Files.deleteIfExists(part);
		}
	}

	/**
	 * Writes what a file should hold.
	 *
	 * @param <T> what that gives
	 */
	@FunctionalInterface
	interface Content<T> {

		/**
		 * Writes it.
		 * @param out the file
		 * @return anything
		 * @throws IOException if it cannot be written
		 */
		T write(OutputStream out) throws IOException;

	}

}
