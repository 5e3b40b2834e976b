package mu.micro.services;

import java.time.Duration;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import mu.micro.Limits;
import mu.micro.MicroException;
import mu.micro.Scoped;
import mu.micro.broker.Broker;
import mu.micro.broker.BrokerSubscription;
import mu.micro.core.Threads;
import mu.micro.grpc.Messages;
import mu.micro.wire.broker.BrokerGrpc;
import mu.micro.wire.broker.Empty;
import mu.micro.wire.broker.Message;
import mu.micro.wire.broker.PublishRequest;
import mu.micro.wire.broker.SubscribeRequest;
import org.jspecify.annotations.Nullable;

/**
 * The broker on the wire. Nothing is held for a client that is slow: what it does not
 * take waits at the provider, which drops what is too much and counts it; who takes
 * nothing for a minute is given up with {@code RESOURCE_EXHAUSTED}. Of a call's own
 * metadata nothing gets into a message.
 * <p>
 * Handlers block and must not run on an event loop.
 */
public final class BrokerService extends BrokerGrpc.BrokerImplBase implements WatchedService, AutoCloseable {

	/**
	 * The name of the core service.
	 */
	public static final String NAME = "broker";

	/**
	 * How many subscriptions there may be at a time; one more is
	 * {@code RESOURCE_EXHAUSTED}.
	 */
	public static final int MOST_SUBSCRIPTIONS = 10_000;

	/**
	 * How long a client may take nothing while there is something to tell.
	 */
	public static final Duration PATIENCE = Duration.ofMinutes(1);

	private final Scoped<Broker> brokers;

	private final String namespace;

	private final Duration patience;

	private final OpenStreams subscriptions;

	private final ScheduledThreadPoolExecutor timer = Threads.timer("micro-broker-standing");

	/**
	 * Serves brokers.
	 * @param brokers who has the messages; not closed by this
	 * @param namespace the namespace of calls that name none
	 */
	public BrokerService(Scoped<Broker> brokers, String namespace) {
		this(brokers, namespace, PATIENCE, MOST_SUBSCRIPTIONS);
	}

	BrokerService(Scoped<Broker> brokers, String namespace, Duration patience, int mostSubscriptions) {
		this.brokers = brokers;
		this.namespace = Limits.name("namespace", namespace);
		this.patience = patience;
		this.subscriptions = new OpenStreams(NAME, "subscriptions", mostSubscriptions);
	}

	@Override
	public void publish(PublishRequest request, StreamObserver<Empty> call) {
		Reply.with(NAME, call, () -> {
			in(request.getNamespace()).publish(request.getTopic(), Messages.fromMessage(request.getMessage()));
			return Empty.getDefaultInstance();
		});
	}

	@Override
	public StreamObserver<SubscribeRequest> subscribe(StreamObserver<Message> call) {
		return new Subscriber((ServerCallStreamObserver<Message>) call);
	}

	private Broker in(String name) {
		return this.brokers.in((name.isEmpty()) ? this.namespace : name);
	}

	@Override
	public void endWatches() {
		this.subscriptions.end();
	}

	@Override
	public void resumeWatches() {
		this.subscriptions.resume();
	}

	/**
	 * Ends all subscriptions for good.
	 */
	@Override
	public void close() {
		this.subscriptions.close();
		this.timer.shutdownNow();
	}

	/**
	 * One subscription.
	 */
	private final class Subscriber implements StreamObserver<SubscribeRequest> {

		private final Handover<Message> messages = new Handover<>(BrokerService.this.patience);

		private @Nullable ResultStream<Message> stream;

		private boolean begun;

		private @Nullable BrokerSubscription subscription;

		private boolean standing;

		Subscriber(ServerCallStreamObserver<Message> call) {
			BrokerService.this.subscriptions.open(call, this::next, (opened) -> this.stream = opened);
		}

		@Override
		public void onNext(SubscribeRequest request) {
			ResultStream<Message> opened = this.stream;
			if (opened == null) {
				return;
			}
			if (this.begun) {
				if (request.getLeaving()) {
					leave(opened);
				}
				return;
			}
			this.begun = true;
			try {
				begin(opened, request);
			}
			catch (RuntimeException ex) {
				opened.end(ex);
			}
		}

		private void begin(ResultStream<Message> opened, SubscribeRequest request) {
			long every = StandingTime.checked(request.getStandingMs());
			String queue = (request.getQueue().isEmpty()) ? null : request.getQueue();
			opened.add(this.messages);
			BrokerSubscription subscribed = in(request.getNamespace()).subscribe(request.getTopic(), queue,
					(message) -> this.messages.offer(opened, Messages.toMessage(message)));
			opened.add(subscribed);
			opened.update(() -> {
				this.subscription = subscribed;
				this.standing = every > 0;
			});
			if (every > 0) {
				ScheduledFuture<?> again = BrokerService.this.timer.scheduleAtFixedRate(
						() -> opened.update(() -> this.standing = true), every, every, TimeUnit.MILLISECONDS);
				opened.add(() -> again.cancel(false));
			}
		}

		private void leave(ResultStream<Message> opened) {
			BrokerSubscription subscribed = this.subscription;
			if (subscribed != null) {
				opened.remove(this.messages);
				opened.remove(subscribed);
				opened.complete();
			}
		}

		/*
		 * Called by the stream. The first word is that the subscription stands, though a
		 * message may be faster.
		 */
		private @Nullable Message next() {
			BrokerSubscription subscribed = this.subscription;
			if (subscribed == null) {
				return null;
			}
			Message message = (this.standing) ? Message.newBuilder().setStanding(true).build() : this.messages.take();
			this.standing = false;
			return (message != null) ? message.toBuilder().setDropped(subscribed.dropped()).build() : null;
		}

		@Override
		public void onError(Throwable failure) {
			// The stream hears of it as well.
		}

		@Override
		public void onCompleted() {
			ResultStream<Message> opened = this.stream;
			if (opened != null && !this.begun) {
				opened.end(new MicroException.Invalid("nothing was asked for; send what to subscribe to"));
			}
		}

	}

}
