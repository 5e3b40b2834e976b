package mu.micro.store;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import mu.micro.Limits;
import mu.micro.MicroException;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class WriteTests {

	private static final byte[] VALUE = { 1, 2, 3 };

	@Test
	void aPutStaysForEverOnNoCondition() {
		Write write = Write.put("key", VALUE);
		assertThat(write.key()).isEqualTo("key");
		assertThat(write.value()).isSameAs(VALUE);
		assertThat(write.when()).isEqualTo(When.ALWAYS);
		assertThat(write.ttl()).isNull();
		assertThat(write.metadata()).isEmpty();
	}

	@Test
	void aDeleteHasNoValue() {
		Write write = Write.delete("key");
		assertThat(write.key()).isEqualTo("key");
		assertThat(write.value()).isNull();
		assertThat(write.when()).isEqualTo(When.ALWAYS);
	}

	@Test
	void eachPartIsSetAlone() {
		Write write = Write.put("key", VALUE)
			.withWhen(When.ABSENT)
			.withTtl(Duration.ofSeconds(1))
			.withMetadata(Map.of("k", "v"));
		assertThat(write).isEqualTo(new Write("key", VALUE, When.ABSENT, Duration.ofSeconds(1), Map.of("k", "v")));
		assertThat(write.withTtl(null)).isEqualTo(new Write("key", VALUE, When.ABSENT, null, Map.of("k", "v")));
		assertThat(Write.delete("key").withWhen(When.revision(7)))
			.isEqualTo(new Write("key", null, When.revision(7), null, Map.of()));
	}

	@Test
	void theKeyKeepsItsLimit() {
		String longest = "é".repeat(512);
		assertThat(Write.delete(longest).key()).isEqualTo(longest);
		for (String key : List.of(longest + "k", "", "\ud83d")) {
			assertInvalid(() -> Write.delete(key), "the key ");
			assertInvalid(() -> Write.put(key, VALUE), "the key ");
		}
	}

	@Test
	void theValueKeepsItsLimit() {
		assertThat(Write.put("key", new byte[Limits.VALUE]).value()).hasSize(8 * 1024 * 1024);
		assertInvalid(() -> Write.put("key", new byte[Limits.VALUE + 1]),
				"the value is 8388609 bytes, more than the limit of 8388608");
	}

	@Test
	void theMetadataKeepsItsLimitAndIsCopied() {
		Map<String, String> given = new HashMap<>(Map.of("k", "v".repeat(1023)));
		Write write = Write.put("key", VALUE).withMetadata(given);
		given.put("kk", "v");
		assertThat(write.metadata()).containsOnlyKeys("k");
		assertInvalid(() -> Write.put("key", VALUE).withMetadata(given),
				"the metadata is 1027 bytes, more than the limit of 1024");
	}

	@Test
	void aTtlIsAMillisecondToAHundredYears() {
		for (Duration ttl : List.of(Duration.ofMillis(1), Duration.ofMillis(999), Duration.ofDays(36_500))) {
			assertThat(Write.put("key", VALUE).withTtl(ttl).ttl()).isEqualTo(ttl);
		}
		for (Duration ttl : List.of(Duration.ZERO, Duration.ofSeconds(-1), Duration.ofNanos(999_999))) {
			assertInvalid(() -> Write.put("key", VALUE).withTtl(ttl),
					"the ttl " + ttl + " is shorter than a millisecond");
		}
		Duration longer = Duration.ofDays(36_500).plusNanos(1);
		assertInvalid(() -> Write.put("key", VALUE).withTtl(longer),
				"the ttl " + longer + " is longer than a hundred years");
	}

	@Test
	void aTtlIsCutToWholeMilliseconds() {
		assertThat(Write.put("key", VALUE).withTtl(Duration.ofNanos(1_999_999)).ttl()).isEqualTo(Duration.ofMillis(1));
		assertThat(Write.put("key", VALUE).withTtl(Duration.ofSeconds(3, 4_000_001)).ttl())
			.isEqualTo(Duration.ofMillis(3_004));
	}

	@Test
	void aDeleteHasNeitherTtlNorMetadata() {
		Write delete = Write.delete("key");
		assertInvalid(() -> delete.withTtl(Duration.ofSeconds(1)), "a delete has neither ttl nor metadata");
		assertInvalid(() -> delete.withMetadata(Map.of("k", "v")), "a delete has neither ttl nor metadata");
	}

	@Test
	void writesAreEqualWhenAllOfThemIs() {
		Write write = new Write("key", VALUE, When.ABSENT, Duration.ofSeconds(1), Map.of("k", "v"));
		assertThat(write)
			.isEqualTo(new Write("key", VALUE.clone(), When.ABSENT, Duration.ofSeconds(1), Map.of("k", "v")))
			.hasSameHashCodeAs(new Write("key", VALUE.clone(), When.ABSENT, Duration.ofSeconds(1), Map.of("k", "v")))
			.isNotEqualTo(new Write("other", VALUE, When.ABSENT, Duration.ofSeconds(1), Map.of("k", "v")))
			.isNotEqualTo(new Write("key", new byte[3], When.ABSENT, Duration.ofSeconds(1), Map.of("k", "v")))
			.isNotEqualTo(new Write("key", VALUE, When.ALWAYS, Duration.ofSeconds(1), Map.of("k", "v")))
			.isNotEqualTo(new Write("key", VALUE, When.ABSENT, null, Map.of("k", "v")))
			.isNotEqualTo(new Write("key", VALUE, When.ABSENT, Duration.ofSeconds(1), Map.of()));
		assertThat(Write.put("key", new byte[0])).isNotEqualTo(Write.delete("key"));
	}

	@Test
	void aValueIsNotPrinted() {
		assertThat(Write.put("key", "secret".getBytes()).toString()).contains("key=key", "6 bytes")
			.doesNotContain("secret");
		assertThat(Write.delete("key").toString()).contains("delete");
	}

	private static void assertInvalid(ThrowingCallable call, String message) {
		assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(call).withMessageStartingWith(message);
	}

}
