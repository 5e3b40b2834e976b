package mu.micro.services;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyServerBuilder;
import mu.micro.Limits;
import mu.micro.Message;
import mu.micro.events.Events;
import mu.micro.events.GroupState;
import mu.micro.events.Retention;
import mu.micro.grpc.Frames;
import mu.micro.memory.MemoryEvents;
import mu.micro.tck.TestClock;
import mu.micro.wire.events.AckRequest;
import mu.micro.wire.events.Append;
import mu.micro.wire.events.AppendRequest;
import mu.micro.wire.events.ApplyRequest;
import mu.micro.wire.events.ConsumeRequest;
import mu.micro.wire.events.Event;
import mu.micro.wire.events.PublishRequest;
import mu.micro.wire.events.ReadRequest;
import mu.micro.wire.events.StoreGrpc;
import mu.micro.wire.events.StreamGrpc;
import mu.micro.wire.events.TopicsGrpc;
import mu.micro.wire.events.WriteRequest;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

class StreamServiceTests {

	/**
	 * As Micro v3's clients use it, whatever it is declared as.
	 */
	private static final MethodDescriptor<byte[], byte[]> CONSUME = Frames.method("events.Stream/Consume",
			MethodDescriptor.MethodType.BIDI_STREAMING);

	private static final long HOUR = TimeUnit.HOURS.toNanos(1);

	private final TestClock clock = TestClock.running();

	private final MemoryEvents memory = new MemoryEvents(this.clock, Retention.DEFAULT);

	private final Events events = this.memory.in("micro");

	private final StreamService service = new StreamService(this.memory, "micro", 3);

	private final List<Consumer> consumers = new ArrayList<>();

	private Server server;

	private ManagedChannel channel;

	private StreamGrpc.StreamBlockingStub stub;

	private StoreGrpc.StoreBlockingStub store;

	private TopicsGrpc.TopicsBlockingStub topics;

	@BeforeEach
	void startServer() throws Exception {
		this.server = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
			.addService(this.service)
			.addService(new EventStoreService(this.memory, "micro"))
			.addService(new TopicsService(this.memory, null, "micro"))
			.build()
			.start();
		this.channel = Grpc
			.newChannelBuilder("dns:///127.0.0.1:" + this.server.getPort(), InsecureChannelCredentials.create())
			.maxInboundMessageSize(64 * 1024 * 1024)
			.build();
		this.stub = StreamGrpc.newBlockingStub(this.channel);
		this.store = StoreGrpc.newBlockingStub(this.channel);
		this.topics = TopicsGrpc.newBlockingStub(this.channel);
	}

	@AfterEach
	void stopServer() throws Exception {
		this.consumers.forEach((consumer) -> consumer.call.cancel("over", null));
		this.service.close();
		this.channel.shutdownNow();
		this.server.shutdownNow().awaitTermination();
		this.memory.close();
	}

	// Micro v3's clients.

	@Test
	void aV3ClientThatAcknowledgesNothingGetsWhatIsPublishedFromNowOn() {
		this.stub.publish(publish("before"));
		Consumer consumer = consume(ConsumeRequest.newBuilder().setTopic("t").setAutoAck(true));
		consumer.call.halfClose();
		await(() -> this.events.groups("t").size() == 1);
		this.stub.publish(publish("one").toBuilder().putMetadata("k", "v").setTimestamp(7).build());
		this.stub.publish(publish("two"));
		await(() -> consumer.bodies().equals(List.of("one", "two")));
		Event event = consumer.events.get(0);
		mu.micro.events.Event kept = this.events.read("t", 2, 1).get(0);
		assertThat(event.getTopic()).isEqualTo("t");
		assertThat(event.getId()).isNotEmpty().isEqualTo(kept.message().id());
		assertThat(event.getMetadataMap()).isEqualTo(Map.of("k", "v"));
		assertThat(event.getTimestamp()).isEqualTo(kept.time().getEpochSecond());
		assertThat(event.getOffset()).isEqualTo(2);
		assertThat(event.getAttempt()).isEqualTo(1);
		assertThat(event.hasError()).isFalse();
		await(() -> this.events.groups("t").get(0).next() == 4);
		consumer.call.cancel("enough", null);
		// A group that nobody named is of no use to anybody later.
		await(() -> this.events.groups("t").isEmpty());
	}

