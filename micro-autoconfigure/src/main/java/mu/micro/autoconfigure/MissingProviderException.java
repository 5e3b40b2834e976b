package mu.micro.autoconfigure;

/**
 * A provider was chosen whose module is not there.
 */
final class MissingProviderException extends RuntimeException {

	private final String property;

	private final ProviderType type;

	MissingProviderException(String property, ProviderType type) {
		super(property + "=" + type.id() + " needs mu.micro:" + type.module());
		this.property = property;
		this.type = type;
	}

	String property() {
		return this.property;
	}

	ProviderType type() {
		return this.type;
	}

}
