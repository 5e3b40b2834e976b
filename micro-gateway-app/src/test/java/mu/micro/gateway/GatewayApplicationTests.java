package mu.micro.gateway;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

import mu.micro.registry.Instance;
import mu.micro.registry.Registry;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.web.server.context.WebServerApplicationContext;
import org.springframework.context.ApplicationContext;

import static org.assertj.core.api.Assertions.assertThat;

@SpringBootTest(webEnvironment = SpringBootTest.WebEnvironment.DEFINED_PORT,
		properties = { "micro.profile=test", "micro.gateway.port=0", "micro.gateway.management-port=0",
				"management.prometheus.metrics.export.enabled=true" })
class GatewayApplicationTests {

	@Autowired
	private ApplicationContext context;

	@Autowired
	private Registry registry;

	@Autowired
	private Door door;

	private final HttpClient client = HttpClient.newHttpClient();

	@Test
	void registersItselfWithItsDoor() {
		assertThat(this.registry.instances("api")).singleElement()
			.extracting(Instance::metadata)
			.satisfies((metadata) -> assertThat(metadata).containsEntry("http", "127.0.0.1:" + this.door.port()));
	}

	@Test
	void answersAtBothPorts() throws Exception {
		assertThat(get(this.door.port(), "/").body()).matches("\\{\"version\":\"\\d.+\"}");
		assertThat(get(management(), "/actuator/health").body()).contains("\"status\":\"UP\"");
		assertThat(get(management(), "/orders/call").statusCode()).isEqualTo(404);
		assertThat(get(management(), "/actuator/env").statusCode()).isEqualTo(404);
	}

	@Test
	void callsServicesAndCountsTheCalls() throws Exception {
		try (Backend backend = new Backend(this.registry, "orders", new OrdersService())) {
			assertThat(get(this.door.port(), "/orders/call?name=Jane").body()).isEqualTo("{\"name\":\"Jane\"}");
		}
		Awaitility.await().until(() -> get(this.door.port(), "/orders/call").statusCode() == 404);
		Awaitility.await()
			.untilAsserted(
					() -> assertThat(get(management(), "/actuator/prometheus").body()).contains("micro_gateway_active")
						.containsPattern("micro_gateway_requests_seconds_count\\{.*endpoint=\"Orders.Call\",.*} 1"));
	}

	private int management() {
		return ((WebServerApplicationContext) this.context).getWebServer().getPort();
	}

	private HttpResponse<String> get(int port, String path) throws IOException, InterruptedException {
		return this.client.send(HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path)).build(),
				HttpResponse.BodyHandlers.ofString());
	}

}
