package mu.micro.core;

import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Queue;

import mu.micro.Message;
import mu.micro.broker.Broker;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class AudienceTests {

	private static final Audience.Topic TOPIC = new Audience.Topic("namespace", "topic");

	private static final Message MESSAGE = Message.of(new byte[1]);

	private final Audience audience = new Audience();

	/**
	 * What nobody runs: each subscription stays as full as it is.
	 */
	private final Queue<Runnable> tasks = new ArrayDeque<>();

	@Test
	void nothingIsKeptOfATopicWithoutSubscriptions() {
		Backlog one = add(null);
		Backlog other = add("queue");
		assertThat(this.audience.topics()).containsExactly(TOPIC);
		assertThat(this.audience.hasAll(TOPIC)).isTrue();
		assertThat(this.audience.queues(TOPIC)).containsExactly(Map.entry("queue", 1));
		one.close();
		assertThat(this.audience.hasAll(TOPIC)).isFalse();
		other.close();
		other.close();
		assertThat(this.audience.topics()).isEmpty();
		assertThat(this.audience.deliverToOne(TOPIC, "queue", MESSAGE)).isFalse();
		assertThat(this.audience.dropForOne(TOPIC, "queue", 1)).isFalse();
	}

	@Test
	void aMemberWithRoomIsFoundBeforeOneIsDropped() {
		List<Backlog> members = List.of(add("queue"), add("queue"), add("queue"));
		for (int i = 0; i < 3 * Broker.BACKLOG; i++) {
			assertThat(this.audience.deliverToOne(TOPIC, "queue", MESSAGE)).isTrue();
		}
		assertThat(this.audience.deliverToOne(TOPIC, "queue", MESSAGE)).isFalse();
		assertThat(members).allMatch((member) -> member.dropped() == 0);
		assertThat(this.audience.dropForOne(TOPIC, "queue", 5)).isTrue();
		assertThat(members.stream().mapToLong(Backlog::dropped).sum()).isEqualTo(5);
	}

	@Test
	void whatIsFullDropsTheNewestAndOnlyItsOwn() {
		Backlog full = add(null);
		for (int i = 0; i < Broker.BACKLOG; i++) {
			this.audience.deliverToAll(TOPIC, MESSAGE);
		}
		Backlog fresh = add(null);
		this.audience.deliverToAll(TOPIC, MESSAGE);
		this.audience.dropForAll(TOPIC, 2);
		assertThat(full.dropped()).isEqualTo(3);
		assertThat(fresh.dropped()).isEqualTo(2);
	}

	@Test
	void whatIsClosedTakesAndCountsNothing() {
		Backlog closed = add(null);
		assertThat(closed.offer(MESSAGE)).isTrue();
		closed.close();
		assertThat(closed.offer(MESSAGE)).isFalse();
		closed.drop(1);
		assertThat(closed.dropped()).isZero();
		this.tasks.forEach(Runnable::run);
	}

	private Backlog add(String queue) {
		Backlog added = new Backlog("topic", this.tasks::add, (message) -> {
			throw new AssertionError("called");
		}, (closing) -> this.audience.remove(TOPIC, queue, closing));
		this.audience.add(TOPIC, queue, added);
		return added;
	}

}
