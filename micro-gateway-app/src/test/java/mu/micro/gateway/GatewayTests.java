package mu.micro.gateway;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import io.micrometer.core.instrument.Timer;
import mu.micro.Lease;
import mu.micro.gateway.TestGateway.Reply;
import mu.micro.gateway.event.OrdersGrpc;
import mu.micro.gateway.event.Ticket;
import mu.micro.gateway.shop.Order;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

@Timeout(60)
class GatewayTests {

	private static final String JSON = "application/json";

	private final TestGateway gateway = new TestGateway();

	private final OrdersService service = new OrdersService();

	@AfterEach
	void close() {
		this.gateway.close();
	}

	@Test
	void callsByGetAndByPost() {
		try (Backend backend = start()) {
			assertThat(this.gateway.get("/orders/call?name=Jane").body()).isEqualTo("{\"name\":\"Jane\"}");
			assertThat(this.gateway.get("/orders?name=Jane").body()).isEqualTo("{\"name\":\"Jane\"}");
			Reply reply = this.gateway.post("/orders/call", "{\"name\":\"Jane\"}", "Content-Type", JSON);
			assertThat(reply.status()).isEqualTo(200);
			assertThat(reply.body()).isEqualTo("{\"name\":\"Jane\"}");
			assertThat(reply.header("content-type")).isEqualTo(JSON);
			assertThat(reply.header("content-length")).isEqualTo("15");
		}
	}

	@Test
	void keepsCharactersAsTheyAre() {
		try (Backend backend = start()) {
			String text = "{\"name\":\"<b>&'=\\\\u003c \\\"ü\\\" 命 \uD83D\uDE00\"}";
			assertThat(this.gateway.post("/orders/call", text, "Content-Type", JSON).body()).isEqualTo(text);
			assertThat(this.gateway.get("/orders/call?name=%F0%9F%98%80+%3C").body())
				.isEqualTo("{\"name\":\"\uD83D\uDE00 <\"}");
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "application/json; charset=utf-8", "application/json;charset=\"UTF-8\"",
			"application/vnd.shop+json", "APPLICATION/JSON", "text/json" })
	void takesJsonUnderItsOtherNames(String type) {
		try (Backend backend = start()) {
			assertThat(this.gateway.post("/orders/call", "{\"count\":3}", "Content-Type", type).body())
				.isEqualTo("{\"count\":3}");
		}
	}

	@Test
	void takesABodyOfNoTypeAsJsonAndNoBodyAsAnEmptyMessage() {
		try (Backend backend = start()) {
			assertThat(this.gateway.post("/orders/call", "{\"count\":3}").body()).isEqualTo("{\"count\":3}");
			assertThat(this.gateway.post("/orders/call", "").body()).isEqualTo("{}");
			assertThat(
					this.gateway.post("/orders/call?count=4", "", "Content-Type", "application/x-www-form-urlencoded")
						.body())
				.isEqualTo("{\"count\":4}");
		}
	}

	@ParameterizedTest
	@CsvSource({ "application/x-www-form-urlencoded, add -H 'Content-Type: application/json'",
			"text/plain, add -H 'Content-Type: application/json'", "application/json; charset=latin1, in UTF-8",
			"application/xml, send JSON" })
	void refusesOtherTypes(String type, String detail) {
		try (Backend backend = start()) {
			Reply reply = this.gateway.post("/orders/call", "name=Jane", "Content-Type", type);
			refused(reply, 415, "api", "Unsupported Media Type");
			assertThat(reply.detail()).contains(detail.replace("\"", ""));
		}
	}

	@Test
	void refusesCompressedBodies() {
		refused(this.gateway.post("/orders/call", "x", "Content-Type", JSON, "Content-Encoding", "gzip"), 415, "api",
				"Unsupported Media Type");
	}

	@Test
	void answersAtItsRoot() {
		Reply reply = this.gateway.get("/");
		assertThat(reply.status()).isEqualTo(200);
		assertThat(reply.body()).isEqualTo("{\"version\":\"1.2.3\"}");
		assertThat(this.gateway.get("").body()).isEqualTo("{\"version\":\"1.2.3\"}");
		assertThat(this.gateway.send("HEAD", "/", null).status()).isEqualTo(200);
		assertThat(this.gateway.send("HEAD", "/", null).body()).isEmpty();
		assertThat(this.gateway.get("/favicon.ico").status()).isEqualTo(200);
		assertThat(this.gateway.get("/favicon.ico").body()).isEmpty();
		Reply post = this.gateway.post("/", "{}");
		refused(post, 405, "api", "Method Not Allowed");
		assertThat(post.header("allow")).isEqualTo("GET, HEAD");
	}

