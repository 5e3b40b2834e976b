package mu.micro.local;

import java.io.IOException;
import java.nio.file.ClosedWatchServiceException;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.HashMap;
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
 * Nodes announce by files in a directory.
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

	private static final Duration CLOSING = Duration.ofSeconds(2);

	private static final int MAX_BYTES = 1024 * 1024;

	private static final String ANNOUNCED = ".json";

	private static final System.Logger logger = System.getLogger(DirectoryMedium.class.getName());

	private final Node node;

	private final NodeFiles files;

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
		this.node = node;
		this.files = new NodeFiles(directory, node, ANNOUNCED);
		this.thread = Threads.daemons("micro-registry-files").newThread(this::run);
	}

	@Override
	public void open(Runnable changed) {
		this.changed = changed;
		try {
			this.files.makeDirectory();
		}
		catch (IOException ex) {
			throw this.files.unavailable("registry", ex);
		}
		try {
			this.watcher = this.files.directory().getFileSystem().newWatchService();
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
			throw this.files.unavailable("registry", ex);
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
			this.files.remove();
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
			FileTime now = this.files.modified();
			boolean same = now.equals(this.modified);
			this.modified = now;
			return !same || NodeFiles.isRecent(now);
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
			this.watched = this.files.directory()
				.register(this.watcher, StandardWatchEventKinds.ENTRY_CREATE, StandardWatchEventKinds.ENTRY_MODIFY,
						StandardWatchEventKinds.ENTRY_DELETE);
		}
		catch (IOException ex) {
			logger.log(System.Logger.Level.DEBUG, "the directory cannot be watched now", ex);
		}
	}

	// Writes again what could not be written, or what somebody removed.
	private void heal(boolean changed) {
		this.lock.lock();
		try {
			if (!this.dirty && (!changed || this.files.areWhole())) {
				return;
			}
			this.files.makeDirectory();
			write(Announcement.write(this.own));
		}
		catch (IOException ex) {
			this.dirty = true;
			logger.log(System.Logger.Level.DEBUG, "not announced in " + this.files.directory() + " yet", ex);
		}
		finally {
			this.lock.unlock();
		}
	}

	private void write(byte[] bytes) throws IOException {
		if (this.files.held() || !this.own.isEmpty()) {
			this.files.write(bytes);
		}
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
		try {
			Set<Node> nodes = this.files.others();
			this.unreadable = false;
			return nodes;
		}
		catch (IOException ex) {
			if (!this.unreadable) {
				this.unreadable = true;
				logger.log(System.Logger.Level.WARNING, "other services are not seen for now, the files in "
						+ this.files.directory() + " cannot be read", ex);
			}
			return Set.of();
		}
	}

	private void load(Node other, Peer peer) {
		NodeFiles.Told told = this.files.read(other, peer.told, MAX_BYTES);
		if (told != peer.told) {
			peer.told = told;
			peer.announcements = Announcement.read(told.bytes())
				.stream()
				.filter((announcement) -> announcement.node().equals(other))
				.toList();
		}
	}

	private boolean lives(Node other, Peer peer) {
		if (this.node.sameProcess(other)) {
			return true;
		}
		long now = System.nanoTime();
		if (peer.probed == 0 || now - peer.probed > PROBE.toNanos()) {
			peer.probed = now;
			peer.lives = this.files.lives(other);
		}
		return peer.lives;
	}

	/**
	 * What is known of another node.
	 */
	private static final class Peer {

		private long probed;

		private boolean lives;

		private NodeFiles.Told told = NodeFiles.Told.NOTHING;

		private List<Announcement> announcements = List.of();

	}

}
