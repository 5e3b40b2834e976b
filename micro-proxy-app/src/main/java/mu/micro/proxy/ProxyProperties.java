package mu.micro.proxy;

import java.time.Duration;

import mu.micro.MicroException;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;

/**
 * The proxy's settings.
 *
 * @param port Port for gRPC calls to all services; 0 takes any free one.
 * @param maxMessage Most that one message may have, either way; a larger one ends its
 * call with RESOURCE_EXHAUSTED.
 * @param maxCallsPerConnection How many calls one connection may have open; a client
 * waits with further ones.
 * @param drainTimeout How long open calls may go on once the proxy is told to stop.
 */
@ConfigurationProperties("micro.proxy")
public record ProxyProperties(@DefaultValue("8081") int port, @DefaultValue("32MB") DataSize maxMessage,
		@DefaultValue("1000") int maxCallsPerConnection, @DefaultValue("5s") Duration drainTimeout) {

	private static final long MOST = DataSize.ofGigabytes(1).toBytes();

	/**
	 * Checks the limits.
	 * @throws MicroException.Invalid if one is not kept
	 */
	public ProxyProperties {
		if (maxMessage.toBytes() < 1 || maxMessage.toBytes() > MOST) {
			throw new MicroException.Invalid("micro.proxy.max-message is not between 1B and 1GB");
		}
		if (maxCallsPerConnection < 1) {
			throw new MicroException.Invalid("micro.proxy.max-calls-per-connection is less than 1");
		}
	}

	int maxMessageBytes() {
		return Math.toIntExact(this.maxMessage.toBytes());
	}

}
