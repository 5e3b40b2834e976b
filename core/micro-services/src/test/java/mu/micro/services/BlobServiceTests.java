package mu.micro.services;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

import com.google.protobuf.ByteString;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import mu.micro.blob.BlobContent;
import mu.micro.blob.Blobs;
import mu.micro.grpc.Errors;
import mu.micro.memory.MemoryBlobs;
import mu.micro.wire.store.BlobDeleteRequest;
import mu.micro.wire.store.BlobListOptions;
import mu.micro.wire.store.BlobListRequest;
import mu.micro.wire.store.BlobListResponse;
import mu.micro.wire.store.BlobOptions;
import mu.micro.wire.store.BlobReadRequest;
import mu.micro.wire.store.BlobReadResponse;
import mu.micro.wire.store.BlobStoreGrpc;
import mu.micro.wire.store.BlobWriteRequest;
import mu.micro.wire.store.BlobWriteResponse;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

@Timeout(60)
class BlobServiceTests {

	private static final int MOST = 3;

	private final MemoryBlobs provider = new MemoryBlobs();

	private final Blobs blobs = this.provider.in("micro");

	private final List<ClientCall<?, ?>> calls = new ArrayList<>();

	private BlobService service = new BlobService(this.provider, "micro", Duration.ofSeconds(30), MOST);

	private Server server;

	private ManagedChannel channel;

	private BlobStoreGrpc.BlobStoreBlockingStub stub;

	@BeforeEach
	void startServer() throws Exception {
		this.server = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
			.addService(this.service)
			.build()
			.start();
		this.channel = Grpc
			.newChannelBuilder("dns:///127.0.0.1:" + this.server.getPort(), InsecureChannelCredentials.create())
			.maxInboundMessageSize(64 * 1024 * 1024)
			.build();
		this.stub = BlobStoreGrpc.newBlockingStub(this.channel);
	}

	@AfterEach
	void stopServer() throws Exception {
		this.calls.forEach((call) -> call.cancel("over", null));
		this.service.close();
		this.channel.shutdownNow();
		this.server.shutdownNow().awaitTermination();
		this.provider.close();
	}

	private void servePatiently(Duration patience) throws Exception {
		this.service.close();
		this.channel.shutdownNow();
		this.server.shutdownNow().awaitTermination();
		this.service = new BlobService(this.provider, "micro", patience, MOST);
		startServer();
	}

	@Test
	void aClientOfMicro3WritesReadsListsAndDeletes() {
		Writing writing = new Writing();
		// It repeats key and options, and says no namespace and no type.
		for (String part : List.of("one ", "two ", "three")) {
			writing.send(BlobWriteRequest.newBuilder()
				.setKey("a")
				.setOptions(BlobOptions.getDefaultInstance())
				.setBlob(ByteString.copyFromUtf8(part)));
		}
		BlobWriteResponse written = writing.end();
		assertThat(written.getKnown().getSize()).isEqualTo(13);
		assertThat(written.getKnown().getContentType()).isEqualTo("application/octet-stream");
		assertThat(this.blobs.find("a")).isNotNull();
		StringBuilder read = new StringBuilder();
		this.stub.read(BlobReadRequest.newBuilder().setKey("a").build())
			.forEachRemaining((message) -> read.append(message.getBlob().toStringUtf8()));
		assertThat(read).hasToString("one two three");
		BlobListResponse listed = this.stub.list(BlobListRequest.getDefaultInstance());
		assertThat(listed.getKeysList()).containsExactly("a");
		assertThat(listed.getKnownList()).containsExactly(written.getKnown());
		assertThat(this.stub.delete(BlobDeleteRequest.newBuilder().setKey("a").build()).getFound()).isTrue();
		assertThat(this.stub.delete(BlobDeleteRequest.newBuilder().setKey("a").build()).getFound()).isFalse();
		assertThat(this.blobs.find("a")).isNull();
	}

	@Test
	void whatIsKnownComesFirstAndAloneIfAsked() throws IOException {
		put("a", 200_000);
		Iterator<BlobReadResponse> messages = this.stub.read(BlobReadRequest.newBuilder().setKey("a").build());
		BlobReadResponse first = messages.next();
		assertThat(first.getKnown().getSize()).isEqualTo(200_000);
		int bytes = 0;
		while (messages.hasNext()) {
			BlobReadResponse next = messages.next();
			assertThat(next.hasKnown()).isFalse();
			assertThat(next.getBlob().size()).isBetween(1, 64 * 1024);
			bytes += next.getBlob().size();
		}
		assertThat(bytes).isEqualTo(200_000);
		Iterator<BlobReadResponse> alone = this.stub
			.read(BlobReadRequest.newBuilder().setKey("a").setWithoutContent(true).build());
		assertThat(alone.next().getKnown()).isEqualTo(first.getKnown());
		assertThat(alone.hasNext()).isFalse();
	}

