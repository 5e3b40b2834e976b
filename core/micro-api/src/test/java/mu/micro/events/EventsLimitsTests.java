package mu.micro.events;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

import mu.micro.Limits;
import mu.micro.Message;
import mu.micro.MicroException;
import mu.micro.store.TableWrite;
import mu.micro.store.Write;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class EventsLimitsTests {

	@Test
	void aGroupHasItsLimits() {
		Group group = Group.of("group");
		assertThat(group).isEqualTo(new Group("group", From.START, Duration.ofSeconds(30), 5, 1));
		for (String wrong : List.of("", " ", "n".repeat(201), "a\nb")) {
			invalid(() -> Group.of(wrong));
		}
		for (Duration wrong : List.of(Duration.ZERO, Duration.ofNanos(999_999), Duration.ofDays(1).plusNanos(1),
				Duration.ofSeconds(Long.MAX_VALUE), Duration.ofSeconds(-1))) {
			invalid(() -> group.withAckWait(wrong));
		}
		invalid(() -> group.withMaxDeliveries(0));
		invalid(() -> group.withMaxInFlight(0));
		invalid(() -> group.withMaxInFlight(1001));
		assertThat(group.withFrom(From.NOW)
			.withAckWait(Duration.ofDays(1))
			.withMaxDeliveries(Integer.MAX_VALUE)
			.withMaxInFlight(1000))
			.isEqualTo(new Group("group", From.NOW, Duration.ofDays(1), Integer.MAX_VALUE, 1000));
	}

	@Test
	void aBeginningIsNotNegative() {
		invalid(() -> From.offset(-1));
		assertThat(From.offset(0)).isEqualTo(From.START);
	}

	@Test
	void nothingIsKeptForLessThanTwoMinutes() {
		assertThat(new Retention(Duration.ofMinutes(2), 1).age()).isEqualTo(Retention.LEAST);
		invalid(() -> new Retention(Duration.ofMinutes(2).minusNanos(1), 1));
		invalid(() -> new Retention(Duration.ofMinutes(2), 0));
	}

	@Test
	void appendsWithWritesHaveTheirLimits() {
		Append append = new Append("topic", Message.of(new byte[Limits.BODY]));
		invalid(() -> new Append(" ", append.message()));
		invalid(() -> Append.batch(List.of(), Collections.nCopies(17, append)));
		TableWrite write = new TableWrite("table", Write.put("key", new byte[Limits.BATCH_BYTES - 16 * Limits.BODY]));
		List<Append> most = new ArrayList<>(Collections.nCopies(16, append));
		assertThat(Append.batch(List.of(write), most)).isEqualTo(most).isNotSameAs(most);
		Append small = new Append("topic", Message.of(new byte[1]));
		invalid(() -> Append.batch(List.of(), Collections.nCopies(Limits.BATCH + 1, small)));
		most.add(small);
		invalid(() -> Append.batch(List.of(write), most));
		assertThat(Append.batch(List.of(new TableWrite("table", Write.delete("key"))), most)).hasSize(17);
	}

	private static void invalid(Runnable call) {
		assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(call::run);
	}

}