	@ParameterizedTest
	@ValueSource(strings = { "PUT", "DELETE", "PATCH", "OPTIONS", "BREW" })
	void refusesOtherMethods(String method) {
		Reply reply = this.gateway.send(method, "/orders/call", "{}".getBytes(StandardCharsets.UTF_8));
		refused(reply, 405, "api", "Method Not Allowed");
		assertThat(reply.header("allow")).isEqualTo("GET, POST");
		assertThat(reply.detail()).contains(method).contains("GET or POST");
	}

	@Test
	void refusesHeadWhereItWouldBeACall() {
		Reply reply = this.gateway.send("HEAD", "/orders/call", null);
		assertThat(reply.status()).isEqualTo(405);
		assertThat(reply.header("allow")).isEqualTo("GET, POST");
	}

	@Test
	void refusesAGetWithABody() {
		Reply reply = this.gateway.send("GET", "/orders/call", "{}".getBytes(StandardCharsets.UTF_8));
		refused(reply, 400, "api", "Bad Request");
		assertThat(reply.detail()).contains("by POST");
	}

	@Test
	void namesTheServiceThatIsNotRunning() {
		Reply reply = this.gateway.get("/nobody/call");
		refused(reply, 404, "api", "Not Found");
		assertThat(reply.detail()).contains("no service 'nobody' is running");
	}

	@Test
	void listsTheEndpointsOfAServiceThatLacksTheOneAskedFor() {
		try (Backend backend = start()) {
			Reply reply = this.gateway.get("/orders/cancel");
			refused(reply, 404, "api", "Not Found");
			assertThat(reply.detail()).contains("no endpoint 'Orders.Cancel'").contains("Orders.Call, Orders.Fail");
		}
	}

	@Test
	void findsAServiceThatStartsLater() {
		assertThat(this.gateway.get("/orders/call").status()).isEqualTo(404);
		try (Backend backend = start()) {
			assertThat(this.gateway.get("/orders/call").status()).isEqualTo(200);
		}
		awaitStatus(404);
		try (Backend backend = start()) {
			awaitStatus(200);
		}
	}

	@ParameterizedTest
	@CsvSource(delimiter = '|', value = { "{\"name\":|malformed JSON at line 1, column",
			"{\"nmae\":1}|unknown field 'nmae'", "{\"count\":\"x\"}|field 'count'", "[]|not a JSON object" })
	void namesWhatIsWrongInABody(String body, String detail) {
		try (Backend backend = start()) {
			Reply reply = this.gateway.post("/orders/call", body, "Content-Type", JSON);
			refused(reply, 400, "api", "Bad Request");
			assertThat(reply.detail()).contains(detail);
		}
	}

	@Test
	void namesTheCommandForStreams() {
		try (Backend backend = start()) {
			Reply reply = this.gateway.get("/orders/watch");
			refused(reply, 501, "api", "Not Implemented");
			assertThat(reply.detail()).contains("micro stream orders Orders.Watch");
		}
	}

	@Test
	void passesAServicesOwnErrorOn() {
		try (Backend backend = start()) {
			Reply reply = this.gateway.get("/orders/fail?name=own");
			refused(reply, 409, "orders", "Conflict");
			assertThat(reply.body()).contains("sold out, <try> again & again");
		}
	}

	@Test
	void givesOtherFailuresTheServicesName() {
		try (Backend backend = start()) {
			Reply bare = this.gateway.get("/orders/fail?name=bare");
			refused(bare, 404, "orders", "Not Found");
			assertThat(bare.detail()).isEqualTo("no such order");
			Reply late = this.gateway.get("/orders/fail?name=late");
			refused(late, 504, "orders", "Gateway Timeout");
			assertThat(late.detail()).isEqualTo("the stock was slow");
			assertThat(this.gateway.get("/orders/fail").status()).isEqualTo(502);
		}
	}

	@ParameterizedTest
	@CsvSource({ "timeout, 1000000000", "grpc-timeout, 1S" })
	void endsAtTheDeadlineThatTheRequestNames(String header, String value) {
		try (Backend backend = start()) {
			assertThat(this.gateway.get("/orders/call").status()).isEqualTo(200);
			Reply reply = this.gateway.get("/orders/wait", header, value);
			refused(reply, 504, "orders", "Gateway Timeout");
			assertThat(reply.detail()).contains("within 1000 ms");
			Awaitility.await().untilAsserted(() -> assertThat(this.service.cancelled.getCount()).isZero());
		}
	}

