package mu.micro.core;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

@Timeout(60)
class LatestStateTests {

	@Test
	void aStateIsToldOnceThereAreThreadsAgain() {
		ScarceThreads threads = new ScarceThreads();
		List<String> told = new CopyOnWriteArrayList<>();
		LatestState<String> state = new LatestState<>(threads, told::add, threads::shutdownNow);
		threads.none = true;
		assertThatExceptionOfType(Error.class).isThrownBy(() -> state.offer("a"));
		threads.none = false;
		state.offer("b");
		Awaitility.await().atMost(Duration.ofSeconds(10)).until(() -> told.equals(List.of("b")));
		state.close();
	}

}
