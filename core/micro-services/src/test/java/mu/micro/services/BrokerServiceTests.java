package mu.micro.services;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;

import com.google.protobuf.ByteString;
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
import io.grpc.stub.MetadataUtils;
import mu.micro.Limits;
import mu.micro.broker.Broker;
import mu.micro.grpc.Errors;
import mu.micro.memory.MemoryBroker;
import mu.micro.wire.broker.BrokerGrpc;
import mu.micro.wire.broker.Message;
import mu.micro.wire.broker.PublishRequest;
import mu.micro.wire.broker.SubscribeRequest;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

class BrokerServiceTests {

	/**
	 * As Micro v3 declares it.
	 */
	private static final MethodDescriptor<SubscribeRequest, Message> V3 = BrokerGrpc.getSubscribeMethod()
		.toBuilder()
		.setType(MethodDescriptor.MethodType.SERVER_STREAMING)
		.build();

	private final MemoryBroker memory = new MemoryBroker();

	private final Broker broker = this.memory.in("micro");

	private final List<ClientCall<?, ?>> calls = new ArrayList<>();

	private BrokerService service = new BrokerService(this.memory, "micro", Duration.ofSeconds(30), 3);

	private Server server;

	private ManagedChannel channel;

	private BrokerGrpc.BrokerBlockingStub stub;

	@BeforeEach
	void startServer() throws Exception {
		this.server = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
			.addService(this.service)
			.build()
			.start();
		this.channel = Grpc
			.newChannelBuilder("dns:///127.0.0.1:" + this.server.getPort(), InsecureChannelCredentials.create())
			.build();
		this.stub = BrokerGrpc.newBlockingStub(this.channel);
	}

	@AfterEach
	void stopServer() throws Exception {
		this.calls.forEach((call) -> call.cancel("over", null));
		this.service.close();
		this.channel.shutdownNow();
		this.server.shutdownNow().awaitTermination();
		this.memory.close();
	}

	@Test
	void aClientOfMicroV3GetsMessagesAndNothingElse() {
		Taker all = v3(SubscribeRequest.newBuilder().setTopic("t").build());
		Taker member = v3(SubscribeRequest.newBuilder().setTopic("t").setQueue("q").build());
		all.take(10);
		member.take(10);
		awaitSubscribed(all, member);
		Message message = Message.newBuilder().putHeader("k", "v").setBody(ByteString.copyFromUtf8("hello")).build();
		this.stub.publish(PublishRequest.newBuilder().setTopic("t").setMessage(message).build());
		for (Taker taker : List.of(all, member)) {
			await(() -> taker.bodies().contains("hello"));
			Message taken = taker.messages.get(taker.messages.size() - 1);
			assertThat(taken.getHeaderMap()).isEqualTo(Map.of("k", "v"));
			assertThat(taken.getId()).as("chosen by the server").isNotEmpty();
			assertThat(taker.messages).noneMatch(Message::getStanding);
		}
	}