	@Test
	void whatIsNotThereIsNotFound() {
		for (boolean without : new boolean[] { true, false }) {
			StatusRuntimeException ex = failure(
					() -> this.stub.read(BlobReadRequest.newBuilder().setKey("a").setWithoutContent(without).build())
						.next());
			assertThat(ex.getStatus().getCode()).isEqualTo(Status.Code.NOT_FOUND);
			assertThat(Errors.read("", ex.getStatus(), ex.getTrailers()).getId()).isEqualTo("store");
		}
	}

	@Test
	void aNamespaceIsSaid() throws IOException {
		Writing writing = new Writing();
		writing.send(BlobWriteRequest.newBuilder()
			.setKey("a")
			.setOptions(BlobOptions.newBuilder().setNamespace("other").setContentType("text/plain")));
		writing.end();
		assertThat(this.blobs.find("a")).isNull();
		assertThat(Objects.requireNonNull(this.provider.in("other").find("a")).contentType()).isEqualTo("text/plain");
		assertThat(list(BlobListOptions.newBuilder().setNamespace("other"))).containsExactly("a");
	}

	@Test
	void whatIsNoWriteIsRefusedAndPutsNothing() {
		assertThat(new Writing().failed()).isEqualTo(Status.Code.INVALID_ARGUMENT);
		Writing unnamed = new Writing();
		unnamed.send(BlobWriteRequest.newBuilder().setBlob(ByteString.copyFromUtf8("x")));
		assertThat(unnamed.failed()).isEqualTo(Status.Code.INVALID_ARGUMENT);
		Writing two = new Writing();
		two.send(BlobWriteRequest.newBuilder().setKey("a"));
		two.send(BlobWriteRequest.newBuilder().setKey("b"));
		assertThat(two.failed()).isEqualTo(Status.Code.INVALID_ARGUMENT);
		Writing open = new Writing();
		open.send(BlobWriteRequest.newBuilder().setKey("a").setOptions(BlobOptions.newBuilder().setPublic(true)));
		assertThat(open.failed()).isEqualTo(Status.Code.UNIMPLEMENTED);
		assertThat(this.blobs.list("", "", 10)).isEmpty();
	}

	@Test
	void aWriteThatBreaksOffPutsNothing() throws IOException {
		put("a", 5);
		// As often as there may be writes, and once more: none is left over.
		for (int i = 0; i <= MOST; i++) {
			Writing writing = new Writing();
			writing.send(BlobWriteRequest.newBuilder().setKey("a").setBlob(ByteString.copyFromUtf8("half")));
			writing.requests.onError(new IOException("the client broke off"));
			Awaitility.await().until(() -> this.service.writes() == 0);
		}
		try (BlobContent content = Objects.requireNonNull(this.blobs.get("a"))) {
			assertThat(content.stream().readAllBytes()).hasSize(5);
		}
	}

	@Test
	void aListIsAskedForInParts() throws IOException {
		for (String key : List.of("a", "a/1", "a/2", "a/3", "b")) {
			put(key, 1);
		}
		assertThat(list(BlobListOptions.newBuilder().setPrefix("a/"))).containsExactly("a/1", "a/2", "a/3");
		assertThat(list(BlobListOptions.newBuilder().setPrefix("a/").setAfter("a/1").setLimit(1)))
			.containsExactly("a/2");
		assertThat(list(BlobListOptions.newBuilder().setLimit(-1))).hasSize(5);
	}

