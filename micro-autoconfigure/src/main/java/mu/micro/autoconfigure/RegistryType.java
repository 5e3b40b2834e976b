package mu.micro.autoconfigure;

/**
 * The providers of the registry.
 */
public enum RegistryType implements ProviderType {

	/**
	 * mDNS on loopback, paired with files in the data directory.
	 */
	LOCAL,

	/**
	 * Within one JVM.
	 */
	MEMORY,

	/**
	 * A Micro server's.
	 */
	REMOTE

}
