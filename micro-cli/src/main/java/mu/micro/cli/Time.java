package mu.micro.cli;

import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Spans of time as people write them: {@code 5s}, {@code 200ms}, {@code 1h30m}.
 */
final class Time {

	private static final Pattern PART = Pattern.compile("(\\d{1,9})(h|ms|m|s|us|µs|ns)");

	private Time() {
	}

	/**
	 * Reads a time.
	 * @param option what it was written for, as it is named to the user
	 * @param value what was written
	 * @param least the shortest time
	 * @param most the longest time
	 * @param bounds both in words
	 * @return the time
	 * @throws Failure if it is none, or out of bounds
	 */
	static Duration parse(String option, String value, Duration least, Duration most, String bounds) {
		Duration sum = Duration.ZERO;
		Matcher matcher = PART.matcher(value);
		int end = 0;
		while (end < value.length() && matcher.find(end) && matcher.start() == end) {
			long count = Long.parseLong(matcher.group(1));
			Duration part = switch (matcher.group(2)) {
				case "h" -> Duration.ofHours(count);
				case "m" -> Duration.ofMinutes(count);
				case "s" -> Duration.ofSeconds(count);
				case "ms" -> Duration.ofMillis(count);
				case "ns" -> Duration.ofNanos(count);
				default -> Duration.ofNanos(count * 1000);
			};
			sum = sum.plus(part);
			end = matcher.end();
		}
		if (value.isEmpty() || end < value.length() || sum.compareTo(least) < 0 || sum.compareTo(most) > 0) {
			throw Failure.usage(option + " wants a time such as 5s, 200ms or 1m30s, " + bounds + ", not '"
					+ Terminal.plain(value) + "'.");
		}
		return sum;
	}

	/**
	 * Writes a time: milliseconds below a second, and whole seconds above.
	 * @param time the time; a negative one is written as none
	 * @return such as {@code 1d2h3m4s}
	 */
	static String text(Duration time) {
		if (time.isNegative() || time.isZero()) {
			return "0s";
		}
		long seconds = time.toSeconds();
		if (seconds == 0) {
			return Math.max(1, time.toMillis()) + "ms";
		}
		StringBuilder text = new StringBuilder();
		if (seconds >= 86400) {
			text.append(seconds / 86400).append('d');
		}
		if (seconds >= 3600) {
			text.append(seconds / 3600 % 24).append('h');
		}
		if (seconds >= 60) {
			text.append(seconds / 60 % 60).append('m');
		}
		return text.append(seconds % 60).append('s').toString();
	}

}
