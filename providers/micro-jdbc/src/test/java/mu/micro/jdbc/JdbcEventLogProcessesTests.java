package mu.micro.jdbc;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.LongStream;

import mu.micro.Limits;
import mu.micro.Message;
import mu.micro.MicroException;
import mu.micro.Subscription;
import mu.micro.core.EventLog;
import mu.micro.events.Append;
import mu.micro.events.Delivery;
import mu.micro.events.Event;
import mu.micro.events.Group;
import mu.micro.events.GroupState;
import mu.micro.events.Outbox;
import mu.micro.events.Retention;
import mu.micro.store.TableWrite;
import mu.micro.store.When;
import mu.micro.store.Write;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Processes that append and that handle events are killed again and again, and several
 * append to one topic. The property {@code micro.torture} says how often.
 */
@Timeout(3600)
class JdbcEventLogProcessesTests {

	private static final int TORTURE = Integer.getInteger("micro.torture", 0);

	private static final int ROUNDS = Math.max(4, TORTURE);

	private static final Duration PATIENCE = Duration.ofSeconds(60);

	private static final int THREADS = 4;

	private static final int TAKEN = 3;

	private static final Group GROUP = Group.of("group")
		.withMaxInFlight(4)
		.withMaxDeliveries(1_000_000)
		.withAckWait(Duration.ofMillis(50));

	@TempDir
	private Path directory;

	@Test
	void whatWasAcknowledgedIsThereOnceAndWhatWasSettledIsNotDeliveredAgain() throws Exception {
		long seed = System.nanoTime();
		Random random = new Random(seed);
		Path file = this.directory.resolve("store.db");
		Map<String, Long> appended = new HashMap<>();
		Set<Long> settled = new HashSet<>();
		for (int round = 0; round < ROUNDS; round++) {
			String when = "seed " + seed + ", round " + round;
			try (StoreProcess appending = StoreProcess.prepare(Appending.class, file, "r" + round);
					StoreProcess handling = StoreProcess.prepare(Handling.class, file)) {
				appending.go();
				handling.go();
				int lines = 1 + random.nextInt(300);
				awaitLines(appending, lines);
				awaitLines(handling, lines);
				LockSupport.parkNanos(random.nextLong(TimeUnit.MILLISECONDS.toNanos(2)));
				(random.nextBoolean() ? appending : handling).kill();
				LockSupport.parkNanos(random.nextLong(TimeUnit.MILLISECONDS.toNanos(2)));
				appending.kill();
				handling.kill();
				note(appending.said(), appended);
				noteSettled(handling.said(), settled, when);
			}
			check(file, appended, settled, TAKEN * (round + 1), when);
		}
		System.out.printf("fault: killed %d times: %d appends acknowledged, %d events settled%n", ROUNDS,
				appended.size(), settled.size());
	}

	private static void note(List<String> said, Map<String, Long> appended) {
		for (String line : said) {
			String[] words = line.split(" ");
			if (words[0].equals("appended")) {
				appended.put(words[1], Long.parseLong(words[2]));
			}
		}
	}

	private static void noteSettled(List<String> said, Set<Long> settled, String when) {
		for (String line : said) {
			String[] words = line.split(" ");
			if (words[0].equals("taken")) {
				assertThat(settled).as(when).doesNotContain(Long.parseLong(words[1]));
			}
			else if (words[0].equals("settled")) {
				settled.add(Long.parseLong(words[1]));
			}
		}
	}

	private static void check(Path file, Map<String, Long> appended, Set<Long> settled, long unheard, String when) {
		try (JdbcDatabases databases = StoreProcess.open(file);
				JdbcEventLog logs = new JdbcEventLog(databases, Retention.DEFAULT)) {
			EventLog log = logs.in("ns");
			List<Event> events = all(log);
			assertGapless(events, 1, when);
			Map<String, Long> there = new HashMap<>();
			for (Event event : events) {
				assertThat(there.put(event.message().id(), event.offset())).as(event + " of " + when).isNull();
			}
			assertThat(there).as(when).containsAllEntriesOf(appended);
			// All others are still to be had, but for those whose process was killed
			// before
			// it heard that they are settled.
			long open = LongStream.rangeClosed(1, events.size()).filter((offset) -> !settled.contains(offset)).count();
			log.groups("topic").forEach((group) -> {
				assertThat(settled).as(when).doesNotContain(group.next());
				assertThat(group.waiting() + group.inFlight()).as(when).isBetween(open - unheard, open);
			});
		}
	}

