package mu.micro.services;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;

import com.google.protobuf.ByteString;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import mu.micro.wire.store.BlobStoreGrpc;
import mu.micro.wire.store.BlobWriteRequest;
import mu.micro.wire.store.BlobWriteResponse;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

/**
 * The places of those who write blobs, where there is no thread to be had.
 */
@Timeout(60)
class BlobWritesTests {

	private static final int MOST = 2;

	private final ExecutorService threads = Executors.newCachedThreadPool();

	private volatile Executor executor = this.threads;

	private final BlobWrites writes = new BlobWrites("id", Duration.ofSeconds(30), MOST,
			(task) -> this.executor.execute(task), (first, content) -> {
				int size = content.readAllBytes().length;
				return BlobWriteResponse.newBuilder()
					.setKnown(mu.micro.wire.store.Blob.newBuilder().setSize(size))
					.build();
			});

	private Server server;

	private ManagedChannel channel;

	@BeforeEach
	void startServer() throws Exception {
		this.server = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
			.addService(new BlobStoreGrpc.BlobStoreImplBase() {

				@Override
				public StreamObserver<BlobWriteRequest> write(StreamObserver<BlobWriteResponse> call) {
					return BlobWritesTests.this.writes.open((ServerCallStreamObserver<BlobWriteResponse>) call);
				}

			})
			.build()
			.start();
		this.channel = Grpc
			.newChannelBuilder("dns:///127.0.0.1:" + this.server.getPort(), InsecureChannelCredentials.create())
			.build();
	}

	@AfterEach
	void stopServer() throws Exception {
		this.channel.shutdownNow();
		this.server.shutdownNow().awaitTermination();
		this.threads.shutdownNow();
	}

	@Test
	void aWriteForWhichThereIsNoThreadGivesItsPlaceBack() throws Exception {
		assertNoneIsKept((task) -> {
			throw new Error("no thread, on purpose");
		});
	}

	@Test
	void aWriteThatIsRejectedGivesItsPlaceBack() throws Exception {
		assertNoneIsKept((task) -> {
			throw new RejectedExecutionException("on purpose");
		});
	}

	private void assertNoneIsKept(Executor failing) throws Exception {
		this.executor = failing;
		// As often as there are places, and once more.
		for (int i = 0; i <= MOST; i++) {
			ExecutionException ex = catchThrowableOfType(ExecutionException.class, this::write);
			assertThat(Status.fromThrowable(ex).getCode()).isEqualTo(Status.Code.UNAVAILABLE);
		}
		assertThat(this.writes.count()).isZero();
		this.executor = this.threads;
		assertThat(write().getKnown().getSize()).isEqualTo(5);
	}

	private BlobWriteResponse write() throws Exception {
		CompletableFuture<BlobWriteResponse> answer = new CompletableFuture<>();
		StreamObserver<BlobWriteRequest> requests = BlobStoreGrpc.newStub(this.channel).write(new StreamObserver<>() {

			@Override
			public void onNext(BlobWriteResponse message) {
				answer.complete(message);
			}

			@Override
			public void onError(Throwable failure) {
				answer.completeExceptionally(failure);
			}

			@Override
			public void onCompleted() {
				// It was answered.
			}

		});
		requests.onNext(BlobWriteRequest.newBuilder().setKey("a").setBlob(ByteString.copyFromUtf8("bytes")).build());
		requests.onCompleted();
		return answer.get(20, TimeUnit.SECONDS);
	}

}
