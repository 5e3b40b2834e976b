package mu.micro.cli;

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
	 * What a service answered.
	 */
	static final int ANSWER = 127;

	static final int OTHER = 128;

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
