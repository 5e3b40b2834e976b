package mu.micro.cli;

import java.time.Duration;
import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class OptionsTests {

	private final Options options = Options.of(Map.of());

	@Test
	void theEnvironmentSaysWhereTheProxyIs() {
		assertThat(this.options.address()).hasToString("127.0.0.1:8081");
		assertThat(Options.of(Map.of("MICRO_PROXY", "micro.example:99")).address()).hasToString("micro.example:99");
		assertThat(Options.of(Map.of("MICRO_PROXY", "")).address()).hasToString("127.0.0.1:8081");
	}

	@ParameterizedTest
	@CsvSource({ "localhost:1,localhost:1", "h,h:8081", "[::1]:65535,[::1]:65535", "[::1],[::1]:8081" })
	void addressesAreHostAndPort(String written, String address) {
		assertThat(this.options.with("proxy_address", written).address()).hasToString(address);
	}

	@ParameterizedTest
	@ValueSource(strings = { "", ":1", "h:", "h:0", "h:65536", "h:x", "http://h:1", "::1", "h:-1" })
	void aWrongAddressIsRefused(String written) {
		assertThatExceptionOfType(Failure.class).isThrownBy(() -> this.options.with("proxy_address", written))
			.withMessageContaining("host:port");
	}

	@ParameterizedTest
	@CsvSource({ "5s,5000", "200ms,200", "1m30s,90000", "2h,7200000", "5000us,5" })
	void timesHaveUnits(String written, long millis) {
		assertThat(this.options.with("request_timeout", written).limit()).isEqualTo(Duration.ofMillis(millis));
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "5", "s", "-5s", "5x", "5s6", "0s", "999999999h", "5 s" })
	void aWrongTimeIsRefused(String written) {
		assertThatExceptionOfType(Failure.class).isThrownBy(() -> this.options.with("request_timeout", written))
			.withMessageContaining("5s, 200ms or 1m30s");
	}

	@Test
	void metadataIsKeptByKey() {
		assertThat(this.options.with("metadata", "Key=a=b").with("metadata", "x=").metadata())
			.containsExactly(Map.entry("key", "a=b"), Map.entry("x", ""));
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "x", "=x", "k k=x", "k-bin=x", "k=é", "k=\n" })
	void wrongMetadataIsRefused(String written) {
		assertThatExceptionOfType(Failure.class).isThrownBy(() -> this.options.with("metadata", written))
			.withMessageContaining("key=value");
	}

	@Test
	void optionsAreTakenOutOfFlags() {
		Options.Split split = this.options.split(List.of("--name", "x", "--output", "json", "--request-timeout=5s",
				"--metadata", "a=b", "--metadata=c=d", "--stacktrace", "--last=1"), (name) -> false);
		assertThat(split.rest()).containsExactly("--name", "x", "--last=1");
		assertThat(split.options().json()).isTrue();
		assertThat(split.options().stacktrace()).isTrue();
		assertThat(split.options().timeout()).isEqualTo(Duration.ofSeconds(5));
		assertThat(split.options().metadata()).containsOnlyKeys("a", "c");
	}

	@Test
	void aServicesOwnFlagIsLeftToIt() {
		Options.Split split = this.options.split(List.of("--output", "x", "--metadata=a=b"), "output"::equals);
		assertThat(split.rest()).containsExactly("--output", "x");
		assertThat(split.options().metadata()).containsOnlyKeys("a");
	}

	@Test
	void anOptionWithoutItsValueIsRefused() {
		assertThatExceptionOfType(Failure.class)
			.isThrownBy(() -> this.options.split(List.of("--output"), (name) -> false))
			.withMessage("--output needs a value: --output=FORMAT.");
	}

}
