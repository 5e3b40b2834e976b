package mu.micro.local;

import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import mu.micro.MicroException;

/**
 * A registry by multicast DNS on the loopback interface, in a group and on a port of its
 * own. It needs no files and no network; packets from other machines are ignored, and so
 * is what was not sent with the same key.
 * <p>
 * A change is seen by others within about 500 ms, a closed lease is gone within two
 * seconds. A process that crashed is gone within one second where its process id is to be
 * seen, else within seven, which is the shortest ttl.
 * <p>
 * JmDNS reads its settings once per JVM: unless the user has set them, the system
 * properties {@code net.mdns.ipv4}, {@code net.mdns.port} and {@code net.dns.ttl} are set
 * here.
 */
public final class MdnsRegistry extends AnnouncedRegistry {

	private static final System.Logger logger = System.getLogger(MdnsRegistry.class.getName());

	private static final Duration OPENING = Duration.ofSeconds(5);

	/**
	 * Known to all: keeps out nobody who wants to get in.
	 */
	private static final byte[] EVERYBODY = "micro".getBytes(StandardCharsets.UTF_8);

	/**
	 * Opens the registry of all users of this machine, and waits until it is there, for
	 * up to five seconds.
	 * @throws MicroException.Unavailable if multicast cannot be had
	 * @throws MicroException.Cancelled if the thread is interrupted
	 */
	public MdnsRegistry() {
		this(EVERYBODY);
	}

	/**
	 * Opens the registry of those who have a key, and waits until it is there, for up to
	 * five seconds. The key proves who may announce; it hides nothing.
	 * @param key a secret, at least one byte; 32 random ones are good
	 * @throws MicroException.Unavailable if multicast cannot be had
	 * @throws MicroException.Cancelled if the thread is interrupted
	 * @throws MicroException.Invalid if the key is empty
	 */
	public MdnsRegistry(byte[] key) {
		this(Node.create(UUID.randomUUID()), copy(key));
	}

	private MdnsRegistry(Node node, byte[] key) {
		this(node,
				new MdnsMedium(node, () -> key,
						(problem) -> logger.log(System.Logger.Level.WARNING,
								"Services do not find each other by multicast DNS: " + problem
										+ ". Set micro.registry.type to local, which needs no multicast.")));
	}

	private MdnsRegistry(Node node, MdnsMedium medium) {
		super(node, Clock.systemUTC(), medium);
		try {
			medium.opened().get(OPENING.toMillis(), TimeUnit.MILLISECONDS);
		}
		catch (ExecutionException ex) {
			close();
			throw unavailable(String.valueOf(ex.getCause()), ex);
		}
		catch (TimeoutException ex) {
			close();
			throw unavailable("it did not open within " + OPENING.toSeconds() + " s", ex);
		}
		catch (InterruptedException ex) {
			close();
			Thread.currentThread().interrupt();
			throw new MicroException.Cancelled("interrupted while opening the registry", ex);
		}
	}

	private static byte[] copy(byte[] key) {
		if (key.length == 0) {
			throw new MicroException.Invalid("the key is empty");
		}
		return key.clone();
	}

	private static MicroException.Unavailable unavailable(String problem, Exception cause) {
		return new MicroException.Unavailable("multicast on the loopback interface does not work: " + problem
				+ "; set micro.registry.type to local, which needs no multicast", cause);
	}

}
