package mu.micro.cli;

import java.util.Locale;
import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;

/**
 * Why a command ends early: one sentence for a person and an exit code for a program.
 */
class Failure extends RuntimeException {

	/**
	 * The deadline passed first, or the command line is wrong.
	 */
	static final int TIMEOUT = 1;

	static final int USAGE = 1;

	static final int DENIED = 2;

	static final int ENDPOINT_FORMAT = 3;

	/**
	 * No such service, or nobody to ask.
	 */
	static final int SERVICE = 4;

	static final int ENDPOINT = 5;

	/**
	 * A program is there and cannot be run, as shells say it.
	 */
	static final int CANNOT_RUN = 126;

	/**
	 * A program is not there, as shells say it.
	 */
	static final int NO_PROGRAM = 127;

	/**
	 * What a service answered.
	 */
	static final int ANSWER = 127;

	static final int OTHER = 128;

	/**
	 * The first letter of a text that begins with a word, and not with a name such as
	 * {@code micro.profile}.
	 */
	private static final Pattern WORD = Pattern.compile("^[a-z](?=[a-z]*[ ,])");

	private static final Pattern ENDED = Pattern.compile("[.!?…]$");

	private final int code;

	Failure(int code, String message) {
		this(code, message, null);
	}

	Failure(int code, String message, @Nullable Throwable cause) {
		super(message, cause);
		this.code = code;
	}

	static Failure usage(String message) {
		return new Failure(USAGE, message);
	}

	/**
	 * Makes a sentence of what was said elsewhere, where messages begin with a small
	 * letter and end without a full stop.
	 * @param code the exit code
	 * @param text what was said
	 * @param cause where it came from
	 * @return the failure
	 */
	static Failure told(int code, String text, @Nullable Throwable cause) {
		String plain = Terminal.plain(text);
		String end = (ENDED.matcher(plain).find()) ? "" : ".";
		return new Failure(code,
				WORD.matcher(plain).replaceFirst((word) -> word.group().toUpperCase(Locale.ROOT)) + end, cause);
	}

	int code() {
		return this.code;
	}

	/**
	 * No instance of a service is running.
	 */
	static final class NoService extends Failure {

		NoService(String name, @Nullable Throwable cause) {
			super(SERVICE,
					"No service '" + Terminal.plain(name) + "' is running; see those that are with 'micro services'.",
					cause);
		}

	}

}
