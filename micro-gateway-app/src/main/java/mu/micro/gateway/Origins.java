package mu.micro.gateway;

import java.net.InetSocketAddress;
import java.util.Locale;
import java.util.regex.Pattern;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import mu.micro.grpc.Text;

/**
 * Where requests may come from. A browser lets every page that its user looks at send
 * requests, to this machine too: those of other sites are refused.
 *
 * @param loopback whether only this machine can reach the gateway
 */
record Origins(boolean loopback) {

	private static final String FETCH_SITE = "sec-fetch-site";

	private static final String CROSS_SITE = "cross-site";

	private static final Pattern SCHEME = Pattern.compile("https?://");

	private static final Pattern PORT = Pattern.compile(":[0-9]*$");

	private static final Pattern DEFAULT_PORT = Pattern.compile(":(80|443)?$");

	// A name, even one that looks like an address, may be anybody's.
	private static final Pattern LOOPBACK = Pattern
		.compile("localhost|127(\\.(25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})){3}|\\[::1]|\\[(0{1,4}:){7}0{0,3}1]");

	static Origins of(String address) {
		InetSocketAddress listening = new InetSocketAddress(address, 0);
		return new Origins(!listening.isUnresolved() && listening.getAddress().isLoopbackAddress());
	}

	/**
	 * Checks where a request comes from.
	 * @param headers the request's headers
	 * @throws Refusal if it is a page of another site, or one that a name brought here
	 * which is not this machine's
	 */
	void check(HttpHeaders headers) {
		String host = headers.get(HttpHeaderNames.HOST, "").strip().toLowerCase(Locale.ROOT);
		if (this.loopback && !host.isEmpty() && !LOOPBACK.matcher(PORT.matcher(host).replaceFirst("")).matches()) {
			throw new Refusal(403,
					"the gateway listens on this machine alone and is not called '" + Text.shortened(host)
							+ "'; ask for localhost or 127.0.0.1, or set micro.listen-address to an "
							+ "address that others may reach");
		}
		for (String origin : headers.getAll(HttpHeaderNames.ORIGIN)) {
			if (!isOwn(origin.strip().toLowerCase(Locale.ROOT), host)) {
				throw foreign("'" + Text.shortened(origin) + "'");
			}
		}
		if (headers.contains(FETCH_SITE, CROSS_SITE, true)) {
			throw foreign("another site");
		}
	}

	private static boolean isOwn(String origin, String host) {
		String own = SCHEME.matcher(origin).replaceFirst("");
		return !own.equals(origin) && !host.isEmpty()
				&& DEFAULT_PORT.matcher(own).replaceFirst("").equals(DEFAULT_PORT.matcher(host).replaceFirst(""));
	}

	private static Refusal foreign(String from) {
		return new Refusal(403, "a page of " + from + " sends this, and the gateway answers no pages of other sites; "
				+ "call it from a server, or serve the page under the gateway's own host and port");
	}

}
