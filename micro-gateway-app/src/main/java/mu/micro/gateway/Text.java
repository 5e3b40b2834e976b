package mu.micro.gateway;

import java.time.Duration;
import java.util.Collection;
import java.util.stream.Collectors;

/**
 * Parts of messages: what others sent, made short enough.
 */
final class Text {

	private static final int MOST_CHARACTERS = 200;

	private static final int MOST_NAMES = 20;

	private Text() {
	}

	static String shortened(String text) {
		return (text.length() > MOST_CHARACTERS) ? text.substring(0, MOST_CHARACTERS) + "…" : text;
	}

	static String of(Duration duration) {
		return (duration.toMillis() > 0) ? duration.toMillis() + " ms" : duration.toNanos() + " ns";
	}

	static String list(Collection<String> names) {
		String some = names.stream().limit(MOST_NAMES).collect(Collectors.joining(", "));
		return (names.size() > MOST_NAMES) ? some + " and " + (names.size() - MOST_NAMES) + " more" : some;
	}

}
