package mu.micro.autoconfigure;

/**
 * The providers of locks and leadership.
 */
public enum SyncType implements ProviderType {

	/**
	 * Entries of the store.
	 */
	STORE("micro-core", "mu.micro.core.StoreSync"),

	/**
	 * A Micro server's.
	 */
	REMOTE("micro-remote", "mu.micro.remote.RemoteSync");

	private final String module;

	private final String type;

	SyncType(String module, String type) {
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