	@Test
	void aV3ClientAcknowledgesByIdOnTheSameCall() {
		Consumer consumer = consume(manual().setGroup("g").setRetryLimit(-1));
		await(() -> this.events.groups("t").size() == 1);
		this.stub.publish(publish("one"));
		this.stub.publish(publish("two"));
		await(() -> consumer.events.size() == 1);
		consumer.send(AckRequest.newBuilder().setId(consumer.events.get(0).getId()).setSuccess(true));
		await(() -> consumer.events.size() == 2);
		consumer.send(AckRequest.newBuilder().setId(consumer.events.get(1).getId()));
		await(() -> consumer.events.size() == 3);
		assertThat(consumer.bodies()).containsExactly("one", "two", "two");
		assertThat(consumer.events.get(2).getAttempt()).isEqualTo(2);
		consumer.send(AckRequest.newBuilder().setId("unknown").setSuccess(true));
		consumer.send(AckRequest.newBuilder().setId(consumer.events.get(2).getId()).setSuccess(true));
		await(() -> this.events.groups("t").equals(List.of(new GroupState("g", 3, 0, 0))));
	}

	@Test
	void whatIsNotAcknowledgedComesAgainAsOftenAsTheRetryLimitSays() {
		Consumer consumer = consume(
				manual().setGroup("g").setRetryLimit(1).setAckWait(TimeUnit.MILLISECONDS.toNanos(300)));
		await(() -> this.events.groups("t").size() == 1);
		this.stub.publish(publish("one"));
		await(() -> !this.events.read("t" + Events.DEAD, 1, 1).isEmpty());
		assertThat(consumer.bodies()).containsExactly("one", "one");
	}

	@Test
	void aGroupBeginsWithASecond() {
		this.stub.publish(publish("old"));
		this.clock.advance(Duration.ofMinutes(1));
		this.stub.publish(publish("new"));
		long second = this.events.read("t", 2, 1).get(0).time().getEpochSecond();
		Consumer consumer = consume(ConsumeRequest.newBuilder().setTopic("t").setAutoAck(true).setOffset(second));
		await(() -> !consumer.events.isEmpty());
		assertThat(consumer.bodies()).containsExactly("new");
	}

	@Test
	void theStoreReadsTheOldestFirstAndSkips() {
		for (int i = 1; i <= 300; i++) {
			this.events.append("t", Message.of(String.valueOf(i).getBytes(StandardCharsets.UTF_8)));
		}
		List<Event> some = read(ReadRequest.newBuilder());
		assertThat(some).hasSize(250);
		assertThat(some.get(0).getPayload().toStringUtf8()).isEqualTo("1");
		assertThat(read(ReadRequest.newBuilder().setOffset(298).setLimit(10))).extracting(Event::getOffset)
			.containsExactly(299L, 300L);
		assertThat(read(ReadRequest.newBuilder().setLimit(-1))).hasSize(300);
		assertThat(read(ReadRequest.newBuilder().setOffset(300))).isEmpty();
		assertThat(read(ReadRequest.newBuilder().setOffset(-1))).isEmpty();
		assertThat(this.store.read(ReadRequest.newBuilder().setTopic("none").build()).getEventsList()).isEmpty();
	}

	@Test
	void anAnswerOfTheStoreIsBounded() {
		for (int i = 0; i < 40; i++) {
			this.events.append("t", Message.of(new byte[Limits.BODY]));
		}
		assertThat(failure(() -> read(ReadRequest.newBuilder()))).isEqualTo(Status.Code.INVALID_ARGUMENT);
		assertThat(read(ReadRequest.newBuilder().setLimit(30))).hasSize(30);
		assertThat(read(ReadRequest.newBuilder().setLimit(30).setOffset(30))).hasSize(10);
	}