	@Test
	void endsAtItsOwnTimeout() {
		try (TestGateway quick = new TestGateway(TestGateway.properties(Duration.ofMillis(200), 10));
				Backend backend = new Backend(quick.registry, "orders", this.service)) {
			refused(quick.get("/orders/wait", "timeout", "60000000000"), 504, "orders", "Gateway Timeout");
		}
	}

	@Test
	void refusesATimeoutThatItDoesNotUnderstand() {
		refused(this.gateway.get("/orders/wait", "timeout", "5s"), 400, "api", "Bad Request");
	}

	@Test
	void answersAtOnceWhenTheServiceStopsInMidCall() throws Exception {
		Backend backend = start();
		CompletableFuture<HttpResponse<String>> answer = async("/orders/wait");
		Awaitility.await().until(() -> !this.service.waiting.isEmpty());
		backend.stop();
		refused(new Reply(answer.get(8, TimeUnit.SECONDS)), 503, "orders", "Service Unavailable");
		backend.close();
		awaitStatus(404);
		try (Backend next = start()) {
			awaitStatus(200);
		}
	}

	@Test
	void answersAtOnceWhenTheServiceIsKilledInMidCall() throws Exception {
		Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
				"-XX:TieredStopAtLevel=1", "-cp", System.getProperty("java.class.path"), Backend.class.getName())
			.redirectError(ProcessBuilder.Redirect.INHERIT)
			.start();
		try {
			BufferedReader output = process.inputReader(StandardCharsets.UTF_8);
			int port = Integer.parseInt(output.readLine());
			try (Lease lease = Backend.register(this.gateway.registry, "orders", port, this.service)) {
				CompletableFuture<HttpResponse<String>> answer = async("/orders/wait");
				assertThat(output.readLine()).isEqualTo("waiting");
				process.destroyForcibly();
				refused(new Reply(answer.get(8, TimeUnit.SECONDS)), 503, "orders", "Service Unavailable");
				Reply next = this.gateway.get("/orders/call");
				refused(next, 503, "orders", "Service Unavailable");
				assertThat(next.detail()).contains("service 'orders' cannot be reached");
			}
		}
		finally {
			process.destroyForcibly();
		}
	}

	@Test
	void cancelsTheCallWhenTheClientGoesAway() throws IOException {
		try (Backend backend = start()) {
			try (Socket socket = new Socket("127.0.0.1", this.gateway.door.port())) {
				socket.getOutputStream()
					.write("GET /orders/wait HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
				Awaitility.await().until(() -> !this.service.waiting.isEmpty());
			}
			Awaitility.await()
				.atMost(Duration.ofSeconds(8))
				.untilAsserted(() -> assertThat(this.service.cancelled.getCount()).isZero());
			Awaitility.await().until(() -> this.gateway.meters.get("micro.gateway.active").gauge().value() == 0);
			assertThat(timer("orders", "Orders.Wait", "499").count()).isEqualTo(1);
		}
	}

	@Test
	void sendsEachRequestToInstancesWhoseContractTakesIt() {
		try (Backend shop = start();
				Backend secondShop = start();
				Backend tickets = new Backend(this.gateway.registry, "orders", new Tickets())) {
			for (int i = 0; i < 5; i++) {
				assertThat(this.gateway.get("/orders/call?name=Jane").body()).isEqualTo("{\"name\":\"Jane\"}");
				assertThat(this.gateway.get("/orders/call?seat=4b").body()).isEqualTo("{\"seat\":\"ticket 4b\"}");
				assertThat(this.gateway.get("/orders/call?count=2").body()).isEqualTo("{\"count\":2}");
				assertThat(this.gateway.get("/orders/fail?name=own").status()).isEqualTo(409);
			}
			Reply neither = this.gateway.get("/orders/call?seat=4b&name=Jane");
			refused(neither, 400, "api", "Bad Request");
			assertThat(neither.detail()).contains("2 different contracts run under the name 'orders'")
				.contains("unknown field 'seat': shop.Order")
				.contains("unknown field 'name': event.Ticket");
		}
	}

	@Test
	void passesHeadersOnAsMetadata() {
		try (Backend backend = start()) {
			String labels = this.gateway
				.get("/orders/headers", "Authorization", "Bearer x", "Micro-Namespace", "foo", "Micro-User", "me",
						"Cookie", "secret")
				.json()
				.get("labels")
				.toString();
			assertThat(labels).contains("\"authorization\":\"Bearer x\"")
				.contains("\"micro-user\":\"me\"")
				.contains("grpc-timeout")
				.doesNotContain("micro-namespace")
				.doesNotContain("secret");
		}
	}

	@Test
	void passesHeadersThatServicesTakeAndRefusesLargerOnes() {
		try (Backend backend = start()) {
			assertThat(this.gateway.get("/orders/headers", "micro-a", "x".repeat(7000)).status()).isEqualTo(200);
			refused(this.gateway.get("/orders/headers", "micro-a", "x".repeat(7500)), 431, "api",
					"Request Header Fields Too Large");
			refused(this.gateway.get("/orders/headers", "micro-a", "x".repeat(8500)), 431, "api",
					"Request Header Fields Too Large");
		}
	}

	@Test
	void saysThatARequestIsTooLargeForItsService() {
		try (Backend backend = new Backend(this.gateway.registry, "orders", this.service, 100_000)) {
			Reply reply = this.gateway.post("/orders/call", "{\"name\":\"" + "x".repeat(200_000) + "\"}");
			refused(reply, 413, "orders", "Content Too Large");
			assertThat(reply.detail()).contains("takes no message as large");
		}
	}

	@Test
	void saysThatAnAnswerIsTooLarge() {
		OrdersService large = new OrdersService() {

			@Override
			public void call(Order request, StreamObserver<Order> observer) {
				observer.onNext(Order.newBuilder().setName("x".repeat(Calls.MOST_ANSWER)).build());
				observer.onCompleted();
			}

		};
		try (Backend backend = new Backend(this.gateway.registry, "orders", large)) {
			Reply reply = this.gateway.get("/orders/call");
			refused(reply, 502, "orders", "Bad Gateway");
			assertThat(reply.detail()).contains("answer").contains("33554432 bytes");
		}
	}

	@Test
	void leavesAServicesOwnQuotaAsItIs() {
		OrdersService busy = new OrdersService() {

			@Override
			public void call(Order request, StreamObserver<Order> observer) {
				observer.onError(Status.RESOURCE_EXHAUSTED.withDescription("ten a day").asRuntimeException());
			}

		};
		try (Backend backend = new Backend(this.gateway.registry, "orders", busy)) {
			refused(this.gateway.get("/orders/call"), 429, "orders", "Too Many Requests");
		}
	}

	@Test
	void measuresByEndpoint() {
		try (Backend backend = start()) {
			this.gateway.get("/orders/call");
			this.gateway.get("/orders/call?x=1");
			this.gateway.get("/one/path");
			this.gateway.get("/another/path");
			Awaitility.await().untilAsserted(() -> assertThat(timer("none", "none", "404").count()).isEqualTo(2));
			assertThat(timer("orders", "Orders.Call", "200").count()).isEqualTo(1);
			assertThat(timer("orders", "Orders.Call", "400").count()).isEqualTo(1);
		}
	}

	// The registry's watch tells of changes a little later than the registry itself.
	private void awaitStatus(int status) {
		Awaitility.await()
			.atMost(Duration.ofSeconds(8))
			.until(() -> this.gateway.get("/orders/call").status() == status);
	}

	private Timer timer(String service, String endpoint, String status) {
		return Awaitility.await()
			.until(() -> this.gateway.meters.find("micro.gateway.requests")
				.tags("service", service, "endpoint", endpoint, "status", status)
				.timer(), (timer) -> timer != null);
	}

	private Backend start() {
		return new Backend(this.gateway.registry, "orders", this.service);
	}

	private CompletableFuture<HttpResponse<String>> async(String target) {
		return this.gateway.client()
			.sendAsync(this.gateway.request("GET", target, null), HttpResponse.BodyHandlers.ofString());
	}

	private static void refused(Reply reply, int code, String id, String status) {
		assertThat(reply.status()).as(reply.body()).isEqualTo(code);
		assertThat(reply.header("content-type")).isEqualTo(JSON);
		assertThat(reply.json().propertyNames()).containsExactly("id", "code", "detail", "status");
		assertThat(reply.json().get("id").asString()).isEqualTo(id);
		assertThat(reply.json().get("code").asInt()).isEqualTo(code);
		assertThat(reply.json().get("status").asString()).isEqualTo(status);
	}

	private static final class Tickets extends OrdersGrpc.OrdersImplBase {

		@Override
		public void call(Ticket request, StreamObserver<Ticket> observer) {
			observer.onNext(request.toBuilder().setSeat("ticket " + request.getSeat()).build());
			observer.onCompleted();
		}

	}

}
