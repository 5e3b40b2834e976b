package mu.micro.autoconfigure;

import java.util.Locale;
import java.util.Map;

/**
 * Where an application runs, and what that means for each noun. This is the one place
 * where these defaults stand.
 */
public enum MicroProfile {

	/**
	 * A laptop with nothing installed and, if one likes, no server.
	 */
	LOCAL(Map.of("micro.registry.type", "local", "micro.listen-address", "127.0.0.1")),

	/**
	 * Under a Micro server, which provides everything.
	 */
	SERVICE(Map.of("micro.registry.type", "remote", "micro.listen-address", "0.0.0.0", "server.port", "0")),

	/**
	 * Within one JVM.
	 */
	TEST(Map.of("micro.registry.type", "memory", "micro.listen-address", "127.0.0.1"));

	private final Map<String, String> defaults;

	MicroProfile(Map<String, String> defaults) {
		this.defaults = defaults;
	}

	Map<String, String> defaults() {
		return this.defaults;
	}

	String id() {
		return name().toLowerCase(Locale.ROOT);
	}

}
