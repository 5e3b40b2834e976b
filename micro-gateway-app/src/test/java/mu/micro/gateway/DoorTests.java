package mu.micro.gateway;

import java.io.IOException;
import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import mu.micro.MicroException;
import mu.micro.autoconfigure.PortTakenException;
import mu.micro.gateway.TestGateway.Reply;
import mu.micro.registry.Registry;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.util.unit.DataSize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

@Timeout(60)
class DoorTests {

	private final OrdersService service = new OrdersService();

	@Test
	void namesThePortInUse() throws IOException {
		try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
				TestGateway gateway = new TestGateway();
				Calls calls = new Calls(gateway.registry)) {
			GatewayProperties properties = new GatewayProperties(taken.getLocalPort(), Duration.ofSeconds(1),
					DataSize.ofMegabytes(1), null, 1);
			Door door = new Door("127.0.0.1", properties, "1", calls, new SimpleMeterRegistry());
			assertThatExceptionOfType(PortTakenException.class).isThrownBy(door::start)
				.satisfies((ex) -> assertThat(ex.port()).isEqualTo(taken.getLocalPort()));
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
					.write(("POST /orders/call HTTP/1.1\r\nHost: localhost\r\nContent-Length: 70000\r\n\r\n" + body)
						.getBytes());
				Awaitility.await().until(() -> gateway.post("/orders/call", body).status() == 503);
				Reply reply = gateway.post("/orders/call", body);
				assertThat(reply.header("retry-after")).isEqualTo("1");
				assertThat(reply.detail()).contains("bytes of bodies");
				// The refused body counts until its exchange has ended, after the answer.
				Awaitility.await().until(() -> gateway.post("/orders/call", "{}").status() == 200);
			}
			Awaitility.await().until(() -> gateway.post("/orders/call", body).status() == 200);
		}
	}

	@Test
	void holdsABodyOfAnyPermittedSize() {
		DataSize most = DataSize.ofMegabytes(512);
		assertThat(new GatewayProperties(0, Duration.ofSeconds(1), most, null, 1).mostHeld())
			.isGreaterThanOrEqualTo(most.toBytes());
	}

	@Test
	void refusesSettingsThatMakeNoSense() {
		assertThatExceptionOfType(MicroException.Invalid.class)
			.isThrownBy(() -> TestGateway.properties(Duration.ZERO, 1))
			.withMessageContaining("micro.gateway.timeout");
	}

	@ParameterizedTest
	@ValueSource(booleans = { true, false })
	void countsARequestUntilItsWorkHasEnded(boolean interruptible) throws Exception {
		CountDownLatch told = new CountDownLatch(1);
		CountDownLatch interrupted = new CountDownLatch(1);
		SimpleMeterRegistry meters = new SimpleMeterRegistry();
		try (TestGateway gateway = new TestGateway();
				Calls calls = new Calls(slow(gateway.registry, told, interrupted, interruptible))) {
			Door door = new Door("127.0.0.1", TestGateway.properties(Duration.ofSeconds(1), 10), "1", calls, meters);
			door.start();
			try {
				HttpRequest request = HttpRequest
					.newBuilder(URI.create("http://127.0.0.1:" + door.port() + "/orders/call"))
					.build();
				assertThat(gateway.client().send(request, HttpResponse.BodyHandlers.ofString()).statusCode())
					.isEqualTo(504);
				assertThat(interrupted.await(5, TimeUnit.SECONDS)).isTrue();
				if (!interruptible) {
					Awaitility.await().until(() -> meters.find("micro.gateway.requests").timer() != null);
					assertThat(meters.get("micro.gateway.active").gauge().value()).isEqualTo(1);
					told.countDown();
				}
				Awaitility.await()
					.untilAsserted(() -> assertThat(meters.get("micro.gateway.active").gauge().value()).isZero());
			}
			finally {
				told.countDown();
				door.stop();
			}
		}
	}

	/**
	 * A registry that takes its time.
	 */
	private static Registry slow(Registry registry, CountDownLatch told, CountDownLatch interrupted,
			boolean interruptible) {
		return (Registry) Proxy.newProxyInstance(Registry.class.getClassLoader(), new Class<?>[] { Registry.class },
				(proxy, method, arguments) -> {
					boolean waits = method.getName().equals("instances");
					while (waits) {
						try {
							told.await();
							waits = false;
						}
						catch (InterruptedException ex) {
							interrupted.countDown();
							waits = !interruptible;
						}
					}
					return method.invoke(registry, arguments);
				});
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
