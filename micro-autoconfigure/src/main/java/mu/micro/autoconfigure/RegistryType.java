package mu.micro.autoconfigure;

/**
 * The providers of the registry, and the module that each comes in.
 */
public enum RegistryType {

	/**
	 * mDNS on loopback, paired with files in the data directory.
	 */
	LOCAL("micro-local"),

	/**
	 * Within one JVM.
	 */
	MEMORY("micro-core"),

	/**
	 * A Micro server's.
	 */
	REMOTE("micro-remote");

	private final String module;

	RegistryType(String module) {
		this.module = module;
	}

	String module() {
		return this.module;
	}

}
