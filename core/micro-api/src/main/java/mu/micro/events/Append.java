package mu.micro.events;

import mu.micro.Limits;
import mu.micro.Message;
import mu.micro.MicroException;

/**
 * A message for a topic, not appended yet.
 *
 * @param topic the topic, a name within {@link Limits#NAME}
 * @param message the message
 */
public record Append(String topic, Message message) {

	/**
	 * Checks the topic.
	 * @throws MicroException.Invalid if it is no name
	 */
	public Append {
		Limits.name("topic", topic);
	}

}
