package mu.micro.services;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;

import com.google.common.util.concurrent.ListenableFuture;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyServerBuilder;
import mu.micro.core.StoreLocks;
import mu.micro.grpc.Errors;
import mu.micro.memory.MemoryDatabases;
import mu.micro.store.Store;
import mu.micro.wire.errors.Error;
import mu.micro.wire.sync.AcquireRequest;
import mu.micro.wire.sync.AcquireResponse;
import mu.micro.wire.sync.ReleaseRequest;
import mu.micro.wire.sync.RenewRequest;
import mu.micro.wire.sync.SyncGrpc;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

@Timeout(60)
class SyncServiceTests {

	private static final int LONG = 30_000;

	private final MemoryDatabases databases = new MemoryDatabases();

	private final Store table = this.databases.in("micro").table(StoreLocks.TABLE);

	private StoreLocks locks;

	private SyncService service;

	private Server server;

	private ManagedChannel channel;

	private SyncGrpc.SyncBlockingStub stub;

	private SyncGrpc.SyncFutureStub async;

	@BeforeEach
	void startServer() throws Exception {
		this.locks = new StoreLocks(new MemoryDatabases(this.databases), Clock.systemUTC());
		this.service = new SyncService(this.locks, "micro", Duration.ofSeconds(1));
		this.server = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
			.addService(this.service)
			.build()
			.start();
		this.channel = Grpc
			.newChannelBuilder("dns:///127.0.0.1:" + this.server.getPort(), InsecureChannelCredentials.create())
			.build();
		this.stub = SyncGrpc.newBlockingStub(this.channel);
		this.async = SyncGrpc.newFutureStub(this.channel);
	}

	@AfterEach
	void stopServer() throws Exception {
		this.service.close();
		this.channel.shutdownNow();
		this.server.shutdownNow().awaitTermination();
		this.locks.close();
	}

	@AfterEach
	void closeDatabases() {
		this.databases.close();
	}

	@Test
	void aLockIsTakenRenewedAndGivenBack() {
		AcquireResponse taken = this.stub.acquire(acquire("me"));
		assertThat(taken.getToken()).isPositive().isEqualTo(this.table.get("a").revision());
		assertThat(this.table.get("a").metadata()).containsEntry("owner", "owner of me");
		assertThat(this.stub.acquire(acquire("other")).getToken()).isZero();
		this.stub.renew(renew("me", taken.getToken()));
		assertThat(this.table.get("a").revision()).isGreaterThan(taken.getToken());
		this.stub.release(release("me"));
		this.stub.release(release("me"));
		assertThat(this.stub.acquire(acquire("other")).getToken()).isGreaterThan(taken.getToken());
	}

	@Test
	void takingALockAgainForTheSameHolderIsHarmless() {
		long token = this.stub.acquire(acquire("me")).getToken();
		assertThat(this.stub.acquire(acquire("me")).getToken()).isEqualTo(token);
		assertThat(this.stub.acquire(acquire("me", (request) -> request.setWaitMs(LONG))).getToken()).isEqualTo(token);
	}

	@Test
	void onlyTheHolderRenewsAndGivesBack() {
		long token = this.stub.acquire(acquire("me")).getToken();
		StatusRuntimeException refused = catchThrowableOfType(StatusRuntimeException.class,
				() -> this.stub.renew(renew("other", token)));
		assertThat(refused.getStatus().getCode()).isEqualTo(Status.Code.ALREADY_EXISTS);
		Error error = Errors.read("", refused.getStatus(), refused.getTrailers());
		assertThat(error.getId()).isEqualTo("sync");
		assertThat(error.getCode()).isEqualTo(409);
		assertThat(refused(() -> this.stub.renew(renew("me", token + 1)))).isEqualTo(Status.Code.ALREADY_EXISTS);
		this.stub.release(release("other"));
		this.stub.renew(renew("me", token));
	}

	@Test
	void aLockOutlivesTheServer() throws Exception {
		long token = this.stub.acquire(acquire("me")).getToken();
		stopServer();
		startServer();
		assertThat(this.stub.acquire(acquire("other")).getToken()).isZero();
		this.stub.renew(renew("me", token));
		this.stub.release(release("me"));
		assertThat(this.table.get("a")).isNull();
	}

	@Test
	void callsThatNameNoNamespaceAreOfTheServers() {
		this.stub.acquire(acquire("me"));
		assertThat(this.stub.acquire(acquire("other", (request) -> request.setNamespace("micro"))).getToken()).isZero();
		long token = this.stub.acquire(acquire("other", (request) -> request.setNamespace("b"))).getToken();
		assertThat(token).isPositive();
		assertThat(this.databases.names()).containsExactly("b", "micro");
		this.stub.renew(renew("other", token).toBuilder().setNamespace("b").build());
		this.stub.release(release("other").toBuilder().setNamespace("b").build());
		assertThat(this.databases.names()).containsExactly("micro");
	}

	@Test
	void whatIsOverALimitIsRefused() {
		for (UnaryOperator<AcquireRequest.Builder> wrong : List.<UnaryOperator<AcquireRequest.Builder>>of(
				AcquireRequest.Builder::clearName, AcquireRequest.Builder::clearHolder,
				AcquireRequest.Builder::clearTtlMs, (request) -> request.setTtlMs(-1),
				(request) -> request.setTtlMs(Long.MAX_VALUE), (request) -> request.setWaitMs(-1),
				(request) -> request.setName("n".repeat(201)), (request) -> request.setHolder("n".repeat(201)),
				(request) -> request.setOwner("n".repeat(401)), (request) -> request.setNamespace(" "))) {
			assertThat(refused(() -> this.stub.acquire(acquire("me", wrong)))).isEqualTo(Status.Code.INVALID_ARGUMENT);
		}
		assertThat(this.table.get("a")).isNull();
		assertThat(refused(() -> this.stub.renew(renew("", 1)))).isEqualTo(Status.Code.INVALID_ARGUMENT);
		assertThat(refused(() -> this.stub.release(release("")))).isEqualTo(Status.Code.INVALID_ARGUMENT);
	}

