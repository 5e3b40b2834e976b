package mu.micro.local;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AccessDeniedException;
import java.nio.file.ClosedWatchServiceException;
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
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

import mu.micro.MicroException;
import mu.micro.core.Threads;
import org.jspecify.annotations.Nullable;

/**
 * Nodes announce by files in a directory. Each has a file that holds what it announces,
 * replaced as a whole, and one that it keeps locked while it lives.
 * <p>
 * POSIX drops a process's locks on a file as soon as it closes any channel on it, so the
 * lock file of a node in this process is never opened a second time.
 */
final class DirectoryMedium implements Medium {

	/**
	 * How soon a change is seen where watching the directory is slow or misses it.
	 */
	private static final Duration POLL = Duration.ofMillis(250);

	/**
	 * How often the other nodes' locks are tried.
	 */
	private static final Duration PROBE = Duration.ofMillis(450);

	/**
	 * File times are coarse: what changed less than this ago is read again.
	 */
	private static final Duration RECENT = Duration.ofSeconds(2);

	/**
	 * A lock without announcements that is older was left by a crash between the two.
	 */
	private static final Duration STARTING = Duration.ofSeconds(10);

	private static final Duration CLOSING = Duration.ofSeconds(2);

	private static final int MAX_NODES = 10_000;

	private static final int MAX_BYTES = 1024 * 1024;

	private static final String ANNOUNCED = ".json";

	private static final String WRITING = ".tmp";

	private static final String LOCK = ".lock";

	private static final System.Logger logger = System.getLogger(DirectoryMedium.class.getName());

	private final Path directory;

	private final Node node;

	private final boolean posix;

	private final CountDownLatch closing = new CountDownLatch(1);

	private final Thread thread;

	private @Nullable WatchService watcher;

	private @Nullable WatchKey watched;

	private Runnable changed = () -> {
	};

	/**
	 * Guards what is written; what is read belongs to the thread.
	 */
	private final ReentrantLock lock = new ReentrantLock();

	private List<Announcement> own = List.of();

	private @Nullable FileChannel held;

	private boolean dirty;

	private Map<Node, Peer> peers = Map.of();

	private FileTime modified = FileTime.fromMillis(0);

	private boolean unreadable;

	private volatile List<Announcement> heard = List.of();

	/**
	 * Touches nothing yet.
	 * @param directory where the files are, made if absent
	 * @param node who announces
	 */
	DirectoryMedium(Path directory, Node node) {
		this.directory = directory.toAbsolutePath().normalize();
		this.node = node;
		this.posix = directory.getFileSystem().supportedFileAttributeViews().contains("posix");
		this.thread = Threads.daemons("micro-registry-files").newThread(this::run);
	}

	@Override
	public void open(Runnable changed) {
		this.changed = changed;
		try {
			makeDirectory();
		}
		catch (IOException ex) {
			throw unavailable(ex);
		}
		try {
			this.watcher = this.directory.getFileSystem().newWatchService();
		}
		catch (IOException | UnsupportedOperationException ex) {
			logger.log(System.Logger.Level.DEBUG, "the directory is not watched but read every " + POLL, ex);
		}
		watch();
		read(true);
		this.thread.start();
	}

	@Override
	public void announce(List<Announcement> own) {
		byte[] bytes = Announcement.write(own);
		if (bytes.length > MAX_BYTES) {
			throw new MicroException.Exhausted("what this process announces is " + bytes.length
					+ " bytes of JSON, more than the limit of " + MAX_BYTES + ": register less per process");
		}
		// An interrupt would close the channels; it waits until the files are written.
		boolean interrupted = Thread.interrupted();
		this.lock.lock();
		try {
			this.own = own;
			this.dirty = true;
			write(bytes);
		}
		catch (IOException ex) {
			throw unavailable(ex);
		}
		finally {
			this.lock.unlock();
			if (interrupted) {
				Thread.currentThread().interrupt();
			}
		}
	}

	@Override
	public List<Announcement> heard() {
		return this.heard;
	}

