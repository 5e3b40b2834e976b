package mu.micro.autoconfigure;

/**
 * The providers of the store.
 */
public enum StoreType implements ProviderType {

	/**
	 * A file in the data directory, shared by the processes of one user.
	 */
	SQLITE,

	/**
	 * Within one JVM.
	 */
	MEMORY,

	/**
	 * A Micro server's.
	 */
	REMOTE

}
