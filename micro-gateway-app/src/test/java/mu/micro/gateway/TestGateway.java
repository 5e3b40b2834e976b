package mu.micro.gateway;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import mu.micro.memory.MemoryRegistry;
import mu.micro.registry.Registry;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.util.unit.DataSize;

/**
 * A gateway on a free port, and a client.
 */
class TestGateway implements AutoCloseable {

	private static final JsonMapper MAPPER = JsonMapper.shared();

	final MemoryRegistry registries = new MemoryRegistry();

	final Registry registry = this.registries.in("micro");

	final SimpleMeterRegistry meters = new SimpleMeterRegistry();

	final Door door;

	private final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

	private final Calls calls = new Calls(this.registry);

	TestGateway() {
		this(properties(Duration.ofSeconds(10), 1000));
	}

	TestGateway(GatewayProperties properties) {
		this.door = new Door("127.0.0.1", properties, "1.2.3", this.calls, this.meters);
		this.door.start();
	}

	static GatewayProperties properties(Duration timeout, int maxRequests) {
		return new GatewayProperties(0, timeout, DataSize.ofMegabytes(10), null, maxRequests);
	}

	URI uri(String target) {
		return URI.create("http://127.0.0.1:" + this.door.port() + target);
	}

	Reply get(String target, String... headers) {
		return send("GET", target, null, headers);
	}

	Reply post(String target, String body, String... headers) {
		return send("POST", target, body.getBytes(StandardCharsets.UTF_8), headers);
	}

	Reply send(String method, String target, byte[] body, String... headers) {
		try {
			return new Reply(
					this.client.send(request(method, target, body, headers), HttpResponse.BodyHandlers.ofString()));
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		catch (InterruptedException ex) {
			throw new IllegalStateException(ex);
		}
	}

	HttpRequest request(String method, String target, byte[] body, String... headers) {
		HttpRequest.Builder request = HttpRequest.newBuilder(uri(target))
			.timeout(Duration.ofSeconds(20))
			.method(method, (body != null) ? HttpRequest.BodyPublishers.ofByteArray(body)
					: HttpRequest.BodyPublishers.noBody());
		if (headers.length > 0) {
			request.headers(headers);
		}
		return request.build();
	}

	HttpClient client() {
		return this.client;
	}

	@Override
	public void close() {
		this.door.stop();
		this.calls.close();
		this.registries.close();
	}

	/**
	 * A response.
	 */
	record Reply(int status, String body, HttpResponse<String> response) {

		Reply(HttpResponse<String> response) {
			this(response.statusCode(), response.body(), response);
		}

		JsonNode json() {
			return MAPPER.readTree(this.body);
		}

		String detail() {
			return json().get("detail").asString();
		}

		String header(String name) {
			return this.response.headers().firstValue(name).orElse("");
		}

	}

}
