package mu.micro.local;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

import mu.micro.MicroException;
import org.jspecify.annotations.Nullable;

/**
 * The files of a directory by which nodes know of each other. Each node has a file that
 * holds what it tells, replaced as a whole or appended to, and one that it keeps locked
 * while it lives. Whatever is told changes the directory's time. What is written is for
 * one thread at a time.
 * <p>
 * POSIX drops a process's locks on a file as soon as it closes any channel on it, so the
 * lock file of a node in this process is never opened a second time.
 */
final class NodeFiles {

	/**
	 * File times are coarse: what changed less than this ago is read again.
	 */
	private static final Duration RECENT = Duration.ofSeconds(2);

	/**
	 * A lock without a told file that is older was left by a crash between the two.
	 */
	private static final Duration STARTING = Duration.ofSeconds(10);

	private static final int MAX_NODES = 10_000;

	private static final String WRITING = ".tmp";

	private static final String LOCK = ".lock";

	private static final System.Logger logger = System.getLogger(NodeFiles.class.getName());

	private final Path directory;

	private final Node node;

	private final String told;

	private final boolean posix;

	private @Nullable FileChannel held;

	/**
	 * Touches nothing yet.
	 * @param directory where the files are
	 * @param node whose view this is
	 * @param told what the name of a file that tells something ends with
	 */
	NodeFiles(Path directory, Node node, String told) {
		this.directory = directory.toAbsolutePath().normalize();
		this.node = node;
		this.told = told;
		this.posix = directory.getFileSystem().supportedFileAttributeViews().contains("posix");
	}

	Path directory() {
		return this.directory;
	}

	/**
	 * Makes the directory if it is absent, and sees to it that it is this user's alone.
	 * @throws IOException if there can be no such directory
	 */
	void makeDirectory() throws IOException {
		if (!Files.isDirectory(this.directory)) {
			Files.createDirectories(this.directory, attributes("rwx------"));
		}
		if (!Files.isReadable(this.directory) || !Files.isWritable(this.directory)
				|| !Files.isExecutable(this.directory)) {
			throw new AccessDeniedException(this.directory.toString());
		}
		if (this.posix) {
			try {
				Files.setPosixFilePermissions(this.directory, PosixFilePermissions.fromString("rwx------"));
			}
			catch (IOException ex) {
				logger.log(System.Logger.Level.DEBUG, "the directory keeps its mode", ex);
			}
		}
	}

	/**
	 * Whether this node has files.
	 * @return whether it has
	 */
	boolean held() {
		return this.held != null;
	}

	/**
	 * Whether nobody removed a file of this node.
	 * @return whether nobody did
	 */
	boolean areWhole() {
		return this.held == null || (Files.exists(path(this.node, LOCK)) && Files.exists(path(this.node, this.told)));
	}

	/**
	 * Writes what this node tells. Takes the lock first, so that a file that tells
	 * something without a held lock is a dead node's.
	 * @param bytes all that it tells
	 * @throws IOException if it cannot be written
	 */
	void write(byte[] bytes) throws IOException {
		if (this.held != null && !Files.exists(path(this.node, LOCK))) {
			this.held.close();
			this.held = null;
		}
		if (this.held == null) {
			FileChannel channel = create(LOCK);
			if (!locked(channel)) {
				channel.close();
				throw new IOException("the file system gives no locks");
			}
			this.held = channel;
		}
		try (FileChannel channel = create(WRITING)) {
			ByteBuffer buffer = ByteBuffer.wrap(bytes);
			while (buffer.hasRemaining()) {
				channel.write(buffer);
			}
		}
		Files.move(path(this.node, WRITING), path(this.node, this.told), StandardCopyOption.ATOMIC_MOVE);
	}

	/**
	 * Adds to what this node tells, which may be read before it is complete. Costs much
	 * less than replacing the file, which some file systems write to the disk then.
	 * @param bytes what it tells in addition
	 * @throws IOException if it cannot be written, or not as a whole
	 */
	void append(byte[] bytes) throws IOException {
		try (FileChannel channel = FileChannel.open(path(this.node, this.told), StandardOpenOption.APPEND)) {
			ByteBuffer buffer = ByteBuffer.wrap(bytes);
			while (buffer.hasRemaining()) {
				channel.write(buffer);
			}
		}
		Files.setLastModifiedTime(this.directory, FileTime.from(Instant.now()));
	}

	/**
	 * Removes this node's files.
	 * @throws IOException if they are left for others to remove
	 */
	void remove() throws IOException {
		if (this.held != null) {
			delete(this.node);
			this.held.close();
			this.held = null;
		}
	}

