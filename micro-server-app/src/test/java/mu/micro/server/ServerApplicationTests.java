package mu.micro.server;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;

import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import mu.micro.registry.Instance;
import mu.micro.registry.Registry;
import mu.micro.wire.registry.Endpoint;
import mu.micro.wire.registry.GetRequest;
import mu.micro.wire.registry.ListRequest;
import mu.micro.wire.registry.RegistryGrpc;
import mu.micro.wire.registry.Service;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.web.server.LocalServerPort;

import static org.assertj.core.api.Assertions.assertThat;

@SpringBootTest(webEnvironment = SpringBootTest.WebEnvironment.DEFINED_PORT,
		properties = { "micro.profile=test", "micro.server.port=0", "micro.server.management-port=0" })
class ServerApplicationTests {

	@Autowired
	private Registry registry;

	@LocalServerPort
	private int managementPort;

	@Test
	void theRegistryIsACoreServiceUnderItsOwnName() {
		Instance instance = this.registry.instances("registry").get(0);
		ManagedChannel channel = ManagedChannelBuilder.forAddress(instance.host(), instance.port())
			.usePlaintext()
			.build();
		try {
			RegistryGrpc.RegistryBlockingStub client = RegistryGrpc.newBlockingStub(channel);
			assertThat(client.listServices(ListRequest.getDefaultInstance()).getServicesList())
				.extracting(Service::getName)
				.containsExactly("broker", "config", "events", "registry", "store", "sync");
			Awaitility.await().atMost(Duration.ofSeconds(30)).untilAsserted(() -> {
				Service service = client.getService(GetRequest.newBuilder().setService("registry").build())
					.getServices(0);
				assertThat(service.getNodes(0).getId()).isEqualTo(instance.id());
				assertThat(service.getEndpointsList()).extracting(Endpoint::getName)
					.contains("Registry.GetService", "Registry.Watch");
			});
		}
		finally {
			channel.shutdownNow();
		}
	}

	@Test
	void healthAndMetricsAreOnTheManagementPort() throws Exception {
		assertThat(get("/actuator/health")).contains("\"status\":\"UP\"");
		assertThat(get("/actuator/prometheus")).contains("jvm_memory_used_bytes");
	}

	private String get(String path) throws Exception {
		return HttpClient.newHttpClient()
			.send(HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + this.managementPort + path)).build(),
					HttpResponse.BodyHandlers.ofString())
			.body();
	}

}
