package mu.micro.autoconfigure;

import java.util.Locale;

import org.jspecify.annotations.Nullable;

import org.springframework.util.ClassUtils;

/**
 * A choice among the providers of a noun.
 */
interface ProviderType {

	/**
	 * The constant's name.
	 * @return the name
	 */
	String name();

	/**
	 * The module that the provider comes in.
	 * @return its artifact id
	 */
	String module();

	/**
	 * The class that makes the provider, there only with its module.
	 * @return the class's name
	 */
	String type();

	/**
	 * Checks that the module of a provider is there.
	 * @param property the property that chose it
	 * @param type the choice
	 * @param classes where the module would be
	 * @param <T> the choice's type
	 * @return the choice
	 * @throws MissingProviderException if it is not
	 */
	static <T extends ProviderType> T present(String property, T type, @Nullable ClassLoader classes) {
		if (!ClassUtils.isPresent(type.type(), classes)) {
			throw new MissingProviderException(property, type);
		}
		return type;
	}

	/**
	 * What a user writes.
	 * @return the property's value
	 */
	default String id() {
		return name().toLowerCase(Locale.ROOT);
	}

}
