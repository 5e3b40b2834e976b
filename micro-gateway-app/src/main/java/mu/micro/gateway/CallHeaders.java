package mu.micro.gateway;

import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import io.grpc.Metadata;
import io.netty.handler.codec.http.HttpHeaders;
import mu.micro.grpc.Text;
import org.jspecify.annotations.Nullable;

/**
 * What a request's headers say about the call.
 */
final class CallHeaders {

	private static final int MOST = 64;

	/**
	 * Bytes of headers that are passed on, as HTTP/2 counts them. Services take 8 KB, of
	 * which gRPC's own headers need a part.
	 */
	private static final int MOST_BYTES = 7 * 1024;

	/**
	 * What HTTP/2 counts for each header beside its name and value.
	 */
	private static final int EACH = 32;

	private static final String PREFIX = "micro-";

	private static final String AUTHORIZATION = "authorization";

	/**
	 * What a caller says of these is worth nothing, and goes to nobody who might believe
	 * it.
	 */
	private static final Set<String> ENDING = Set.of("micro-namespace", "micro-service", "micro-instance");

	private static final Set<String> PASSED = Set.of(AUTHORIZATION, "traceparent", "tracestate", "x-request-id");

	// Names that end in -bin hold binary values, which HTTP headers cannot.
	private static final Pattern NAME = Pattern.compile("[0-9a-z_.-]+(?<!-bin)");

	private static final Pattern VALUE = Pattern.compile("[ -~]*");

	private static final String TIMEOUT = "timeout";

	private static final Pattern NANOSECONDS = Pattern.compile("[0-9]{1,18}");

	private static final String GRPC_TIMEOUT = "grpc-timeout";

	private static final Pattern AMOUNT = Pattern.compile("([0-9]{1,8})([HMSmun])");

	private static final Map<String, Duration> UNITS = Map.of("H", Duration.ofHours(1), "M", Duration.ofMinutes(1), "S",
			Duration.ofSeconds(1), "m", Duration.ofMillis(1), "u", Duration.ofNanos(1000), "n", Duration.ofNanos(1));

	private CallHeaders() {
	}

	/**
	 * The headers that are passed on: those of identity and trace, and all that begin
	 * with {@code micro-} but those that say where a call goes, which is the gateway's to
	 * say. Those that a call cannot carry are left out.
	 * @param headers the request's headers
	 * @return the call's metadata
	 * @throws Refusal if it is the authorization that cannot be passed on, or they are
	 * larger than services take
	 */
	static Metadata pass(HttpHeaders headers) {
		Metadata metadata = new Metadata();
		int passed = 0;
		int size = 0;
		for (Map.Entry<String, String> header : headers) {
			String name = header.getKey().toLowerCase(Locale.ROOT);
			if (!PASSED.contains(name) && !name.startsWith(PREFIX) || ENDING.contains(name)) {
				continue;
			}
			String value = header.getValue();
			if (NAME.matcher(name).matches() && VALUE.matcher(value).matches() && passed++ < MOST) {
				metadata.put(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER), value);
				size += EACH + name.length() + value.length();
			}
			else if (name.equals(AUTHORIZATION)) {
				throw new Refusal(400,
						"the authorization header cannot be passed on: send it in ASCII, and no more than " + MOST
								+ " headers for the service");
			}
		}
		if (size > MOST_BYTES) {
			throw new Refusal(431, "the headers for the service have " + size + " bytes, more than the " + MOST_BYTES
					+ " that services take; send fewer or shorter ones");
		}
		return metadata;
	}

	/**
	 * How long the request may take.
	 * @param headers the request's headers
	 * @param most the longest time
	 * @return what is asked for in {@code timeout}, as nanoseconds, or
	 * {@code grpc-timeout}, and at most the longest time
	 * @throws Refusal if either is not understood
	 */
	static Duration timeout(HttpHeaders headers, Duration most) {
		Duration timeout = most;
		String nanoseconds = headers.get(TIMEOUT);
		if (nanoseconds != null) {
			if (!NANOSECONDS.matcher(nanoseconds).matches()) {
				throw wrong(TIMEOUT, nanoseconds, "is not a number of nanoseconds, as in 5000000000 for five seconds");
			}
			timeout = shorter(timeout, Duration.ofNanos(Long.parseLong(nanoseconds)));
		}
		String amount = headers.get(GRPC_TIMEOUT);
		if (amount != null) {
			Matcher matcher = AMOUNT.matcher(amount);
			Duration unit = (matcher.matches()) ? UNITS.get(matcher.group(2)) : null;
			if (unit == null) {
				throw wrong(GRPC_TIMEOUT, amount,
						"is not up to eight digits and one of H, M, S, m, u, n, as in 5S for five seconds");
			}
			timeout = shorter(timeout, unit.multipliedBy(Long.parseLong(matcher.group(1))));
		}
		return timeout;
	}

	private static Duration shorter(Duration a, Duration b) {
		return (a.compareTo(b) < 0) ? a : b;
	}

	private static Refusal wrong(String header, @Nullable String value, String how) {
		return new Refusal(400, "the " + header + " header '" + Text.shortened(String.valueOf(value)) + "' " + how);
	}

}
