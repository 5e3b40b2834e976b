package mu.micro.memory;

import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.stream.LongStream;

import mu.micro.Limits;
import mu.micro.Message;
import mu.micro.MicroException;
import mu.micro.Subscription;
import mu.micro.core.EventLog;
import mu.micro.core.LoggedEvents;
import mu.micro.events.Delivery;
import mu.micro.events.Events;
import mu.micro.events.Group;
import mu.micro.events.GroupState;
import mu.micro.events.Retention;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * What the contract cannot show: a log that is away or fails, and what things cost.
 */
@Timeout(60)
class LoggedEventsTests {

	private static final Group GROUP = Group.of("group");

	private final EventLog log = new MemoryTopics(Clock.systemUTC()).in("namespace", Retention.DEFAULT);

	private final TroubledLogs logs = new TroubledLogs(this.log);

	private final LoggedEvents engine = new LoggedEvents(this.logs);

	private final Events events = this.engine.in("namespace");

	private final CountDownLatch end = new CountDownLatch(1);

	@AfterEach
	void close() {
		this.end.countDown();
		this.logs.go();
		this.engine.close();
	}

	@Test
	void aMemberGoesOnWhenItsLogWasAway() {
		Queue<Delivery> deliveries = new ConcurrentLinkedQueue<>();
		CountDownLatch back = new CountDownLatch(1);
		this.events.consume("topic", GROUP, (delivery) -> {
			deliveries.add(delivery);
			back.await();
		});
		append(3);
		await(() -> deliveries.size() == 1);
		this.logs.away(true);
		back.countDown();
		int asked = this.logs.exchanges().size();
		await(() -> this.logs.exchanges().size() >= asked + 4);
		assertThatExceptionOfType(MicroException.Unavailable.class)
			.isThrownBy(() -> this.events.append("topic", Message.of(new byte[1])));
		this.logs.away(false);
		await(() -> state().next() == 4);
		assertThat(offsets(deliveries)).isEqualTo(range(3));
		assertThat(deliveries).allMatch((delivery) -> delivery.attempt() == 1);
	}

	/*
	 * As between processes: those of one hear at once of what one of them did.
	 */
	@Test
	void aMemberThatHearsLaterThanTheOthersHasItsTurnToo() {
		AtomicInteger late = new AtomicInteger();
		Group group = GROUP.withMaxInFlight(4);
		this.events.consume("topic", group, (delivery) -> goOn());
		this.events.consume("topic", group, (delivery) -> goOn());
		this.logs.late(Duration.ofMillis(10));
		this.events.consume("topic", group, (delivery) -> {
			late.incrementAndGet();
			goOn();
		});
		append(20);
		await(() -> late.get() >= 10);
	}

	private void goOn() throws InterruptedException {
		if (!this.end.await(1, TimeUnit.MILLISECONDS)) {
			this.events.append("topic", Message.of(new byte[1]));
		}
	}

	@Test
	void nobodyConsumesWhereTheLogIsAway() {
		this.logs.away(true);
		assertThatExceptionOfType(MicroException.Unavailable.class)
			.isThrownBy(() -> this.events.consume("topic", GROUP, (delivery) -> {
			}));
		this.logs.away(false);
		append(1);
		Awaitility.await()
			.during(Duration.ofMillis(200))
			.atMost(Duration.ofSeconds(10))
			.until(() -> this.logs.exchanges().isEmpty());
	}

	@Test
	void whatIsUnknownIsSaidAgainAndWhatWasTakenComesAgain() {
		Queue<Delivery> deliveries = new ConcurrentLinkedQueue<>();
		AtomicInteger times = new AtomicInteger();
		this.events.consume("topic", GROUP.withAckWait(Duration.ofMillis(400)), (delivery) -> {
			deliveries.add(delivery);
			if (times.incrementAndGet() % 3 == 0) {
				this.logs.failAfter(new MicroException.OutcomeUnknown("no answer", null));
			}
		});
		append(6);
		await(() -> state().next() == 7 && state().inFlight() == 0);
		assertThat(deliveries.stream().map((delivery) -> delivery.event().offset()).distinct().toList())
			.isEqualTo(range(6));
		assertThat(this.log.topics()).containsExactly("topic");
	}