	private static void assertGapless(List<Event> events, long first, String when) {
		assertThat(events).as(when)
			.extracting(Event::offset)
			.containsExactlyElementsOf(LongStream.range(first, first + events.size()).boxed().toList());
	}

	private static List<Event> all(EventLog log) {
		List<Event> events = new ArrayList<>();
		List<Event> page = log.read("topic", 0, Limits.PAGE);
		while (!page.isEmpty()) {
			events.addAll(page);
			page = log.read("topic", events.get(events.size() - 1).offset() + 1, Limits.PAGE);
		}
		return events;
	}

	@Test
	void eachEntryHasItsEventAndNothingIsRemovedThatIsToBeKept() throws Exception {
		long seed = System.nanoTime();
		Random random = new Random(seed);
		Path file = this.directory.resolve("store.db");
		Sales sales = new Sales();
		for (int round = 0; round < ROUNDS; round++) {
			String when = "seed " + seed + ", round " + round;
			try (StoreProcess selling = StoreProcess.prepare(Selling.class, file, "r" + round, sales.clock.begin)) {
				selling.go();
				awaitLines(selling, 1 + random.nextInt(600));
				LockSupport.parkNanos(random.nextLong(TimeUnit.MILLISECONDS.toNanos(2)));
				selling.kill();
				note(selling.said(), sales.appended);
				noteSettled(selling.said(), sales.settled, when);
			}
			sales.check(file, TAKEN * (round + 1), when);
		}
		sales.awaitLimits(file);
		System.out.printf("fault: killed %d times: %d entries with an event each, %d of these removed, %d settled%n",
				ROUNDS, sales.last, sales.first - 1, sales.settled.size());
	}

