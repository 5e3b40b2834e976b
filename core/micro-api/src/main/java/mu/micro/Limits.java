package mu.micro;

/**
 * The limits that all providers share. What is over a limit is
 * {@link MicroException.Invalid}, and the message names the limit.
 */
public final class Limits {

	/**
	 * Code points in a name: of a service, a namespace, a table or a topic.
	 */
	public static final int NAME = 200;

	/**
	 * Bytes of UTF-8 in all keys and values of one metadata map together.
	 */
	public static final int METADATA = 1024;

	private Limits() {
	}

	/**
	 * Checks a name.
	 * @param what what the name is of, for the message
	 * @param name the name
	 * @return the name
	 * @throws MicroException.Invalid if the name is blank, holds a control character, or
	 * is longer than {@link #NAME} code points
	 */
	public static String name(String what, String name) {
		if (name.isBlank()) {
			throw new MicroException.Invalid("the " + what + " is blank");
		}
		if (name.codePointCount(0, name.length()) > NAME) {
			throw new MicroException.Invalid("the " + what + " is longer than " + NAME + " code points");
		}
		if (name.chars().anyMatch(Character::isISOControl)) {
			throw new MicroException.Invalid("the " + what + " holds a control character");
		}
		return name;
	}

}
