package mu.micro.autoconfigure;

/**
 * The providers of the configuration.
 */
public enum ConfigType implements ProviderType {

	/**
	 * A document in the store.
	 */
	STORE("micro-core", "mu.micro.core.StoreConfig"),

	/**
	 * A Micro server's.
	 */
	REMOTE("micro-remote", "mu.micro.remote.RemoteConfig");

	private final String module;

	private final String type;

	ConfigType(String module, String type) {
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
