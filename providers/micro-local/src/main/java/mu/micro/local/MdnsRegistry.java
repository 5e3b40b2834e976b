package mu.micro.local;

import java.time.Clock;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import mu.micro.MicroException;

/**
 * A registry by multicast DNS on the loopback interface, in a group and on a port of its
 * own. It needs no files and no network; packets from other machines are ignored.
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
	 * Opens the registry, and waits until it is there, for up to five seconds.
	 * @throws MicroException.Unavailable if multicast cannot be had
	 * @throws MicroException.Cancelled if the thread is interrupted
	 */
	public MdnsRegistry() {
		this(Node.create(UUID.randomUUID()));
	}

	private MdnsRegistry(Node node) {
		this(node,
				new MdnsMedium(node,
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

	private static MicroException.Unavailable unavailable(String problem, Exception cause) {
		return new MicroException.Unavailable("multicast on the loopback interface does not work: " + problem
				+ "; set micro.registry.type to local, which needs no multicast", cause);
	}

}
