package mu.micro.gateway;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;

import mu.micro.gateway.TestGateway.Reply;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;

@Timeout(60)
class BadHttpTests {

	private static final int MEGABYTE = 1024 * 1024;

	private static final String POST = "POST /orders/call HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";

	private final TestGateway gateway = new TestGateway();

	private final Backend backend = new Backend(this.gateway.registry, "orders", new OrdersService());

	@AfterEach
	void close() {
		this.backend.close();
		this.gateway.close();
	}

	@ParameterizedTest
	@CsvSource(delimiter = '|', value = { "nonsense\\r\\n\\r\\n|400",
			"GET /orders call HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n|400",
			"GET / HTTP/1.1\\r\\nbad header\\r\\n\\r\\n|400",
			"POST /orders HTTP/1.1\\r\\nHost: localhost\\r\\nContent-Length: many\\r\\n\\r\\n|400",
			"POST /orders HTTP/1.1\\r\\nHost: localhost\\r\\nContent-Length: -5\\r\\n\\r\\n|400",
			"POST /orders HTTP/1.1\\r\\nHost: localhost\\r\\nContent-Length: 2\\r\\nContent-Length: 3\\r\\n\\r\\n{}|400",
			"POST /orders HTTP/1.1\\r\\nHost: localhost\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\nzz\\r\\n|400",
			"GET /orders/%zz HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n|400" })
	void answersWhatIsNoHttpWithTheErrorBody(String request, int status) throws IOException {
		String answer = exchange(request.replace("\\r", "\r").replace("\\n", "\n").getBytes(StandardCharsets.UTF_8));
		assertThat(answer).startsWith("HTTP/1.1 " + status + " ")
			.containsIgnoringCase("content-type: application/json")
			.contains("{\"id\":\"api\",\"code\":" + status + ",\"detail\":\"");
		assertThat(this.gateway.get("/orders/call").status()).isEqualTo(200);
	}

	@Test
	void answersALongRequestLineAndLargeHeadersWithTheErrorBody() throws IOException {
		assertThat(exchange(ascii("GET /" + "x".repeat(10_000) + " HTTP/1.1\r\nHost: localhost\r\n\r\n")))
			.startsWith("HTTP/1.1 414 ")
			.contains("{\"id\":\"api\",\"code\":414,")
			.contains("\"status\":\"URI Too Long\"");
		assertThat(exchange(ascii("GET / HTTP/1.1\r\nHost: localhost\r\nX: " + "x".repeat(9_000) + "\r\n\r\n")))
			.startsWith("HTTP/1.1 431 ")
			.contains("{\"id\":\"api\",\"code\":431,");
		assertThat(this.gateway.get("/" + "x".repeat(7000)).status()).isEqualTo(400);
	}

	@Test
	void takesABodyUpToTheLimit() {
		String name = "x".repeat(10 * MEGABYTE - 11);
		Reply reply = this.gateway.post("/orders/call", "{\"name\":\"" + name + "\"}");
		assertThat(reply.status()).isEqualTo(200);
		assertThat(reply.body()).hasSize(10 * MEGABYTE);
	}

	@Test
	void refusesALargerBodyByItsStatedLength() {
		Reply reply = this.gateway.send("POST", "/orders/call", new byte[20 * MEGABYTE]);
		assertThat(reply.status()).isEqualTo(413);
		assertThat(reply.json().get("status").asString()).isEqualTo("Content Too Large");
		assertThat(reply.detail()).contains("10485760 bytes").contains("micro.gateway.max-body");
	}

	@Test
	void refusesALargerBodyOfUnknownLength() throws Exception {
		HttpRequest request = HttpRequest.newBuilder(this.gateway.uri("/orders/call"))
			.POST(HttpRequest.BodyPublishers.ofByteArrays(List.of(new byte[15 * MEGABYTE], new byte[5 * MEGABYTE])))
			.build();
		HttpResponse<String> response = this.gateway.client().send(request, HttpResponse.BodyHandlers.ofString());
		assertThat(response.statusCode()).isEqualTo(413);
		assertThat(response.body()).contains("\"code\":413");
	}

