package mu.micro.grpc;

import java.time.Duration;
import java.util.Collection;
import java.util.stream.Collectors;

/**
 * Parts of messages for people: what others sent, made short enough.
 */
public final class Text {

	private static final int MOST_CHARACTERS = 200;

	private static final int MOST_NAMES = 20;

	private Text() {
	}

	/**
	 * The beginning of a text.
	 * @param text any text
	 * @return the text, or its first {@value #MOST_CHARACTERS} characters and an ellipsis
	 */
	public static String shortened(String text) {
		return (text.length() > MOST_CHARACTERS) ? text.substring(0, MOST_CHARACTERS) + "…" : text;
	}

	/**
	 * A time.
	 * @param duration the time
	 * @return in milliseconds or, where it is less than one, in nanoseconds
	 */
	public static String of(Duration duration) {
		return (duration.toMillis() > 0) ? duration.toMillis() + " ms" : duration.toNanos() + " ns";
	}

	/**
	 * Names, parted by commas.
	 * @param names any number of names
	 * @return the first {@value #MOST_NAMES} of them, and how many more there are
	 */
	public static String list(Collection<String> names) {
		String some = names.stream().limit(MOST_NAMES).collect(Collectors.joining(", "));
		return (names.size() > MOST_NAMES) ? some + " and " + (names.size() - MOST_NAMES) + " more" : some;
	}

}
