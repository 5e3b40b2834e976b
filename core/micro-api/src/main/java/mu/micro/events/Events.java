package mu.micro.events;

import java.time.Instant;
import java.util.List;
import java.util.Set;

import mu.micro.Limits;
import mu.micro.Message;
import mu.micro.MicroException;
import mu.micro.Subscription;

/**
 * Topics: messages that are kept in the order in which they were appended, and delivered
 * to each group at least once.
 * <p>
 * A topic is there while it has an event or a group. Offsets begin at 1 and grow by one;
 * what {@link Retention} removes is missing at the beginning, never in between.
 * <p>
 * What is not acknowledged within a group's {@code ackWait}, and what a handler threw
 * for, is delivered again: the latter after a pause that doubles from 100 ms, up to
 * {@code ackWait}. What was delivered {@code maxDeliveries} times is appended to the
 * topic {@code <topic>.dead} with the headers {@link #DEAD_TOPIC}, {@link #DEAD_OFFSET},
 * {@link #DEAD_GROUP}, {@link #DEAD_ATTEMPTS} and {@link #DEAD_ERROR}, in one step with
 * being acknowledged; of a topic that ends so itself it is logged and acknowledged.
 * <p>
 * With one event in flight a group keeps strict order, over all its members and
 * redeliveries. With more, first deliveries are handed out in order. What retention
 * removes before it was handled is not delivered any more.
 * <p>
 * Calls fail with {@link MicroException.Unavailable} if nothing was done, and with
 * {@link MicroException.OutcomeUnknown} if an append may have been. To append again under
 * the same id is harmless.
 */
public interface Events {

	/**
	 * What the topic of a topic's dead letters ends with.
	 */
	String DEAD = ".dead";

	/**
	 * A dead letter's header: the topic it was appended to.
	 */
	String DEAD_TOPIC = "micro-dead-topic";

	/**
	 * A dead letter's header: its offset there.
	 */
	String DEAD_OFFSET = "micro-dead-offset";

	/**
	 * A dead letter's header: the group that could not handle it.
	 */
	String DEAD_GROUP = "micro-dead-group";

	/**
	 * A dead letter's header: how often it was delivered.
	 */
	String DEAD_ATTEMPTS = "micro-dead-attempts";

	/**
	 * A dead letter's header: what went wrong the last time.
	 */
	String DEAD_ERROR = "micro-dead-error";

	/**
	 * Appends a message. It is durable when this returns. If the topic has an event with
	 * the message's id already, that one is returned and nothing is appended; an id is
	 * known for two minutes at least, and as long as its event is kept.
	 * @param topic a name within {@link Limits#NAME}
	 * @param message the message
	 * @return the event
	 * @throws MicroException.Invalid if the topic is no name
	 */
	Event append(String topic, Message message);

	/**
	 * Reads events, the oldest first. Fewer than asked for come where all of them
	 * together are larger than {@link Limits#BATCH_BYTES}, and none only if there is
	 * none.
	 * @param topic a topic, which need not be there
	 * @param from the first offset; the oldest event that is kept if that is later
	 * @param limit how many at most, 1 to {@link Limits#PAGE}
	 * @return the events
	 * @throws MicroException.Invalid if the topic is no name, or a number is out of range
	 */
	List<Event> read(String topic, long from, int limit);

	/**
	 * Finds where a time begins.
	 * @param topic a topic, which need not be there
	 * @param time the time
	 * @return the offset of the first event that was appended at that time or later;
	 * where there is none, the one that the next event will have
	 */
	long offsetAt(String topic, Instant time);

	/**
	 * The topics.
	 * @return their names, sorted by their UTF-8
	 */
	Set<String> topics();

	/**
	 * The groups of a topic.
	 * @param topic a topic, which need not be there
	 * @return their states, sorted by their names
	 */
	List<GroupState> groups(String topic);

	/**
	 * Forgets a group and its place. One that is consumed from right now begins again,
	 * and what comes of what is being handled then counts no more. Groups that nobody
	 * consumed from for as long as events are kept are forgotten anyway.
	 * @param topic the topic
	 * @param group the group's name
	 * @return whether there was one
	 */
	boolean removeGroup(String topic, String group);

	/**
	 * Joins a group. It is there, with its place, when this returns.
	 * <p>
	 * The handler is called by up to {@code maxInFlight} threads at once. One that takes
	 * longer than {@code ackWait} is interrupted, and what it does after that no longer
	 * counts. Events of others are heard of within a second. Where the data cannot be
	 * reached for a while this goes on as soon as they can be again.
	 * <p>
	 * Once the subscription is closed no call starts and those that run are waited for
	 * and count; what was taken and not begun goes back at once.
	 * @param topic a topic, which need not be there
	 * @param group the group
	 * @param handler handles the events
	 * @return ends the calls when closed
	 * @throws MicroException.Invalid if the topic is no name, or too long for the name of
	 * its dead letters' topic
	 */
	Subscription consume(String topic, Group group, Handler handler);

}