	@Test
	void whateverTheLogThrowsIsNoEnd() {
		Queue<Delivery> deliveries = new ConcurrentLinkedQueue<>();
		List<Throwable> failures = new CopyOnWriteArrayList<>(List.of(new OutOfMemoryError("thrown on purpose"),
				new IllegalStateException("thrown on purpose"), new MicroException.Internal("on purpose", null),
				new MicroException.Cancelled("on purpose", null), new StackOverflowError("thrown on purpose")));
		this.events.consume("topic", GROUP, (delivery) -> {
			deliveries.add(delivery);
			if (!failures.isEmpty()) {
				this.logs.failBefore(failures.remove(0));
			}
		});
		append(8);
		await(() -> state().next() == 9);
		assertThat(offsets(deliveries)).isEqualTo(range(8));
	}

	@Test
	void whatNobodyTellsOfIsFoundWithinASecond() {
		this.logs.deaf();
		Queue<Delivery> deliveries = new ConcurrentLinkedQueue<>();
		this.events.consume("topic", GROUP, deliveries::add);
		await(() -> !this.logs.exchanges().isEmpty());
		for (int i = 1; i <= 3; i++) {
			int count = i;
			long start = System.nanoTime();
			append(1);
			await(() -> deliveries.size() == count);
			assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(3));
		}
	}

	@Test
	void oneExchangeSettlesMany() throws Exception {
		append(200);
		CountDownLatch all = new CountDownLatch(100);
		CountDownLatch first = new CountDownLatch(1);
		AtomicInteger handled = new AtomicInteger();
		this.events.consume("topic", GROUP.withMaxInFlight(100), (delivery) -> {
			all.countDown();
			first.await();
			handled.incrementAndGet();
		});
		assertThat(all.await(10, TimeUnit.SECONDS)).isTrue();
		this.logs.halt();
		first.countDown();
		await(() -> handled.get() == 100);
		this.logs.go();
		await(() -> state().next() == 201);
		// Whether it takes in the same step depends on whose turn it is.
		assertThat(this.logs.exchanges()).anyMatch((exchange) -> exchange[0] > 50);
	}

	@Test
	void membersWithNothingToDoHaveNoThreadsAndAskOnceASecond() {
		for (int i = 0; i < 300; i++) {
			this.events.consume("topic-" + i, GROUP, (delivery) -> {
			});
		}
		await(() -> this.logs.exchanges().size() >= 300);
		int before = this.logs.exchanges().size();
		long start = System.nanoTime();
		await(() -> this.logs.exchanges().size() >= before + 600);
		assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThan(Duration.ofMillis(900));
		assertThat(Thread.getAllStackTraces().keySet())
			.filteredOn((thread) -> thread.getName().startsWith("micro-events"))
			.hasSizeLessThan(100);
	}

	@Test
	void handlersThatHearNothingKeepTheirPlaces() {
		AtomicInteger running = new AtomicInteger();
		AtomicInteger most = new AtomicInteger();
		append(10);
		Group group = GROUP.withMaxInFlight(2).withAckWait(Duration.ofMillis(50)).withMaxDeliveries(100);
		this.events.consume("topic", group, (delivery) -> {
			most.accumulateAndGet(running.incrementAndGet(), Math::max);
			while (this.end.getCount() > 0) {
				try {
					this.end.await();
				}
				catch (InterruptedException ex) {
					// Heard by nobody.
				}
			}
			running.decrementAndGet();
		});
		await(() -> running.get() == 2);
		Queue<Long> others = new ConcurrentLinkedQueue<>();
		this.events.consume("topic", group, (delivery) -> others.add(delivery.event().offset()));
		await(() -> state().next() == 11);
		assertThat(others).contains(1L, 2L, 10L);
		assertThat(most).hasValue(2);
		assertThat(running).hasValue(2);
	}

	@Test
	void closingDoesNotWaitForALogThatIsAway() {
		List<Subscription> subscriptions = new ArrayList<>();
		AtomicInteger handled = new AtomicInteger();
		CountDownLatch begun = new CountDownLatch(20);
		CountDownLatch away = new CountDownLatch(1);
		for (int i = 0; i < 20; i++) {
			String topic = "topic-" + i;
			this.log.append(topic, Message.of(new byte[1]));
			subscriptions.add(this.events.consume(topic, GROUP, (delivery) -> {
				begun.countDown();
				away.await();
				handled.incrementAndGet();
			}));
		}
		await(() -> begun.getCount() == 0);
		this.logs.away(true);
		away.countDown();
		await(() -> handled.get() == 20);
		long start = System.nanoTime();
		subscriptions.get(0).close();
		this.engine.close();
		assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(8));
	}

	@Test
	void whatWasHandledIsSettledAfterClosingIfTheLogComesBack() {
		AtomicInteger handled = new AtomicInteger();
		Subscription subscription = this.events.consume("topic", GROUP, (delivery) -> {
			this.logs.away(true);
			handled.incrementAndGet();
		});
		append(1);
		await(() -> handled.get() == 1);
		subscription.close();
		assertThat(state()).isEqualTo(new GroupState("group", 1, 1, 0));
		this.logs.away(false);
		await(() -> state().equals(new GroupState("group", 2, 0, 0)));
		int asked = this.logs.exchanges().size();
		Awaitility.await()
			.during(Duration.ofMillis(1500))
			.atMost(Duration.ofSeconds(10))
			.until(() -> this.logs.exchanges().size() <= asked + 1);
	}

	@Test
	void closingTheEventsInterruptsHandlersAfterTwoSeconds() {
		AtomicBoolean interrupted = new AtomicBoolean();
		CountDownLatch begun = new CountDownLatch(1);
		append(1);
		this.events.consume("topic", GROUP, (delivery) -> {
			begun.countDown();
			try {
				this.end.await();
			}
			catch (InterruptedException ex) {
				interrupted.set(true);
				throw ex;
			}
		});
		await(() -> begun.getCount() == 0);
		long start = System.nanoTime();
		this.engine.close();
		assertThat(Duration.ofNanos(System.nanoTime() - start)).isBetween(Duration.ofSeconds(2), Duration.ofSeconds(5));
		assertThat(interrupted).isTrue();
		assertThat(state().inFlight()).isEqualTo(1);
	}

	@Test
	void allMembersTogetherHoldNoMoreThanThereIsRoomFor() throws Exception {
		List<String> topics = List.of("a", "b", "c");
		byte[] body = new byte[Limits.BODY];
		Map<String, AtomicInteger> running = new ConcurrentHashMap<>();
		AtomicInteger handled = new AtomicInteger();
		CountDownLatch release = new CountDownLatch(1);
		try (LoggedEvents bounded = new LoggedEvents(this.logs, 20L * Limits.BODY)) {
			for (String topic : topics) {
				running.put(topic, new AtomicInteger());
				for (int i = 0; i < 30; i++) {
					this.log.append(topic, Message.of(body));
				}
				bounded.in("namespace").consume(topic, GROUP.withMaxInFlight(30), (delivery) -> {
					running.get(topic).incrementAndGet();
					release.await();
					handled.incrementAndGet();
				});
			}
			await(() -> running.values().stream().allMatch((each) -> each.get() > 0));
			// More than one look of each.
			int looks = this.logs.exchanges().size() + 4;
			this.log.append("d", Message.of(new byte[1]));
			AtomicInteger more = new AtomicInteger();
			bounded.in("namespace").consume("d", GROUP, (delivery) -> more.incrementAndGet());
			await(() -> more.get() == 1 && this.logs.exchanges().size() >= looks);
			assertThat(running.values().stream().mapToInt(AtomicInteger::get).sum()).isBetween(10, 20 + topics.size());
			release.countDown();
			await(() -> handled.get() == 90);
		}
		for (String topic : topics) {
			assertThat(this.log.groups(topic)).containsExactly(new GroupState("group", 31, 0, 0));
		}
	}

	private void append(int count) {
		for (int i = 0; i < count; i++) {
			this.log.append("topic", Message.of(new byte[1]));
		}
	}

	private GroupState state() {
		return this.log.groups("topic").get(0);
	}

	private static List<Long> offsets(Queue<Delivery> deliveries) {
		return deliveries.stream().map((delivery) -> delivery.event().offset()).toList();
	}

	private static List<Long> range(int count) {
		return LongStream.rangeClosed(1, count).boxed().toList();
	}

	private static void await(BooleanSupplier condition) {
		Awaitility.await()
			.atMost(Duration.ofSeconds(20))
			.pollInterval(Duration.ofMillis(5))
			.until(condition::getAsBoolean);
	}

}