	@Test
	void whatThePublisherProvedItselfWithIsNoHeader() {
		Taker taker = subscribe(SubscribeRequest.newBuilder().setTopic("t").setStandingMs(60_000).build());
		taker.take(10);
		await(() -> taker.messages.size() == 1);
		Metadata metadata = new Metadata();
		metadata.put(Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), "Bearer secret");
		this.stub.withInterceptors(MetadataUtils.newAttachHeadersInterceptor(metadata)).publish(publish("t", "1"));
		await(() -> taker.messages.size() == 2);
		assertThat(taker.messages.get(1).getHeaderMap()).isEmpty();
	}

	@Test
	void aNamespaceIsTheServersOwnWhereNoneIsNamed() {
		Taker other = subscribe(
				SubscribeRequest.newBuilder().setNamespace("other").setTopic("t").setStandingMs(60_000).build());
		Taker own = subscribe(
				SubscribeRequest.newBuilder().setNamespace("micro").setTopic("t").setStandingMs(60_000).build());
		other.take(10);
		own.take(10);
		await(() -> other.messages.size() == 1 && own.messages.size() == 1);
		this.stub.publish(publish("t", "own"));
		this.stub.publish(publish("t", "other").toBuilder().setNamespace("other").build());
		await(() -> other.messages.size() == 2 && own.messages.size() == 2);
		assertThat(own.bodies()).containsExactly("", "own");
		assertThat(other.bodies()).containsExactly("", "other");
	}

	@Test
	void whoAsksIsToldThatTheSubscriptionStandsAndAgain() {
		Taker taker = subscribe(SubscribeRequest.newBuilder().setTopic("t").setStandingMs(1000).build());
		taker.take(10);
		await(() -> taker.messages.size() == 2);
		assertThat(taker.messages).allMatch(Message::getStanding);
	}

	@Test
	void whatASlowClientDoesNotTakeIsDroppedAndCountedAndNobodyElseNotices() {
		Taker slow = subscribe(SubscribeRequest.newBuilder().setTopic("t").setStandingMs(60_000).build());
		Taker quick = subscribe(SubscribeRequest.newBuilder().setTopic("t").setStandingMs(60_000).build());
		slow.take(1);
		quick.take(Integer.MAX_VALUE);
		await(() -> slow.messages.size() == 1 && quick.messages.size() == 1);
		// More than the backlog and what a connection holds.
		int count = 40;
		for (int i = 1; i <= count; i++) {
			this.broker.publish("t", mu.micro.Message.of(new byte[Limits.BODY]));
			int sent = i;
			await(() -> quick.messages.size() == 1 + sent);
		}
		slow.take(Integer.MAX_VALUE);
		await(() -> slow.last().getDropped() > 0 && slow.messages.size() - 1 + slow.last().getDropped() == count);
		assertThat(slow.messages.size() - 1).isGreaterThanOrEqualTo(Limits.BATCH_BYTES / Limits.BODY);
		assertThat(quick.messages).allMatch((message) -> message.getDropped() == 0);
	}

	@Test
	void aClientThatTakesNothingForTooLongIsGivenUp() throws Exception {
		serve(Duration.ofMillis(300));
		Taker stuck = subscribe(SubscribeRequest.newBuilder().setTopic("u").setStandingMs(60_000).build());
		stuck.take(1);
		await(() -> stuck.messages.size() == 1);
		for (int i = 0; i < 10; i++) {
			this.broker.publish("u", mu.micro.Message.of(new byte[Limits.BODY]));
		}
		Awaitility.await()
			.during(Duration.ofMillis(800))
			.atMost(Duration.ofSeconds(15))
			.until(() -> stuck.messages.size() == 1);
		stuck.take(Integer.MAX_VALUE);
		await(() -> stuck.status.get() != null);
		assertThat(stuck.status.get().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
	}

	@Test
	void whoLeavesAQueueIsSentNothingOnceTheCallHasEnded() {
		SubscribeRequest request = SubscribeRequest.newBuilder()
			.setTopic("t")
			.setQueue("q")
			.setStandingMs(60_000)
			.build();
		Taker stays = subscribe(request);
		Taker leaves = subscribe(request);
		stays.take(200);
		leaves.take(200);
		await(() -> stays.messages.size() == 1 && leaves.messages.size() == 1);
		leaves.call.sendMessage(SubscribeRequest.newBuilder().setLeaving(true).build());
		await(() -> leaves.status.get() != null);
		assertThat(leaves.status.get().isOk()).isTrue();
		for (int i = 0; i < 50; i++) {
			this.stub.publish(publish("t", "m" + i));
		}
		await(() -> stays.messages.size() == 51);
	}

	@Test
	void whatIsWrongIsRefused() {
		assertThat(failure(() -> this.stub.publish(publish("", "1")))).isEqualTo(Status.Code.INVALID_ARGUMENT);
		Message large = Message.newBuilder().putHeader("k", "v".repeat(Limits.HEADERS)).build();
		assertThat(
				failure(() -> this.stub.publish(PublishRequest.newBuilder().setTopic("t").setMessage(large).build())))
			.isEqualTo(Status.Code.INVALID_ARGUMENT);
		for (SubscribeRequest request : List.of(SubscribeRequest.getDefaultInstance(),
				SubscribeRequest.newBuilder().setTopic("t").setQueue(" ").build(),
				SubscribeRequest.newBuilder().setTopic("t").setStandingMs(5).build())) {
			Taker taker = subscribe(request);
			await(() -> taker.status.get() != null);
			assertThat(taker.status.get().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
		}
		Taker silent = new Taker(this.channel.newCall(BrokerGrpc.getSubscribeMethod(), CallOptions.DEFAULT));
		silent.start();
		silent.call.halfClose();
		await(() -> silent.status.get() != null);
		assertThat(silent.status.get().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
	}

	@Test
	void subscriptionsAreBoundedAndEndWhenTheServerDrains() {
		SubscribeRequest request = SubscribeRequest.newBuilder().setTopic("t").setStandingMs(60_000).build();
		List<Taker> takers = List.of(subscribe(request), subscribe(request), subscribe(request));
		takers.forEach((taker) -> taker.take(10));
		await(() -> takers.stream().allMatch((taker) -> taker.messages.size() == 1));
		Taker more = subscribe(request);
		await(() -> more.status.get() != null);
		assertThat(more.status.get().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
		this.service.endWatches();
		await(() -> takers.stream().allMatch((taker) -> taker.status.get() != null));
		assertThat(takers).allMatch((taker) -> taker.status.get().getCode() == Status.Code.UNAVAILABLE);
		Taker early = subscribe(request);
		await(() -> early.status.get() != null);
		this.service.resumeWatches();
		Taker again = subscribe(request);
		again.take(1);
		await(() -> again.messages.size() == 1);
	}

	@Test
	void anErrorIsTheBrokersOwn() {
		StatusRuntimeException ex = catchThrowableOfType(StatusRuntimeException.class,
				() -> this.stub.publish(publish(" ", "1")));
		assertThat(Errors.read("", ex.getStatus(), ex.getTrailers()).getId()).isEqualTo("broker");
	}

	private void serve(Duration patience) throws Exception {
		this.service.close();
		this.channel.shutdownNow();
		this.server.shutdownNow().awaitTermination();
		this.service = new BrokerService(this.memory, "micro", patience, 3);
		startServer();
	}

	/*
	 * A client of v3 is not told when it is subscribed.
	 */
	private void awaitSubscribed(Taker... takers) {
		for (Taker taker : takers) {
			await(() -> {
				this.stub.publish(publish("t", "are you there?"));
				return !taker.messages.isEmpty();
			});
		}
	}

	private Taker v3(SubscribeRequest request) {
		Taker taker = new Taker(this.channel.newCall(V3, CallOptions.DEFAULT));
		this.calls.add(taker.call);
		taker.start();
		taker.call.sendMessage(request);
		taker.call.halfClose();
		return taker;
	}

	private Taker subscribe(SubscribeRequest request) {
		Taker taker = new Taker(this.channel.newCall(BrokerGrpc.getSubscribeMethod(), CallOptions.DEFAULT));
		this.calls.add(taker.call);
		taker.start();
		taker.call.sendMessage(request);
		return taker;
	}

	private static PublishRequest publish(String topic, String body) {
		return PublishRequest.newBuilder()
			.setTopic(topic)
			.setMessage(Message.newBuilder().setBody(ByteString.copyFromUtf8(body)))
			.build();
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
	 * A client that takes as many messages as it is told to.
	 */
	private static final class Taker extends ClientCall.Listener<Message> {

		private final ClientCall<SubscribeRequest, Message> call;

		private final List<Message> messages = new CopyOnWriteArrayList<>();

		private final AtomicReference<Status> status = new AtomicReference<>();

		Taker(ClientCall<SubscribeRequest, Message> call) {
			this.call = call;
		}

		void start() {
			this.call.start(this, new Metadata());
		}

		void take(int count) {
			this.call.request(count);
		}

		Message last() {
			return this.messages.get(this.messages.size() - 1);
		}

		List<String> bodies() {
			return this.messages.stream().map((message) -> message.getBody().toString(StandardCharsets.UTF_8)).toList();
		}

		@Override
		public void onMessage(Message message) {
			this.messages.add(message);
		}

		@Override
		public void onClose(Status status, Metadata trailers) {
			this.status.set(status);
		}

	}

}
