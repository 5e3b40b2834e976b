package mu.micro.events;

import java.time.Instant;

import mu.micro.Message;

/**
 * A message that was appended to a topic.
 *
 * @param topic the topic
 * @param offset where it stands in the topic: 1 for the first, and one more for each
 * @param time when it was appended, to the millisecond; never before the one before it
 * @param message the message, as it was published
 */
public record Event(String topic, long offset, Instant time, Message message) {

}
