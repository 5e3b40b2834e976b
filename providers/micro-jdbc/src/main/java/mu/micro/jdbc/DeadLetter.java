package mu.micro.jdbc;

import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;

import mu.micro.Limits;
import mu.micro.Message;
import mu.micro.events.Event;
import mu.micro.events.Events;

/**
 * The message that tells of an event that a group could not handle.
 */
final class DeadLetter {

	private DeadLetter() {
	}

	/**
	 * Makes one. Its id is another one for each event and group, and the same each time.
	 * Of the event's headers those are left out that no longer fit.
	 * @param event the event
	 * @param group the group
	 * @param attempts how often it was delivered
	 * @param error what went wrong the last time
	 * @return the message
	 */
	static Message of(Event event, String group, int attempts, String error) {
		Map<String, String> headers = new TreeMap<>();
		headers.put(Events.DEAD_TOPIC, event.topic());
		headers.put(Events.DEAD_OFFSET, String.valueOf(event.offset()));
		headers.put(Events.DEAD_GROUP, group);
		headers.put(Events.DEAD_ATTEMPTS, String.valueOf(attempts));
		headers.put(Events.DEAD_ERROR, error);
		int size = headers.entrySet().stream().mapToInt(DeadLetter::size).sum();
		for (Map.Entry<String, String> each : event.message().headers().entrySet()) {
			if (size + size(each) <= Limits.HEADERS && headers.putIfAbsent(each.getKey(), each.getValue()) == null) {
				size += size(each);
			}
		}
		String id = event.topic() + '\0' + event.offset() + '\0' + group;
		return new Message(UUID.nameUUIDFromBytes(Place.utf8(id)).toString(), headers, event.message().body());
	}

	private static int size(Map.Entry<String, String> header) {
		return Place.utf8(header.getKey()).length + Place.utf8(header.getValue()).length;
	}

}
