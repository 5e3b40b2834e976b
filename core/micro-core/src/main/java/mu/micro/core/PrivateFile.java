package mu.micro.core;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;

/**
 * A small file that several processes of one user share and whoever needs it first makes,
 * for that user's eyes only. It is there as a whole or not at all, also after a power
 * failure, and never replaced.
 */
public final class PrivateFile {

	private PrivateFile() {
	}

	/**
	 * Reads the file.
	 * @param file the file
	 * @param most how many bytes of it to read
	 * @return its first bytes, or null where there is no such file
	 * @throws IOException if it cannot be read
	 */
	public static byte @Nullable [] read(Path file, int most) throws IOException {
		try (InputStream content = Files.newInputStream(file)) {
			return content.readNBytes(most);
		}
		catch (NoSuchFileException ex) {
			return null;
		}
	}

	/**
	 * Reads the file, made now if there is none.
	 * @param file the file; its directory is made too, for this user only
	 * @param most how many bytes of it to read
	 * @param content gives the content of a new file
	 * @return its first bytes: of several processes at once all get the same
	 * @throws IOException if it can neither be read nor made
	 */
	public static byte[] readOrMake(Path file, int most, Supplier<byte[]> content) throws IOException {
		byte[] before = read(file, most);
		if (before != null) {
			return before;
		}
		make(file, content.get());
		byte[] made = read(file, most);
		if (made == null) {
			throw new NoSuchFileException(file.toString(), null, "deleted by somebody as soon as it was made");
		}
		return made;
	}

	// A link appears with its content, and never in place of another.
	private static void make(Path file, byte[] content) throws IOException {
		Path directory = file.toAbsolutePath().resolveSibling("");
		makeDirectory(directory);
		// For this user's eyes only, as all temporary files are.
		Path made = Files.createTempFile(directory, file.getFileName().toString(), ".tmp");
		try {
			try (FileChannel channel = FileChannel.open(made, StandardOpenOption.WRITE)) {
				channel.write(ByteBuffer.wrap(content));
				channel.force(true);
			}
			link(file, made);
		}
		catch (FileAlreadyExistsException ex) {
			// Another process was first: its content counts.
		}
		finally {
			Files.deleteIfExists(made);
		}
		force(directory);
	}

	private static void makeDirectory(Path directory) throws IOException {
		if (Files.isDirectory(directory)) {
			return;
		}
		boolean posix = directory.getFileSystem().supportedFileAttributeViews().contains("posix");
		Files.createDirectories(directory,
				(posix) ? new FileAttribute<?>[] {
						PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")) }
						: new FileAttribute<?>[0]);
	}

	private static void link(Path file, Path made) throws IOException {
		try {
			Files.createLink(file, made);
		}
		catch (FileAlreadyExistsException ex) {
			throw ex;
		}
		catch (IOException | UnsupportedOperationException ex) {
			// No links here: a move looks for another first, so two at once must meet
			// within microseconds for the later to win.
			Files.move(made, file);
		}
	}

	private static void force(Path directory) {
		try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
			channel.force(true);
		}
		catch (IOException ex) {
			// Directories cannot be opened here, and need not be.
		}
	}

}
