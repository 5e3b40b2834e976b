package mu.micro.grpc;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;

import mu.micro.Limits;
import mu.micro.MicroException;
import mu.micro.store.Change;
import mu.micro.store.Entry;
import mu.micro.store.Page;
import mu.micro.store.Query;
import mu.micro.store.TableWrite;
import mu.micro.store.When;
import mu.micro.store.Write;
import mu.micro.wire.store.Condition;
import mu.micro.wire.store.PageRequest;
import mu.micro.wire.store.WatchResponse;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class EntriesTests {

	private static final Entry ENTRY = new Entry("a\0\ud83d\ude00", new byte[] { 0, -1, 1 }, 7, Map.of("k", "v"),
			Instant.ofEpochMilli(1234));

	private static final Entry PLAIN = new Entry("b", new byte[0], Long.MAX_VALUE, Map.of(), null);

	@Test
	void anEntryIsReadAsItWasWritten() {
		for (Entry entry : List.of(ENTRY, PLAIN)) {
			assertThat(Entries.fromMessage(Entries.toMessage(entry))).isEqualTo(entry);
		}
	}

	@Test
	void aWriteIsReadAsItWasWritten() {
		Write put = Write.put("a", new byte[] { 1 });
		for (Write write : List.of(put, put.withWhen(When.ABSENT), put.withWhen(When.revision(3)),
				put.withTtl(Duration.ofMillis(1)), put.withMetadata(Map.of("k", "v")), Write.put("a", new byte[0]),
				Write.delete("a"), Write.delete("a").withWhen(When.ABSENT),
				Write.delete("a").withWhen(When.revision(Long.MAX_VALUE)))) {
			TableWrite each = new TableWrite("t", write);
			assertThat(Entries.fromMessage(Entries.toMessage(each))).isEqualTo(each);
		}
	}

	@Test
	void aWriteOfWhichNothingIsSaidIsNoDelete() {
		mu.micro.wire.store.Write.Builder message = mu.micro.wire.store.Write.newBuilder().setTable("t").setKey("a");
		assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(() -> Entries.fromMessage(message.build()))
			.withMessageContaining("neither a value nor 'delete'");
		assertThatExceptionOfType(MicroException.Invalid.class)
			.isThrownBy(() -> Entries.fromMessage(message.setDelete(false).build()));
	}

	@Test
	void aConditionThatIsNotKnownHereIsRefused() {
		assertThatExceptionOfType(MicroException.Invalid.class)
			.isThrownBy(() -> Entries.when(Condition.getDefaultInstance()))
			.withMessageContaining("asks for nothing");
	}

	@Test
	void aQueryIsReadAsItWasWritten() {
		for (Query query : List.of(Query.ALL, new Query("p", "s", "a", 3, 4, true, true))) {
			PageRequest message = Entries.toMessage("ns", "t", query);
			assertThat(message.getNamespace()).isEqualTo("ns");
			assertThat(message.getTable()).isEqualTo("t");
			assertThat(Entries.fromMessage(message)).isEqualTo(query);
		}
		assertThat(Entries.fromMessage(PageRequest.getDefaultInstance()).limit()).isEqualTo(Limits.PAGE);
	}

	@Test
	void aPageIsReadAsItWasWritten() {
		Page page = new Page(List.of(ENTRY, PLAIN), 9, true);
		assertThat(Entries.fromMessage(Entries.toMessage(page))).isEqualTo(page);
	}

	@Test
	void aChangeIsReadAsItWasWritten() {
		for (Change change : List.of(new Change.Put(ENTRY), new Change.Deleted("a", 1), new Change.Expired("a", 2),
				new Change.Lagged(3))) {
			assertThat(Entries.fromMessage(Entries.toMessage(change))).isEqualTo(change);
		}
		assertThat(Entries.fromMessage(WatchResponse.getDefaultInstance())).isNull();
	}

}
