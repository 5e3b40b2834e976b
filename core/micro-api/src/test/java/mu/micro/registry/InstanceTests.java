package mu.micro.registry;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

import mu.micro.MicroException;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class InstanceTests {

	@Test
	void theNamesKeepTheLimitOfNames() {
		String longest = "😀".repeat(200);
		Instance instance = new Instance(longest, longest, longest, "localhost", 1, Map.of());
		assertThat(List.of(instance.service(), instance.version(), instance.id())).containsOnly(longest);
		for (String name : List.of("", " ", "a\nb", longest + "n")) {
			assertRefused(name, "latest", "a", "the service's name ");
			assertRefused("service", name, "a", "the version ");
			assertRefused("service", "latest", name, "the instance's id ");
		}
	}

	@Test
	void thePortIsOneTo65535() {
		for (int port : new int[] { 1, 65535 }) {
			assertThat(instance("localhost", port, Map.of()).port()).isEqualTo(port);
		}
		for (int port : new int[] { -1, 0, 65536 }) {
			assertThatExceptionOfType(MicroException.Invalid.class)
				.isThrownBy(() -> instance("localhost", port, Map.of()))
				.withMessage("the port " + port + " is not between 1 and 65535");
		}
	}

	@Test
	void theHostHasAtMost255Characters() {
		String longest = "h".repeat(255);
		assertThat(instance(longest, 1, Map.of()).host()).isEqualTo(longest);
		for (String host : List.of("", " ", longest + "h")) {
			assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(() -> instance(host, 1, Map.of()))
				.withMessage("the host is blank or longer than 255 characters");
		}
	}

	@Test
	void theMetadataHasAtMost1024BytesOfUtf8() {
		Map<String, String> most = Map.of("ü", "v".repeat(1022));
		assertThat(instance("localhost", 1, most).metadata()).isEqualTo(most);
		Map<String, String> wide = Map.of("k", "€".repeat(341));
		assertThat(instance("localhost", 1, wide).metadata()).isEqualTo(wide);
		for (Map<String, String> over : List.of(Map.of("ü", "v".repeat(1023)), Map.of("kk", "€".repeat(341), "", ""),
				Map.of("a", "v".repeat(511), "b", "v".repeat(512)))) {
			assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(() -> instance("localhost", 1, over))
				.withMessage("the metadata is 1025 bytes, more than the limit of 1024");
		}
	}

	@Test
	void theMetadataIsCopiedAndStays() {
		Map<String, String> given = new HashMap<>(Map.of("b", "2", "a", "1"));
		Instance instance = instance("localhost", 1, given);
		given.put("c", "3");
		assertThat(instance.metadata()).containsExactly(Map.entry("a", "1"), Map.entry("b", "2"));
		assertThatExceptionOfType(UnsupportedOperationException.class)
			.isThrownBy(() -> instance.metadata().put("c", "3"));
	}

	private static void assertRefused(String service, String version, String id, String message) {
		assertThatExceptionOfType(MicroException.Invalid.class)
			.isThrownBy(() -> new Instance(service, version, id, "localhost", 1, Map.of()))
			.withMessageStartingWith(message);
	}

	private static Instance instance(String host, int port, Map<String, String> metadata) {
		return new Instance("service", "latest", "a", host, port, metadata);
	}

}
