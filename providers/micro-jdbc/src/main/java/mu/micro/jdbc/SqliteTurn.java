package mu.micro.jdbc;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.util.Set;

import org.jspecify.annotations.Nullable;

/**
 * Whose turn it is to write, among the processes that use a file: a lock on an empty file
 * beside it, for which they wait in the system and are woken as soon as it is free.
 * SQLite itself would have them look again and again. The system frees it when a process
 * ends.
 * <p>
 * Where there are no such locks, or somebody else in this process has it, one goes on
 * without. Not for several threads.
 */
final class SqliteTurn implements AutoCloseable {

	private static final System.Logger logger = System.getLogger(SqliteTurn.class.getName());

	private final Path path;

	private final FileAttribute<?>[] attributes;

	private @Nullable FileChannel channel;

	private @Nullable FileLock lock;

	SqliteTurn(Path path, FileAttribute<?>... attributes) {
		this.path = path;
		this.attributes = attributes;
	}

	/**
	 * Waits for the turn, and keeps it if it has it already. An interrupt ends that.
	 */
	void take() {
		if (this.lock != null) {
			return;
		}
		try {
			FileChannel open = this.channel;
			if (open == null || !open.isOpen()) {
				open = FileChannel.open(this.path, Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE),
						this.attributes);
				this.channel = open;
			}
			this.lock = open.lock();
		}
		catch (IOException | OverlappingFileLockException ex) {
			logger.log(System.Logger.Level.DEBUG, "going on without a turn by " + this.path, ex);
		}
	}

	/**
	 * Lets the next one go on.
	 */
	void end() {
		if (this.lock == null) {
			return;
		}
		try {
			this.lock.release();
		}
		catch (IOException ex) {
			logger.log(System.Logger.Level.DEBUG, this.path + " was not unlocked", ex);
			close();
		}
		this.lock = null;
	}

	/**
	 * Lets go of the file, and of the turn.
	 */
	@Override
	public void close() {
		try {
			if (this.channel != null) {
				this.channel.close();
				this.channel = null;
			}
		}
		catch (IOException ex) {
			logger.log(System.Logger.Level.DEBUG, this.path + " did not close well", ex);
		}
		this.lock = null;
	}

}
