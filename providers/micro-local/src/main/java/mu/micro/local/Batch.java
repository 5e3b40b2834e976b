package mu.micro.local;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import mu.micro.Message;
import mu.micro.MicroException;
import mu.micro.core.Audience;
import org.jspecify.annotations.Nullable;

/**
 * What a publisher sends to a node at once. The node answers with the queues, for each
 * delivery, that did not take it.
 * <p>
 * Numbers are big-endian, a text is the number of its bytes and its UTF-8, a list is the
 * number of its elements and the elements.
 *
 * @param missed what was dropped because the node did not take anything for too long
 * @param deliveries messages
 */
record Batch(List<Missed> missed, List<Delivery> deliveries) {

	byte[] write() {
		ByteArrayOutputStream bytes = new ByteArrayOutputStream();
		try (DataOutputStream out = new DataOutputStream(bytes)) {
			out.writeInt(this.missed.size());
			for (Missed missed : this.missed) {
				writeTopic(out, missed.topic);
				out.writeBoolean(missed.queue != null);
				if (missed.queue != null) {
					writeText(out, missed.queue);
				}
				out.writeLong(missed.count);
			}
			out.writeInt(this.deliveries.size());
			for (Delivery delivery : this.deliveries) {
				delivery.write(out);
			}
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		return bytes.toByteArray();
	}

	static Batch read(byte[] bytes) throws IOException {
		try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
			List<Missed> missed = new ArrayList<>();
			int count = in.readInt();
			for (int i = 0; i < count; i++) {
				missed.add(new Missed(readTopic(in), in.readBoolean() ? readText(in) : null, in.readLong()));
			}
			List<Delivery> deliveries = new ArrayList<>();
			count = in.readInt();
			for (int i = 0; i < count; i++) {
				deliveries.add(Delivery.read(in));
			}
			return new Batch(missed, deliveries);
		}
		catch (MicroException.Invalid ex) {
			throw new IOException("what was sent is no message", ex);
		}
	}

	static byte[] writeAnswer(List<List<String>> refused) {
		ByteArrayOutputStream bytes = new ByteArrayOutputStream();
		try (DataOutputStream out = new DataOutputStream(bytes)) {
			for (List<String> queues : refused) {
				out.writeInt(queues.size());
				for (String queue : queues) {
					writeText(out, queue);
				}
			}
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		return bytes.toByteArray();
	}

	List<List<String>> readAnswer(byte[] bytes) throws IOException {
		try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
			List<List<String>> refused = new ArrayList<>();
			for (int i = 0; i < this.deliveries.size(); i++) {
				List<String> queues = new ArrayList<>();
				int count = in.readInt();
				for (int j = 0; j < count; j++) {
					queues.add(readText(in));
				}
				refused.add(queues);
			}
			return refused;
		}
	}

	static void writeTopic(DataOutputStream out, Audience.Topic topic) throws IOException {
		writeText(out, topic.namespace());
		writeText(out, topic.name());
	}

	static Audience.Topic readTopic(DataInputStream in) throws IOException {
		return new Audience.Topic(readText(in), readText(in));
	}

	static void writeText(DataOutputStream out, String text) throws IOException {
		writeBytes(out, text.getBytes(StandardCharsets.UTF_8));
	}

	static String readText(DataInputStream in) throws IOException {
		return new String(readBytes(in), StandardCharsets.UTF_8);
	}

	static void writeBytes(DataOutputStream out, byte[] bytes) throws IOException {
		out.writeInt(bytes.length);
		out.write(bytes);
	}

	static byte[] readBytes(DataInputStream in) throws IOException {
		int length = in.readInt();
		if (length < 0 || length > in.available()) {
			throw new EOFException("there are no " + length + " bytes more");
		}
		return in.readNBytes(length);
	}

	/**
	 * Messages that were dropped before they were sent.
	 *
	 * @param topic their topic
	 * @param queue the queue that missed them; null for those without one
	 * @param count how many
	 */
	record Missed(Audience.Topic topic, @Nullable String queue, long count) {
	}

	/**
	 * A message for those at a node who are to get it.
	 *
	 * @param topic its topic
	 * @param all whether those without a queue get it
	 * @param queues the queues of which a member gets it, and whether the message is
	 * dropped and counted there if none has room; if not, another node is asked
	 * @param message the message
	 */
	record Delivery(Audience.Topic topic, boolean all, Map<String, Boolean> queues, Message message) {

		/**
		 * The same without the queues for which another node can be asked.
		 */
		Delivery toLast() {
			Map<String, Boolean> last = new HashMap<>(this.queues);
			last.values().removeIf((is) -> !is);
			return new Delivery(this.topic, this.all, last, this.message);
		}

		/**
		 * Delivers it.
		 * @param audience those who are here
		 * @return the queues that did not take it
		 */
		List<String> to(Audience audience) {
			if (this.all) {
				audience.deliverToAll(this.topic, this.message);
			}
			List<String> refused = new ArrayList<>();
			this.queues.forEach((queue, last) -> {
				if (!audience.deliverToOne(this.topic, queue, this.message)
						&& !(last && audience.dropForOne(this.topic, queue, 1))) {
					refused.add(queue);
				}
			});
			return refused;
		}

		private void write(DataOutputStream out) throws IOException {
			writeTopic(out, this.topic);
			out.writeBoolean(this.all);
			out.writeInt(this.queues.size());
			for (Map.Entry<String, Boolean> queue : this.queues.entrySet()) {
				writeText(out, queue.getKey());
				out.writeBoolean(queue.getValue());
			}
			writeText(out, this.message.id());
			out.writeInt(this.message.headers().size());
			for (Map.Entry<String, String> header : this.message.headers().entrySet()) {
				writeText(out, header.getKey());
				writeText(out, header.getValue());
			}
			writeBytes(out, this.message.body());
		}

		private static Delivery read(DataInputStream in) throws IOException {
			Audience.Topic topic = readTopic(in);
			boolean all = in.readBoolean();
			Map<String, Boolean> queues = new HashMap<>();
			int count = in.readInt();
			for (int i = 0; i < count; i++) {
				queues.put(readText(in), in.readBoolean());
			}
			String id = readText(in);
			Map<String, String> headers = new HashMap<>();
			count = in.readInt();
			for (int i = 0; i < count; i++) {
				headers.put(readText(in), readText(in));
			}
			return new Delivery(topic, all, queues, new Message(id, headers, readBytes(in)));
		}

	}

}