	@Test
	void theStoreIsNotWrittenTo() {
		assertThat(failure(() -> this.store.write(WriteRequest.getDefaultInstance())))
			.isEqualTo(Status.Code.UNIMPLEMENTED);
	}

	// What was added.

	@Test
	void anEventPublishedTwiceUnderOneIdIsOne() {
		this.stub.publish(publish("one").toBuilder().setId("id").build());
		this.stub.publish(publish("again").toBuilder().setId("id").build());
		this.stub.publish(publish("other").toBuilder().setId("id").setNamespace("other").build());
		assertThat(this.events.read("t", 1, 10)).hasSize(1);
		assertThat(this.memory.in("other").read("t", 1, 10)).hasSize(1);
	}

	@Test
	void whoAsksIsToldThatTheConsumerStandsAndAgain() {
		this.events.append("t", message("one"));
		Consumer consumer = consume(manual().setGroup("g").setFromOffset(1).setStandingMs(1000));
		await(() -> consumer.events.size() >= 3);
		assertThat(consumer.events.get(0).getStanding()).isTrue();
		assertThat(consumer.events.get(1).getStanding()).isFalse();
		assertThat(consumer.events.get(2).getStanding()).isTrue();
	}

	@Test
	void anErrorIsToldWithTheNextDelivery() {
		this.events.append("t", message("one"));
		Consumer consumer = consume(manual().setGroup("g").setFromOffset(1).setMaxDeliveries(5));
		await(() -> consumer.events.size() == 1);
		consumer.send(AckRequest.newBuilder().setOffset(1).setAttempt(1).setError("no disk"));
		await(() -> consumer.events.size() == 2);
		assertThat(consumer.events.get(1).getError()).isEqualTo("no disk");
	}

	@Test
	void whatABrokenCallDidNotAcknowledgeGoesBackAtOnce() {
		for (String text : List.of("1", "2", "3")) {
			this.events.append("t", message(text));
		}
		ConsumeRequest.Builder request = manual().setGroup("g").setFromOffset(1).setMaxInFlight(2).setRetryLimit(-1);
		Consumer first = consume(request);
		await(() -> first.events.size() == 2);
		first.call.cancel("broken", null);
		Consumer second = consume(request.setMaxInFlight(3));
		await(() -> second.events.size() == 3);
		assertThat(second.events).filteredOn((event) -> event.getOffset() < 3)
			.allMatch((event) -> event.getAttempt() == 2 && event.getError().contains("ended"));
		assertThat(second.events).filteredOn((event) -> event.getOffset() == 3)
			.allMatch((event) -> event.getAttempt() == 1);
	}

	@Test
	void whatWasNotSentWasNotDelivered() {
		for (int i = 0; i < 10; i++) {
			this.events.append("t", Message.of(new byte[Limits.BODY]));
		}
		ConsumeRequest.Builder request = manual().setGroup("g").setFromOffset(1).setMaxInFlight(10).setRetryLimit(-1);
		Consumer stuck = new Consumer();
		stuck.start(request.build());
		await(() -> this.events.groups("t").equals(List.of(new GroupState("g", 1, 10, 0))));
		stuck.call.cancel("broken", null);
		Consumer second = consume(request);
		await(() -> second.events.size() == 10);
		// At most what the connection had room for went.
		assertThat(second.events).filteredOn((event) -> event.getAttempt() == 1).hasSizeGreaterThan(5);
	}

