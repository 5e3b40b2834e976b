package mu.micro.core;

import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;

import mu.micro.Limits;
import mu.micro.events.Append;
import mu.micro.events.Event;
import mu.micro.events.Events;
import org.jspecify.annotations.Nullable;

/**
 * What becomes of events that a group could not handle; for those who implement
 * {@link EventLog}.
 */
public final class DeadLetters {

	/**
	 * What went wrong where nothing was said in time.
	 */
	public static final String LATE = "the handler was not done in time";

	private static final System.Logger logger = System.getLogger(DeadLetters.class.getName());

	private static final Set<String> OWN = Set.of(Events.DEAD_TOPIC, Events.DEAD_OFFSET, Events.DEAD_GROUP,
			Events.DEAD_ATTEMPTS, Events.DEAD_ERROR);

	private DeadLetters() {
	}

	/**
	 * The dead letter of an event, which is logged.
	 * @param event the event
	 * @param group the group's name
	 * @param attempts how often it was delivered
	 * @param error what went wrong the last time
	 * @return what to append; null if the event is a dead letter itself. It has the
	 * event's id: where the topic has that already, another group's letter of the same
	 * event is there, and this one needs {@link #another another id}
	 */
	public static @Nullable Append of(Event event, String group, int attempts, String error) {
		boolean last = event.topic().endsWith(Events.DEAD);
		logger.log(System.Logger.Level.WARNING,
				"event " + event.offset() + " of topic '" + event.topic() + "' was delivered to group '" + group + "' "
						+ attempts + " times, and is " + (last ? "given up" : "a dead letter now") + ": " + error);
		if (last) {
			return null;
		}
		Map<String, String> headers = new TreeMap<>(event.message().headers());
		headers.put(Events.DEAD_TOPIC, event.topic());
		headers.put(Events.DEAD_OFFSET, Long.toString(event.offset()));
		headers.put(Events.DEAD_GROUP, group);
		headers.put(Events.DEAD_ATTEMPTS, Integer.toString(attempts));
		headers.put(Events.DEAD_ERROR, error);
		shrink(headers);
		return new Append(event.topic() + Events.DEAD, event.message().withHeaders(headers));
	}

	/**
	 * The same letter under an id that no other has.
	 * @param letter the letter
	 * @return the letter to append
	 */
	public static Append another(Append letter) {
		return new Append(letter.topic(), letter.message().withId(UUID.randomUUID().toString()));
	}

	/*
	 * A letter that is too large could never be written, and its event never be let go:
	 * the message's own headers make way, the largest first.
	 */
	private static void shrink(Map<String, String> headers) {
		while (headers.entrySet().stream().mapToInt(DeadLetters::size).sum() > Limits.HEADERS) {
			headers.entrySet()
				.stream()
				.filter((header) -> !OWN.contains(header.getKey()))
				.max(Comparator.comparingInt(DeadLetters::size))
				.ifPresent((largest) -> headers.remove(largest.getKey()));
		}
	}

	private static int size(Map.Entry<String, String> header) {
		return header.getKey().getBytes(StandardCharsets.UTF_8).length
				+ header.getValue().getBytes(StandardCharsets.UTF_8).length;
	}

}
