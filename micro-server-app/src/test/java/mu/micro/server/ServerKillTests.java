package mu.micro.server;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.stream.LongStream;

import mu.micro.Limits;
import mu.micro.Message;
import mu.micro.MicroException;
import mu.micro.broker.Broker;
import mu.micro.events.Append;
import mu.micro.events.Delivery;
import mu.micro.events.Event;
import mu.micro.events.Events;
import mu.micro.events.Group;
import mu.micro.events.GroupState;
import mu.micro.events.Outbox;
import mu.micro.remote.RemoteBroker;
import mu.micro.remote.RemoteDatabases;
import mu.micro.remote.RemoteEvents;
import mu.micro.remote.RemoteOutbox;
import mu.micro.store.Store;
import mu.micro.store.TableWrite;
import mu.micro.store.Write;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A server is killed again and again, and started on the same data and port, while its
 * clients go on. The property {@code micro.torture} says how often.
 */
@Timeout(7200)
class ServerKillTests {

	private static final int ROUNDS = Math.max(3, Integer.getInteger("micro.torture", 0));

	private static final Duration PATIENCE = Duration.ofMinutes(2);

	private static final Duration TIMEOUT = Duration.ofSeconds(10);

	private static final int MEMBERS = 3;

	private static final int MOST_UNHANDLED = 100;

	private final long seed = System.nanoTime();

	private final List<AutoCloseable> open = new ArrayList<>();

	private final List<Thread> threads = new ArrayList<>();

	private final Queue<String> wrong = new ConcurrentLinkedQueue<>();

	private final Map<String, Long> acknowledged = new ConcurrentHashMap<>();

	private final AtomicLong published = new AtomicLong();

	private final Members ordered = new Members(group("ordered", 1));

	private final Members parallel = new Members(group("parallel", 8));

	private volatile boolean stopping;

	@TempDir
	private Path data;

	private ServerProcess server;

	@AfterEach
	void close() throws Exception {
		this.stopping = true;
		for (Thread thread : this.threads) {
			thread.interrupt();
			thread.join(PATIENCE.toMillis());
		}
		for (AutoCloseable closeable : this.open) {
			closeable.close();
		}
		if (this.server != null) {
			this.server.close();
		}
	}

	@Test
	void whatWasAcknowledgedHoldsAndClientsGoOn() throws Exception {
		Random random = new Random(this.seed);
		this.server = ServerProcess.start(this.data, 0);
		int port = this.server.port();
		String address = "127.0.0.1:" + port;
		Events events = events(address);
		for (int i = 0; i < MEMBERS; i++) {
			Events another = events(address);
			another.consume("topic", this.ordered.group, this.ordered::handle);
			another.consume("topic", this.parallel.group, this.parallel::handle);
		}
		Store table = keep(new RemoteDatabases(address, TIMEOUT)).in("ns").table("table");
		Outbox outbox = keep(new RemoteOutbox(address, TIMEOUT)).in("ns");
		Broker broker = keep(new RemoteBroker(address, TIMEOUT)).in("ns");
		Listener listener = new Listener("listener");
		broker.subscribe("topic", listener::hear);
		Listener queue = new Listener("queue");
		broker.subscribe("topic", "queue", queue::hear);
		start(() -> append("a", (message) -> events.append("topic", message)));
		start(() -> append("b", (message) -> events.append("topic", message)));
		start(() -> append("outbox",
				(message) -> outbox
					.apply(List.of(new TableWrite("table", Write.put(message.id(), message.body()))),
							List.of(new Append("topic", message)))
					.get(0)));
		start(() -> publish(broker));
		start(() -> look(events));
		for (int round = 0; round < ROUNDS; round++) {
			int enough = this.acknowledged.size() + random.nextInt(200);
			await("appends of round " + round, () -> this.acknowledged.size() > enough);
			// Anywhere between two acknowledgements.
			LockSupport.parkNanos(random.nextLong(TimeUnit.MILLISECONDS.toNanos(2)));
			this.server.kill();
			this.server = ServerProcess.start(this.data, port);
			long before = this.published.get();
			await("messages of round " + round, () -> listener.last.get() > before && queue.last.get() > before);
		}
		end(events);
		check(all(events), table);
		System.out.printf("fault: a server was killed %d times: %d appends acknowledged, %d messages of %d heard%n",
				ROUNDS, this.acknowledged.size(), listener.heard.get(), this.published.get());
	}

	private void end(Events events) throws InterruptedException {
		this.stopping = true;
		for (Thread thread : this.threads) {
			thread.join(PATIENCE.toMillis());
			assertThat(thread.isAlive()).isFalse();
		}
		long next = events.offsetAt("topic", Instant.MAX);
		await("the end of all events", () -> events.groups("topic")
			.equals(List.of(new GroupState("ordered", next, 0, 0), new GroupState("parallel", next, 0, 0))));
	}

	private void check(List<Event> events, Store table) {
		assertThat(this.wrong).as(this::toString).isEmpty();
		List<Long> offsets = LongStream.rangeClosed(1, events.size()).boxed().toList();
		assertThat(events).as(this::toString).extracting(Event::offset).containsExactlyElementsOf(offsets);
		assertThat(this.ordered.handled).as(this::toString).containsAll(offsets);
		assertThat(this.parallel.handled).as(this::toString).containsAll(offsets);
		Map<String, Long> there = new HashMap<>();
		for (Event event : events) {
			String id = event.message().id();
			assertThat(there.put(id, event.offset())).as("%s appended twice, %s", id, this).isNull();
			if (id.startsWith("outbox")) {
				assertThat(table.get(id)).as("what was written with %s, %s", id, this).isNotNull();
			}
		}
		// Who appended went on until each append was acknowledged.
		assertThat(there).as(this::toString).isEqualTo(this.acknowledged);
	}

