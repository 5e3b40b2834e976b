package mu.micro.autoconfigure;

/**
 * The providers of events.
 */
public enum EventsType implements ProviderType {

	/**
	 * The file of the store, shared by the processes of one user.
	 */
	SQLITE("micro-jdbc", "mu.micro.jdbc.JdbcEvents"),

	/**
	 * Within one JVM.
	 */
	MEMORY("micro-core", "mu.micro.memory.MemoryEvents"),

	/**
	 * A Micro server's.
	 */
	REMOTE("micro-remote", "mu.micro.remote.RemoteEvents");

	private final String module;

	private final String type;

	EventsType(String module, String type) {
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
