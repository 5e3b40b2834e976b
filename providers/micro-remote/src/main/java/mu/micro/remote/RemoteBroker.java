package mu.micro.remote;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

import io.grpc.ManagedChannel;
import mu.micro.Limits;
import mu.micro.Message;
import mu.micro.MicroException;
import mu.micro.Scoped;
import mu.micro.broker.Broker;
import mu.micro.broker.BrokerSubscription;
import mu.micro.core.Backlog;
import mu.micro.grpc.Messages;
import mu.micro.wire.broker.BrokerGrpc;
import mu.micro.wire.broker.PublishRequest;
import mu.micro.wire.broker.SubscribeRequest;
import org.jspecify.annotations.Nullable;

/**
 * The broker of a Micro server.
 * <p>
 * <strong>Publishing</strong> ends within the timeout. What did not reach the server is
 * {@link MicroException.Unavailable}; what did, and was not answered, is
 * {@link MicroException.OutcomeUnknown}: to publish it again may bring it twice.
 * <p>
 * <strong>Subscriptions</strong> outlive the server. They begin when it has answered,
 * within the timeout; while it is away they miss what is published, and go on when it is
 * back. What waits for a handler waits here; what was dropped is counted wherever that
 * was. To close one of a queue waits for the server, for the timeout at most, so that
 * nothing is sent to it any more.
 */
public final class RemoteBroker implements Scoped<Broker> {

	private final Connection server;

	private final Duration silence;

	private final Set<Subscriber> subscribers = ConcurrentHashMap.newKeySet();

	/**
	 * The broker of the server at an address. Nothing is asked before the first call.
	 * @param address the server's {@code host:port}; a host of several addresses is tried
	 * at each
	 * @param timeout how long one call may take
	 * @throws MicroException.Invalid if the address is none
	 */
	public RemoteBroker(String address, Duration timeout) {
		this(address, timeout, LastingCall.SILENCE);
	}

	RemoteBroker(String address, Duration timeout, Duration silence) {
		this.server = new Connection(address, timeout);
		this.silence = silence;
	}

	/**
	 * The broker of the server behind a channel.
	 * @param address where the channel leads, for messages
	 * @param timeout how long one call may take
	 * @param channel the channel, closed by this
	 */
	public RemoteBroker(String address, Duration timeout, ManagedChannel channel) {
		this.server = new Connection(address, timeout, channel);
		this.silence = LastingCall.SILENCE;
	}

	@Override
	public Broker in(String namespace) {
		return new View(Limits.name("namespace", namespace));
	}

	@Override
	public void close() {
		if (!this.server.leave()) {
			return;
		}
		CompletableFuture<?>[] left = this.subscribers.stream()
			.map(Subscriber::leave)
			.toArray(CompletableFuture<?>[]::new);
		Connection.awaitEnd(CompletableFuture.allOf(left), this.server.timeout());
		this.subscribers.forEach((subscriber) -> {
			subscriber.call.close();
			subscriber.close();
		});
		this.server.close();
	}

	/**
	 * A subscription that outlives the server.
	 */
	private final class Subscriber implements BrokerSubscription {

		private final boolean member;

		private final Backlog backlog;

		private final LastingCall<SubscribeRequest, mu.micro.wire.broker.Message> call;

		private final CompletableFuture<Void> live = new CompletableFuture<>();

		/**
		 * How many the server said that it dropped for the current call. Used by the call
		 * alone.
		 */
		private long told;

		Subscriber(SubscribeRequest request, Consumer<Message> handler) {
			this.member = !request.getQueue().isEmpty();
			this.backlog = new Backlog(request.getTopic(), RemoteBroker.this.server.executor(), handler, (closing) -> {
			});
			this.call = new LastingCall<>(RemoteBroker.this.server, BrokerGrpc.getSubscribeMethod(),
					LastingCall.FOR_EVER, RemoteBroker.this.silence, () -> {
						this.told = 0;
						return request;
					}, this::take, (failure) -> !this.live.completeExceptionally(failure));
		}

		private void take(mu.micro.wire.broker.Message answer, Runnable more) {
			if (answer.getDropped() > this.told) {
				this.backlog.drop(answer.getDropped() - this.told);
				this.told = answer.getDropped();
			}
			if (answer.getStanding()) {
				this.live.complete(null);
			}
			else if (!this.backlog.offer(Messages.fromMessage(answer))) {
				this.backlog.drop(1);
			}
			more.run();
		}

		/**
		 * Has the server send no more.
		 * @return done when it has heard of it
		 */
		CompletableFuture<Void> leave() {
			if (!this.member) {
				return CompletableFuture.completedFuture(null);
			}
			this.call.send(() -> SubscribeRequest.newBuilder().setLeaving(true).build());
			return this.call.finish();
		}

		@Override
		public long dropped() {
			return this.backlog.dropped();
		}

		/*
		 * What the server sends until it has heard of it is handled all the same.
		 */
		@Override
		public void close() {
			if (RemoteBroker.this.subscribers.remove(this)) {
				this.live.completeExceptionally(RemoteBroker.this.server.closed());
				Connection.awaitEnd(leave(), RemoteBroker.this.server.timeout());
				this.call.close();
			}
			this.backlog.close();
		}

	}

	private final class View implements Broker {

		private final String namespace;

		View(String namespace) {
			this.namespace = namespace;
		}

		@Override
		public void publish(String topic, Message message) {
			PublishRequest request = PublishRequest.newBuilder()
				.setNamespace(this.namespace)
				.setTopic(Limits.name("topic", topic))
				.setMessage(Messages.toMessage(message))
				.build();
			RemoteBroker.this.server.write(BrokerGrpc.getPublishMethod(), request);
		}

		@Override
		public BrokerSubscription subscribe(String topic, @Nullable String queue, Consumer<Message> handler) {
			SubscribeRequest request = SubscribeRequest.newBuilder()
				.setNamespace(this.namespace)
				.setTopic(Limits.name("topic", topic))
				.setQueue((queue != null) ? Limits.name("queue", queue) : "")
				.setStandingMs(RemoteBroker.this.silence.dividedBy(3).toMillis())
				.build();
			Subscriber subscriber = new Subscriber(request, handler);
			RemoteBroker.this.server.keep(RemoteBroker.this.subscribers, subscriber);
			subscriber.call.open();
			try {
				RemoteBroker.this.server.await(subscriber.live);
			}
			catch (MicroException ex) {
				subscriber.close();
				throw ex;
			}
			return subscriber;
		}

	}

}
