package mu.micro.events;

/**
 * Handles events of a group.
 */
@FunctionalInterface
public interface Handler {

	/**
	 * Handles an event. To return acknowledges it; to throw has it delivered again.
	 * @param delivery the event
	 * @throws Exception if it is not handled
	 */
	void handle(Delivery delivery) throws Exception;

}
