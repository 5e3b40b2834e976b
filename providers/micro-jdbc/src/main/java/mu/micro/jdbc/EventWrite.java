package mu.micro.jdbc;

import mu.micro.Message;
import org.jspecify.annotations.Nullable;

/**
 * An append as the database will have it: what the caller can prepare without the writer.
 *
 * @param topic the topic
 * @param message the message
 * @param id the message's id
 * @param headers its headers; null where there are none
 * @param checksum the lower half of the checksum
 */
record EventWrite(Place topic, Message message, byte[] id, byte @Nullable [] headers, int checksum) {

	static EventWrite of(Place topic, Message message) {
		byte[] id = Place.utf8(message.id());
		byte[] headers = Metadata.write(message.headers());
		return new EventWrite(topic, message, id, headers, Checksum.of(id, headers, message.body()));
	}

	/**
	 * How large it is.
	 * @return the bytes in its body and headers
	 */
	long size() {
		return this.message.size();
	}

}
