package mu.micro.autoconfigure;

import java.util.HashMap;
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
	LOCAL("local", "sqlite", "store", Map.of("micro.listen-address", "127.0.0.1")),

	/**
	 * Under a Micro server, which provides everything.
	 */
	SERVICE("remote", "remote", "remote", Map.of("micro.listen-address", "0.0.0.0", "server.port", "0")),

	/**
	 * Within one JVM.
	 */
	TEST("memory", "memory", "store", Map.of("micro.listen-address", "127.0.0.1"));

	private final Map<String, String> defaults;

	MicroProfile(String registry, String store, String overStore, Map<String, String> more) {
		this.defaults = new HashMap<>(more);
		this.defaults.put("micro.registry.type", registry);
		this.defaults.put("micro.store.type", store);
		this.defaults.put("micro.config.type", overStore);
		this.defaults.put("micro.sync.type", overStore);
		// Between processes that find each other, and beside what they write.
		this.defaults.put("micro.broker.type", registry);
		this.defaults.put("micro.events.type", store);
	}

	Map<String, String> defaults() {
		return this.defaults;
	}

	String id() {
		return name().toLowerCase(Locale.ROOT);
	}

}
