package mu.micro.autoconfigure;

/**
 * The providers of the configuration.
 */
public enum ConfigType implements ProviderType {

	/**
	 * A document in the store.
	 */
	STORE,

	/**
	 * A Micro server's.
	 */
	REMOTE

}
