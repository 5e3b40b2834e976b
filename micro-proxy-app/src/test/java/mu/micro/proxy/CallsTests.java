package mu.micro.proxy;

import java.time.Duration;
import java.util.Iterator;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

import com.google.protobuf.ByteString;
import io.grpc.CallOptions;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import io.micrometer.core.instrument.search.MeterNotFoundException;
import io.netty.handler.codec.http2.Http2Headers;
import mu.micro.proxy.trial.Ball;
import mu.micro.proxy.trial.TrialGrpc;
import mu.micro.registry.Instance;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

class CallsTests {

	private static final Metadata.Key<String> TEXT = key("x-text");

	private static final Metadata.Key<byte[]> BINARY = Metadata.Key.of("x-binary-bin", Metadata.BINARY_BYTE_MARSHALLER);

	private final TrialService trial = new TrialService();

	private Stage stage;

	@BeforeEach
	void open() throws Exception {
		this.stage = new Stage();
		this.stage.start("trial", this.trial, this.trial);
	}

	@AfterEach
	void close() throws Exception {
		this.stage.close();
	}

	private static Metadata.Key<String> key(String name) {
		return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
	}

	private static Ball ball(int number) {
		return Ball.newBuilder().setNumber(number).build();
	}

	private TrialGrpc.TrialBlockingStub blocking(String... headers) {
		Metadata metadata = new Metadata();
		for (int i = 0; i < headers.length; i += 2) {
			metadata.put(key(headers[i]), headers[i + 1]);
		}
		return TrialGrpc.newBlockingStub(this.stage.front)
			.withInterceptors(MetadataUtils.newAttachHeadersInterceptor(metadata));
	}

	private TrialGrpc.TrialStub async() {
		return TrialGrpc.newStub(this.stage.front);
	}

	private StatusRuntimeException fails(TrialGrpc.TrialBlockingStub stub) {
		return catchThrowableOfType(StatusRuntimeException.class, () -> stub.unary(ball(1)));
	}

	@Test
	void passesAUnaryCall() {
		assertThat(blocking().unary(ball(7)).getNumber()).isEqualTo(7);
	}

	@Test
	void passesAServerStream() {
		Iterator<Ball> balls = blocking().down(ball(1000));
		IntStream.range(0, 1000).forEach((i) -> assertThat(balls.next().getNumber()).isEqualTo(i));
		assertThat(balls.hasNext()).isFalse();
	}

	@Test
	void passesAClientStream() {
		Catcher<Ball> answers = new Catcher<>();
		StreamObserver<Ball> balls = async().up(answers);
		IntStream.range(0, 1000).forEach((i) -> balls.onNext(ball(i)));
		balls.onCompleted();
		assertThat(answers.status()).isEqualTo(Status.Code.OK);
		assertThat(answers.messages).containsExactly(ball(1000));
	}

	@Test
	void passesAThousandMessagesBothWaysInOrder() {
		Catcher<Ball> answers = new Catcher<>();
		StreamObserver<Ball> balls = async().both(answers);
		IntStream.range(0, 1000).forEach((i) -> balls.onNext(ball(i)));
		balls.onCompleted();
		assertThat(answers.status()).isEqualTo(Status.Code.OK);
		assertThat(answers.messages).extracting(Ball::getNumber)
			.containsExactlyElementsOf(IntStream.range(0, 1000).boxed().toList());
	}

	@Test
	void answersEachMessageBeforeTheNextIsSent() {
		Catcher<Ball> answers = new Catcher<>();
		StreamObserver<Ball> balls = async().both(answers);
		for (int i = 1; i <= 20; i++) {
			balls.onNext(ball(i));
			answers.awaitMessages(i);
		}
		balls.onCompleted();
		assertThat(answers.status()).isEqualTo(Status.Code.OK);
	}

	@Test
	void passesAStreamWithoutMessages() {
		Catcher<Ball> answers = new Catcher<>();
		async().both(answers).onCompleted();
		assertThat(answers.status()).isEqualTo(Status.Code.OK);
		assertThat(answers.messages).isEmpty();
	}

	@Test
	void passesTwentyMegabytesInOneMessage() {
		byte[] body = new byte[20 << 20];
		new Random(1).nextBytes(body);
		Ball ball = Ball.newBuilder().setBody(ByteString.copyFrom(body)).build();
		assertThat(blocking().unary(ball)).isEqualTo(ball);
	}

