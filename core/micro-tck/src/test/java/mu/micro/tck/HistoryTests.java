package mu.micro.tck;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import mu.micro.MicroException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A judge of histories has to be judged itself.
 */
@Timeout(60)
class HistoryTests {

	private final History<Integer> history = new History<>();

	@Test
	void whatHappensOneAfterTheOtherIsExplained() {
		write(1);
		read(1);
		write(2);
		read(2);
		assertThat(this.history.violation(0)).isNull();
		assertThat(this.history.size()).isEqualTo(4);
	}

	@Test
	void aReadOfWhatWasReplacedBeforeIsNone() {
		write(1);
		write(2);
		read(1);
		assertThat(this.history.violation(0)).contains("no order explains all 3 operations").contains("read = 1");
	}

	@Test
	void aReadOfWhatWasNeverWrittenIsNone() {
		write(1);
		read(3);
		assertThat(this.history.violation(0)).isNotNull();
	}

	@Test
	void ofTwoWritesAtTheSameTimeEitherMayBeTheLast() throws Exception {
		for (int last : new int[] { 1, 2 }) {
			History<Integer> overlapping = new History<>();
			CountDownLatch both = new CountDownLatch(2);
			List<Thread> threads = new ArrayList<>();
			for (int value : new int[] { 1, 2 }) {
				Thread thread = new Thread(() -> overlapping.record("write " + value, () -> {
					both.countDown();
					await(both);
					return value;
				}, (result) -> (state) -> value, (state) -> state));
				thread.start();
				threads.add(thread);
			}
			for (Thread thread : threads) {
				thread.join();
			}
			overlapping.record("read", () -> last, (result) -> (state) -> state.equals(result) ? state : null,
					(state) -> state);
			assertThat(overlapping.violation(0)).isNull();
		}
	}

	@Test
	void readsThatSeeTwoWritesInDifferentOrdersAreNone() {
		write(1);
		write(2);
		read(2);
		read(1);
		assertThat(this.history.violation(0)).isNotNull();
	}

	@Test
	void aWriteWithAnOpenOutcomeMayBeSeenOrNot() {
		write(1);
		this.history.record("write 2", () -> {
			throw new MicroException.OutcomeUnknown("no answer", null);
		}, (result) -> (state) -> 2, (state) -> 2);
		read(1);
		read(2);
		assertThat(this.history.violation(0)).isNull();
		read(1);
		assertThat(this.history.violation(0)).isNotNull();
	}

	@Test
	void whatWasNotDoneIsNotRecorded() {
		this.history.record("write 2", () -> {
			throw new MicroException.Unavailable("away");
		}, (result) -> (state) -> 2, (state) -> 2);
		assertThat(this.history.size()).isZero();
	}

	@Test
	void aLongHistoryOfManyCallersIsJudgedInShortTime() throws Exception {
		AtomicInteger register = new AtomicInteger();
		List<Thread> threads = new ArrayList<>();
		for (int i = 0; i < 4; i++) {
			int caller = i;
			Thread thread = new Thread(() -> {
				for (int n = 0; n < 500; n++) {
					int value = 1000 * caller + n;
					if (n % 2 == 0) {
						this.history.record("write " + value, () -> {
							register.set(value);
							return value;
						}, (result) -> (state) -> value, (state) -> state);
					}
					else {
						read(register);
					}
				}
			});
			thread.start();
			threads.add(thread);
		}
		for (Thread thread : threads) {
			thread.join();
		}
		assertThat(this.history.size()).isEqualTo(2000);
		assertThat(this.history.violation(0)).isNull();
	}

	private void write(int value) {
		this.history.record("write " + value, () -> value, (result) -> (state) -> value, (state) -> state);
	}

	private void read(int value) {
		read(new AtomicInteger(value));
	}

	private void read(AtomicInteger register) {
		this.history.record("read", register::get, (result) -> (state) -> state.equals(result) ? state : null,
				(state) -> state);
	}

	private static void await(CountDownLatch latch) {
		try {
			assertThat(latch.await(10, TimeUnit.SECONDS)).isTrue();
		}
		catch (InterruptedException ex) {
			throw new IllegalStateException(ex);
		}
	}

}
