package mu.micro.gateway;

import java.time.Duration;

import mu.micro.MicroException;
import org.jspecify.annotations.Nullable;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;

/**
 * The gateway's settings.
 *
 * @param port Port of the gateway; 0 takes any free one.
 * @param timeout How long a request may take in all, from its head to the answer. A
 * request may ask for less in its timeout header (nanoseconds) or grpc-timeout header.
 * @param maxBody The largest request body; a larger one is answered with 413.
 * @param maxHeld How many bytes of request bodies are held at one time, by all requests
 * together; one more is answered with 503. A sixteenth of the heap when unset, and never
 * less than one body may have.
 * @param maxRequests How many requests may be under way; one more is answered with 503.
 */
@ConfigurationProperties("micro.gateway")
record GatewayProperties(@DefaultValue("8080") int port, @DefaultValue("10s") Duration timeout,
		@DefaultValue("10MB") DataSize maxBody, @Nullable DataSize maxHeld, @DefaultValue("1000") int maxRequests) {

	private static final int HEAP_SHARE = 16;

	private static final DataSize MOST_BODY = DataSize.ofMegabytes(512);

	/**
	 * Checks the values.
	 * @throws MicroException.Invalid if one makes no sense
	 */
	GatewayProperties {
		check(timeout.toMillis() > 0, "micro.gateway.timeout must be at least 1ms");
		check(!maxBody.isNegative() && maxBody.compareTo(MOST_BODY) <= 0,
				"micro.gateway.max-body must be from 0 to " + MOST_BODY.toMegabytes() + "MB");
		check(maxRequests > 0, "micro.gateway.max-requests must be at least 1");
	}

	private static void check(boolean kept, String message) {
		if (!kept) {
			throw new MicroException.Invalid(message);
		}
	}

	/**
	 * How many bytes of bodies are held at one time.
	 * @return what was set, or a share of the heap that a permitted body always fits in
	 */
	long mostHeld() {
		return (this.maxHeld != null) ? this.maxHeld.toBytes()
				: Math.max(Runtime.getRuntime().maxMemory() / HEAP_SHARE, this.maxBody.toBytes());
	}

}
