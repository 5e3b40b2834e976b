package mu.micro.services;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

import com.google.protobuf.InvalidProtocolBufferException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import mu.micro.Limits;
import mu.micro.Message;
import mu.micro.MicroException;
import mu.micro.Scoped;
import mu.micro.Subscription;
import mu.micro.core.NotBegun;
import mu.micro.core.Threads;
import mu.micro.events.Delivery;
import mu.micro.events.Events;
import mu.micro.events.Group;
import mu.micro.grpc.Messages;
import mu.micro.wire.events.AckRequest;
import mu.micro.wire.events.ConsumeRequest;
import mu.micro.wire.events.Event;
import mu.micro.wire.events.PublishRequest;
import mu.micro.wire.events.PublishResponse;
import mu.micro.wire.events.StreamGrpc;
import org.jspecify.annotations.Nullable;

/**
 * Publishing and consuming on the wire. A consumer is a member of its group here: each
 * event that is being handled at the client takes a thread. What a client did not
 * acknowledge when its call ends counts as not handled, and what was not sent as not
 * delivered. How many bytes of events are with all consumers together is for the events
 * to bound, which hold them: where there is no room for more, delivery waits, and a
 * consumer that has none gets one.
 * <p>
 * Handlers block and must not run on an event loop.
 *
 * @see TopicsService
 */
public final class StreamService extends StreamGrpc.StreamImplBase implements WatchedService, AutoCloseable {

	/**
	 * The name of the core service.
	 */
	public static final String NAME = "events";

	/**
	 * How many consumers there may be at a time; one more is {@code RESOURCE_EXHAUSTED}.
	 */
	public static final int MOST_CONSUMERS = 10_000;

	/**
	 * How long consumers of a server that is about to stop have to acknowledge what was
	 * sent to them.
	 */
	public static final Duration DRAINING = Duration.ofSeconds(5);

	private static final System.Logger logger = System.getLogger(StreamService.class.getName());

	private static final Duration LONGEST_ACK_WAIT = Duration.ofDays(1);

	private final Scoped<Events> events;

	private final String namespace;

	private final OpenStreams streams;

	private final Set<Consumer> consumers = ConcurrentHashMap.newKeySet();

	private final ScheduledThreadPoolExecutor timer = Threads.timer("micro-events-standing");

	private final ExecutorService executor = Threads.perTask("micro-events-leaving");

	/**
	 * Serves events.
	 * @param events where the events are; not closed by this
	 * @param namespace the namespace of calls that name none
	 */
	public StreamService(Scoped<Events> events, String namespace) {
		this(events, namespace, MOST_CONSUMERS);
	}

	StreamService(Scoped<Events> events, String namespace, int mostConsumers) {
		this.events = events;
		this.namespace = Limits.name("namespace", namespace);
		this.streams = new OpenStreams(NAME, "consumers", mostConsumers);
	}

	@Override
	public void publish(PublishRequest request, StreamObserver<PublishResponse> call) {
		Reply.with(NAME, call, () -> {
			in(request.getNamespace()).append(request.getTopic(), new Message(Messages.id(request.getId()),
					request.getMetadataMap(), request.getPayload().toByteArray()));
			return PublishResponse.getDefaultInstance();
		});
	}

	@Override
	public StreamObserver<ConsumeRequest> consume(StreamObserver<Event> call) {
		return new Consumer((ServerCallStreamObserver<Event>) call);
	}

	private Events in(String name) {
		return this.events.in((name.isEmpty()) ? this.namespace : name);
	}

	/**
	 * Has consumers end as soon as they have acknowledged what was sent to them, or
	 * {@link #DRAINING} after this, and takes no new ones until {@link #resumeWatches()}.
	 */
	@Override
	public void endWatches() {
		this.streams.refuse();
		this.consumers.forEach(Consumer::drain);
	}

	@Override
	public void resumeWatches() {
		this.streams.resume();
	}

	/**
	 * Ends all consumers for good.
	 */
	@Override
	public void close() {
		this.streams.close();
		this.timer.shutdownNow();
		this.executor.shutdown();
	}