	@Test
	void passesMessagesOfAllSizesAroundTheLimitForCopying() {
		for (int size : new int[] { 0, 1, 16_000, 16_384, 16_385, 100_000, 1 << 20 }) {
			Ball ball = Ball.newBuilder().setBody(ByteString.copyFrom(new byte[size])).build();
			assertThat(blocking().unary(ball)).isEqualTo(ball);
		}
	}

	@Test
	void passesCompressedMessages() {
		Ball ball = Ball.newBuilder().setBody(ByteString.copyFrom(new byte[100_000])).build();
		assertThat(blocking().withCompression("gzip").unary(ball)).isEqualTo(ball);
	}

	@Test
	void refusesAMessageOverTheLimit() {
		Ball ball = Ball.newBuilder().setBody(ByteString.copyFrom(new byte[33 << 20])).build();
		StatusRuntimeException ex = catchThrowableOfType(StatusRuntimeException.class, () -> blocking().unary(ball));
		assertThat(ex.getStatus().getCode()).as(ex.toString()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
		assertThat(blocking().unary(ball(1)).getNumber()).isEqualTo(1);
	}

	@Test
	void passesHeadersTrailersAndRichErrors() throws Exception {
		Metadata.Key<String> trailer = key("x-trailer");
		com.google.rpc.Status rich = com.google.rpc.Status.newBuilder()
			.setCode(Status.Code.ABORTED.value())
			.setMessage("try äöü again")
			.addDetails(com.google.protobuf.Any.pack(ball(9)))
			.build();
		this.stage.start("trial.Trial", new TrialGrpc.TrialImplBase() {

			@Override
			public void unary(Ball request, StreamObserver<Ball> out) {
				StatusRuntimeException ex = StatusProto.toStatusRuntimeException(rich);
				ex.getTrailers().put(trailer, "tail");
				ex.getTrailers().put(BINARY, new byte[] { 0, -1, 7 });
				out.onError(ex);
			}

		});
		StatusRuntimeException ex = fails(blocking());
		assertThat(StatusProto.fromThrowable(ex)).isEqualTo(rich);
		assertThat(ex.getTrailers().get(trailer)).isEqualTo("tail");
		assertThat(ex.getTrailers().get(BINARY)).containsExactly(0, -1, 7);
	}

	@Test
	void keepsAServicesOwnWordsWhenItSaysUnavailableInMidStream() throws Exception {
		this.stage.start("trial.Trial", new TrialGrpc.TrialImplBase() {

			@Override
			public void down(Ball request, StreamObserver<Ball> out) {
				out.onNext(request);
				out.onError(Status.UNAVAILABLE.withDescription("closed for lunch").asException());
			}

		});
		Catcher<Ball> answers = new Catcher<>();
		async().down(ball(1), answers);
		assertThat(answers.failure()).hasMessage("UNAVAILABLE: closed for lunch");
		assertThat(answers.messages).hasSize(1);
	}

	@Test
	void passesHeadersBothWaysButThoseThatEndHere() {
		Metadata headers = new Metadata();
		headers.put(TEXT, "one");
		headers.put(TEXT, "two");
		headers.put(BINARY, new byte[] { 1, 0, -128 });
		headers.put(Headers.SERVICE, "trial");
		headers.put(Headers.INSTANCE, "trial-0");
		headers.put(key("micro-namespace"), "somebody-elses");
		headers.put(key("proxy-authorization"), "Basic x");
		TrialGrpc.newBlockingStub(this.stage.front)
			.withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers))
			.unary(ball(1));
		Metadata received = this.trial.headers.get();
		assertThat(received.getAll(TEXT)).containsExactly("one", "two");
		assertThat(received.get(BINARY)).containsExactly(1, 0, -128);
		assertThat(received.keys()).doesNotContain("micro-service", "micro-instance", "micro-namespace",
				"proxy-authorization");
		assertThat(received.getAll(Headers.CONTENT_TYPE)).containsExactly("application/grpc");
	}

	@Test
	void passesHeadersThatServicesTakeAndRefusesLargerOnes() {
		assertThat(blocking("x-text", "x".repeat(6800)).unary(ball(1)).getNumber()).isEqualTo(1);
		for (int size : new int[] { 7200, 9000, 15_000 }) {
			StatusRuntimeException ex = fails(blocking("x-text", "x".repeat(size)));
			assertThat(ex.getStatus().getCode()).as(ex.toString()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
			assertThat(Stage.error(ex).getDetail()).contains("headers", "7168");
		}
	}

	@Test
	void passesHeadersThatServicesTakeInManyParts() {
		Metadata headers = new Metadata();
		for (int i = 0; i < 160; i++) {
			headers.put(TEXT, "0123");
		}
		TrialGrpc.newBlockingStub(this.stage.front)
			.withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers))
			.unary(ball(1));
		assertThat(this.trial.headers.get().getAll(TEXT)).hasSize(160);
	}

	@Test
	void passesACancellationToTheService() throws Exception {
		Catcher<Ball> answers = new Catcher<>();
		StreamObserver<Ball> balls = async().both(answers);
		balls.onNext(ball(1));
		answers.awaitMessages(1);
		balls.onError(Status.CANCELLED.asException());
		assertThat(this.trial.cancelled.await(10, TimeUnit.SECONDS)).isTrue();
		nothingIsOpen();
	}

	@Test
	void passesTheDeadlineAndLeavesNothingHanging() throws Exception {
		blocking().unary(ball(1));
		Catcher<Ball> answers = new Catcher<>();
		async().withDeadlineAfter(2, TimeUnit.SECONDS).both(answers).onNext(ball(1));
		assertThat(answers.status()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
		assertThat(this.trial.left.get()).isBetween(Duration.ofMillis(1), Duration.ofSeconds(2));
		assertThat(this.trial.cancelled.await(10, TimeUnit.SECONDS)).isTrue();
		nothingIsOpen();
	}

	@Test
	void takesTheTimeoutOfOlderClientsInNanoseconds() throws Exception {
		blocking().unary(ball(1));
		Metadata headers = new Metadata();
		headers.put(key("timeout"), "2000000000");
		Catcher<Ball> answers = new Catcher<>();
		async().withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers)).both(answers).onNext(ball(1));
		assertThat(answers.status()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
		assertThat(this.trial.left.get()).isBetween(Duration.ofMillis(1), Duration.ofSeconds(2));
		assertThat(this.trial.headers.get().keys()).doesNotContain("timeout");
		nothingIsOpen();
	}

	@Test
	void prefersTheDeadlineToTheTimeoutOfOlderClients() {
		blocking("timeout", "1").withDeadlineAfter(10, TimeUnit.SECONDS).unary(ball(1));
		assertThat(this.trial.left.get()).isBetween(Duration.ofSeconds(1), Duration.ofSeconds(10));
	}

	@Test
	void leavesATimeoutThatIsNoNumberToTheService() {
		blocking("timeout", "30s").unary(ball(1));
		assertThat(this.trial.headers.get().get(key("timeout"))).isEqualTo("30s");
	}

	@Test
	void refusesAServiceThatDoesNotRunAndSaysWhatToDo() {
		StatusRuntimeException ex = catchThrowableOfType(StatusRuntimeException.class,
				() -> ClientCalls.blockingUnaryCall(this.stage.front,
						TrialGrpc.getUnaryMethod().toBuilder().setFullMethodName("foo.Bar/Baz").build(),
						CallOptions.DEFAULT, ball(1)));
		assertThat(ex.getStatus().getCode()).isEqualTo(Status.Code.NOT_FOUND);
		assertThat(Stage.error(ex).getId()).isEqualTo("proxy");
		assertThat(Stage.error(ex).getCode()).isEqualTo(404);
		assertThat(Stage.error(ex).getDetail()).contains("'foo.Bar'", "micro-service header", "micro services");
	}

	@Test
	void refusesAServiceThatTheHeaderNamesAndThatDoesNotRun() {
		StatusRuntimeException ex = fails(blocking("micro-service", "gone"));
		assertThat(ex.getStatus().getCode()).isEqualTo(Status.Code.NOT_FOUND);
		assertThat(Stage.error(ex).getDetail()).contains("'gone'", "micro services");
	}

	@Test
	void callsTheServiceThatTheHeaderNames() throws Exception {
		TrialService other = new TrialService();
		this.stage.start("other-trial", other, other);
		blocking("micro-service", "other-trial").unary(ball(1));
		assertThat(other.reached.getCount()).isZero();
		assertThat(this.trial.reached.getCount()).isEqualTo(1);
	}

	@Test
	void keepsToTheInstanceThatTheHeaderNames() throws Exception {
		TrialService second = new TrialService();
		Stage.Backend backend = this.stage.start("trial", second, second);
		for (int i = 0; i < 10; i++) {
			blocking("micro-instance", backend.instance().id()).unary(ball(i));
		}
		assertThat(this.trial.reached.getCount()).isEqualTo(1);
		assertThat(second.reached.getCount()).isZero();
		backend.lease().close();
		StatusRuntimeException ex = fails(blocking("micro-instance", backend.instance().id()));
		assertThat(ex.getStatus().getCode()).isEqualTo(Status.Code.NOT_FOUND);
		assertThat(Stage.error(ex).getDetail()).contains(backend.instance().id(), "micro get service trial");
	}

	@Test
	void streamsToTheInstanceThatTheHeaderNames() {
		Metadata headers = new Metadata();
		headers.put(Headers.INSTANCE, "trial-0");
		Catcher<Ball> answers = new Catcher<>();
		StreamObserver<Ball> balls = async().withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers))
			.both(answers);
		IntStream.range(0, 1000).forEach((i) -> balls.onNext(ball(i)));
		balls.onCompleted();
		assertThat(answers.status()).isEqualTo(Status.Code.OK);
		assertThat(answers.messages).hasSize(1000);
	}

	@Test
	void sharesCallsAmongTheInstances() throws Exception {
		TrialService second = new TrialService();
		this.stage.start("trial", second, second);
		Awaitility.await().until(() -> {
			blocking().unary(ball(1));
			return this.trial.reached.getCount() == 0 && second.reached.getCount() == 0;
		});
	}

	@Test
	void refusesJsonAndSaysWhatToDo() throws Exception {
		try (RawClient client = new RawClient(this.stage.door.port())) {
			Http2Headers trailers = client.call("application/grpc+json", "/trial.Trial/Unary");
			assertThat(trailers.get("grpc-status")).hasToString("12");
			assertThat(trailers.get("grpc-message").toString()).contains("application/grpc+json", "gateway");
			assertThat(trailers.get("grpc-status-details-bin")).isNotNull();
			assertThat(client.call("application/grpc+proto", "/trial.Trial/Unary").get("grpc-status")).hasToString("0");
		}
	}

	@Test
	void hangsUpOnAClientThatOpensAndResetsWithoutEnd() throws Exception {
		try (RawClient client = new RawClient(this.stage.door.port())) {
			Awaitility.await().atMost(Duration.ofSeconds(30)).pollDelay(Duration.ZERO).ignoreExceptions().until(() -> {
				client.callAndReset("/trial.Trial/Both", 500);
				return !client.connected();
			});
		}
		assertThat(blocking().unary(ball(1)).getNumber()).isEqualTo(1);
		nothingIsOpen();
	}

	@Test
	void saysAtOnceThatNobodyAnswers() {
		this.stage.register(new Instance("trial.Trial", "latest", "dead", "127.0.0.1", 1, Map.of()));
		StatusRuntimeException ex = fails(blocking().withDeadlineAfter(20, TimeUnit.SECONDS));
		assertThat(ex.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
		assertThat(Stage.error(ex).getId()).isEqualTo("proxy");
		assertThat(Stage.error(ex).getDetail()).contains("'trial.Trial'", "Connection refused", "micro services");
		nothingIsOpen();
	}

	@Test
	void metersCallsByServiceAndStatus() {
		blocking().unary(ball(1));
		fails(blocking("micro-service", "made-up"));
		// A timer is there once its first call has ended, which may be after the answer.
		Awaitility.await()
			.ignoreExceptionsInstanceOf(MeterNotFoundException.class)
			.untilAsserted(() -> assertThat(
					this.stage.meters.get("micro.proxy.calls").tags("service", "trial", "status", "OK").timer().count())
				.isEqualTo(1));
		Awaitility.await()
			.ignoreExceptionsInstanceOf(MeterNotFoundException.class)
			.untilAsserted(() -> assertThat(this.stage.meters.get("micro.proxy.calls")
				.tags("service", "none", "status", "NOT_FOUND")
				.timer()
				.count()).isEqualTo(1));
		nothingIsOpen();
	}

	private void nothingIsOpen() {
		Awaitility.await().untilAsserted(() -> assertThat(this.stage.open("micro.proxy.calls.open")).isZero());
	}

}
