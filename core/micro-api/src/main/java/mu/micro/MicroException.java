package mu.micro;

import org.jspecify.annotations.Nullable;

/**
 * What can go wrong, as one closed set. Each kind stands for exactly one gRPC status, one
 * HTTP status and one way to act; nobody needs to read the message to decide.
 */
public abstract sealed class MicroException extends RuntimeException {

	private MicroException(String message, @Nullable Throwable cause) {
		super(message, cause);
	}

	/**
	 * The request is wrong and stays wrong: change it. {@code INVALID_ARGUMENT}, 400.
	 */
	public static final class Invalid extends MicroException {

		public Invalid(String message) {
			super(message, null);
		}

		public Invalid(String message, @Nullable Throwable cause) {
			super(message, cause);
		}

	}

	/**
	 * Nobody knows who is calling: log in. {@code UNAUTHENTICATED}, 401.
	 */
	public static final class Unauthenticated extends MicroException {

		public Unauthenticated(String message) {
			super(message, null);
		}

	}

	/**
	 * The caller is known and may not do this. {@code PERMISSION_DENIED}, 403.
	 */
	public static final class Denied extends MicroException {

		public Denied(String message) {
			super(message, null);
		}

	}

	/**
	 * What was asked for does not exist. {@code NOT_FOUND}, 404.
	 */
	public static final class NotFound extends MicroException {

		public NotFound(String message) {
			super(message, null);
		}

	}

	/**
	 * A race was lost: read again, then decide. {@code ALREADY_EXISTS}, 409.
	 */
	public static final class Conflict extends MicroException {

		public Conflict(String message) {
			super(message, null);
		}

	}

	/**
	 * A limit or quota is used up: slow down. {@code RESOURCE_EXHAUSTED}, 429.
	 */
	public static final class Exhausted extends MicroException {

		public Exhausted(String message) {
			super(message, null);
		}

	}

	/**
	 * The caller gave up, or its thread was interrupted. {@code CANCELLED}, 499.
	 */
	public static final class Cancelled extends MicroException {

		public Cancelled(String message, @Nullable Throwable cause) {
			super(message, cause);
		}

	}

	/**
	 * A defect in the callee. {@code INTERNAL}, 500.
	 */
	public static final class Internal extends MicroException {

		public Internal(String message, @Nullable Throwable cause) {
			super(message, cause);
		}

	}

	/**
	 * The callee does not offer this. {@code UNIMPLEMENTED}, 501.
	 */
	public static final class Unimplemented extends MicroException {

		public Unimplemented(String message) {
			super(message, null);
		}

	}

	/**
	 * A write may or may not have happened: read, or repeat it only if that is harmless.
	 * {@code UNKNOWN}, 502.
	 */
	public static final class OutcomeUnknown extends MicroException {

		public OutcomeUnknown(String message, @Nullable Throwable cause) {
			super(message, cause);
		}

	}

	/**
	 * Infrastructure is broken or away and nothing was done: try again later.
	 * {@code UNAVAILABLE}, 503.
	 */
	public static final class Unavailable extends MicroException {

		public Unavailable(String message) {
			super(message, null);
		}

		public Unavailable(String message, @Nullable Throwable cause) {
			super(message, cause);
		}

	}

	/**
	 * The deadline passed first. {@code DEADLINE_EXCEEDED}, 504.
	 */
	public static final class TimedOut extends MicroException {

		public TimedOut(String message, @Nullable Throwable cause) {
			super(message, cause);
		}

	}

}
