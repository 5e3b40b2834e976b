package mu.micro.store;

import java.util.ArrayList;
import java.util.List;

import mu.micro.Limits;
import mu.micro.MicroException;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class TableWriteTests {

	@Test
	void theTableKeepsTheLimitOfNames() {
		String longest = "\ud83d\ude00".repeat(200);
		assertThat(new TableWrite(longest, Write.delete("key")).table()).isEqualTo(longest);
		for (String table : List.of("", " ", "a\nb", longest + "n")) {
			assertInvalid(() -> new TableWrite(table, Write.delete("key")), "the table's name ");
		}
	}

	@Test
	void aBatchWithinItsLimitsIsCopied() {
		byte[] half = new byte[Limits.BATCH_BYTES / 2];
		List<TableWrite> given = new ArrayList<>();
		given.add(put("table", "a", half));
		given.add(put("other", "a", half));
		for (int i = given.size(); i < 1000; i++) {
			given.add(new TableWrite("table", Write.delete("key-" + i)));
		}
		List<TableWrite> batch = TableWrite.batch(given);
		assertThat(batch).isEqualTo(given);
		given.clear();
		assertThat(batch).hasSize(1000);
		assertThatExceptionOfType(UnsupportedOperationException.class).isThrownBy(batch::clear);
	}

	@Test
	void aBatchOverItsLimitsIsRefused() {
		List<TableWrite> many = new ArrayList<>();
		for (int i = 0; i < 1001; i++) {
			many.add(new TableWrite("table", Write.delete("key-" + i)));
		}
		assertInvalid(() -> TableWrite.batch(many), "the batch has 1001 writes, more than the limit of 1000");
		byte[] half = new byte[Limits.BATCH_BYTES / 2];
		assertInvalid(
				() -> TableWrite
					.batch(List.of(put("table", "a", half), put("table", "b", half), put("table", "c", new byte[1]))),
				"the values of the batch are 16777217 bytes, more than the limit of 16777216");
		assertInvalid(() -> TableWrite.batch(List.of()), "the batch is empty");
	}

	@Test
	void aBatchWithTwoWritesToOneKeyIsRefused() {
		TableWrite put = put("table", "key", new byte[1]);
		for (TableWrite again : List.of(put, new TableWrite("table", Write.delete("key")))) {
			assertInvalid(() -> TableWrite.batch(List.of(put, put("other", "key", new byte[1]), again)),
					"the batch has two writes to the key 'key' of table 'table'");
		}
	}

	private static TableWrite put(String table, String key, byte[] value) {
		return new TableWrite(table, Write.put(key, value));
	}

	private static void assertInvalid(ThrowingCallable call, String message) {
		assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(call).withMessageStartingWith(message);
	}

}