	@Test
	void aListThatIsTooLongSaysHowToAskForAPart() throws IOException {
		for (int i = 0; i <= StoreService.MOST_RECORDS; i++) {
			put("k" + i, 0);
		}
		StatusRuntimeException ex = failure(() -> list(BlobListOptions.newBuilder()));
		assertThat(ex.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
		assertThat(ex.getStatus().getDescription()).contains("options.limit", "options.after");
		assertThat(list(BlobListOptions.newBuilder().setLimit(2_500))).hasSize(2_500).doesNotHaveDuplicates();
	}

	@Test
	void oneStreamTooManyIsRefused() throws IOException {
		put("a", 10_000_000);
		List<Writing> writings = new ArrayList<>();
		for (int i = 0; i < MOST; i++) {
			readNothing();
			Writing writing = new Writing();
			writing.send(BlobWriteRequest.newBuilder().setKey("w" + i));
			writings.add(writing);
		}
		Awaitility.await().until(() -> this.service.writes() == MOST);
		Writing over = new Writing();
		over.send(BlobWriteRequest.newBuilder().setKey("over"));
		assertThat(over.failed()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
		StatusRuntimeException ex = failure(
				() -> this.stub.read(BlobReadRequest.newBuilder().setKey("a").build()).next());
		assertThat(ex.getStatus().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
		writings.forEach(Writing::end);
		assertThat(this.blobs.list("w", "", 10)).hasSize(MOST);
	}

	@Test
	void aClientThatTakesNothingIsGivenUp() throws Exception {
		servePatiently(Duration.ofMillis(300));
		put("a", 10_000_000);
		CompletableFuture<Status> end = readNothing();
		// It hears of that when it takes what came before.
		Awaitility.await().until(() -> this.service.reads() == 0);
		this.calls.get(0).request(1_000);
		assertThat(end.get(20, TimeUnit.SECONDS).getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
	}

	@Test
	void aClientThatSendsNothingIsGivenUp() throws Exception {
		servePatiently(Duration.ofMillis(300));
		Writing writing = new Writing();
		writing.send(BlobWriteRequest.newBuilder().setKey("a").setBlob(ByteString.copyFromUtf8("half")));
		assertThat(writing.status()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
		assertThat(this.blobs.find("a")).isNull();
	}

	@Test
	void closingEndsStreamsAndPutsNothing() throws Exception {
		put("a", 10_000_000);
		readNothing();
		Writing writing = new Writing();
		writing.send(BlobWriteRequest.newBuilder().setKey("b").setBlob(ByteString.copyFromUtf8("half")));
		Awaitility.await().until(() -> this.service.writes() == 1);
		this.service.close();
		assertThat(writing.status()).isEqualTo(Status.Code.UNAVAILABLE);
		assertThat(this.blobs.find("b")).isNull();
		Writing late = new Writing();
		late.send(BlobWriteRequest.newBuilder().setKey("b"));
		assertThat(late.failed()).isEqualTo(Status.Code.UNAVAILABLE);
	}

	private void put(String key, int size) throws IOException {
		this.blobs.put(key, "text/plain",
				(size > 0) ? new ByteArrayInputStream(new byte[size]) : InputStream.nullInputStream());
	}

	private List<String> list(BlobListOptions.Builder options) {
		return this.stub.list(BlobListRequest.newBuilder().setOptions(options).build()).getKeysList();
	}

	/**
	 * Begins to read and takes the first message alone.
	 */
	private CompletableFuture<Status> readNothing() {
		CompletableFuture<Status> end = new CompletableFuture<>();
		CompletableFuture<BlobReadResponse> begun = new CompletableFuture<>();
		ClientCall<BlobReadRequest, BlobReadResponse> call = this.channel.newCall(BlobStoreGrpc.getReadMethod(),
				CallOptions.DEFAULT);
		this.calls.add(call);
		call.start(new ClientCall.Listener<>() {

			@Override
			public void onMessage(BlobReadResponse message) {
				begun.complete(message);
			}

			@Override
			public void onClose(Status status, Metadata trailers) {
				end.complete(status);
			}

		}, new Metadata());
		call.request(1);
		call.sendMessage(BlobReadRequest.newBuilder().setKey("a").build());
		call.halfClose();
		begun.join();
		return end;
	}

	private static StatusRuntimeException failure(Runnable call) {
		return catchThrowableOfType(StatusRuntimeException.class, call::run);
	}

	/**
	 * One write.
	 */
	private final class Writing implements StreamObserver<BlobWriteResponse> {

		private final CompletableFuture<BlobWriteResponse> answer = new CompletableFuture<>();

		private final StreamObserver<BlobWriteRequest> requests = BlobStoreGrpc.newStub(BlobServiceTests.this.channel)
			.write(this);

		void send(BlobWriteRequest.Builder message) {
			this.requests.onNext(message.build());
		}

		BlobWriteResponse end() {
			this.requests.onCompleted();
			return this.answer.orTimeout(20, TimeUnit.SECONDS).join();
		}

		/**
		 * Ends the stream, and tells how the call ended.
		 */
		Status.Code failed() {
			this.requests.onCompleted();
			return status();
		}

		Status.Code status() {
			Throwable failure = catchThrowable(() -> this.answer.get(20, TimeUnit.SECONDS));
			assertThat(failure).isInstanceOf(ExecutionException.class);
			return Status.fromThrowable(failure).getCode();
		}

		@Override
		public void onNext(BlobWriteResponse message) {
			this.answer.complete(message);
		}

		@Override
		public void onError(Throwable failure) {
			this.answer.completeExceptionally(failure);
		}

		@Override
		public void onCompleted() {
			// It was answered.
		}

	}

}
