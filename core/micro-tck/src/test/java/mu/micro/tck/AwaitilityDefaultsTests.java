package mu.micro.tck;

import java.time.Duration;

import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(AwaitilityDefaults.class)
class AwaitilityDefaultsTests {

	@Test
	void aWaitDoesNotFailByWhatAnotherThreadThrew() {
		Thread other = new Thread(() -> {
			throw new Error("on purpose");
		});
		Awaitility.await().pollDelay(Duration.ZERO).until(() -> {
			if (other.getState() == Thread.State.NEW) {
				other.start();
			}
			return !other.isAlive() && other.getState() == Thread.State.TERMINATED;
		});
	}

}