	/**
	 * What the client of a call asked for.
	 */
	private record Asked(Events events, String topic, Group group, boolean passing, boolean autoAck, boolean acksAll,
			long every) {

		private static final Duration ACK_WAIT = Duration.ofSeconds(30);

		static Asked of(Events events, ConsumeRequest request) {
			boolean passing = request.getGroup().isEmpty();
			String name = (passing) ? "consumer-" + UUID.randomUUID() : request.getGroup();
			int most = (request.getMaxInFlight() == 0) ? 1 : request.getMaxInFlight();
			Group group = new Group(name, Messages.from(request), ackWait(request), deliveries(request), most);
			return new Asked(events, request.getTopic(), group, passing, request.getAutoAck(),
					request.getAcksAll() && !request.getAutoAck(), StandingTime.checked(request.getStandingMs()));
		}

		private static Duration ackWait(ConsumeRequest request) {
			if (request.getAutoAck()) {
				return ACK_WAIT;
			}
			Duration wait = Duration.ofNanos(request.getAckWait());
			if (wait.isNegative() || wait.isZero() || wait.compareTo(LONGEST_ACK_WAIT) > 0) {
				throw new MicroException.Invalid("ack_wait of " + request.getAckWait()
						+ " is no time of up to a day in nanoseconds; set it, or auto_ack");
			}
			return wait;
		}

		/*
		 * A client that acknowledges what it is sent does not say that it cannot handle
		 * it.
		 */
		private static int deliveries(ConsumeRequest request) {
			if (request.getMaxDeliveries() != 0) {
				return request.getMaxDeliveries();
			}
			if (request.getAutoAck() || request.getRetryLimit() < 0 || request.getRetryLimit() >= Integer.MAX_VALUE) {
				return Integer.MAX_VALUE;
			}
			return (int) request.getRetryLimit() + 1;
		}

	}

	/**
	 * One consumer. The queue, and what stands, are guarded by its stream.
	 */
	private final class Consumer implements StreamObserver<ConsumeRequest> {

		private final Map<Long, Sent> pending = new ConcurrentHashMap<>();

		private final Queue<Sent> unsent = new ArrayDeque<>();

		private final AtomicLong last = new AtomicLong();

		private @Nullable ResultStream<Event> stream;

		private @Nullable Asked asked;

		private volatile @Nullable Subscription subscription;

		private volatile boolean leaving;

		private boolean begun;

		private boolean standing;

		Consumer(ServerCallStreamObserver<Event> call) {
			StreamService.this.streams.open(call, this::next, (opened) -> {
				this.stream = opened;
				StreamService.this.consumers.add(this);
				opened.add(() -> StreamService.this.consumers.remove(this));
			});
		}

		@Override
		public void onNext(ConsumeRequest request) {
			ResultStream<Event> opened = this.stream;
			if (opened == null) {
				return;
			}
			try {
				if (this.asked != null) {
					acknowledge(opened, AckRequest.parseFrom(request.toByteString()));
					return;
				}
				Asked wanted = Asked.of(in(request.getNamespace()), request);
				this.asked = wanted;
				begin(opened, wanted);
			}
			catch (InvalidProtocolBufferException ex) {
				opened.end(new MicroException.Invalid("a message after the first is no AckRequest", ex));
			}
			catch (RuntimeException ex) {
				opened.end(ex);
			}
		}

		private void begin(ResultStream<Event> opened, Asked wanted) {
			opened.add(this::letGo);
			Subscription consuming = wanted.events.consume(wanted.topic, wanted.group,
					(delivery) -> handle(opened, wanted, delivery));
			this.subscription = consuming;
			opened.add(consuming);
			if (wanted.passing) {
				opened.add(() -> forget(wanted));
			}
			opened.update(() -> {
				this.begun = true;
				this.standing = wanted.every > 0;
			});
			if (wanted.every > 0) {
				ScheduledFuture<?> again = StreamService.this.timer.scheduleAtFixedRate(
						() -> opened.update(() -> this.standing = true), wanted.every, wanted.every,
						TimeUnit.MILLISECONDS);
				opened.add(() -> again.cancel(false));
			}
		}

		private static void forget(Asked wanted) {
			try {
				wanted.events.removeGroup(wanted.topic, wanted.group.name());
			}
			catch (MicroException ex) {
				logger.log(System.Logger.Level.DEBUG,
						"group '" + wanted.group.name() + "' is forgotten when its time is over", ex);
			}
		}

		/*
		 * Called by a thread of the events for each event.
		 */
		private void handle(ResultStream<Event> opened, Asked wanted, Delivery delivery) throws Exception {
			Sent sent = new Sent(delivery, this.last.incrementAndGet());
			this.pending.put(sent.number, sent);
			opened.update(() -> {
				// What is sent to who leaves would not be answered.
				if (this.leaving) {
					sent.recall();
				}
				else {
					this.unsent.add(sent);
				}
			});
			try {
				sent.answer.get();
			}
			catch (InterruptedException ex) {
				if (wanted.acksAll && sent.departed) {
					// It counts no more, and is at it still.
					sent.answer.handle((nothing, failure) -> null).join();
				}
				throw ex;
			}
			catch (ExecutionException ex) {
				throw (ex.getCause() instanceof Exception cause) ? cause : ex;
			}
			finally {
				opened.update(() -> this.unsent.remove(sent));
				this.pending.remove(sent.number);
			}
		}

