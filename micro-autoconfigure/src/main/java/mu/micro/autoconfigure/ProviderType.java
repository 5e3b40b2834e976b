package mu.micro.autoconfigure;

import java.util.Locale;

import org.jspecify.annotations.Nullable;

import org.springframework.util.ClassUtils;

/**
 * A choice among the providers of a noun. What a name stands for comes in the same module
 * for every noun.
 */
interface ProviderType {

	/**
	 * The constant's name.
	 * @return the name
	 */
	String name();

	/**
	 * The room that the provider comes from: {@code x} is the module {@code micro-x} and
	 * the package {@code mu.micro.x}.
	 * @return the room
	 */
	default String room() {
		return switch (name()) {
			case "LOCAL", "FILE" -> "local";
			case "SQLITE" -> "jdbc";
			case "REMOTE" -> "remote";
			case "MEMORY", "STORE" -> "core";
			default -> throw new IllegalStateException("nobody said where " + name() + " comes from");
		};
	}

	/**
	 * The module that the provider comes in.
	 * @return its artifact id
	 */
	default String module() {
		return "micro-" + room();
	}

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
		if (!ClassUtils.isPresent("mu.micro." + type.room() + ".package-info", classes)) {
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
