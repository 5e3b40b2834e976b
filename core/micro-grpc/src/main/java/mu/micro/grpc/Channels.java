package mu.micro.grpc;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

import io.grpc.Channel;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import mu.micro.MicroException;
import mu.micro.registry.Instance;
import mu.micro.registry.Registry;
import org.jspecify.annotations.Nullable;

/**
 * Channels to services by name, kept for the next call. At most {@value #MOST} are open;
 * the one unused for longest is closed for the next one, once its calls have ended. Those
 * without a call for five minutes hold no connection.
 */
public final class Channels implements AutoCloseable {

	/**
	 * How many channels are kept.
	 */
	public static final int MOST = 1000;

	private static final int IDLE_MINUTES = 5;

	private static final int MAX_PORT = 65535;

	private final Registry registry;

	private final int maxMessage;

	private final ReentrantLock lock = new ReentrantLock();

	private final Map<String, ManagedChannel> channels = new LinkedHashMap<>(16, 0.75f, true);

	private boolean closed;

	/**
	 * No channels yet.
	 * @param registry where names are resolved
	 * @param maxMessage the most bytes a response message may have; a larger one ends its
	 * call with {@code RESOURCE_EXHAUSTED}
	 */
	public Channels(Registry registry, int maxMessage) {
		this.registry = registry;
		this.maxMessage = maxMessage;
	}

	/**
	 * The target of one address, at each of whose IP addresses a channel tries.
	 * @param address {@code host:port}, an IPv6 address in brackets
	 * @return what to give to a channel
	 * @throws MicroException.Invalid if the address is none
	 */
	public static String target(String address) {
		try {
			URI parsed = new URI("//" + address).parseServerAuthority();
			if (parsed.getHost() != null && address.equals(parsed.getRawAuthority()) && parsed.getRawUserInfo() == null
					&& parsed.getPort() > 0 && parsed.getPort() <= MAX_PORT) {
				return new URI("dns", "", "/" + address, null).toString();
			}
			throw noAddress(address, null);
		}
		catch (URISyntaxException ex) {
			throw noAddress(address, ex);
		}
	}

	private static MicroException.Invalid noAddress(String address, @Nullable Throwable cause) {
		return new MicroException.Invalid("'" + address + "' is no address; write host:port", cause);
	}

	/**
	 * A channel to all instances of a service. Callers must not keep it.
	 * @param service the service's name
	 * @return the channel
	 */
	public Channel to(String service) {
		return open(MicroNameResolverProvider.target(service));
	}

	/**
	 * A channel to those instances of a service that offer one schema. Callers must not
	 * keep it.
	 * @param service the service's name
	 * @param schema the schema's hash; empty for instances that tell none
	 * @return the channel
	 */
	public Channel to(String service, String schema) {
		return open(MicroNameResolverProvider.target(service, schema));
	}

	/**
	 * A channel to one instance. Callers must not keep it.
	 * @param instance the instance
	 * @return the channel
	 * @throws MicroException.Unavailable if the instance's host is none
	 */
	public Channel to(Instance instance) {
		try {
			return open(target(Instances.address(instance)));
		}
		catch (MicroException.Invalid ex) {
			throw new MicroException.Unavailable("instance '" + instance.id() + "' of '" + instance.service()
					+ "' cannot be reached: " + ex.getMessage() + " where it is registered", ex);
		}
	}

	private Channel open(String target) {
		this.lock.lock();
		try {
			if (this.closed) {
				throw new MicroException.Unavailable("the channels are closed");
			}
			ManagedChannel channel = this.channels.get(target);
			if (channel == null) {
				channel = builder(target).build();
				this.channels.put(target, channel);
				if (this.channels.size() > MOST) {
					this.channels.remove(this.channels.keySet().iterator().next()).shutdown();
				}
			}
			return channel;
		}
		finally {
			this.lock.unlock();
		}
	}

	private ManagedChannelBuilder<?> builder(String target) {
		return Grpc.newChannelBuilder(target, InsecureChannelCredentials.create())
			.setNameResolverArg(MicroNameResolverProvider.REGISTRY, this.registry)
			.maxInboundMessageSize(this.maxMessage)
			.disableRetry()
			.directExecutor()
			.idleTimeout(IDLE_MINUTES, TimeUnit.MINUTES);
	}

	/**
	 * Ends all calls and closes all channels.
	 */
	@Override
	public void close() {
		List<ManagedChannel> open;
		this.lock.lock();
		try {
			this.closed = true;
			open = new ArrayList<>(this.channels.values());
			this.channels.clear();
		}
		finally {
			this.lock.unlock();
		}
		open.forEach(ManagedChannel::shutdownNow);
	}

}