	@Test
	void fourProcessesAppendToOneTopicWithoutGapOrLoss() throws Exception {
		Path file = this.directory.resolve("store.db");
		int count = Math.max(100, TORTURE * 20);
		Map<String, Long> appended = new HashMap<>();
		List<StoreProcess> processes = new ArrayList<>();
		try {
			for (int i = 0; i < 4; i++) {
				processes.add(StoreProcess.prepare(Appending.class, file, "p" + i, count));
			}
			for (StoreProcess process : processes) {
				awaitLines(process, 0);
			}
			long begin = System.nanoTime();
			for (StoreProcess process : processes) {
				process.go();
			}
			for (StoreProcess process : processes) {
				assertThat(process.await(PATIENCE.plusMillis(10L * count))).as(process::errors).isZero();
				note(process.said(), appended);
			}
			long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin);
			System.out.printf("fault: 4 processes appended %d events in %d ms%n", appended.size(), millis);
		}
		finally {
			for (StoreProcess process : processes) {
				process.close();
			}
		}
		assertThat(appended).hasSize(4 * THREADS * count);
		check(file, appended, Set.of(), 0, "the end");
	}

	@Test
	void anothersEventsAreHeardWithinMilliseconds() throws Exception {
		int count = 100;
		Queue<Long> latencies = new ConcurrentLinkedQueue<>();
		Path file = this.directory.resolve("store.db");
		AtomicInteger news = new AtomicInteger();
		try (JdbcDatabases databases = StoreProcess.open(file);
				JdbcEventLog logs = new JdbcEventLog(databases, Retention.DEFAULT);
				StoreProcess writer = StoreProcess.prepare(Telling.class, file, count)) {
			EventLog log = logs.in("ns");
			AtomicLong next = new AtomicLong(1);
			try (Subscription watch = log.watch("topic", () -> {
				long now = System.nanoTime();
				news.incrementAndGet();
				for (Event event : log.read("topic", next.get(), Limits.PAGE)) {
					latencies.add(now - number(event));
					next.incrementAndGet();
				}
			})) {
				awaitLines(writer, 0);
				writer.go();
				Awaitility.await().atMost(PATIENCE).until(() -> latencies.size() == count);
				assertThat(writer.await(PATIENCE)).as(writer::errors).isZero();
			}
		}
		List<Long> sorted = latencies.stream().sorted().toList();
		long median = TimeUnit.NANOSECONDS.toMicros(sorted.get(count / 2));
		System.out.printf(
				"fault: heard of another process's events after %d us in the median, %d us of 99 %%, told %d times of %d%n",
				median, TimeUnit.NANOSECONDS.toMicros(sorted.get(count * 99 / 100)), news.get(), count);
		assertThat(median).isLessThan(100_000);
	}

	private static long number(Event event) {
		return Long.parseLong(new String(event.message().body(), StandardCharsets.UTF_8));
	}

	private static void awaitLines(StoreProcess process, int lines) {
		Awaitility.await()
			.atMost(PATIENCE)
			.pollInterval(Duration.ofMillis(1))
			.untilAsserted(() -> assertThat(process.lines()).as(process::errors).isGreaterThan(lines));
	}

	/**
	 * Appends with several threads, each message twice now and then, and says what is
	 * acknowledged.
	 */
	public static final class Appending implements StoreProcess.Job {

		@Override
		public StoreProcess.Work prepare(Path file, String[] args) {
			EventLog log = new JdbcEventLog(StoreProcess.open(file), Retention.DEFAULT).in("ns");
			int count = (args.length > 1) ? Integer.parseInt(args[1]) : Integer.MAX_VALUE;
			return () -> {
				List<Thread> threads = new ArrayList<>();
				for (int i = 0; i < THREADS; i++) {
					String name = args[0] + "-" + i;
					Thread thread = new Thread(() -> append(log, name, count));
					thread.start();
					threads.add(thread);
				}
				for (Thread thread : threads) {
					thread.join();
				}
			};
		}

		private static void append(EventLog log, String name, int count) {
			for (int i = 0; i < count; i++) {
				String id = name + "-" + i;
				Message message = new Message(id, Map.of(), id.getBytes(StandardCharsets.UTF_8));
				long offset = log.append("topic", message).offset();
				if (i % 8 == 0 && log.append("topic", message).offset() != offset) {
					throw new IllegalStateException(id + " was appended twice");
				}
				StoreProcess.say("appended " + id + " " + offset);
			}
		}

	}

	/**
	 * Takes events and settles them, and says so: what is settled before the next ones
	 * are taken.
	 */
	public static final class Handling implements StoreProcess.Job {

		@Override
		public StoreProcess.Work prepare(Path file, String[] args) {
			EventLog log = new JdbcEventLog(StoreProcess.open(file), Retention.DEFAULT).in("ns");
			return () -> handle(log, GROUP);
		}

		private static void handle(EventLog log, Group group) {
			List<EventLog.Outcome> outcomes = List.of();
			while (true) {
				EventLog.Taken taken = log.exchange("topic", group, outcomes, TAKEN);
				for (EventLog.Outcome outcome : outcomes) {
					if (outcome instanceof EventLog.Handled) {
						StoreProcess.say("settled " + outcome.offset());
					}
				}
				outcomes = new ArrayList<>();
				for (Delivery delivery : taken.deliveries()) {
					long offset = delivery.event().offset();
					StoreProcess.say("taken " + offset);
					outcomes.add((offset % 10 == 0 && delivery.attempt() == 1)
							? new EventLog.Failed(offset, taken.token(), "not at once", Duration.ofMillis(5))
							: new EventLog.Handled(offset, taken.token()));
				}
			}
		}

	}

	/**
	 * Writes entries with an event each, some of them in vain, handles the events, and
	 * removes those that are kept for too long.
	 */
	public static final class Selling implements StoreProcess.Job {

		@Override
		public StoreProcess.Work prepare(Path file, String[] args) {
			Clock clock = new FastClock(Long.parseLong(args[1]));
			JdbcEventLog logs = new JdbcEventLog(JdbcDatabases.sqlite(file, PATIENCE, clock), Sales.RETENTION);
			return () -> {
				for (int i = 0; i < THREADS; i++) {
					String name = args[0] + "-" + i;
					new Thread(() -> sell(logs.outbox("ns"), name)).start();
				}
				Handling.handle(logs.in("ns"), GROUP.withAckWait(Duration.ofSeconds(30)));
			};
		}

		private static void sell(Outbox outbox, String name) {
			for (int i = 0; true; i++) {
				String id = name + "-" + i;
				StoreProcess.say("appended " + id + " " + sell(outbox, id, id).offset());
				if (i % 8 == 0) {
					try {
						sell(outbox, id, id + "-again");
					}
					catch (MicroException.Conflict ex) {
						// So it has no event either.
					}
				}
			}
		}

		private static Event sell(Outbox outbox, String key, String id) {
			Write write = Write.put(key, key.getBytes(StandardCharsets.UTF_8)).withWhen(When.ABSENT);
			return outbox
				.apply(List.of(new TableWrite("sales", write)),
						List.of(new Append("topic", new Message(id, Map.of(), new byte[Sales.SIZE]))))
				.get(0);
		}

	}

	/**
	 * Goes ten minutes in a second, in all processes alike.
	 */
	private static final class FastClock extends Clock {

		private final long begin;

		FastClock(long begin) {
			this.begin = begin;
		}

		@Override
		public ZoneId getZone() {
			return ZoneOffset.UTC;
		}

		@Override
		public Clock withZone(ZoneId zone) {
			return this;
		}

		@Override
		public Instant instant() {
			return Instant.ofEpochMilli(this.begin + 600 * (System.currentTimeMillis() - this.begin));
		}

	}

	/**
	 * Entries and their events, in a time that goes by so fast that events are old soon.
	 */
	private static final class Sales {

		private static final int SIZE = 1_000;

		private static final Retention RETENTION = new Retention(Duration.ofDays(3_650), 20 * SIZE);

		private static final Retention ALL = new Retention(RETENTION.age(), Long.MAX_VALUE);

		private final Map<String, Long> appended = new HashMap<>();

		private final Map<Long, Instant> times = new HashMap<>();

		private final Set<Long> settled = new HashSet<>();

		private final FastClock clock = new FastClock(System.currentTimeMillis());

		private long first;

		private long last;

		private JdbcDatabases open(Path file) {
			return JdbcDatabases.sqlite(file, PATIENCE, this.clock);
		}

		void check(Path file, long unheard, String when) {
			try (JdbcDatabases databases = open(file); JdbcEventLog logs = new JdbcEventLog(databases, ALL)) {
				NavigableMap<Long, String> keys = new TreeMap<>();
				databases.in("ns").snapshot((table, entry) -> keys.put(entry.revision(), entry.key()));
				List<Event> events = all(logs.in("ns"));
				this.last = keys.size();
				this.first = this.last - events.size() + 1;
				assertGapless(events, this.first, when);
				// They were written in the same order.
				List<String> sold = List.copyOf(keys.values());
				assertThat(events).as(when)
					.extracting((event) -> event.message().id())
					.containsExactlyElementsOf(sold.subList((int) this.first - 1, sold.size()));
				this.appended
					.forEach((id, offset) -> assertThat(sold.get(offset.intValue() - 1)).as(when).isEqualTo(id));
				checkRemoved(events, when);
				events.forEach((event) -> this.times.put(event.offset(), event.time()));
				long open = events.stream().filter((event) -> !this.settled.contains(event.offset())).count();
				GroupState group = logs.in("ns").groups("topic").get(0);
				assertThat(group.waiting() + group.inFlight()).as(when).isBetween(open - unheard, open);
			}
		}

		// The last that was removed was old, and too much.
		private void checkRemoved(List<Event> events, String when) {
			Instant time = this.times.get(this.first - 1);
			if (time != null) {
				assertThat(time).as(when).isBeforeOrEqualTo(this.clock.instant().minus(Retention.LEAST));
			}
			if (this.first > 1) {
				assertThat((events.size() + 1L) * SIZE).as(when).isGreaterThan(RETENTION.bytes());
			}
		}

		void awaitLimits(Path file) {
			try (JdbcDatabases databases = open(file); JdbcEventLog logs = new JdbcEventLog(databases, RETENTION)) {
				long left = RETENTION.bytes() / SIZE;
				Awaitility.await()
					.atMost(PATIENCE)
					.untilAsserted(() -> assertThat(all(logs.in("ns"))).hasSize((int) Math.min(left, this.last)));
				this.first = this.last - left + 1;
			}
			check(file, Long.MAX_VALUE, "the end");
		}

	}

	/**
	 * Appends the time, which all processes of a machine have in common, again and again.
	 */
	public static final class Telling implements StoreProcess.Job {

		@Override
		public StoreProcess.Work prepare(Path file, String[] args) {
			EventLog log = new JdbcEventLog(StoreProcess.open(file), Retention.DEFAULT).in("ns");
			return () -> {
				for (int i = 0; i < Integer.parseInt(args[0]); i++) {
					String time = String.valueOf(System.nanoTime());
					log.append("topic", Message.of(time.getBytes(StandardCharsets.UTF_8)));
					TimeUnit.MILLISECONDS.sleep(i % 20);
				}
			};
		}

	}

}