	@Test
	void aWaitIsToldAndEndsWithTheLock() throws Exception {
		this.stub.acquire(acquire("me"));
		assertThat(this.stub.acquire(acquire("other")).getWaitedUs()).isZero();
		ListenableFuture<AcquireResponse> waiting = this.async
			.acquire(acquire("other", (request) -> request.setWaitMs(LONG)));
		Awaitility.await().during(Duration.ofMillis(300)).until(() -> !waiting.isDone());
		this.stub.release(release("me"));
		AcquireResponse taken = waiting.get(10, TimeUnit.SECONDS);
		assertThat(taken.getToken()).isPositive();
		assertThat(TimeUnit.MICROSECONDS.toMillis(taken.getWaitedUs())).isGreaterThanOrEqualTo(250);
	}

	@Test
	void aCallWaitsForNoLongerThanTheServersLimit() {
		this.stub.acquire(acquire("me"));
		long start = System.nanoTime();
		assertThat(this.stub.acquire(acquire("other", (request) -> request.setWaitMs(LONG))).getToken()).isZero();
		assertThat(Duration.ofNanos(System.nanoTime() - start)).isBetween(Duration.ofMillis(950),
				Duration.ofSeconds(6));
	}

	@Test
	void aCallThatIsCancelledTakesNoLock() {
		long token = this.stub.acquire(acquire("me")).getToken();
		ListenableFuture<AcquireResponse> leaving = this.async
			.acquire(acquire("leaving", (request) -> request.setWaitMs(LONG)));
		Awaitility.await().during(Duration.ofMillis(200)).until(() -> !leaving.isDone());
		leaving.cancel(true);
		Awaitility.await().during(Duration.ofMillis(200)).until(leaving::isDone);
		this.stub.release(release("me"));
		assertThat(this.stub.acquire(acquire("other")).getToken()).isGreaterThan(token);
	}

	@Test
	void releasingEndsAWaitAndAskingAgainWaitsOnce() {
		this.stub.acquire(acquire("me"));
		ListenableFuture<AcquireResponse> first = this.async
			.acquire(acquire("other", (request) -> request.setWaitMs(LONG)));
		Awaitility.await().during(Duration.ofMillis(100)).until(() -> !first.isDone());
		ListenableFuture<AcquireResponse> second = this.async
			.acquire(acquire("other", (request) -> request.setWaitMs(LONG)));
		assertThat(refused(first)).isEqualTo(Status.Code.CANCELLED);
		assertThat(second.isDone()).isFalse();
		this.stub.release(release("other"));
		assertThat(refused(second)).isEqualTo(Status.Code.CANCELLED);
		this.stub.release(release("me"));
		assertThat(this.stub.acquire(acquire("third")).getToken()).isPositive();
	}

	@Test
	void aServerThatIsAboutToStopHasNobodyWaitAndAnswersAllElse() throws Exception {
		long token = this.stub.acquire(acquire("me")).getToken();
		ListenableFuture<AcquireResponse> waiting = this.async
			.acquire(acquire("other", (request) -> request.setWaitMs(LONG)));
		Awaitility.await().during(Duration.ofMillis(200)).until(() -> !waiting.isDone());
		this.service.endWaits();
		await(waiting::isDone);
		assertThat(refused(waiting)).isEqualTo(Status.Code.UNAVAILABLE);
		assertThat(refused(() -> this.stub.acquire(acquire("other", (request) -> request.setWaitMs(LONG)))))
			.isEqualTo(Status.Code.UNAVAILABLE);
		this.stub.renew(renew("me", token));
		assertThat(this.stub.acquire(acquire("other")).getToken()).isZero();
		this.stub.release(release("me"));
		assertThat(this.stub.acquire(acquire("other")).getToken()).isPositive();
		this.service.resumeWaits();
		assertThat(this.stub.acquire(acquire("third", (request) -> request.setWaitMs(200))).getToken()).isZero();
	}

	private static AcquireRequest acquire(String holder) {
		return acquire(holder, UnaryOperator.identity());
	}

	private static AcquireRequest acquire(String holder, UnaryOperator<AcquireRequest.Builder> change) {
		return change
			.apply(AcquireRequest.newBuilder()
				.setName("a")
				.setHolder(holder)
				.setTtlMs(LONG)
				.setOwner("owner of " + holder))
			.build();
	}

	private static RenewRequest renew(String holder, long token) {
		return RenewRequest.newBuilder().setName("a").setHolder(holder).setToken(token).setTtlMs(LONG).build();
	}

	private static ReleaseRequest release(String holder) {
		return ReleaseRequest.newBuilder().setName("a").setHolder(holder).build();
	}

	private static Status.Code refused(ListenableFuture<?> answer) {
		return refused(() -> {
			try {
				answer.get();
			}
			catch (Exception ex) {
				throw (StatusRuntimeException) ex.getCause();
			}
		});
	}

	private static Status.Code refused(Runnable call) {
		StatusRuntimeException refused = catchThrowableOfType(StatusRuntimeException.class, call::run);
		assertThat(refused).isNotNull();
		return refused.getStatus().getCode();
	}

	private static void await(BooleanSupplier condition) {
		Awaitility.await().atMost(Duration.ofSeconds(10)).until(condition::getAsBoolean);
	}

}