	/*
	 * Each under its id until it is acknowledged, and some of them once more.
	 */
	private void append(String name, Appending appending) {
		for (int i = 0; !this.stopping; i++) {
			String id = name + "-" + i;
			Message message = new Message(id, Map.of(), id.getBytes(StandardCharsets.UTF_8));
			long offset = insist(() -> appending.append(message)).offset();
			if (i % 8 == 0 && insist(() -> appending.append(message)).offset() != offset) {
				this.wrong.add(id + " was appended twice");
			}
			this.acknowledged.put(id, offset);
			while (!this.stopping && this.acknowledged.size() - this.ordered.handled.size() > MOST_UNHANDLED) {
				pause();
			}
		}
	}

	private void publish(Broker broker) {
		while (!this.stopping) {
			String number = String.valueOf(this.published.incrementAndGet());
			try {
				broker.publish("topic", Message.of(number.getBytes(StandardCharsets.UTF_8)));
			}
			catch (MicroException.Unavailable | MicroException.OutcomeUnknown ex) {
				// What was not heard is not published again.
			}
			pause();
		}
	}

	/*
	 * Sees how far the groups are.
	 */
	private void look(Events events) {
		while (!this.stopping) {
			for (GroupState state : insist(() -> events.groups("topic"))) {
				(state.name().equals("ordered") ? this.ordered : this.parallel).isAt(state.next());
			}
			pause();
		}
	}

	private static <T> T insist(Supplier<T> call) {
		while (true) {
			try {
				return call.get();
			}
			catch (MicroException.Unavailable | MicroException.OutcomeUnknown ex) {
				pause();
			}
		}
	}

	private static void pause() {
		LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
	}

	private static Group group(String name, int inFlight) {
		return Group.of(name).withMaxInFlight(inFlight).withMaxDeliveries(1_000_000).withAckWait(Duration.ofSeconds(1));
	}

	private static List<Event> all(Events events) {
		List<Event> all = new ArrayList<>();
		List<Event> page = events.read("topic", 0, Limits.PAGE);
		while (!page.isEmpty()) {
			all.addAll(page);
			page = events.read("topic", all.size() + 1L, Limits.PAGE);
		}
		return all;
	}

	private Events events(String address) {
		return keep(new RemoteEvents(address, TIMEOUT)).in("ns");
	}

	private <T extends AutoCloseable> T keep(T closeable) {
		this.open.add(0, closeable);
		return closeable;
	}

	private void start(Runnable task) {
		Thread thread = new Thread(() -> {
			try {
				task.run();
			}
			catch (RuntimeException ex) {
				if (!this.stopping) {
					this.wrong.add(ex.toString());
				}
			}
		});
		thread.start();
		this.threads.add(thread);
	}

	private void await(String what, BooleanSupplier condition) {
		Awaitility.await(what)
			.atMost(PATIENCE)
			.pollInterval(Duration.ofMillis(1))
			.untilAsserted(
					() -> assertThat(condition.getAsBoolean() || !this.wrong.isEmpty()).as(this::toString).isTrue());
		assertThat(this.wrong).as(this::toString).isEmpty();
	}

	@Override
	public String toString() {
		return "seed " + this.seed + "; the server wrote " + this.server.output();
	}

	@FunctionalInterface
	private interface Appending {

		Event append(Message message);

	}

	/**
	 * A group, and what its members were given.
	 */
	private final class Members {

		private final Group group;

		private final Map<Long, Integer> attempts = new ConcurrentHashMap<>();

		private final Set<Long> handled = ConcurrentHashMap.newKeySet();

		private final AtomicLong place = new AtomicLong();

		private final AtomicLong furthest = new AtomicLong();

		Members(Group group) {
			this.group = group;
		}

		void handle(Delivery delivery) {
			long offset = delivery.event().offset();
			this.attempts.compute(offset, (same, before) -> {
				// One that begins later than it was replaced by another has been given
				// in time.
				if (before == null || delivery.attempt() > before) {
					notBehind(offset, this.place.get(), "acknowledged");
					if (this.group.maxInFlight() == 1) {
						notBehind(offset, this.furthest.get(), "begun");
					}
				}
				return (before != null) ? Math.max(before, delivery.attempt()) : delivery.attempt();
			});
			this.furthest.accumulateAndGet(offset, Math::max);
			if (offset % 100 == 50 && delivery.attempt() == 1) {
				throw new IllegalStateException("not at once");
			}
			this.handled.add(offset);
		}

		private void notBehind(long offset, long other, String what) {
			if (offset < other) {
				ServerKillTests.this.wrong
					.add(this.group.name() + " was given " + offset + " when " + other + " was " + what);
			}
		}

		void isAt(long next) {
			if (this.place.getAndSet(next) > next) {
				ServerKillTests.this.wrong.add(this.group.name() + " went back to " + next);
			}
		}

	}

	/**
	 * Hears numbers, each larger than the one before.
	 */
	private final class Listener {

		private final String name;

		private final AtomicLong last = new AtomicLong();

		private final AtomicLong heard = new AtomicLong();

		Listener(String name) {
			this.name = name;
		}

		void hear(Message message) {
			long number = Long.parseLong(new String(message.body(), StandardCharsets.UTF_8));
			long before = this.last.getAndSet(number);
			if (before >= number) {
				ServerKillTests.this.wrong.add(this.name + " heard " + number + " after " + before);
			}
			this.heard.incrementAndGet();
		}

	}

}