	@Test
	void whoLeavesIsSentNoMoreAndTheCallEndsWithTheLastAcknowledgement() {
		for (String text : List.of("1", "2", "3")) {
			this.events.append("t", message(text));
		}
		Consumer consumer = consume(manual().setGroup("g").setFromOffset(1).setMaxInFlight(2));
		await(() -> consumer.events.size() == 2);
		consumer.send(AckRequest.newBuilder().setLeaving(true));
		consumer.send(AckRequest.newBuilder().setOffset(1).setAttempt(1).setSuccess(true));
		await(() -> this.events.groups("t").get(0).next() == 2);
		assertThat(consumer.status.get()).isNull();
		consumer.send(AckRequest.newBuilder().setOffset(2).setReturned(true));
		await(() -> consumer.status.get() != null);
		assertThat(consumer.status.get().isOk()).isTrue();
		assertThat(consumer.events).hasSize(2);
		assertThat(this.events.groups("t")).containsExactly(new GroupState("g", 2, 0, 2));
		Consumer next = consume(manual().setGroup("g"));
		await(() -> next.events.size() == 1);
		assertThat(next.events.get(0).getAttempt()).isEqualTo(1);
	}

	@Test
	void aClientThatPromisesToAnswerAllIsSentNothingInPlaceOfWhatItHangsOn() {
		this.events.append("t", message("1"));
		ConsumeRequest.Builder request = manual().setGroup("g")
			.setFromOffset(1)
			.setAckWait(TimeUnit.MILLISECONDS.toNanos(300))
			.setMaxDeliveries(10);
		Consumer hanging = consume(request.setAcksAll(true));
		await(() -> hanging.events.size() == 1);
		Consumer living = consume(request);
		await(() -> living.events.size() == 1);
		assertThat(living.events.get(0).getAttempt()).isEqualTo(2);
		living.send(AckRequest.newBuilder().setOffset(1).setSuccess(true));
		await(() -> this.events.groups("t").get(0).next() == 2);
		living.call.cancel("enough", null);
		this.events.append("t", message("2"));
		Awaitility.await()
			.during(Duration.ofSeconds(1))
			.atMost(Duration.ofSeconds(15))
			.until(() -> hanging.events.size() == 1);
		hanging.send(AckRequest.newBuilder().setOffset(1).setAttempt(1));
		await(() -> hanging.events.size() == 2);
		assertThat(hanging.bodies()).containsExactly("1", "2");
	}

