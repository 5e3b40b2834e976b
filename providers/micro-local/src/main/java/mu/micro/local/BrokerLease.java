package mu.micro.local;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.Map;

import mu.micro.core.Audience;

/**
 * What a node wants to be sent, as its file tells.
 *
 * @param port where
 * @param topics of which topics, and for whom
 */
record BrokerLease(int port, Map<Audience.Topic, Seats> topics) {

	static final BrokerLease NOTHING = new BrokerLease(0, Map.of());

	private static final int FORMAT = 1;

	/**
	 * Writes a lease: its format, its port, the number of its topics, and for each of
	 * them its namespace, its name, whether there are subscriptions without a queue, the
	 * number of its queues, and for each of those its name and its members.
	 * @return the bytes
	 */
	byte[] write() {
		ByteArrayOutputStream bytes = new ByteArrayOutputStream();
		try (DataOutputStream out = new DataOutputStream(bytes)) {
			out.writeInt(FORMAT);
			out.writeInt(this.port);
			out.writeInt(this.topics.size());
			for (Map.Entry<Audience.Topic, Seats> topic : this.topics.entrySet()) {
				Batch.writeTopic(out, topic.getKey());
				out.writeBoolean(topic.getValue().all);
				out.writeInt(topic.getValue().queues.size());
				for (Map.Entry<String, Integer> queue : topic.getValue().queues.entrySet()) {
					Batch.writeText(out, queue.getKey());
					out.writeInt(queue.getValue());
				}
			}
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		return bytes.toByteArray();
	}

	/**
	 * Reads what {@link #write} wrote.
	 * @param bytes anything
	 * @return the lease, or one of nothing if the bytes are something else
	 */
	static BrokerLease read(byte[] bytes) {
		try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
			if (in.readInt() != FORMAT) {
				return NOTHING;
			}
			int port = in.readInt();
			Map<Audience.Topic, Seats> topics = new HashMap<>();
			int count = in.readInt();
			for (int i = 0; i < count; i++) {
				Audience.Topic topic = Batch.readTopic(in);
				boolean all = in.readBoolean();
				Map<String, Integer> queues = new HashMap<>();
				int members = in.readInt();
				for (int j = 0; j < members; j++) {
					queues.put(Batch.readText(in), in.readInt());
				}
				topics.put(topic, new Seats(all, queues));
			}
			return (port > 0 && port <= 0xFFFF) ? new BrokerLease(port, topics) : NOTHING;
		}
		catch (IOException ex) {
			return NOTHING;
		}
	}

	/**
	 * Who listens to a topic at a node.
	 *
	 * @param all whether there are subscriptions without a queue
	 * @param queues how many members each queue has there
	 */
	record Seats(boolean all, Map<String, Integer> queues) {

		static final Seats NONE = new Seats(false, Map.of());

		/**
		 * Who listens to a topic in this process.
		 */
		static Seats of(Audience audience, Audience.Topic topic) {
			return new Seats(audience.hasAll(topic), audience.queues(topic));
		}

	}

}
