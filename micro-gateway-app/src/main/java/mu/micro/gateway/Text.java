package mu.micro.gateway;

import java.util.Collection;
import java.util.stream.Collectors;

/**
 * What others sent, made short enough for a message.
 */
final class Text {

	private static final int MOST_CHARACTERS = 200;

	private static final int MOST_NAMES = 20;

	private Text() {
	}

	static String shortened(String text) {
		return (text.length() > MOST_CHARACTERS) ? text.substring(0, MOST_CHARACTERS) + "…" : text;
	}

	static String list(Collection<String> names) {
		String some = names.stream().limit(MOST_NAMES).collect(Collectors.joining(", "));
		return (names.size() > MOST_NAMES) ? some + " and " + (names.size() - MOST_NAMES) + " more" : some;
	}

}
