package mu.micro.autoconfigure;

/**
 * The providers of the broker.
 */
public enum BrokerType implements ProviderType {

	/**
	 * Between the processes of one user, by files and sockets of the loopback interface.
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
