package mu.micro.services;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import mu.micro.grpc.Errors;
import mu.micro.wire.debug.DebugGrpc;
import mu.micro.wire.debug.HealthRequest;
import mu.micro.wire.debug.LogRequest;
import mu.micro.wire.debug.StatsRequest;
import mu.micro.wire.debug.StatsResponse;
import mu.micro.wire.debug.TraceRequest;
import mu.micro.wire.registry.EmptyResponse;
import mu.micro.wire.registry.GetRequest;
import mu.micro.wire.registry.GetResponse;
import mu.micro.wire.registry.RegistryGrpc;
import mu.micro.wire.registry.Service;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class DebugServiceTests {

	private final CallCounter calls = new CallCounter();

	private final AtomicReference<String> health = new AtomicReference<>("ok");

	private Server server;

	private ManagedChannel channel;

	private DebugGrpc.DebugBlockingStub debug;

	private RegistryGrpc.RegistryBlockingStub registry;

	@BeforeEach
	void startServer() throws Exception {
		this.server = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
			.intercept(this.calls)
			.addService(new DebugService(this.health::get, this.calls))
			.addService(new Answering())
			.build()
			.start();
		this.channel = Grpc
			.newChannelBuilder("dns:///127.0.0.1:" + this.server.getPort(), InsecureChannelCredentials.create())
			.build();
		this.debug = DebugGrpc.newBlockingStub(this.channel);
		this.registry = RegistryGrpc.newBlockingStub(this.channel);
	}

	@AfterEach
	void stopServer() throws Exception {
		this.channel.shutdownNow();
		this.server.shutdownNow().awaitTermination();
	}

	@Test
	void healthIsOkOrWhatIsWrong() {
		assertThat(this.debug.health(HealthRequest.getDefaultInstance()).getStatus()).isEqualTo("ok");
		this.health.set("the disk is full");
		assertThat(this.debug.health(HealthRequest.getDefaultInstance()).getStatus()).isEqualTo("the disk is full");
	}

	@Test
	void statsAreThoseOfTheProcess() {
		StatsResponse stats = this.debug.stats(StatsRequest.getDefaultInstance());
		assertThat(Instant.ofEpochSecond(stats.getTimestamp())).isBetween(Instant.now().minus(Duration.ofMinutes(1)),
				Instant.now());
		assertThat(stats.getStarted()).isBetween(stats.getTimestamp() - 36_000, stats.getTimestamp());
		assertThat(stats.getUptime()).isBetween(stats.getTimestamp() - stats.getStarted() - 1,
				stats.getTimestamp() - stats.getStarted() + 1);
		assertThat(stats.getMemory()).isGreaterThan(1_000_000);
		assertThat(stats.getThreads()).isGreaterThan(1);
	}

	@Test
	void callsAndErrorsAreCountedButNotThoseAboutTheServiceItselfNorThoseGivenUp() {
		this.registry.getService(GetRequest.getDefaultInstance());
		this.registry.getService(GetRequest.getDefaultInstance());
		assertThatExceptionOfType(StatusRuntimeException.class)
			.isThrownBy(() -> this.registry.register(Service.getDefaultInstance()));
		assertThatExceptionOfType(StatusRuntimeException.class).isThrownBy(
				() -> this.registry.withDeadlineAfter(1, TimeUnit.SECONDS).deregister(Service.getDefaultInstance()));
		Awaitility.await().until(() -> this.calls.requests() == 4);
		this.debug.health(HealthRequest.getDefaultInstance());
		StatsResponse stats = this.debug.stats(StatsRequest.getDefaultInstance());
		assertThat(stats.getRequests()).isEqualTo(4);
		assertThat(stats.getErrors()).isEqualTo(1);
	}

	@Test
	void logsAndTracesAreNotOffered() {
		assertThatExceptionOfType(StatusRuntimeException.class)
			.isThrownBy(() -> this.debug.log(LogRequest.getDefaultInstance()))
			.satisfies((ex) -> {
				assertThat(ex.getStatus().getCode()).isEqualTo(Status.Code.UNIMPLEMENTED);
				assertThat(Errors.read("", ex.getStatus(), ex.getTrailers()).getId()).isEqualTo("debug");
				assertThat(ex.getStatus().getDescription()).contains("where it runs");
			});
		assertThatExceptionOfType(StatusRuntimeException.class)
			.isThrownBy(() -> this.debug.trace(TraceRequest.getDefaultInstance()))
			.matches((ex) -> ex.getStatus().getCode() == Status.Code.UNIMPLEMENTED);
	}

	/**
	 * Answers one method, fails another, and never answers a third.
	 */
	private static final class Answering extends RegistryGrpc.RegistryImplBase {

		@Override
		public void getService(GetRequest request, StreamObserver<GetResponse> call) {
			call.onNext(GetResponse.getDefaultInstance());
			call.onCompleted();
		}

		@Override
		public void register(Service request, StreamObserver<EmptyResponse> call) {
			call.onError(Status.INTERNAL.asRuntimeException());
		}

		@Override
		public void deregister(Service request, StreamObserver<EmptyResponse> call) {
			// The caller's deadline ends it.
		}

	}

}
