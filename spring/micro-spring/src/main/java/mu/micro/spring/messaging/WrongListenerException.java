package mu.micro.spring.messaging;

import org.jspecify.annotations.Nullable;

/**
 * A method is declared as a listener in a way that cannot work.
 */
public final class WrongListenerException extends RuntimeException {

	private final String problem;

	private final String action;

	WrongListenerException(String problem, String action, @Nullable Throwable cause) {
		super(problem + "; " + action, cause);
		this.problem = problem;
		this.action = action;
	}

	/**
	 * What is wrong.
	 * @return the annotation, the method and what is wrong with them
	 */
	public String problem() {
		return this.problem;
	}

	/**
	 * What to do.
	 * @return what to change
	 */
	public String action() {
		return this.action;
	}

}
