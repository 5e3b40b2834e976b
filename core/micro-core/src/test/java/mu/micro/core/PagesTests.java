package mu.micro.core;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

import mu.micro.Limits;
import mu.micro.memory.MemoryDatabases;
import mu.micro.store.Database;
import mu.micro.store.Entry;
import mu.micro.store.Query;
import mu.micro.store.TableWrite;
import mu.micro.store.Write;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class PagesTests {

	private static final int COUNT = 2 * Limits.PAGE + 500;

	private final MemoryDatabases databases = new MemoryDatabases();

	private final Database database = this.databases.in("micro");

	@BeforeEach
	void fill() {
		for (int i = 0; i < COUNT; i += 500) {
			this.database.apply(IntStream.range(i, i + 500)
				.mapToObj((n) -> new TableWrite("t", Write.put(key(n), new byte[0])))
				.toList());
		}
	}

	@AfterEach
	void close() {
		this.databases.close();
	}

	@Test
	void withoutALimitAllIsRead() {
		assertThat(keys(Query.ALL, 0)).containsExactlyElementsOf(keys(0, COUNT));
		assertThat(keys(Query.ALL, -1)).hasSize(COUNT);
	}

	@Test
	void theLimitMayBeWithinAPageOrBeyond() {
		assertThat(keys(Query.ALL, 3)).containsExactlyElementsOf(keys(0, 3));
		assertThat(keys(Query.ALL, Limits.PAGE)).containsExactlyElementsOf(keys(0, Limits.PAGE));
		assertThat(keys(Query.ALL, Limits.PAGE + 1)).containsExactlyElementsOf(keys(0, Limits.PAGE + 1));
		assertThat(keys(Query.ALL, COUNT + 1)).hasSize(COUNT);
	}

	@Test
	void theOffsetCountsOnce() {
		assertThat(keys(Query.ALL.withOffset(10), Limits.PAGE + 10))
			.containsExactlyElementsOf(keys(10, Limits.PAGE + 20));
	}

	@Test
	void ofNothingThereIsNoPage() {
		assertThat(keys(Query.prefix("nobody"), 0)).isEmpty();
	}

	private List<String> keys(Query query, long limit) {
		Pages pages = new Pages(this.database.table("t"), query, limit);
		List<String> keys = new ArrayList<>();
		for (List<Entry> page = pages.next(); !page.isEmpty(); page = pages.next()) {
			page.forEach((entry) -> keys.add(entry.key()));
		}
		assertThat(pages.next()).isEmpty();
		return keys;
	}

	private static List<String> keys(int from, int to) {
		return IntStream.range(from, to).mapToObj(PagesTests::key).toList();
	}

	private static String key(int number) {
		return "key-%05d".formatted(number);
	}

}
