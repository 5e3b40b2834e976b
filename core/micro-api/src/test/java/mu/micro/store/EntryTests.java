package mu.micro.store;

import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class EntryTests {

	private static final byte[] VALUE = { 1, 2, 3 };

	private static final Instant EXPIRES = Instant.parse("2026-03-01T12:00:00.123Z");

	@Test
	void entriesAreEqualWhenAllOfThemIs() {
		Entry entry = new Entry("key", VALUE, 7, Map.of("k", "v"), EXPIRES);
		assertThat(entry).isEqualTo(new Entry("key", VALUE.clone(), 7, Map.of("k", "v"), EXPIRES))
			.hasSameHashCodeAs(new Entry("key", VALUE.clone(), 7, Map.of("k", "v"), EXPIRES))
			.isNotEqualTo(new Entry("other", VALUE, 7, Map.of("k", "v"), EXPIRES))
			.isNotEqualTo(new Entry("key", new byte[3], 7, Map.of("k", "v"), EXPIRES))
			.isNotEqualTo(new Entry("key", VALUE, 8, Map.of("k", "v"), EXPIRES))
			.isNotEqualTo(new Entry("key", VALUE, 7, Map.of(), EXPIRES))
			.isNotEqualTo(new Entry("key", VALUE, 7, Map.of("k", "v"), null));
	}

	@Test
	void theMetadataIsCopiedAndStays() {
		Map<String, String> given = new HashMap<>(Map.of("k", "v"));
		Entry entry = new Entry("key", VALUE, 7, given, null);
		given.put("k2", "v2");
		assertThat(entry.metadata()).containsExactly(Map.entry("k", "v"));
		assertThatExceptionOfType(UnsupportedOperationException.class)
			.isThrownBy(() -> entry.metadata().put("k2", "v2"));
	}

	@Test
	void aValueIsNotPrinted() {
		assertThat(new Entry("key", "secret".getBytes(), 7, Map.of(), EXPIRES).toString())
			.contains("key=key", "6 bytes", "revision=7", EXPIRES.toString())
			.doesNotContain("secret");
	}

	@Test
	void thePagesEntriesAreCopiedAndStay() {
		List<Entry> given = new ArrayList<>(List.of(new Entry("key", VALUE, 7, Map.of(), null)));
		Page page = new Page(given, 7, false);
		given.clear();
		assertThat(page.entries()).hasSize(1);
		assertThatExceptionOfType(UnsupportedOperationException.class).isThrownBy(() -> page.entries().clear());
	}

	@Test
	void thePutOfAnEntryHasItsRevision() {
		assertThat(new Change.Put(new Entry("key", VALUE, 7, Map.of(), null)).revision()).isEqualTo(7);
	}

}
