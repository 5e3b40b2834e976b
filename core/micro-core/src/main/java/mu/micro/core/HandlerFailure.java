package mu.micro.core;

import java.nio.charset.StandardCharsets;

/**
 * What a handler of somebody's threw: it may be of any kind, and not even be printable.
 */
public final class HandlerFailure {

	private static final int MOST = 1_000;

	private HandlerFailure() {
	}

	/**
	 * Logs a failure. Never throws.
	 * @param logger where
	 * @param what what failed
	 * @param failure how
	 * @return what went wrong, up to 1,000 characters
	 */
	public static String log(System.Logger logger, String what, Throwable failure) {
		String text = text(failure);
		try {
			logger.log(System.Logger.Level.WARNING, what, failure);
		}
		catch (Throwable ex) {
			logger.log(System.Logger.Level.WARNING, what + ": " + text);
		}
		return text;
	}

	private static String text(Throwable failure) {
		String text;
		try {
			text = String.valueOf(failure.toString());
		}
		catch (Throwable ex) {
			text = failure.getClass().getName();
		}
		// No half of a surrogate pair: it could not be written.
		String whole = new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
		if (whole.length() <= MOST) {
			return whole;
		}
		return whole.substring(0, Character.isHighSurrogate(whole.charAt(MOST - 1)) ? MOST - 1 : MOST);
	}

}