	@Override
	public void close() {
		this.closing.countDown();
		boolean interrupted = Thread.interrupted();
		try {
			if (this.watcher != null) {
				this.watcher.close();
			}
			this.thread.join(CLOSING.toMillis());
		}
		catch (IOException ex) {
			logger.log(System.Logger.Level.DEBUG, "watching the directory did not end well", ex);
		}
		catch (InterruptedException ex) {
			interrupted = true;
		}
		this.lock.lock();
		try {
			this.own = List.of();
			if (this.held != null) {
				delete(this.node);
				this.held.close();
				this.held = null;
			}
		}
		catch (IOException ex) {
			logger.log(System.Logger.Level.DEBUG, "files are left for others to remove", ex);
		}
		finally {
			this.lock.unlock();
			if (interrupted) {
				Thread.currentThread().interrupt();
			}
		}
	}

	private void run() {
		try {
			while (this.closing.getCount() > 0) {
				look(await());
			}
		}
		catch (ClosedWatchServiceException | InterruptedException ex) {
			// Closed: done.
		}
	}

	private void look(boolean told) {
		try {
			watch();
			boolean changed = told || hasChanged();
			heal(changed);
			if (read(changed)) {
				this.changed.run();
			}
		}
		catch (ClosedWatchServiceException ex) {
			throw ex;
		}
		catch (RuntimeException ex) {
			logger.log(System.Logger.Level.WARNING, "the registry's directory is read again later", ex);
		}
	}

	/**
	 * Waits for a change, but no longer than until the next look.
	 * @return whether there is one
	 */
	private boolean await() throws InterruptedException {
		if (this.watcher == null) {
			this.closing.await(POLL.toMillis(), TimeUnit.MILLISECONDS);
			return false;
		}
		WatchKey key = this.watcher.poll(POLL.toMillis(), TimeUnit.MILLISECONDS);
		if (key == null) {
			return false;
		}
		key.pollEvents();
		key.reset();
		return true;
	}

	/**
	 * Asks the directory itself, where nobody tells.
	 * @return whether something in it may have changed
	 */
	private boolean hasChanged() {
		try {
			FileTime now = Files.getLastModifiedTime(this.directory);
			boolean same = now.equals(this.modified);
			this.modified = now;
			return !same || isRecent(now);
		}
		catch (IOException ex) {
			return true;
		}
	}

	/**
	 * Watches the directory, again if it was removed and made again.
	 */
	private void watch() {
		if (this.watcher == null || (this.watched != null && this.watched.isValid())) {
			return;
		}
		try {
			this.watched = this.directory.register(this.watcher, StandardWatchEventKinds.ENTRY_CREATE,
					StandardWatchEventKinds.ENTRY_MODIFY, StandardWatchEventKinds.ENTRY_DELETE);
		}
		catch (IOException ex) {
			logger.log(System.Logger.Level.DEBUG, "the directory cannot be watched now", ex);
		}
	}

	// Writes again what could not be written, or what somebody removed.
	private void heal(boolean changed) {
		this.lock.lock();
		try {
			boolean locked = !changed || this.held == null || Files.exists(path(this.node, LOCK));
			if (!this.dirty && locked && (!changed || this.own.isEmpty() || Files.exists(path(this.node, ANNOUNCED)))) {
				return;
			}
			if (!locked && this.held != null) {
				this.held.close();
				this.held = null;
			}
			makeDirectory();
			write(Announcement.write(this.own));
		}
		catch (IOException ex) {
			this.dirty = true;
			logger.log(System.Logger.Level.DEBUG, "not announced in " + this.directory + " yet", ex);
		}
		finally {
			this.lock.unlock();
		}
	}

	// Takes the lock first, so that announcements without a held lock are a dead node's.
	private void write(byte[] bytes) throws IOException {
		if (this.held == null && !this.own.isEmpty()) {
			FileChannel channel = create(LOCK);
			if (!locked(channel)) {
				channel.close();
				throw new IOException("the file system gives no locks");
			}
			this.held = channel;
		}
		if (this.held == null) {
			this.dirty = false;
			return;
		}
		try (FileChannel channel = create(WRITING)) {
			ByteBuffer buffer = ByteBuffer.wrap(bytes);
			while (buffer.hasRemaining()) {
				channel.write(buffer);
			}
		}
		Files.move(path(this.node, WRITING), path(this.node, ANNOUNCED), StandardCopyOption.ATOMIC_MOVE);
		this.dirty = false;
	}

