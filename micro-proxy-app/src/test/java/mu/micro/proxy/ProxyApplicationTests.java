package mu.micro.proxy;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Map;
import java.util.concurrent.TimeUnit;

import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.MetadataUtils;
import mu.micro.proxy.trial.Ball;
import mu.micro.proxy.trial.TrialGrpc;
import mu.micro.registry.Instance;
import mu.micro.registry.Registry;
import mu.micro.wire.debug.DebugGrpc;
import mu.micro.wire.debug.HealthRequest;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.web.server.LocalServerPort;

import static org.assertj.core.api.Assertions.assertThat;

@SpringBootTest(webEnvironment = SpringBootTest.WebEnvironment.DEFINED_PORT,
		properties = { "micro.profile=test", "micro.proxy.port=0", "micro.proxy.management-port=0" })
class ProxyApplicationTests {

	@Autowired
	private Registry registry;

	@Autowired
	private Door door;

	@LocalServerPort
	private int managementPort;

	private ManagedChannel front;

	@BeforeEach
	void open() {
		this.front = Grpc.newChannelBuilder("127.0.0.1:" + this.door.port(), InsecureChannelCredentials.create())
			.build();
	}

	@AfterEach
	void close() throws Exception {
		this.front.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
	}

	private String get(String path) throws Exception {
		HttpResponse<String> response = HttpClient.newHttpClient()
			.send(HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + this.managementPort + path)).build(),
					HttpResponse.BodyHandlers.ofString());
		return response.statusCode() + " " + response.body();
	}

	@Test
	void registersWithTheDoorsAddress() {
		assertThat(this.registry.instances("proxy")).singleElement()
			.satisfies((instance) -> assertThat(instance.metadata()).containsEntry("grpc",
					"127.0.0.1:" + this.door.port()));
	}

	@Test
	void passesCallsAndCountsThem() throws Exception {
		Server backend = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
			.addService(new TrialService())
			.build()
			.start();
		try (var lease = this.registry
			.register(new Instance("trial", "latest", "1", "127.0.0.1", backend.getPort(), Map.of()), Stage.TTL)) {
			Awaitility.await()
				.ignoreExceptions()
				.until(() -> TrialGrpc.newBlockingStub(this.front).unary(Ball.getDefaultInstance()) != null);
			assertThat(lease.held()).isTrue();
			Awaitility.await()
				.untilAsserted(() -> assertThat(get("/actuator/prometheus")).contains(
						"micro_proxy_calls_seconds_count{service=\"trial\",status=\"OK\"}", "micro_proxy_calls_open"));
		}
		finally {
			backend.shutdownNow();
		}
	}

	@Test
	void isHealthyOnBothPorts() throws Exception {
		assertThat(get("/actuator/health")).startsWith("200 ").contains("UP");
		assertThat(HealthGrpc.newBlockingStub(this.front).check(HealthCheckRequest.getDefaultInstance()).getStatus())
			.isEqualTo(ServingStatus.SERVING);
		assertThat(HealthGrpc.newBlockingStub(this.front)
			.check(HealthCheckRequest.newBuilder().setService("proxy").build())
			.getStatus()).isEqualTo(ServingStatus.SERVING);
	}

	@Test
	void answersDebugForItselfThroughItsOwnDoor() {
		io.grpc.Metadata headers = new io.grpc.Metadata();
		headers.put(Headers.SERVICE, "proxy");
		assertThat(DebugGrpc.newBlockingStub(this.front)
			.withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers))
			.health(HealthRequest.getDefaultInstance())
			.getStatus()).isEqualTo("ok");
	}

	@Test
	void showsNothingElseOnTheManagementPort() throws Exception {
		assertThat(get("/actuator/env")).startsWith("404 ");
		assertThat(get("/")).startsWith("404 ");
	}

}
