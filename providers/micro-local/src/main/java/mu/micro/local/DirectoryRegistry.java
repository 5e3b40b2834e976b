package mu.micro.local;

import java.nio.file.Path;
import java.time.Clock;
import java.util.UUID;

import mu.micro.MicroException;

/**
 * A registry of small files in a directory that the processes of a user share. Nothing
 * runs but those processes.
 * <p>
 * A change is seen by others within about 300 ms, a process that crashed is gone within a
 * second, which is also the shortest ttl. What is in the directory and is not a
 * registry's file is ignored. The directory must be on a file system with locks, and on
 * one machine.
 * <p>
 * Each open registry takes a thread, a directory watch where there is one to be had, and
 * an open file once it announces something.
 */
public final class DirectoryRegistry extends AnnouncedRegistry {

	/**
	 * Opens the registry.
	 * @param directory where the files are, for this user's eyes only; made if absent
	 * @throws MicroException.Unavailable if there can be no such directory, with what to
	 * do about it
	 */
	public DirectoryRegistry(Path directory) {
		this(directory, Clock.systemUTC());
	}

	DirectoryRegistry(Path directory, Clock clock) {
		this(Node.create(UUID.randomUUID()), directory, clock);
	}

	private DirectoryRegistry(Node node, Path directory, Clock clock) {
		super(node, clock, new DirectoryMedium(directory, node));
	}

}
