package mu.micro.spring.messaging;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.ReentrantReadWriteLock;

import mu.micro.Message;
import mu.micro.Subscription;
import mu.micro.events.Append;
import mu.micro.events.Delivery;
import mu.micro.events.Event;
import mu.micro.events.Events;
import mu.micro.events.Group;
import mu.micro.events.GroupState;
import mu.micro.events.Handler;
import mu.micro.events.Outbox;
import mu.micro.store.TableWrite;
import org.jspecify.annotations.Nullable;

/**
 * Topics that a test delivers from by hand.
 */
class TestEvents implements Events, Outbox {

	final List<Consuming> consumers = new CopyOnWriteArrayList<>();

	final List<Event> appended = new ArrayList<>();

	final List<TableWrite> written = new ArrayList<>();

	/**
	 * Has each group of a topic handle a message in this thread.
	 */
	void deliver(String topic, Message message, int attempt, @Nullable String error) throws Exception {
		for (Consuming each : this.consumers) {
			if (each.topic.equals(topic)) {
				each.handle(new Delivery(new Event(topic, 7, Instant.EPOCH, message), attempt, error));
			}
		}
	}

	@Override
	public Event append(String topic, Message message) {
		for (Event earlier : this.appended) {
			if (earlier.topic().equals(topic) && earlier.message().id().equals(message.id())) {
				return earlier;
			}
		}
		Event event = new Event(topic, this.appended.size() + 1, Instant.EPOCH, message);
		this.appended.add(event);
		return event;
	}

	@Override
	public List<Event> apply(List<TableWrite> writes, List<Append> appends) {
		this.written.addAll(writes);
		return appends.stream().map((each) -> append(each.topic(), each.message())).toList();
	}

	@Override
	public List<Event> read(String topic, long from, int limit) {
		throw new UnsupportedOperationException();
	}

	@Override
	public long offsetAt(String topic, Instant time) {
		throw new UnsupportedOperationException();
	}

	@Override
	public Set<String> topics() {
		throw new UnsupportedOperationException();
	}

	@Override
	public List<GroupState> groups(String topic) {
		throw new UnsupportedOperationException();
	}

	@Override
	public boolean removeGroup(String topic, String group) {
		throw new UnsupportedOperationException();
	}

	@Override
	public Subscription consume(String topic, Group group, Handler handler) {
		Consuming consuming = new Consuming(topic, group, handler);
		this.consumers.add(consuming);
		return consuming;
	}

	final class Consuming implements Subscription {

		final String topic;

		final Group group;

		private final Handler handler;

		private final ReentrantReadWriteLock calls = new ReentrantReadWriteLock();

		Consuming(String topic, Group group, Handler handler) {
			this.topic = topic;
			this.group = group;
			this.handler = handler;
		}

		void handle(Delivery delivery) throws Exception {
			this.calls.readLock().lock();
			try {
				this.handler.handle(delivery);
			}
			finally {
				this.calls.readLock().unlock();
			}
		}

		@Override
		public void close() {
			TestEvents.this.consumers.remove(this);
			this.calls.writeLock().lock();
			this.calls.writeLock().unlock();
		}

	}

}
