package mu.micro.local;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
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

	private static final int HEADER = 2 * Integer.BYTES;

	private static final System.Logger logger = System.getLogger(BrokerLease.class.getName());

	/**
	 * Writes a lease: its format, its port, and its topics.
	 * @return the bytes
	 */
	byte[] write() {
		ByteArrayOutputStream bytes = new ByteArrayOutputStream();
		bytes.writeBytes(ByteBuffer.allocate(HEADER).putInt(FORMAT).putInt(this.port).array());
		this.topics.forEach((topic, seats) -> bytes.writeBytes(write(topic, seats)));
		return bytes.toByteArray();
	}

	/**
	 * Writes who listens to one topic, which appended to a lease replaces what it said of
	 * the topic: the length of what follows, the topic's namespace, its name, whether
	 * there are subscriptions without a queue, the number of its queues, and for each of
	 * those its name and its members.
	 * @param topic the topic
	 * @param seats who listens
	 * @return the bytes
	 */
	static byte[] write(Audience.Topic topic, Seats seats) {
		ByteArrayOutputStream record = new ByteArrayOutputStream();
		ByteArrayOutputStream bytes = new ByteArrayOutputStream();
		try (DataOutputStream out = new DataOutputStream(record);
				DataOutputStream whole = new DataOutputStream(bytes)) {
			Batch.writeTopic(out, topic);
			out.writeBoolean(seats.all);
			out.writeInt(seats.queues.size());
			for (Map.Entry<String, Integer> queue : seats.queues.entrySet()) {
				Batch.writeText(out, queue.getKey());
				out.writeInt(queue.getValue());
			}
			Batch.writeBytes(whole, record.toByteArray());
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		return bytes.toByteArray();
	}

	/**
	 * Reads what was written, as far as it is complete.
	 * @param bytes anything
	 * @return the lease, or one of nothing if the bytes are something else
	 */
	static BrokerLease read(byte[] bytes) {
		ByteBuffer header = ByteBuffer.wrap(bytes);
		if (bytes.length < HEADER || header.getInt() != FORMAT) {
			return NOTHING;
		}
		int port = header.getInt();
		Map<Audience.Topic, Seats> topics = new HashMap<>();
		try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes, HEADER, bytes.length - HEADER))) {
			while (in.available() > 0) {
				read(Batch.readBytes(in), topics);
			}
		}
		catch (IOException ex) {
			logger.log(System.Logger.Level.DEBUG, "the last topic is being written, and read with the next change", ex);
		}
		return (port > 0 && port <= 0xFFFF) ? new BrokerLease(port, topics) : NOTHING;
	}

	private static void read(byte[] record, Map<Audience.Topic, Seats> topics) throws IOException {
		try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(record))) {
			Audience.Topic topic = Batch.readTopic(in);
			boolean all = in.readBoolean();
			Map<String, Integer> queues = new HashMap<>();
			int count = in.readInt();
			for (int i = 0; i < count; i++) {
				queues.put(Batch.readText(in), in.readInt());
			}
			Seats seats = new Seats(all, queues);
			if (seats.equals(Seats.NONE)) {
				topics.remove(topic);
			}
			else {
				topics.put(topic, seats);
			}
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
