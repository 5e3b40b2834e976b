package mu.micro.core;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;

import mu.micro.Message;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;

@Timeout(60)
class BacklogTests {

	@Test
	void whatFindsNoThreadIsNotTakenAndTheNextIsHandled() {
		ScarceThreads threads = new ScarceThreads();
		List<String> handled = new CopyOnWriteArrayList<>();
		Backlog backlog = new Backlog("topic", threads, (message) -> handled.add(message.id()), (closing) -> {
		});
		threads.none = true;
		assertThat(backlog.offer(message("a"))).isFalse();
		threads.none = false;
		assertThat(backlog.offer(message("b"))).isTrue();
		Awaitility.await().atMost(Duration.ofSeconds(10)).until(() -> handled.equals(List.of("b")));
		assertThat(backlog.dropped()).isZero();
		backlog.close();
		threads.shutdownNow();
	}

	private static Message message(String id) {
		return new Message(id, Map.of(), new byte[0]);
	}

}