	@Test
	void answersBeforeALargeBodyIsSent() throws IOException {
		String answer = exchange(ascii(POST + "Content-Length: 20971520\r\nExpect: 100-continue\r\n\r\n"));
		assertThat(answer).startsWith("HTTP/1.1 413 ").containsIgnoringCase("connection: close");
	}

	@Test
	void closesTheConnectionOfAClientThatNeverStopsSending() throws IOException {
		try (Socket socket = connect()) {
			OutputStream out = socket.getOutputStream();
			out.write(ascii(POST + "Content-Length: 1000000000\r\n\r\n"));
			byte[] part = new byte[MEGABYTE];
			int sent = 0;
			try {
				while (sent < 500) {
					out.write(part);
					sent++;
				}
			}
			catch (IOException ex) {
				assertThat(sent).isGreaterThan(9);
			}
			assertThat(sent).isLessThan(500);
		}
	}

	@Test
	void answersWhenTheBodyDoesNotArrive() throws IOException {
		try (TestGateway quick = new TestGateway(TestGateway.properties(Duration.ofMillis(300), 10));
				Socket socket = new Socket("127.0.0.1", quick.door.port())) {
			socket.setSoTimeout(15_000);
			socket.getOutputStream().write(ascii(POST + "Content-Length: 10\r\n\r\n{\"na"));
			assertThat(read(socket.getInputStream())).startsWith("HTTP/1.1 408 ").contains("\"code\":408");
		}
	}

	@Test
	void forgetsAClientThatGoesAwayWhileItSends() throws IOException {
		try (Socket socket = connect()) {
			socket.getOutputStream().write(ascii(POST + "Content-Length: 10\r\n\r\n{\"na"));
			Awaitility.await().until(() -> active() == 1);
		}
		Awaitility.await().atMost(Duration.ofSeconds(8)).until(() -> active() == 0);
	}

	@RepeatedTest(20)
	void goesOnAfterARefusal() throws IOException {
		try (Socket socket = connect()) {
			socket.getOutputStream().write(ascii(POST + "Content-Length: 5\r\n\r\n{\"na\""));
			String refusal = new String(socket.getInputStream().readNBytes(60), StandardCharsets.UTF_8);
			assertThat(refusal).startsWith("HTTP/1.1 400 ");
			socket.getOutputStream()
				.write(ascii(POST + "Connection: close\r\nContent-Length: 12\r\n\r\n{\"name\":\"a\"}"));
			assertThat(read(socket.getInputStream())).contains("HTTP/1.1 200 OK").endsWith("{\"name\":\"a\"}");
		}
	}

	@Test
	void answersTheWholeUrlAsItsPath() throws IOException {
		assertThat(exchange(
				ascii("GET http://x:80/orders/call?count=1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")))
			.endsWith("{\"count\":1}");
		assertThat(exchange(ascii("OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")))
			.startsWith("HTTP/1.1 405 ");
		assertThat(exchange(ascii("GET /orders/gr\u00fcn HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")))
			.startsWith("HTTP/1.1 404 ");
	}

	private double active() {
		return this.gateway.meters.get("micro.gateway.active").gauge().value();
	}

	private Socket connect() throws IOException {
		Socket socket = new Socket("127.0.0.1", this.gateway.door.port());
		socket.setSoTimeout(15_000);
		return socket;
	}

	private String exchange(byte[] request) throws IOException {
		try (Socket socket = connect()) {
			socket.getOutputStream().write(request);
			return read(socket.getInputStream());
		}
	}

	private static String read(InputStream in) throws IOException {
		ByteArrayOutputStream out = new ByteArrayOutputStream();
		in.transferTo(out);
		return out.toString(StandardCharsets.UTF_8);
	}

	private static byte[] ascii(String text) {
		return text.getBytes(StandardCharsets.UTF_8);
	}

}
