package mu.micro.gateway;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import mu.micro.gateway.TestGateway.Reply;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import org.springframework.boot.web.server.PortInUseException;
import org.springframework.util.unit.DataSize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

@Timeout(60)
class DoorTests {

	private final OrdersService service = new OrdersService();

	@Test
	void namesThePortInUse() throws IOException {
		try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
				TestGateway gateway = new TestGateway()) {
			GatewayProperties properties = new GatewayProperties(taken.getLocalPort(), Duration.ofSeconds(1),
					DataSize.ofMegabytes(1), null, 1);
			Door door = new Door("127.0.0.1", properties, "1", new Calls(gateway.registry), new SimpleMeterRegistry());
			assertThatExceptionOfType(PortInUseException.class).isThrownBy(door::start)
				.satisfies((ex) -> assertThat(ex.getPort()).isEqualTo(taken.getLocalPort()));
			assertThat(door.isRunning()).isFalse();
		}
	}

	@Test
	void refusesRequestsOverItsLimit() throws Exception {
		try (TestGateway gateway = new TestGateway(TestGateway.properties(Duration.ofSeconds(10), 2));
				Backend backend = new Backend(gateway.registry, "orders", this.service)) {
			CompletableFuture<HttpResponse<String>> first = async(gateway);
			CompletableFuture<HttpResponse<String>> second = async(gateway);
			Awaitility.await().until(() -> this.service.waiting.size() == 2);
			Reply third = gateway.get("/orders/call");
			assertThat(third.status()).isEqualTo(503);
			assertThat(third.header("retry-after")).isEqualTo("1");
			assertThat(third.detail()).contains("2 requests under way");
			this.service.answerAll();
			assertThat(first.get(5, TimeUnit.SECONDS).statusCode()).isEqualTo(200);
			assertThat(second.get(5, TimeUnit.SECONDS).statusCode()).isEqualTo(200);
			Awaitility.await().until(() -> gateway.get("/orders/call").status() == 200);
		}
	}

	@Test
	void holdsNoMoreBytesOfBodiesThanItsLimit() throws IOException {
		GatewayProperties properties = new GatewayProperties(0, Duration.ofSeconds(10), DataSize.ofMegabytes(1),
				DataSize.ofKilobytes(100), 10);
		try (TestGateway gateway = new TestGateway(properties);
				Backend backend = new Backend(gateway.registry, "orders", this.service)) {
			String body = "{\"name\":\"" + "x".repeat(60_000) + "\"}";
			try (Socket slow = new Socket("127.0.0.1", gateway.door.port())) {
				slow.getOutputStream()
					.write(("POST /orders/call HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\n\r\n" + body)
						.getBytes());
				Awaitility.await().until(() -> gateway.post("/orders/call", body).status() == 503);
				Reply reply = gateway.post("/orders/call", body);
				assertThat(reply.header("retry-after")).isEqualTo("1");
				assertThat(reply.detail()).contains("bytes of bodies");
				assertThat(gateway.post("/orders/call", "{}").status()).isEqualTo(200);
			}
			Awaitility.await().until(() -> gateway.post("/orders/call", body).status() == 200);
		}
	}

	@Test
	void letsRunningRequestsEndWhenItStops() throws Exception {
		try (TestGateway gateway = new TestGateway();
				Backend backend = new Backend(gateway.registry, "orders", this.service)) {
			int port = gateway.door.port();
			Socket idle = new Socket("127.0.0.1", port);
			CompletableFuture<HttpResponse<String>> running = async(gateway);
			Awaitility.await().until(() -> this.service.waiting.size() == 1);
			CompletableFuture<Void> stopped = CompletableFuture.runAsync(gateway.door::stop);
			Awaitility.await().until(() -> refusesConnections(port));
			assertThat(stopped).isNotDone();
			this.service.answerAll();
			assertThat(running.get(5, TimeUnit.SECONDS).body()).isEqualTo("{\"name\":\"at last\"}");
			stopped.get(5, TimeUnit.SECONDS);
			idle.setSoTimeout(5000);
			assertThat(idle.getInputStream().read()).isEqualTo(-1);
			assertThat(gateway.door.isRunning()).isFalse();
		}
	}

	@Test
	void startsAgain() {
		try (TestGateway gateway = new TestGateway()) {
			gateway.door.stop();
			gateway.door.stop();
			gateway.door.start();
			assertThat(gateway.get("/").status()).isEqualTo(200);
		}
	}

	private static boolean refusesConnections(int port) {
		try (Socket socket = new Socket("127.0.0.1", port)) {
			return false;
		}
		catch (IOException ex) {
			return true;
		}
	}

	private static CompletableFuture<HttpResponse<String>> async(TestGateway gateway) {
		return gateway.client()
			.sendAsync(gateway.request("GET", "/orders/wait", null), HttpResponse.BodyHandlers.ofString());
	}

}
