package mu.micro.autoconfigure;

/**
 * A provider was chosen whose module is not there.
 */
final class MissingProviderException extends RuntimeException {

	private final String property;

	private final String type;

	private final String module;

	MissingProviderException(String property, String type, String module) {
		super(property + "=" + type + " needs mu.micro:" + module);
		this.property = property;
		this.type = type;
		this.module = module;
	}

	String property() {
		return this.property;
	}

	String type() {
		return this.type;
	}

	String module() {
		return this.module;
	}

}
