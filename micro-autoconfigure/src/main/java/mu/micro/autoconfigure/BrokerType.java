package mu.micro.autoconfigure;

/**
 * The providers of the broker.
 */
public enum BrokerType implements ProviderType {

	/**
	 * Between the processes of one user, by files and sockets of the loopback interface.
	 */
	LOCAL("micro-local", "mu.micro.local.LocalBroker"),

	/**
	 * Within one JVM.
	 */
	MEMORY("micro-core", "mu.micro.memory.MemoryBroker"),

	/**
	 * A Micro server's.
	 */
	REMOTE("micro-remote", "mu.micro.remote.RemoteBroker");

	private final String module;

	private final String type;

	BrokerType(String module, String type) {
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
