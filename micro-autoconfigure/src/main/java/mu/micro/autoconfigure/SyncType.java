package mu.micro.autoconfigure;

/**
 * The providers of locks and leadership.
 */
public enum SyncType implements ProviderType {

	/**
	 * Entries of the store.
	 */
	STORE,

	/**
	 * A Micro server's.
	 */
	REMOTE

}
