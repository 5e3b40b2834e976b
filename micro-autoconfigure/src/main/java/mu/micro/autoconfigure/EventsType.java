package mu.micro.autoconfigure;

/**
 * The providers of events.
 */
public enum EventsType implements ProviderType {

	/**
	 * The file of the store, shared by the processes of one user.
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
