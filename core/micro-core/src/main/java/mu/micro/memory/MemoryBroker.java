package mu.micro.memory;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

import mu.micro.Limits;
import mu.micro.Message;
import mu.micro.MicroException;
import mu.micro.Scoped;
import mu.micro.broker.Broker;
import mu.micro.broker.BrokerSubscription;
import mu.micro.core.Audience;
import mu.micro.core.Backlog;
import mu.micro.core.Threads;
import org.jspecify.annotations.Nullable;

/**
 * A broker within one JVM. Subscribers share the messages and their bodies.
 */
public final class MemoryBroker implements Scoped<Broker> {

	private final Audience audience;

	private final ExecutorService executor = Threads.perTask("micro-broker");

	private final Set<Backlog> subscriptions = ConcurrentHashMap.newKeySet();

	private final AtomicBoolean closed = new AtomicBoolean();

	/**
	 * A broker that nobody has subscribed to.
	 */
	public MemoryBroker() {
		this(new Audience());
	}

	/**
	 * One more view of the same broker, with subscriptions of its own.
	 * @param other a view of the broker
	 */
	public MemoryBroker(MemoryBroker other) {
		this(other.audience);
	}

	private MemoryBroker(Audience audience) {
		this.audience = audience;
	}

	@Override
	public Broker in(String namespace) {
		return new View(Limits.name("namespace", namespace));
	}

	@Override
	public void close() {
		if (this.closed.compareAndSet(false, true)) {
			this.subscriptions.forEach(Backlog::close);
			this.executor.shutdown();
		}
	}

	private void checkOpen() {
		if (this.closed.get()) {
			throw new MicroException.Unavailable("the broker is closed");
		}
	}

	private final class View implements Broker {

		private final String namespace;

		View(String namespace) {
			this.namespace = namespace;
		}

		@Override
		public void publish(String topic, Message message) {
			Audience.Topic to = topic(topic);
			checkOpen();
			Audience audience = MemoryBroker.this.audience;
			audience.deliverToAll(to, message);
			for (String queue : audience.queues(to).keySet()) {
				if (!audience.deliverToOne(to, queue, message)) {
					audience.dropForOne(to, queue, 1);
				}
			}
		}

		@Override
		public BrokerSubscription subscribe(String topic, @Nullable String queue, Consumer<Message> handler) {
			Audience.Topic to = topic(topic);
			if (queue != null) {
				Limits.name("queue", queue);
			}
			checkOpen();
			Backlog subscription = new Backlog(topic, MemoryBroker.this.executor, handler, (closing) -> {
				MemoryBroker.this.audience.remove(to, queue, closing);
				MemoryBroker.this.subscriptions.remove(closing);
			});
			MemoryBroker.this.subscriptions.add(subscription);
			MemoryBroker.this.audience.add(to, queue, subscription);
			if (MemoryBroker.this.closed.get()) {
				// The closing may have come before it was there to be closed.
				subscription.close();
				checkOpen();
			}
			return subscription;
		}

		private Audience.Topic topic(String name) {
			return new Audience.Topic(this.namespace, Limits.name("topic", name));
		}

	}

}
