package mu.micro.broker;

import java.util.function.Consumer;

import mu.micro.Limits;
import mu.micro.Message;
import mu.micro.MicroException;
import org.jspecify.annotations.Nullable;

/**
 * Messages for whoever listens now: delivered at most once, and kept for nobody.
 * <p>
 * Every subscription without a queue gets each message of its topic. Of those that name
 * one queue, in whatever process, one gets it. What one thread publishes to a topic
 * arrives at a subscription in that order, less what was dropped. Only a message's own
 * headers travel with it, never what its publisher proved itself with.
 * <p>
 * Publishers do not wait for handlers. What waits for a handler is bounded: of more than
 * {@link #BACKLOG} messages, or {@link Limits#BATCH_BYTES}, the newest are dropped and
 * counted, for this subscription alone.
 * <p>
 * To close a subscription waits for the call that runs. What waits for the handler then
 * is discarded, and not counted: no other member of its queue gets it.
 */
public interface Broker {

	/**
	 * How many messages wait for a handler.
	 */
	int BACKLOG = 1000;

	/**
	 * Hands a message to all who subscribed to the topic, or to nobody if there is none.
	 * Once this returns it has left this process: whoever can take it has it.
	 * @param topic a name within {@link Limits#NAME}
	 * @param message the message
	 * @throws MicroException.Invalid if the topic is no name
	 * @throws MicroException.Unavailable if the broker cannot be reached
	 * @throws MicroException.OutcomeUnknown if it did not answer in time: to publish it
	 * again may bring it twice
	 */
	void publish(String topic, Message message);

	/**
	 * Gets each message of a topic.
	 * @param topic a name within {@link Limits#NAME}
	 * @param handler called with each message, one at a time
	 * @return ends the calls when closed
	 * @throws MicroException.Invalid if the topic is no name
	 * @throws MicroException.Unavailable if the broker cannot be reached
	 * @throws MicroException.Exhausted if there are too many subscriptions
	 */
	default BrokerSubscription subscribe(String topic, Consumer<Message> handler) {
		return subscribe(topic, null, handler);
	}

	/**
	 * Gets messages of a topic. Once this returns it gets what is published from then on,
	 * by anybody. Where the connection to the broker breaks it is made anew, and what was
	 * published meanwhile is missed.
	 * @param topic a name within {@link Limits#NAME}
	 * @param queue with whom to share the messages, a name within {@link Limits#NAME};
	 * null to get all of them
	 * @param handler called with each message, one at a time; what it throws is logged,
	 * and the next one comes
	 * @return ends the calls when closed
	 * @throws MicroException.Invalid if the topic or the queue is no name
	 * @throws MicroException.Unavailable if the broker cannot be reached
	 * @throws MicroException.Exhausted if there are too many subscriptions
	 */
	BrokerSubscription subscribe(String topic, @Nullable String queue, Consumer<Message> handler);

}
