package mu.micro.spring.messaging;

import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

import io.micrometer.observation.ObservationRegistry;
import mu.micro.Message;
import mu.micro.MicroException;
import mu.micro.events.Append;
import mu.micro.events.Event;
import mu.micro.events.Events;
import mu.micro.events.Outbox;
import mu.micro.store.TableWrite;
import org.jspecify.annotations.Nullable;

/**
 * Appends objects to topics, as {@link Payloads} writes them, alone or in one step with
 * writes to the store.
 */
public final class EventsTemplate {

	private final Events events;

	private final Supplier<@Nullable Outbox> outbox;

	private final Payloads payloads;

	private final Sending sending;

	/**
	 * Appends to topics.
	 * @param events the topics
	 * @param outbox gives what appends and writes in one step, asked for once that is
	 * wanted; null where they are kept apart
	 * @param payloads writes what messages say
	 * @param observations observes each message
	 */
	public EventsTemplate(Events events, Supplier<@Nullable Outbox> outbox, Payloads payloads,
			ObservationRegistry observations) {
		this.events = events;
		this.outbox = outbox;
		this.payloads = payloads;
		this.sending = new Sending(observations);
	}

	/**
	 * Appends an event. It is durable when this returns.
	 * @param topic a name within {@link mu.micro.Limits#NAME}
	 * @param payload what it says
	 * @return the event
	 * @throws MicroException.Invalid if a limit is not kept
	 * @throws MicroException.Unavailable if nothing was done
	 * @throws MicroException.OutcomeUnknown if it may have been appended; to append it
	 * again is harmless under an id of the caller's
	 */
	public Event append(String topic, Object payload) {
		return append(topic, payload, Map.of());
	}

	/**
	 * Appends an event. It is durable when this returns.
	 * @param topic a name within {@link mu.micro.Limits#NAME}
	 * @param payload what it says
	 * @param headers what is said about it
	 * @return the event
	 * @throws MicroException as {@link #append(String, Object)} does
	 */
	public Event append(String topic, Object payload, Map<String, String> headers) {
		return send(topic, this.payloads.write(payload, headers));
	}

	/**
	 * Appends an event, unless the topic has one with the id. It is durable when this
	 * returns.
	 * @param topic a name within {@link mu.micro.Limits#NAME}
	 * @param payload what it says
	 * @param id what tells it from others
	 * @param headers what is said about it
	 * @return the event, or the one that had the id
	 * @throws MicroException as {@link #append(String, Object)} does
	 */
	public Event append(String topic, Object payload, String id, Map<String, String> headers) {
		return send(topic, this.payloads.write(payload, id, headers));
	}

	/**
	 * Appends an event and writes to tables in one step: all of it or nothing.
	 * @param topic a name within {@link mu.micro.Limits#NAME}
	 * @param payload what it says; a message of {@link Payloads#write} has an id and
	 * headers
	 * @param writes what to write
	 * @return the event
	 * @throws MicroException.Unimplemented if store and topics are not kept in one place
	 * @throws MicroException as {@link Outbox#apply} does
	 */
	public Event append(String topic, Object payload, List<TableWrite> writes) {
		Outbox both = this.outbox.get();
		if (both == null) {
			throw new MicroException.Unimplemented("the store's tables and the topics are not kept in one place, "
					+ "so nothing can write to both in one step: there is no bean of type " + Outbox.class.getName());
		}
		return this.sending.send(topic, this.payloads.write(payload),
				(message) -> both.apply(writes, List.of(new Append(topic, message))).get(0));
	}

	private Event send(String topic, Message message) {
		return this.sending.send(topic, message, (sent) -> this.events.append(topic, sent));
	}

}
