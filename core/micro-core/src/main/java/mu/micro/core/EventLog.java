package mu.micro.core;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;

import mu.micro.Limits;
import mu.micro.Message;
import mu.micro.Subscription;
import mu.micro.events.Delivery;
import mu.micro.events.Event;
import mu.micro.events.Events;
import mu.micro.events.Group;
import mu.micro.events.GroupState;
import org.jspecify.annotations.Nullable;

/**
 * What keeps the topics of one namespace, and what its groups have done of them: all that
 * a provider of {@link Events} has to bring. {@code LoggedEvents} calls the handlers.
 * <p>
 * Arguments were checked before. Each call is one atomic step, and fails as those of
 * {@link Events} do.
 */
public interface EventLog {

	/**
	 * See {@link Events#append}.
	 * @param topic the topic
	 * @param message the message
	 * @return the event
	 */
	Event append(String topic, Message message);

	/**
	 * See {@link Events#read}.
	 * @param topic the topic
	 * @param from the first offset
	 * @param limit how many at most
	 * @return the events
	 */
	List<Event> read(String topic, long from, int limit);

	/**
	 * See {@link Events#offsetAt}.
	 * @param topic the topic
	 * @param time the time
	 * @return the offset
	 */
	long offsetAt(String topic, Instant time);

	/**
	 * See {@link Events#topics}.
	 * @return their names, sorted by their UTF-8
	 */
	Set<String> topics();

	/**
	 * See {@link Events#groups}.
	 * @param topic the topic
	 * @return their states, sorted by their names
	 */
	List<GroupState> groups(String topic);

	/**
	 * See {@link Events#removeGroup}.
	 * @param topic the topic
	 * @param group the group's name
	 * @return whether there was one
	 */
	boolean removeGroup(String topic, String group);

	/**
	 * Makes a group where it begins, if it is not there, and notes that it is used.
	 * @param topic the topic
	 * @param group the group
	 */
	void join(String topic, Group group);

	/**
	 * Says what came of deliveries, and takes new ones; {@link #join joins} first.
	 * <p>
	 * What was said of a delivery that is no longer its event's last one is ignored, or
	 * of one to a group that was removed since: so this may be repeated when it is not
	 * known whether it was done. What failed too often, or was not acknowledged in time
	 * too often, goes to the dead letters within this step.
	 * <p>
	 * Taken are, the lowest offset first: events whose pause or time for a handler is
	 * over, and then those that were never delivered, as long as no more than
	 * {@code maxInFlight} are in flight, pauses included. A delivery is in flight for
	 * {@code ackWait} from now on. Fewer than could be taken come where all of them
	 * together are larger than {@link Limits#BATCH_BYTES}; {@link Taken#due()} is zero
	 * then.
	 * <p>
	 * A member that has nothing to do asks about once a second whatever it is told, so
	 * that should be cheap.
	 * @param topic the topic
	 * @param group the group
	 * @param outcomes what came of deliveries
	 * @param wanted how many to take at most, 0 for none
	 * @return what was taken
	 */
	Taken exchange(String topic, Group group, List<Outcome> outcomes, int wanted);

	/**
	 * Has somebody told that {@link #exchange} may have something new of a topic, by whom
	 * ever it was brought: an event, or room for one more in flight. Told once too often
	 * is no harm; once too little is heard of within a second.
	 * @param topic the topic
	 * @param news told; must not block
	 * @return ends the calls when closed
	 */
	Subscription watch(String topic, Runnable news);

	/**
	 * What came of a delivery.
	 */
	sealed interface Outcome {

		/**
		 * The event.
		 * @return its offset
		 */
		long offset();

		/**
		 * The delivery.
		 * @return the token it was taken with
		 */
		long token();

	}

	/**
	 * It was handled.
	 *
	 * @param offset the event
	 * @param token the token the delivery was taken with
	 */
	record Handled(long offset, long token) implements Outcome {

	}

	/**
	 * It was not handled.
	 *
	 * @param offset the event
	 * @param token the token the delivery was taken with
	 * @param error why, up to 1,000 characters
	 * @param pause after what time to deliver it again
	 */
	record Failed(long offset, long token, String error, Duration pause) implements Outcome {

	}

	/**
	 * It was not begun, and does not count as delivered.
	 *
	 * @param offset the event
	 * @param token the token the delivery was taken with
	 */
	record Returned(long offset, long token) implements Outcome {

	}

	/**
	 * What was taken.
	 *
	 * @param deliveries the events
	 * @param token tells these deliveries from all others of the same events, of whatever
	 * group; not 0
	 * @param due after what time there may be something to take without any news, because
	 * a pause or a handler's time is over; null if there will not
	 */
	record Taken(List<Delivery> deliveries, long token, @Nullable Duration due) {

		/**
		 * Copies the list.
		 */
		public Taken {
			deliveries = List.copyOf(deliveries);
		}

	}

}
