package mu.micro.autoconfigure;

/**
 * The providers of the store.
 */
public enum StoreType implements ProviderType {

	/**
	 * A file in the data directory, shared by the processes of one user.
	 */
	SQLITE("micro-jdbc", "mu.micro.jdbc.JdbcDatabases"),

	/**
	 * Within one JVM.
	 */
	MEMORY("micro-core", "mu.micro.memory.MemoryDatabases"),

	/**
	 * A Micro server's.
	 */
	REMOTE("micro-remote", "mu.micro.remote.RemoteDatabases");

	private final String module;

	private final String type;

	StoreType(String module, String type) {
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
