package mu.micro;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.UUID;

import org.jspecify.annotations.Nullable;

/**
 * What is published to a topic.
 *
 * @param id what tells it from others, a name within {@link Limits#NAME}
 * @param headers what is said about it, within {@link Limits#HEADERS}; names are compared
 * as they are
 * @param body what it says, up to {@link Limits#BODY} bytes and not to be changed
 * afterwards
 */
public record Message(String id, Map<String, String> headers, byte[] body) {

	/**
	 * The header that says what the body is, such as {@code application/json}.
	 */
	public static final String CONTENT_TYPE = "content-type";

	/**
	 * Checks the limits.
	 * @throws MicroException.Invalid if one is not kept
	 */
	public Message {
		Limits.name("message's id", id);
		headers = Limits.headers(headers);
		if (body.length > Limits.BODY) {
			throw new MicroException.Invalid(
					"the message's body is " + body.length + " bytes, more than the limit of " + Limits.BODY);
		}
	}

	/**
	 * A message with an id of its own and no headers.
	 * @param body what it says
	 * @return the message
	 */
	public static Message of(byte[] body) {
		return new Message(UUID.randomUUID().toString(), Map.of(), body);
	}

	/**
	 * How large it is.
	 * @return the bytes in its body and, as UTF-8, in its headers
	 */
	public int size() {
		int size = this.body.length;
		for (Map.Entry<String, String> header : this.headers.entrySet()) {
			size += header.getKey().getBytes(StandardCharsets.UTF_8).length
					+ header.getValue().getBytes(StandardCharsets.UTF_8).length;
		}
		return size;
	}

	/**
	 * The same under another id.
	 * @param other the id
	 * @return the message
	 */
	public Message withId(String other) {
		return new Message(other, this.headers, this.body);
	}

	/**
	 * The same with other headers.
	 * @param others all of the headers
	 * @return the message
	 */
	public Message withHeaders(Map<String, String> others) {
		return new Message(this.id, others, this.body);
	}

	@Override
	public boolean equals(@Nullable Object other) {
		return other instanceof Message message && this.id.equals(message.id) && this.headers.equals(message.headers)
				&& Arrays.equals(this.body, message.body);
	}

	@Override
	public int hashCode() {
		return this.id.hashCode();
	}

	@Override
	public String toString() {
		return "Message[id=" + this.id + ", headers=" + this.headers + ", " + this.body.length + " bytes]";
	}

}