	/**
	 * Reads what another node tells, unless it is sure to be what it was.
	 * @param other the other node
	 * @param before what was read before
	 * @param most bytes to read; of a larger file nothing
	 * @return what was read before, if that has not changed
	 */
	Told read(Node other, Told before, int most) {
		Path file = path(other, this.told);
		try {
			BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class,
					LinkOption.NOFOLLOW_LINKS);
			String version = attributes.lastModifiedTime() + " " + attributes.size() + " " + attributes.fileKey();
			if (version.equals(before.version) && !isRecent(attributes.lastModifiedTime())) {
				return before;
			}
			byte[] bytes = {};
			if (attributes.isRegularFile() && attributes.size() <= most) {
				try (InputStream content = Files.newInputStream(file)) {
					bytes = content.readNBytes(most);
				}
			}
			return (version.equals(before.version) && Arrays.equals(bytes, before.bytes)) ? before
					: new Told(version, bytes);
		}
		catch (IOException ex) {
			// Gone by now, or not for us: the node tells nothing.
			return Told.NOTHING;
		}
	}

	/**
	 * When something was last told or removed.
	 * @return the directory's time
	 * @throws IOException if the directory cannot be read
	 */
	FileTime modified() throws IOException {
		return Files.getLastModifiedTime(this.directory);
	}

	/**
	 * The other nodes that have files, dead or alive.
	 * @return a set, empty if there is no such directory
	 * @throws IOException if the directory cannot be read
	 */
	Set<Node> others() throws IOException {
		Set<Node> nodes = new HashSet<>();
		try (DirectoryStream<Path> files = Files.newDirectoryStream(this.directory)) {
			for (Path file : files) {
				Node other = nodeOf(file);
				if (other != null && !other.equals(this.node) && nodes.size() < MAX_NODES) {
					nodes.add(other);
				}
			}
		}
		catch (NoSuchFileException ex) {
			// Removed: who tells something makes it again.
		}
		catch (DirectoryIteratorException ex) {
			throw ex.getCause();
		}
		return nodes;
	}

	/**
	 * Tries a node's lock. Who gets it knows that the owner is dead, and clears up.
	 * @param other another node
	 * @return whether it lives, as far as can be known
	 */
	boolean lives(Node other) {
		Path lock = path(other, LOCK);
		if (this.node.sameProcess(other)) {
			return Files.exists(lock);
		}
		try {
			if (!Files.exists(path(other, this.told)) && age(Files.getLastModifiedTime(lock)).compareTo(STARTING) < 0) {
				return true;
			}
			try (FileChannel channel = FileChannel.open(lock, StandardOpenOption.READ, StandardOpenOption.WRITE);
					FileLock taken = channel.tryLock()) {
				if (taken != null) {
					delete(other);
				}
				return taken == null;
			}
		}
		catch (NoSuchFileException ex) {
			delete(other);
			return false;
		}
		catch (AccessDeniedException ex) {
			return false;
		}
		catch (OverlappingFileLockException | IOException ex) {
			// Another node of this process is trying it, or it cannot be known now.
			return true;
		}
	}

	/**
	 * Whether a time is so close that what has it may change once more and keep it.
	 * @param time when something changed
	 * @return whether it is
	 */
	static boolean isRecent(FileTime time) {
		return age(time).compareTo(RECENT) < 0;
	}

	/**
	 * Says what is wrong with the directory, and what to do about it.
	 * @param what whose files they are
	 * @param cause what went wrong
	 * @return what to throw
	 */
	MicroException.Unavailable unavailable(String what, IOException cause) {
		String problem;
		if (cause instanceof FileAlreadyExistsException) {
			problem = "it is a file, not a directory";
		}
		else if (cause instanceof AccessDeniedException) {
			problem = "this user may not read and write it";
		}
		else if (cause instanceof FileSystemException failed && failed.getReason() != null) {
			problem = failed.getReason();
		}
		else {
			problem = cause.toString();
		}
		return new MicroException.Unavailable("the " + what + "'s files cannot be kept in " + this.directory + ": "
				+ problem + "; set micro.data-dir to a directory that this user can read and write", cause);
	}

	private void delete(Node of) {
		for (String kind : List.of(this.told, WRITING, LOCK)) {
			try {
				Files.deleteIfExists(path(of, kind));
			}
			catch (IOException ex) {
				logger.log(System.Logger.Level.DEBUG, "a file is left for others to remove", ex);
			}
		}
	}

	private FileChannel create(String kind) throws IOException {
		return FileChannel.open(path(this.node, kind),
				Set.of(StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE),
				attributes("rw-------"));
	}

	private static boolean locked(FileChannel channel) throws IOException {
		try {
			return channel.tryLock() != null;
		}
		catch (IOException ex) {
			channel.close();
			throw ex;
		}
	}

	private FileAttribute<?>[] attributes(String mode) {
		return this.posix
				? new FileAttribute<?>[] { PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(mode)) }
				: new FileAttribute<?>[0];
	}

	private Path path(Node of, String kind) {
		return this.directory.resolve(of + kind);
	}

	private @Nullable Node nodeOf(Path file) {
		String name = file.getFileName().toString();
		for (String kind : List.of(this.told, LOCK)) {
			if (name.endsWith(kind)) {
				return Node.parse(name.substring(0, name.length() - kind.length()));
			}
		}
		return null;
	}

	private static Duration age(FileTime time) {
		return Duration.ofMillis(System.currentTimeMillis() - time.toMillis());
	}

	/**
	 * What a node told.
	 *
	 * @param version what tells it from what it told before
	 * @param bytes the content of its file
	 */
	record Told(String version, byte[] bytes) {

		static final Told NOTHING = new Told("", new byte[0]);

	}

}
