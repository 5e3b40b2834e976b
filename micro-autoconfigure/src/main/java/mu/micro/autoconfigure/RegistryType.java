package mu.micro.autoconfigure;

/**
 * The providers of the registry.
 */
public enum RegistryType implements ProviderType {

	/**
	 * mDNS on loopback, paired with files in the data directory.
	 */
	LOCAL("micro-local", "mu.micro.local.LocalRegistry"),

	/**
	 * Within one JVM.
	 */
	MEMORY("micro-core", "mu.micro.memory.MemoryRegistry"),

	/**
	 * A Micro server's.
	 */
	REMOTE("micro-remote", "mu.micro.remote.RemoteRegistry");

	private final String module;

	private final String type;

	RegistryType(String module, String type) {
		this.module = module;
		this.type = type;
	}

	@Override
	public String module() {
		return this.module;
	}

	@Override
	public String type() {
		return this.type;
	}

}
