package mu.micro.store;

import java.util.List;

import mu.micro.MicroException;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class QueryTests {

	@Test
	void allIsTheFirstThousand() {
		assertThat(Query.ALL).isEqualTo(new Query("", "", "", 0, 1000, false, false));
		assertThat(Query.prefix("a/")).isEqualTo(new Query("a/", "", "", 0, 1000, false, false));
	}

	@Test
	void eachPartIsSetAlone() {
		Query query = Query.prefix("p")
			.withSuffix("s")
			.withAfter("a")
			.withOffset(1)
			.withLimit(2)
			.withDescending()
			.withKeysOnly();
		assertThat(query).isEqualTo(new Query("p", "s", "a", 1, 2, true, true));
		assertThat(query.withSuffix("t")).isEqualTo(new Query("p", "t", "a", 1, 2, true, true));
		assertThat(query.withAfter("b")).isEqualTo(new Query("p", "s", "b", 1, 2, true, true));
		assertThat(query.withOffset(3)).isEqualTo(new Query("p", "s", "a", 3, 2, true, true));
		assertThat(query.withLimit(3)).isEqualTo(new Query("p", "s", "a", 1, 3, true, true));
		assertThat(new Query("p", "s", "a", 1, 2, false, true).withDescending()).isEqualTo(query);
		assertThat(new Query("p", "s", "a", 1, 2, true, false).withKeysOnly()).isEqualTo(query);
	}

	@Test
	void theTextsKeepTheLimitOfKeys() {
		String longest = "é".repeat(512);
		assertThat(Query.prefix(longest).withSuffix(longest).withAfter(longest).prefix()).isEqualTo(longest);
		for (String text : List.of(longest + "k", "\ude00")) {
			assertInvalid(() -> Query.prefix(text), "the prefix ");
			assertInvalid(() -> Query.ALL.withSuffix(text), "the suffix ");
			assertInvalid(() -> Query.ALL.withAfter(text), "the key to begin after ");
		}
	}

	@Test
	void theOffsetIsNotNegative() {
		assertThat(Query.ALL.withOffset(Integer.MAX_VALUE).offset()).isEqualTo(Integer.MAX_VALUE);
		assertInvalid(() -> Query.ALL.withOffset(-1), "the offset -1 is negative");
	}

	@Test
	void theLimitIsOneToAThousand() {
		for (int limit : new int[] { 1, 1000 }) {
			assertThat(Query.ALL.withLimit(limit).limit()).isEqualTo(limit);
		}
		for (int limit : new int[] { -1, 0, 1001 }) {
			assertInvalid(() -> Query.ALL.withLimit(limit), "the limit " + limit + " is not between 1 and 1000");
		}
	}

	private static void assertInvalid(ThrowingCallable call, String message) {
		assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(call).withMessageStartingWith(message);
	}

}
