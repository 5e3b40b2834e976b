package mu.micro.local;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

import javax.jmdns.impl.JmDNSImpl;

import mu.micro.registry.Instance;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class MdnsMediumTests {

	private final byte[] key = UUID.randomUUID().toString().getBytes();

	@Test
	void whatWasHeardIsForgottenAndSaidWhenMulticastCannotBeOpenedAgain() throws Exception {
		Node here = Node.create(UUID.randomUUID());
		Node there = Node.create(UUID.randomUUID());
		JmDNSImpl dns = MdnsMedium.create(here);
		Queue<JmDNSImpl> openings = new ArrayDeque<>(List.of(dns));
		List<String> problems = new CopyOnWriteArrayList<>();
		AtomicInteger changes = new AtomicInteger();
		MdnsMedium failing = new MdnsMedium(here, () -> this.key, problems::add, () -> {
			if (openings.isEmpty()) {
				throw new IOException("no socket");
			}
			return openings.remove();
		}, Duration.ofMillis(500));
		MdnsMedium living = new MdnsMedium(there, () -> this.key, problems::add);
		failing.open(changes::incrementAndGet);
		living.open(() -> {
		});
		try {
			living.announce(List.of(new Announcement(there, 1, "namespace",
					new Instance("service", "latest", "a", "127.0.0.1", 1, Map.of()))));
			Awaitility.await().until(() -> failing.heard().size() == 1 && changes.get() > 0);
			assertThat(problems).isEmpty();
			int before = changes.get();
			dns.close();
			Awaitility.await().until(() -> changes.get() > before && !problems.isEmpty());
			assertThat(failing.heard()).isEmpty();
			assertThat(problems).containsExactly("it failed and could not be opened again: no socket");
		}
		finally {
			failing.close();
			living.close();
		}
	}

}
