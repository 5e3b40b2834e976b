package mu.micro.autoconfigure;

import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import mu.micro.MicroException;
import org.jspecify.annotations.Nullable;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;

/**
 * How an application takes part in Micro. What has no default here has one for each
 * {@link MicroProfile}.
 *
 * @param profile Defaults for everything below; the first active Spring profile that is
 * one of these, else local.
 * @param namespace Whose services and data these are.
 * @param dataDir Where processes of one user on one machine keep what they share.
 * @param listenAddress Address that gRPC servers and the platform's doors bind to.
 * @param advertisedHost Host under which others reach this application; found from the
 * listen address when unset.
 * @param service This application as a service.
 * @param registry Where services are found.
 * @param store Where data is kept.
 * @param config Where settings that change are kept.
 * @param sync Where locks are kept.
 * @param broker Who passes messages on.
 * @param events Where events are kept.
 * @param sqlite The file of the SQLite store.
 * @param remote The Micro server that the remote providers speak to.
 */
@ConfigurationProperties("micro")
public record MicroProperties(MicroProfile profile, @DefaultValue("micro") String namespace, Path dataDir,
		String listenAddress, @Nullable String advertisedHost, @DefaultValue Service service,
		@DefaultValue Registry registry, @DefaultValue Store store, @DefaultValue Config config,
		@DefaultValue Sync sync, @DefaultValue Broker broker, @DefaultValue Events events, @DefaultValue Sqlite sqlite,
		@DefaultValue Remote remote) {

	/**
	 * The host under which others reach what listens here.
	 * @return the advertised host or, where none is set, the address listened to; the
	 * machine's own where that is all addresses
	 * @throws MicroException.Invalid if the machine does not know its own address
	 */
	public String host() {
		if (this.advertisedHost != null) {
			return this.advertisedHost;
		}
		try {
			InetAddress listen = InetAddress.getByName(this.listenAddress);
			return ((listen.isAnyLocalAddress()) ? ownAddress() : listen).getHostAddress();
		}
		catch (IOException ex) {
			throw new MicroException.Invalid(
					"cannot tell under which host others reach this application: set micro.advertised-host", ex);
		}
	}

	/*
	 * Many systems give their own name the address of loopback.
	 */
	private static InetAddress ownAddress() throws IOException {
		InetAddress named = InetAddress.getLocalHost();
		if (!named.isLoopbackAddress()) {
			return named;
		}
		return NetworkInterface.networkInterfaces()
			.flatMap(NetworkInterface::inetAddresses)
			.filter((address) -> address instanceof Inet4Address && !address.isLoopbackAddress()
					&& !address.isLinkLocalAddress())
			.findFirst()
			.orElse(named);
	}

	/**
	 * This application as a service.
	 *
	 * @param name Name to register, also without a bean that is annotated MicroService.
	 * @param version What was deployed.
	 * @param metadata What else others should know of this instance.
	 */
	public record Service(@Nullable String name, @DefaultValue("latest") String version,
			@DefaultValue Map<String, String> metadata) {

		/**
		 * Copies the metadata.
		 */
		public Service {
			metadata = new LinkedHashMap<>(metadata);
		}

	}

	/**
	 * Where services are found.
	 *
	 * @param type Provider of the registry.
	 * @param ttl How long an instance may outlive its process.
	 */
	public record Registry(RegistryType type, @DefaultValue("10s") Duration ttl) {
	}

	/**
	 * Where data is kept.
	 *
	 * @param type Provider of the store.
	 */
	public record Store(StoreType type) {
	}

	/**
	 * Where settings that change are kept.
	 *
	 * @param type Provider of the configuration.
	 * @param secretKeys Keys that secrets are encrypted with, 32 bytes each in Base64;
	 * the first encrypts, all decrypt. Made in the data directory when unset.
	 */
	public record Config(ConfigType type, @DefaultValue List<String> secretKeys) {

		@Override
		public String toString() {
			return "Config[type=" + this.type + ", " + this.secretKeys.size() + " secret keys]";
		}

	}

	/**
	 * Where locks are kept.
	 *
	 * @param type Provider of locks and leadership.
	 * @param leaderTtl How long leadership may outlive its leader.
	 */
	public record Sync(SyncType type, @DefaultValue("10s") Duration leaderTtl) {
	}

	/**
	 * Who passes messages on.
	 *
	 * @param type Provider of the broker.
	 */
	public record Broker(BrokerType type) {
	}

	/**
	 * Where events are kept.
	 *
	 * @param type Provider of events; where it is that of the store, there is an outbox.
	 * @param retention How long events are kept, unless a Micro server keeps them.
	 */
	public record Events(EventsType type, @DefaultValue Retention retention) {
	}

	/**
	 * How long events are kept. All applications that share them should say the same.
	 *
	 * @param age How old events become, two minutes at least; a week when unset.
	 * @param size How large a topic becomes; 1 GB when unset.
	 */
	public record Retention(@Nullable Duration age, @Nullable DataSize size) {

		mu.micro.events.Retention whole() {
			mu.micro.events.Retention unset = mu.micro.events.Retention.DEFAULT;
			return new mu.micro.events.Retention((this.age != null) ? this.age : unset.age(),
					(this.size != null) ? this.size.toBytes() : unset.bytes());
		}

	}

	/**
	 * The file of the SQLite store.
	 *
	 * @param file The file; store.db in the data directory when unset.
	 * @param timeout How long a call may wait for others that write.
	 */
	public record Sqlite(Path file, @DefaultValue("5s") Duration timeout) {
	}

	/**
	 * The Micro server that the remote providers speak to.
	 *
	 * @param address Host and port of the server.
	 * @param timeout How long a call to it may take.
	 */
	public record Remote(@DefaultValue("127.0.0.1:10001") String address, @DefaultValue("5s") Duration timeout) {
	}

}
