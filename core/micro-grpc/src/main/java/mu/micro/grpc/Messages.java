package mu.micro.grpc;

import java.time.Instant;
import java.util.UUID;

import com.google.protobuf.ByteString;
import mu.micro.Message;
import mu.micro.MicroException;
import mu.micro.events.Append;
import mu.micro.events.Delivery;
import mu.micro.events.Event;
import mu.micro.events.From;
import mu.micro.events.GroupState;
import mu.micro.wire.events.ConsumeRequest;
import mu.micro.wire.events.Group;

/**
 * Messages and events as the wires of the broker and of events have them.
 */
public final class Messages {

	private static final Instant FIRST = Instant.ofEpochMilli(Long.MIN_VALUE);

	private static final Instant LAST = Instant.ofEpochMilli(Long.MAX_VALUE);

	private Messages() {
	}

	/**
	 * Writes a message.
	 * @param message the message
	 * @return the message on the broker's wire
	 */
	public static mu.micro.wire.broker.Message toMessage(Message message) {
		return mu.micro.wire.broker.Message.newBuilder()
			.setId(message.id())
			.putAllHeader(message.headers())
			.setBody(Entries.bytes(message.body()))
			.build();
	}

	/**
	 * Reads a message.
	 * @param message the message on the broker's wire
	 * @return the message, with a new id if it has none
	 * @throws MicroException.Invalid if it is over a limit
	 */
	public static Message fromMessage(mu.micro.wire.broker.Message message) {
		return new Message(id(message.getId()), message.getHeaderMap(), message.getBody().toByteArray());
	}

	/**
	 * An id.
	 * @param given the id that somebody gave
	 * @return that or, if it is empty, a new one
	 */
	public static String id(String given) {
		return (given.isEmpty()) ? UUID.randomUUID().toString() : given;
	}

	/**
	 * Writes an event.
	 * @param event the event
	 * @return the event on the wire
	 */
	public static mu.micro.wire.events.Event toMessage(Event event) {
		return builder(event).build();
	}

	/**
	 * Writes a delivery.
	 * @param delivery the delivery
	 * @param number its number on its call
	 * @return the event on the wire
	 */
	public static mu.micro.wire.events.Event toMessage(Delivery delivery, long number) {
		mu.micro.wire.events.Event.Builder message = builder(delivery.event()).setAttempt(delivery.attempt())
			.setDelivery(number);
		String error = delivery.error();
		return ((error != null) ? message.setError(error) : message).build();
	}

	private static mu.micro.wire.events.Event.Builder builder(Event event) {
		return mu.micro.wire.events.Event.newBuilder()
			.setId(event.message().id())
			.setTopic(event.topic())
			.putAllMetadata(event.message().headers())
			.setPayload(Entries.bytes(event.message().body()))
			.setTimestamp(event.time().getEpochSecond())
			.setOffset(event.offset())
			.setTimeMs(event.time().toEpochMilli());
	}

	/**
	 * Reads an event.
	 * @param message the event on the wire
	 * @return the event
	 */
	public static Event fromMessage(mu.micro.wire.events.Event message) {
		return new Event(message.getTopic(), message.getOffset(), Instant.ofEpochMilli(message.getTimeMs()),
				new Message(message.getId(), message.getMetadataMap(), message.getPayload().toByteArray()));
	}

	/**
	 * Reads a delivery.
	 * @param message the event on the wire
	 * @return the delivery
	 */
	public static Delivery delivery(mu.micro.wire.events.Event message) {
		return new Delivery(fromMessage(message), message.getAttempt(),
				(message.hasError()) ? message.getError() : null);
	}

	/**
	 * Writes what is to be appended.
	 * @param append what is to be appended
	 * @return the message
	 */
	public static mu.micro.wire.events.Append toMessage(Append append) {
		ByteString body = Entries.bytes(append.message().body());
		return mu.micro.wire.events.Append.newBuilder()
			.setTopic(append.topic())
			.setId(append.message().id())
			.putAllHeaders(append.message().headers())
			.setBody(body)
			.build();
	}

	/**
	 * Reads what is to be appended.
	 * @param message the message
	 * @return what is to be appended
	 * @throws MicroException.Invalid if it is over a limit, or has no id, without which
	 * it could not be repeated
	 */
	public static Append fromMessage(mu.micro.wire.events.Append message) {
		return new Append(message.getTopic(),
				new Message(message.getId(), message.getHeadersMap(), message.getBody().toByteArray()));
	}

	/**
	 * Writes where a group begins.
	 * @param from where it begins
	 * @param message gets it
	 */
	public static void write(From from, ConsumeRequest.Builder message) {
		if (from instanceof From.Offset offset) {
			message.setFromOffset(offset.offset());
		}
		else if (from instanceof From.Time time) {
			message.setFromTimeMs(milliseconds(time.time()));
		}
		else {
			message.setFromNow(true);
		}
	}

	/**
	 * Reads where a group begins.
	 * @param message the message
	 * @return where it begins
	 * @throws MicroException.Invalid if there is no such offset or time
	 */
	public static From from(ConsumeRequest message) {
		return switch (message.getFromCase()) {
			case FROM_OFFSET -> From.offset(message.getFromOffset());
			case FROM_TIME_MS -> From.time(Instant.ofEpochMilli(message.getFromTimeMs()));
			case FROM_NOW -> From.NOW;
			case FROM_NOT_SET -> since(message.getOffset());
		};
	}

	private static From since(long seconds) {
		if (seconds < 0 || seconds > LAST.getEpochSecond()) {
			throw new MicroException.Invalid("the offset " + seconds
					+ " is no second since 1970; give 0 to begin with what is new, or set 'from_offset'");
		}
		return (seconds == 0) ? From.NOW : From.time(Instant.ofEpochSecond(seconds));
	}

	/**
	 * The time at which a time begins on a wire that has whole milliseconds.
	 * @param time the time
	 * @return milliseconds since 1970, rounded up
	 */
	public static long milliseconds(Instant time) {
		if (time.isBefore(FIRST)) {
			return Long.MIN_VALUE;
		}
		if (!time.isBefore(LAST)) {
			return Long.MAX_VALUE;
		}
		long down = time.toEpochMilli();
		return (Instant.ofEpochMilli(down).isBefore(time)) ? down + 1 : down;
	}

	/**
	 * Writes a group's state.
	 * @param state the state
	 * @return the message
	 */
	public static Group toMessage(GroupState state) {
		return Group.newBuilder()
			.setName(state.name())
			.setNext(state.next())
			.setInFlight(state.inFlight())
			.setWaiting(state.waiting())
			.build();
	}

	/**
	 * Reads a group's state.
	 * @param message the message
	 * @return the state
	 */
	public static GroupState fromMessage(Group message) {
		return new GroupState(message.getName(), message.getNext(), message.getInFlight(), message.getWaiting());
	}

}