		/*
		 * Called by the stream. The first word is that the consumer stands.
		 */
		private @Nullable Event next() {
			if (!this.begun) {
				return null;
			}
			if (this.standing) {
				this.standing = false;
				return Event.newBuilder().setStanding(true).build();
			}
			Sent sent = this.unsent.poll();
			if (sent == null) {
				return null;
			}
			sent.departed = true;
			Asked wanted = this.asked;
			if (wanted != null && wanted.autoAck) {
				sent.answer.complete(null);
			}
			return Messages.toMessage(sent.delivery, sent.number);
		}

		private void acknowledge(ResultStream<Event> opened, AckRequest ack) {
			if (ack.getLeaving()) {
				leave(opened);
				return;
			}
			Sent sent = find(ack);
			if (sent == null) {
				// It came too late.
				return;
			}
			if (ack.getSuccess()) {
				sent.answer.complete(null);
			}
			else if (ack.getReturned()) {
				sent.recall();
			}
			else {
				sent.answer.completeExceptionally(
						new NotHandled((ack.getError().isEmpty()) ? "the consumer did not handle it" : ack.getError()));
			}
		}

		private @Nullable Sent find(AckRequest ack) {
			if (ack.getDelivery() != 0) {
				return this.pending.get(ack.getDelivery());
			}
			return this.pending.values()
				.stream()
				.filter((sent) -> sent.isMeant(ack))
				.max(Comparator.comparingLong((sent) -> sent.number))
				.orElse(null);
		}

		/*
		 * Takes no more events, and ends when those that were sent have been answered.
		 */
		private void leave(ResultStream<Event> opened) {
			this.leaving = true;
			recall(opened);
			Subscription consuming = this.subscription;
			if (consuming != null) {
				execute(() -> {
					consuming.close();
					opened.complete();
				});
			}
		}

		private void recall(ResultStream<Event> opened) {
			opened.update(() -> {
				this.unsent.forEach(Sent::recall);
				this.unsent.clear();
			});
		}

		/*
		 * Has nobody wait for an acknowledgement any more.
		 */
		private void letGo() {
			this.leaving = true;
			this.pending.values()
				.forEach((sent) -> sent.answer.completeExceptionally((sent.departed)
						? new NotHandled("the consumer's call ended") : new NotBegun("the consumer's call ended")));
		}

		void drain() {
			ResultStream<Event> opened = this.stream;
			if (opened == null) {
				return;
			}
			this.leaving = true;
			recall(opened);
			Subscription consuming = this.subscription;
			execute(() -> {
				if (consuming != null) {
					consuming.close();
				}
				opened.end(StreamService.this.streams.shuttingDown());
			});
			StreamService.this.timer.schedule(
					() -> execute(() -> opened.end(StreamService.this.streams.shuttingDown())), DRAINING.toMillis(),
					TimeUnit.MILLISECONDS);
		}

		private void execute(Runnable task) {
			try {
				StreamService.this.executor.execute(task);
			}
			catch (RejectedExecutionException ex) {
				// Closed, which ends all streams.
			}
		}

		@Override
		public void onError(Throwable failure) {
			// The stream hears of it as well.
		}

		@Override
		public void onCompleted() {
			ResultStream<Event> opened = this.stream;
			Asked wanted = this.asked;
			if (opened == null || wanted != null && wanted.autoAck) {
				return;
			}
			Subscription consuming = this.subscription;
			if (wanted == null || consuming == null) {
				opened.end(new MicroException.Invalid("nothing was asked for; send what to consume"));
				return;
			}
			execute(() -> {
				letGo();
				opened.remove(consuming);
				opened.complete();
			});
		}

	}

	/**
	 * A delivery whose acknowledgement is waited for.
	 */
	private static final class Sent {

		private final Delivery delivery;

		private final long number;

		private final CompletableFuture<@Nullable Void> answer = new CompletableFuture<>();

		private volatile boolean departed;

		Sent(Delivery delivery, long number) {
			this.delivery = delivery;
			this.number = number;
		}

		void recall() {
			this.answer.completeExceptionally(new NotBegun("the consumer is leaving"));
		}

		/*
		 * By an acknowledgement that does not tell the number.
		 */
		boolean isMeant(AckRequest ack) {
			if (ack.getOffset() == 0) {
				return this.delivery.event().message().id().equals(ack.getId());
			}
			return this.delivery.event().offset() == ack.getOffset()
					&& (ack.getAttempt() == 0 || this.delivery.attempt() == ack.getAttempt());
		}

	}

	/**
	 * What the client says that went wrong, in its own words.
	 */
	private static final class NotHandled extends Exception {

		private final String error;

		NotHandled(String error) {
			super(error, null, false, false);
			this.error = error;
		}

		@Override
		public String toString() {
			return this.error;
		}

	}

}
