package mu.micro.gateway;

import java.time.Duration;

import io.grpc.Metadata;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpHeaders;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class CallHeadersTests {

	private static final Duration MOST = Duration.ofSeconds(10);

	private final HttpHeaders headers = new DefaultHttpHeaders(false);

	@Test
	void passesIdentityAndTraceAndNothingOfTheHop() {
		this.headers.add("Authorization", "Bearer x")
			.add("Micro-Namespace", "foo")
			.add("Micro-Service", "foo")
			.add("Micro-Instance", "foo")
			.add("Micro-Anything", "a")
			.add("Micro-Anything", "b")
			.add("traceparent", "00-1-2-01")
			.add("tracestate", "a=b")
			.add("X-Request-Id", "1")
			.add("Host", "localhost")
			.add("Connection", "keep-alive")
			.add("Cookie", "secret")
			.add("Content-Length", "3");
		Metadata metadata = CallHeaders.pass(this.headers);
		assertThat(metadata.keys()).containsExactlyInAnyOrder("authorization", "micro-anything", "traceparent",
				"tracestate", "x-request-id");
		assertThat(metadata.getAll(key("micro-anything"))).containsExactly("a", "b");
		assertThat(metadata.get(key("authorization"))).isEqualTo("Bearer x");
	}

	@Test
	void leavesOutWhatMetadataCannotHold() {
		this.headers.add("micro-x-bin", "a").add("micro-é", "a").add("micro-!", "a").add("micro-value", "é");
		assertThat(CallHeaders.pass(this.headers).keys()).isEmpty();
	}

	@Test
	void refusesAnAuthorizationThatItCannotPassOn() {
		this.headers.add("Authorization", "Bearer é");
		refused(400, "authorization");
	}

	@Test
	void refusesAnAuthorizationAfterMoreHeadersThanItsLimit() {
		for (int i = 0; i < 64; i++) {
			this.headers.add("micro-" + i, "a");
		}
		this.headers.add("Authorization", "Bearer x");
		refused(400, "authorization");
	}

	@Test
	void refusesMoreBytesThanServicesTake() {
		for (int i = 0; i < 60; i++) {
			this.headers.add("micro-" + i, "x".repeat(100));
		}
		refused(431, "7168");
	}

	private void refused(int status, String detail) {
		assertThatExceptionOfType(Refusal.class).isThrownBy(() -> CallHeaders.pass(this.headers))
			.withMessageContaining(detail)
			.satisfies((ex) -> assertThat(ex.answer().status()).isEqualTo(status));
	}

	@Test
	void passesNoMoreThanItsLimit() {
		for (int i = 0; i < 100; i++) {
			this.headers.add("micro-" + i, "a");
		}
		assertThat(CallHeaders.pass(this.headers).keys()).hasSize(64);
	}

	@ParameterizedTest
	@CsvSource({ "timeout, 5000000, 5", "timeout, 0, 0", "timeout, 999999999999999999, 10000", "grpc-timeout, 3S, 3000",
			"grpc-timeout, 5m, 5", "grpc-timeout, 5000000n, 5", "grpc-timeout, 5000u, 5",
			"grpc-timeout, 99999999H, 10000", "grpc-timeout, 1M, 10000", "other, x, 10000" })
	void shortensTheTimeout(String name, String value, long milliseconds) {
		this.headers.add(name, value);
		assertThat(CallHeaders.timeout(this.headers, MOST)).hasMillis(milliseconds);
	}

	@ParameterizedTest
	@CsvSource({ "timeout, 5s", "timeout, -1", "timeout, ''", "timeout, 9999999999999999999", "grpc-timeout, 5",
			"grpc-timeout, S", "grpc-timeout, 999999999S", "grpc-timeout, 5s" })
	void refusesATimeoutThatItDoesNotUnderstand(String name, String value) {
		this.headers.add(name, value);
		assertThatExceptionOfType(Refusal.class).isThrownBy(() -> CallHeaders.timeout(this.headers, MOST))
			.withMessageContaining("the " + name + " header '" + value + "'")
			.satisfies((ex) -> assertThat(ex.answer().status()).isEqualTo(400));
	}

	private static Metadata.Key<String> key(String name) {
		return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
	}

}
