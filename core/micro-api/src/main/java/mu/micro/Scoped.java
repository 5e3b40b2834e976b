package mu.micro;

/**
 * A provider of one noun, from which the noun is had for one namespace at a time, so that
 * no call can forget whose data it touches. Two namespaces never see each other, however
 * alike their names are.
 *
 * @param <T> the noun
 */
public interface Scoped<T> extends AutoCloseable {

	/**
	 * The noun for one tenant. Cheap: callers need not keep the result.
	 * @param namespace a name within {@link Limits#NAME}
	 * @return the noun, valid until this provider is closed
	 * @throws MicroException.Invalid if the namespace is not a name
	 */
	T in(String namespace);

	/**
	 * Ends every lease and subscription that was taken through this provider and frees
	 * what it holds. Idempotent.
	 */
	@Override
	void close();

}
