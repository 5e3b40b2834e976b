package mu.micro.auth;

/**
 * What a {@link Rule} says.
 */
public enum Access {

	/**
	 * Those the rule is for may do it.
	 */
	GRANTED,

	/**
	 * Those the rule is for may not do it.
	 */
	DENIED

}
