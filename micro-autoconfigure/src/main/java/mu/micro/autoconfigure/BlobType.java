package mu.micro.autoconfigure;

/**
 * The providers of blobs.
 */
public enum BlobType implements ProviderType {

	/**
	 * Files in the data directory, shared by the processes of one user.
	 */
	FILE,

	/**
	 * Within one JVM.
	 */
	MEMORY,

	/**
	 * A Micro server's.
	 */
	REMOTE

}