	@Test
	void consumersOfAServerThatDrainsMayFinishWhatTheyHave() {
		this.events.append("t", message("1"));
		this.events.append("t", message("2"));
		Consumer busy = consume(manual().setGroup("g").setFromOffset(1));
		Consumer idle = consume(manual().setGroup("idle"));
		await(() -> busy.events.size() == 1 && this.events.groups("t").size() == 2);
		this.service.endWatches();
		await(() -> idle.status.get() != null);
		assertThat(idle.status.get().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
		busy.send(AckRequest.newBuilder().setOffset(1).setSuccess(true));
		await(() -> busy.status.get() != null);
		assertThat(busy.status.get().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
		assertThat(busy.events).hasSize(1);
		assertThat(this.events.groups("t").get(0)).isEqualTo(new GroupState("g", 2, 0, 1));
		Consumer early = consume(manual().setGroup("g"));
		await(() -> early.status.get() != null);
		assertThat(early.status.get().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
		this.service.resumeWatches();
		Consumer again = consume(manual().setGroup("g"));
		await(() -> again.events.size() == 1);
	}

	@Test
	void aConsumerOfAServerThatDrainsHasNotForEver() {
		this.events.append("t", message("1"));
		Consumer busy = consume(manual().setGroup("g").setFromOffset(1));
		await(() -> busy.events.size() == 1);
		this.service.endWatches();
		await(() -> busy.status.get() != null);
		assertThat(busy.status.get().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
	}

	@Test
	void consumersAreBounded() {
		for (int i = 0; i < 3; i++) {
			consume(manual().setGroup("g" + i));
		}
		await(() -> this.events.groups("t").size() == 3);
		Consumer more = consume(manual().setGroup("more"));
		await(() -> more.status.get() != null);
		assertThat(more.status.get().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
	}

	@Test
	void whatIsWrongIsRefused() {
		for (ConsumeRequest.Builder request : List.of(ConsumeRequest.newBuilder(),
				ConsumeRequest.newBuilder().setTopic("t"), manual().setAckWait(-1), manual().setAckWait(25 * HOUR),
				manual().setOffset(-1), manual().setMaxInFlight(1001), manual().setMaxDeliveries(-1),
				manual().setStandingMs(5), manual().setFromOffset(-1))) {
			Consumer consumer = consume(request);
			await(() -> consumer.status.get() != null);
			assertThat(consumer.status.get().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
		}
		Consumer silent = new Consumer();
		silent.call.start(silent, new Metadata());
		silent.call.halfClose();
		await(() -> silent.status.get() != null);
		assertThat(silent.status.get().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
		assertThat(failure(() -> this.stub.publish(PublishRequest.getDefaultInstance())))
			.isEqualTo(Status.Code.INVALID_ARGUMENT);
		assertThat(failure(() -> this.topics
			.append(AppendRequest.newBuilder().setAppend(Append.newBuilder().setTopic("t")).build())))
			.as("without an id")
			.isEqualTo(Status.Code.INVALID_ARGUMENT);
	}

	@Test
	void whereStoreAndEventsAreNotInOnePlaceThereIsNoOutbox() {
		ApplyRequest request = ApplyRequest.newBuilder()
			.addAppends(Append.newBuilder().setTopic("t").setId("id"))
			.build();
		assertThat(failure(() -> this.topics.apply(request))).isEqualTo(Status.Code.UNIMPLEMENTED);
		assertThat(this.events.topics()).isEmpty();
	}

	private List<Event> read(ReadRequest.Builder request) {
		return this.store.read(request.setTopic("t").build()).getEventsList();
	}

	private static PublishRequest publish(String text) {
		return PublishRequest.newBuilder().setTopic("t").setPayload(ByteString.copyFromUtf8(text)).build();
	}

	private static Message message(String text) {
		return Message.of(text.getBytes(StandardCharsets.UTF_8));
	}

	private static ConsumeRequest.Builder manual() {
		return ConsumeRequest.newBuilder().setTopic("t").setAckWait(HOUR);
	}

	private Consumer consume(ConsumeRequest.Builder request) {
		Consumer consumer = new Consumer();
		consumer.start(request.build());
		consumer.call.request(Integer.MAX_VALUE);
		return consumer;
	}

	private static Status.Code failure(Runnable call) {
		return catchThrowableOfType(StatusRuntimeException.class, call::run).getStatus().getCode();
	}

	private static void await(BooleanSupplier condition) {
		Awaitility.await()
			.atMost(Duration.ofSeconds(15))
			.pollInterval(Duration.ofMillis(10))
			.until(condition::getAsBoolean);
	}

	/**
	 * A client that knows messages as bytes.
	 */
	private final class Consumer extends ClientCall.Listener<byte[]> {

		private final ClientCall<byte[], byte[]> call = StreamServiceTests.this.channel.newCall(CONSUME,
				CallOptions.DEFAULT);

		private final List<Event> events = new CopyOnWriteArrayList<>();

		private final AtomicReference<Status> status = new AtomicReference<>();

		Consumer() {
			StreamServiceTests.this.consumers.add(this);
		}

		void start(MessageLite request) {
			this.call.start(this, new Metadata());
			this.call.sendMessage(request.toByteArray());
		}

		void send(AckRequest.Builder ack) {
			this.call.sendMessage(ack.build().toByteArray());
		}

		List<String> bodies() {
			return this.events.stream().map((event) -> event.getPayload().toStringUtf8()).toList();
		}

		@Override
		public void onMessage(byte[] message) {
			try {
				this.events.add(Event.parseFrom(message));
			}
			catch (InvalidProtocolBufferException ex) {
				throw new IllegalStateException(ex);
			}
		}

		@Override
		public void onClose(Status status, Metadata trailers) {
			this.status.set(status);
		}

	}

}
