package mu.micro.gateway;

import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpHeaders;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatNoException;

class OriginsTests {

	private final HttpHeaders headers = new DefaultHttpHeaders(false);

	@ParameterizedTest
	@ValueSource(strings = { "localhost", "LocalHost:8080", "127.0.0.1", "127.1.2.3:80", "[::1]", "[::1]:8080",
			"[0:0:0:0:0:0:0:1]:1", "" })
	void takesTheNamesOfThisMachine(String host) {
		this.headers.add("Host", host);
		assertThatNoException().isThrownBy(() -> Origins.of("127.0.0.1").check(this.headers));
	}

	@ParameterizedTest
	@ValueSource(strings = { "evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example",
			"127.0.0.1.", "10.0.0.1", "[::2]:8080", "127.evil.0.1", "127.0.0.256", "x@localhost", "a:b:1" })
	void refusesOtherNamesOnLoopbackOnly(String host) {
		this.headers.add("Host", host);
		refused("127.0.0.1", "micro.listen-address");
		refused("::1", "micro.listen-address");
		assertThatNoException().isThrownBy(() -> Origins.of("0.0.0.0").check(this.headers));
	}

	@ParameterizedTest
	@CsvSource({ "http://localhost:8080, localhost:8080", "HTTP://LOCALHOST:8080, localhost:8080",
			"http://localhost, localhost:80", "https://api.example.com, api.example.com",
			"https://api.example.com, api.example.com:443" })
	void takesItsOwnPages(String origin, String host) {
		this.headers.add("Host", host).add("Origin", origin).add("Sec-Fetch-Site", "same-origin");
		assertThatNoException().isThrownBy(() -> Origins.of("0.0.0.0").check(this.headers));
	}

	@ParameterizedTest
	@ValueSource(strings = { "http://evil.example", "http://localhost:3000", "http://localhost", "null", "",
			"localhost:8080", "ftp://localhost:8080", "http://localhost:8080.evil.example" })
	void refusesThePagesOfOthers(String origin) {
		this.headers.add("Host", "localhost:8080").add("Origin", origin);
		refused("127.0.0.1", "from a server");
		refused("0.0.0.0", "from a server");
	}

	@Test
	void refusesWhatTheBrowserCallsCrossSite() {
		this.headers.add("Host", "localhost:8080").add("Sec-Fetch-Site", "cross-site");
		refused("127.0.0.1", "from a server");
	}

	@Test
	void answersWithTheErrorBody() throws IOException {
		try (TestGateway gateway = new TestGateway(); Socket socket = new Socket("127.0.0.1", gateway.door.port())) {
			TestGateway.Reply reply = gateway.get("/orders/call", "Sec-Fetch-Site", "cross-site");
			assertThat(reply.status()).isEqualTo(403);
			assertThat(reply.json().get("id").asString()).isEqualTo("api");
			assertThat(reply.json().get("status").asString()).isEqualTo("Forbidden");
			assertThat(gateway.post("/orders/call", "{}", "Origin", "http://evil.example").status()).isEqualTo(403);
			socket.setSoTimeout(15_000);
			socket.getOutputStream()
				.write("GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
					.getBytes(StandardCharsets.UTF_8));
			assertThat(new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
				.startsWith("HTTP/1.1 403 ");
		}
	}

	private void refused(String address, String detail) {
		assertThatExceptionOfType(Refusal.class).isThrownBy(() -> Origins.of(address).check(this.headers))
			.withMessageContaining(detail)
			.satisfies((ex) -> assertThat(ex.answer().status()).isEqualTo(403));
	}

}
