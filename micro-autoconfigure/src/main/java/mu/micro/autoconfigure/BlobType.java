package mu.micro.autoconfigure;

/**
 * The providers of blobs.
 */
public enum BlobType implements ProviderType {

	/**
	 * Files in the data directory, shared by the processes of one user.
	 */
	FILE("micro-local", "mu.micro.local.FileBlobs"),

	/**
	 * Within one JVM.
	 */
	MEMORY("micro-core", "mu.micro.memory.MemoryBlobs"),

	/**
	 * A Micro server's.
	 */
	REMOTE("micro-remote", "mu.micro.remote.RemoteBlobs");

	private final String module;

	private final String type;

	BlobType(String module, String type) {
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
