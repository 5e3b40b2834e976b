package mu.micro.spring.messaging;

import java.util.List;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

import mu.micro.Message;
import mu.micro.MicroException;
import mu.micro.broker.Broker;
import mu.micro.broker.BrokerSubscription;
import org.jspecify.annotations.Nullable;

/**
 * A broker that calls handlers in the publisher's thread.
 */
class TestBroker implements Broker {

	final List<Subscribed> subscriptions = new CopyOnWriteArrayList<>();

	volatile boolean away;

	volatile String refused = "";

	/**
	 * Whom each subscription waits for.
	 */
	volatile @Nullable CyclicBarrier barrier;

	@Override
	public void publish(String topic, Message message) {
		this.subscriptions.stream()
			.filter((each) -> each.topic.equals(topic))
			.forEach((each) -> each.handler.accept(message));
	}

	@Override
	public BrokerSubscription subscribe(String topic, @Nullable String queue, Consumer<Message> handler) {
		if (this.away) {
			throw new MicroException.Unavailable("the broker is away");
		}
		if (topic.equals(this.refused)) {
			throw new MicroException.Invalid("the topic '" + topic + "' is refused");
		}
		awaitOthers();
		Subscribed subscribed = new Subscribed(topic, queue, handler);
		this.subscriptions.add(subscribed);
		return subscribed;
	}

	private void awaitOthers() {
		CyclicBarrier barrier = this.barrier;
		if (barrier != null) {
			try {
				barrier.await(20, TimeUnit.SECONDS);
			}
			catch (InterruptedException | BrokenBarrierException | TimeoutException ex) {
				throw new MicroException.TimedOut("the broker is silent", ex);
			}
		}
	}

	final class Subscribed implements BrokerSubscription {

		final String topic;

		final @Nullable String queue;

		private final Consumer<Message> handler;

		Subscribed(String topic, @Nullable String queue, Consumer<Message> handler) {
			this.topic = topic;
			this.queue = queue;
			this.handler = handler;
		}

		@Override
		public long dropped() {
			return 0;
		}

		@Override
		public void close() {
			TestBroker.this.subscriptions.remove(this);
		}

		@Override
		public String toString() {
			return this.topic + "/" + this.queue;
		}

	}

}
