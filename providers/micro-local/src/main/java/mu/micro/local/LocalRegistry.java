package mu.micro.local;

import java.nio.file.Path;
import java.time.Clock;
import java.util.UUID;

import mu.micro.MicroException;

/**
 * The registry of a bare laptop: announces by multicast DNS and by files at once and
 * hears both, so that services find each other where one of the two does not work. Of two
 * announcements of one instance the newer counts, wherever it was heard.
 * <p>
 * Multicast is heard by all users of the machine. What this sends proves that it comes
 * from somebody who can read the file {@code secret} in the directory, made by whoever
 * opens it first, and what does not is ignored: registries over different directories
 * never meet. What is sent is not hidden.
 * <p>
 * A change is seen by others within about 300 ms. A closed lease is gone within two
 * seconds, a process that crashed within one, which is also the shortest ttl; seven where
 * the other process has neither the directory nor the process ids in common with this
 * one.
 * <p>
 * Opening does not wait for multicast. Where that cannot be had, this works on files
 * alone and says so once.
 */
public final class LocalRegistry extends AnnouncedRegistry {

	/**
	 * Opens the registry.
	 * @param directory where the files are, for this user's eyes only; made if absent
	 * @throws MicroException.Unavailable if there can be no such directory, with what to
	 * do about it
	 */
	public LocalRegistry(Path directory) {
		this(Node.create(UUID.randomUUID()), directory);
	}

	private LocalRegistry(Node node, Path directory) {
		super(node, Clock.systemUTC(), new PairedMedium(directory, node));
	}

}