	/**
	 * Sees who lives, and reads what they announce.
	 * @param changed whether what was read before may be outdated
	 * @return whether what is announced changed
	 */
	private boolean read(boolean changed) {
		Map<Node, Peer> next = new HashMap<>();
		for (Node other : changed ? list() : this.peers.keySet()) {
			Peer peer = this.peers.getOrDefault(other, new Peer());
			if (lives(other, peer)) {
				next.put(other, peer);
				if (changed) {
					load(other, peer);
				}
			}
		}
		if (!changed && next.size() == this.peers.size()) {
			return false;
		}
		this.peers = next;
		List<Announcement> announcements = next.values()
			.stream()
			.flatMap((peer) -> peer.announcements.stream())
			.toList();
		boolean different = !Set.copyOf(announcements).equals(Set.copyOf(this.heard));
		this.heard = announcements;
		return different;
	}

	private Set<Node> list() {
		Set<Node> nodes = new HashSet<>();
		try (DirectoryStream<Path> files = Files.newDirectoryStream(this.directory)) {
			for (Path file : files) {
				Node other = nodeOf(file);
				if (other != null && !other.equals(this.node) && nodes.size() < MAX_NODES) {
					nodes.add(other);
				}
			}
			this.unreadable = false;
		}
		catch (NoSuchFileException ex) {
			// Removed: who announces something makes it again.
		}
		catch (IOException | DirectoryIteratorException ex) {
			if (!this.unreadable) {
				this.unreadable = true;
				logger.log(System.Logger.Level.WARNING,
						"other services are not seen for now, the files in " + this.directory + " cannot be read", ex);
			}
		}
		return nodes;
	}

	private void load(Node other, Peer peer) {
		Path file = path(other, ANNOUNCED);
		try {
			BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class,
					LinkOption.NOFOLLOW_LINKS);
			String version = attributes.lastModifiedTime() + " " + attributes.size() + " " + attributes.fileKey();
			if (version.equals(peer.version) && !isRecent(attributes.lastModifiedTime())) {
				return;
			}
			peer.version = version;
			peer.announcements = List.of();
			if (attributes.isRegularFile() && attributes.size() <= MAX_BYTES) {
				try (InputStream content = Files.newInputStream(file)) {
					peer.announcements = Announcement.read(content.readNBytes(MAX_BYTES))
						.stream()
						.filter((announcement) -> announcement.node().equals(other))
						.toList();
				}
			}
		}
		catch (IOException ex) {
			// Gone by now, or not for us: the node announces nothing.
			peer.version = "";
			peer.announcements = List.of();
		}
	}

	private boolean lives(Node other, Peer peer) {
		if (this.node.sameProcess(other)) {
			return true;
		}
		long now = System.nanoTime();
		if (peer.probed == 0 || now - peer.probed > PROBE.toNanos()) {
			peer.probed = now;
			peer.lives = probe(other, peer);
		}
		return peer.lives;
	}

	// Tries a node's lock. Who gets it knows that the owner is dead, and clears up.
	private boolean probe(Node other, Peer peer) {
		Path lock = path(other, LOCK);
		try {
			boolean announced = !peer.version.isEmpty() || Files.exists(path(other, ANNOUNCED));
			if (!announced && age(Files.getLastModifiedTime(lock)).compareTo(STARTING) < 0) {
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
			// Another registry of this process is trying it, or it cannot be known now.
			return true;
		}
	}

	private void delete(Node of) {
		for (String kind : List.of(ANNOUNCED, WRITING, LOCK)) {
			try {
				Files.deleteIfExists(path(of, kind));
			}
			catch (IOException ex) {
				logger.log(System.Logger.Level.DEBUG, "a file is left for others to remove", ex);
			}
		}
	}

	private void makeDirectory() throws IOException {
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

	private static @Nullable Node nodeOf(Path file) {
		String name = file.getFileName().toString();
		for (String kind : List.of(ANNOUNCED, LOCK)) {
			if (name.endsWith(kind)) {
				return Node.parse(name.substring(0, name.length() - kind.length()));
			}
		}
		return null;
	}

	private static boolean isRecent(FileTime time) {
		return age(time).compareTo(RECENT) < 0;
	}

	private static Duration age(FileTime time) {
		return Duration.ofMillis(System.currentTimeMillis() - time.toMillis());
	}

	private MicroException.Unavailable unavailable(IOException cause) {
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
		return new MicroException.Unavailable("the registry's files cannot be kept in " + this.directory + ": "
				+ problem + "; set micro.data-dir to a directory that this user can read and write", cause);
	}

	/**
	 * What is known of another node.
	 */
	private static final class Peer {

		private long probed;

		private boolean lives;

		private String version = "";

		private List<Announcement> announcements = List.of();

	}

}
