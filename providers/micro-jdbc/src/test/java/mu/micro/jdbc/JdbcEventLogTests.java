package mu.micro.jdbc;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

import mu.micro.Limits;
import mu.micro.Message;
import mu.micro.MicroException;
import mu.micro.Subscription;
import mu.micro.core.DeadLetters;
import mu.micro.core.EventLog;
import mu.micro.events.Append;
import mu.micro.events.Delivery;
import mu.micro.events.Event;
import mu.micro.events.Events;
import mu.micro.events.From;
import mu.micro.events.Group;
import mu.micro.events.GroupState;
import mu.micro.events.Outbox;
import mu.micro.events.Retention;
import mu.micro.store.Query;
import mu.micro.store.Store;
import mu.micro.store.TableWrite;
import mu.micro.store.When;
import mu.micro.store.Write;
import mu.micro.tck.TestClock;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * The log itself, without the engine that calls handlers.
 */
@Timeout(120)
class JdbcEventLogTests {

	private static final Duration PATIENCE = Duration.ofSeconds(30);

	private static final Group GROUP = Group.of("group").withMaxInFlight(10).withMaxDeliveries(3);

	private static final Retention RETENTION = new Retention(Duration.ofHours(1), 10_000);

	private final TestClock clock = new TestClock();

	@TempDir
	private Path directory;

	private JdbcDatabases databases;

	private JdbcEventLog logs;

	private EventLog log;

	/**
	 * With what the last delivery of each event and attempt was taken.
	 */
	private final Map<String, Long> tokens = new HashMap<>();

	private Path file() {
		return this.directory.resolve("store.db");
	}

	@BeforeEach
	void open() {
		this.databases = JdbcDatabases.sqlite(file(), PATIENCE, this.clock);
		this.logs = new JdbcEventLog(this.databases, RETENTION);
		this.log = this.logs.in("ns");
	}

	@AfterEach
	void close() {
		this.logs.close();
		this.databases.close();
	}

	private void reopen() {
		close();
		open();
	}

	@Test
	void eventsAreReadAsTheyWereAppended() {
		Message first = new Message("id-1", Map.of("a", "b\"c", "ü€", ""), bytes("one"));
		Instant now = Instant.ofEpochMilli(this.clock.millis());
		assertThat(this.log.append("topic", first)).isEqualTo(new Event("topic", 1, now, first));
		this.clock.advance(Duration.ofSeconds(1));
		Message second = new Message("id-2", Map.of(), new byte[0]);
		assertThat(this.log.append("topic", second)).isEqualTo(new Event("topic", 2, now.plusSeconds(1), second));
		assertThat(this.log.append("töpic 2", second).offset()).isOne();
		for (int i = 0; i < 2; i++) {
			assertThat(this.log.read("topic", 0, 10)).containsExactly(new Event("topic", 1, now, first),
					new Event("topic", 2, now.plusSeconds(1), second));
			assertThat(this.log.read("topic", 2, 10)).hasSize(1);
			assertThat(this.log.read("topic", 0, 1)).hasSize(1);
			assertThat(this.log.read("topic", 3, 10)).isEmpty();
			assertThat(this.log.read("none", 0, 10)).isEmpty();
			assertThat(this.log.topics()).containsExactly("topic", "töpic 2");
			reopen();
		}
	}

	@Test
	void namespacesDoNotSeeEachOther() {
		EventLog other = this.logs.in("other");
		append(2);
		other.append("topic", Message.of(bytes("other")));
		assertThat(other.read("topic", 0, 10)).hasSize(1);
		assertThat(offsets(this.log.read("topic", 0, 10))).containsExactly(1L, 2L);
		this.log.join("topic", GROUP);
		assertThat(other.groups("topic")).isEmpty();
		assertThat(this.logs.in("third").topics()).isEmpty();
	}

	@Test
	void anIdIsAppendedOnce() {
		Message message = Message.of(bytes("first"));
		Event event = this.log.append("topic", message);
		append(3);
		this.clock.advance(Duration.ofMinutes(3));
		assertThat(this.log.append("topic", new Message(message.id(), Map.of("a", "b"), bytes("again"))))
			.isEqualTo(event);
		assertThat(this.log.append("other", message).offset()).isOne();
		assertThat(this.logs.in("other").append("topic", message).offset()).isOne();
		reopen();
		assertThat(this.log.append("topic", message)).isEqualTo(event);
		assertThat(offsets(this.log.read("topic", 0, 10))).containsExactly(1L, 2L, 3L, 4L);
	}

	@Test
	void whatIsTooLargeForOneReadComesInSeveral() {
		try (JdbcEventLog roomy = new JdbcEventLog(this.databases, Retention.DEFAULT)) {
			byte[] body = new byte[Limits.BODY];
			for (int i = 0; i < 20; i++) {
				Arrays.fill(body, (byte) i);
				roomy.in("ns").append("topic", Message.of(body.clone()));
			}
			List<Event> first = this.log.read("topic", 0, 100);
			assertThat(first).hasSize(Limits.BATCH_BYTES / Limits.BODY);
			List<Event> rest = this.log.read("topic", first.size() + 1, 100);
			assertThat(rest).hasSize(20 - first.size());
			assertThat(rest.get(0).message().body()).containsOnly(first.size());
			EventLog.Taken taken = exchange(GROUP.withMaxInFlight(100), 100);
			assertThat(taken.deliveries()).hasSameSizeAs(first);
			// There is more without any news.
			assertThat(taken.due()).isEqualTo(Duration.ZERO);
			assertThat(exchange(GROUP.withMaxInFlight(100), 100).deliveries()).hasSameSizeAs(rest);
		}
	}

	@Test
	void timesNeverGoBackAndAreFound() {
		Instant start = append(1).get(0).time();
		this.clock.advance(Duration.ofMillis(10));
		append(2);
		this.clock.advance(Duration.ofMillis(-5));
		assertThat(append(1).get(0).time()).isEqualTo(start.plusMillis(10));
		this.clock.advance(Duration.ofMillis(15));
		append(1);
		assertThat(this.log.offsetAt("topic", Instant.MIN)).isEqualTo(1);
		assertThat(this.log.offsetAt("topic", start)).isEqualTo(1);
		assertThat(this.log.offsetAt("topic", start.plusNanos(1))).isEqualTo(2);
		assertThat(this.log.offsetAt("topic", start.plusMillis(10))).isEqualTo(2);
		assertThat(this.log.offsetAt("topic", start.plusMillis(11))).isEqualTo(5);
		assertThat(this.log.offsetAt("topic", start.plusMillis(20))).isEqualTo(5);
		assertThat(this.log.offsetAt("topic", start.plusMillis(21))).isEqualTo(6);
		assertThat(this.log.offsetAt("topic", Instant.MAX)).isEqualTo(6);
		assertThat(this.log.offsetAt("none", start)).isEqualTo(1);
	}

	@Test
	void aGroupBeginsWhereItIsTold() {
		Instant start = append(3).get(0).time();
		this.clock.advance(Duration.ofSeconds(1));
		append(2);
		assertThat(begin("start", From.START)).isEqualTo(1);
		assertThat(begin("offset", From.offset(3))).isEqualTo(3);
		assertThat(begin("time", From.time(start.plusMillis(1)))).isEqualTo(4);
		assertThat(begin("now", From.NOW)).isEqualTo(6);
		assertThat(begin("later", From.offset(100))).isEqualTo(100);
		append(1);
		// Only the first time.
		assertThat(begin("now", From.START)).isEqualTo(6);
		assertThat(begin("start", From.NOW)).isEqualTo(1);
		assertThat(this.log.groups("topic")).containsExactly(new GroupState("later", 100, 0, 0),
				new GroupState("now", 6, 0, 1), new GroupState("offset", 3, 0, 4), new GroupState("start", 1, 0, 6),
				new GroupState("time", 4, 0, 3));
	}

	private long begin(String name, From from) {
		this.log.join("topic", Group.of(name).withFrom(from));
		return this.log.groups("topic")
			.stream()
			.filter((each) -> each.name().equals(name))
			.mapToLong(GroupState::next)
			.findFirst()
			.orElseThrow();
	}

	@Test
	void aTopicIsThereWhileItHasAGroup() {
		this.log.join("topic", GROUP);
		assertThat(this.log.topics()).containsExactly("topic");
		assertThat(this.log.removeGroup("topic", "group")).isTrue();
		assertThat(this.log.removeGroup("topic", "group")).isFalse();
		assertThat(this.log.removeGroup("none", "group")).isFalse();
		assertThat(this.log.topics()).isEmpty();
		assertThat(this.log.groups("topic")).isEmpty();
		assertThat(this.log.groups("none")).isEmpty();
	}

	@Test
	void aRemovedGroupBeginsAgain() {
		append(3);
		exchange(GROUP, 2);
		assertThat(this.log.removeGroup("topic", "group")).isTrue();
		assertThat(delivered(exchange(GROUP, 10))).containsExactly("1/1", "2/1", "3/1");
	}

	@Test
	void eventsAreTakenInOrderAndSettled() {
		append(5);
		assertThat(delivered(exchange(GROUP, 2))).containsExactly("1/1", "2/1");
		assertThat(this.log.groups("topic")).containsExactly(new GroupState("group", 1, 2, 3));
		EventLog.Taken taken = exchange(GROUP, 1, handled(2, 1));
		assertThat(delivered(taken)).containsExactly("3/1");
		assertThat(taken.due()).isEqualTo(Duration.ofSeconds(30));
		assertThat(this.log.groups("topic")).containsExactly(new GroupState("group", 1, 2, 2));
		reopen();
		assertThat(delivered(exchange(GROUP, 10, handled(1, 1)))).containsExactly("4/1", "5/1");
		taken = exchange(GROUP, 10, handled(3, 1), handled(4, 1), handled(5, 1));
		assertThat(taken.deliveries()).isEmpty();
		assertThat(taken.due()).isNull();
		assertThat(this.log.groups("topic")).containsExactly(new GroupState("group", 6, 0, 0));
	}

	@Test
	void noMoreAreInFlightThanMayBe() {
		append(5);
		Group strict = GROUP.withMaxInFlight(1);
		assertThat(delivered(exchange(strict, 5))).containsExactly("1/1");
		assertThat(delivered(exchange(strict, 5))).isEmpty();
		assertThat(delivered(exchange(strict, 5, failed(1, 1, Duration.ofMillis(100))))).isEmpty();
		this.clock.advance(Duration.ofMillis(99));
		EventLog.Taken none = exchange(strict, 5);
		assertThat(none.deliveries()).isEmpty();
		assertThat(none.due()).isEqualTo(Duration.ofMillis(1));
		this.clock.advance(Duration.ofMillis(1));
		EventLog.Taken again = exchange(strict, 5);
		assertThat(delivered(again)).containsExactly("1/2");
		assertThat(again.deliveries().get(0).error()).isEqualTo("error 1/1");
		assertThat(delivered(exchange(strict, 5, handled(1, 2)))).containsExactly("2/1");
	}

	@Test
	void whatWaitsComesBeforeWhatIsNew() {
		append(5);
		exchange(GROUP, 3);
		assertThat(delivered(exchange(GROUP, 0, failed(3, 1, Duration.ZERO), failed(1, 1, Duration.ofDays(1)))))
			.isEmpty();
		assertThat(delivered(exchange(GROUP, 2))).containsExactly("3/2", "4/1");
	}

	@Test
	void whatIsNotAcknowledgedInTimeIsDeliveredAgain() {
		append(2);
		Group hasty = GROUP.withAckWait(Duration.ofSeconds(1));
		exchange(hasty, 1);
		this.clock.advance(Duration.ofMillis(999));
		assertThat(delivered(exchange(hasty, 1))).containsExactly("2/1");
		this.clock.advance(Duration.ofMillis(1));
		EventLog.Taken again = exchange(hasty, 5);
		assertThat(delivered(again)).containsExactly("1/2");
		assertThat(again.deliveries().get(0).error()).isEqualTo(DeadLetters.LATE);
		// What is said too late says nothing, and what is said of the last one counts.
		exchange(hasty, 0, handled(1, 1), failed(2, 7, Duration.ZERO));
		assertThat(this.log.groups("topic")).containsExactly(new GroupState("group", 1, 2, 0));
		exchange(hasty, 0, handled(1, 2));
		assertThat(this.log.groups("topic")).containsExactly(new GroupState("group", 2, 1, 0));
	}

	@Test
	void whatIsReturnedDoesNotCountAsDelivered() {
		append(1);
		for (int i = 0; i < 5; i++) {
			assertThat(delivered(exchange(GROUP, 1))).containsExactly("1/1");
			exchange(GROUP, 0, returned(1, 1));
			// Said twice, which may happen where it is not known whether it was heard.
			exchange(GROUP, 0, returned(1, 1));
			assertThat(this.log.groups("topic")).containsExactly(new GroupState("group", 1, 0, 1));
		}
		exchange(GROUP, 1);
		exchange(GROUP, 1, failed(1, 1, Duration.ZERO));
		exchange(GROUP, 0, returned(1, 2));
		EventLog.Taken taken = exchange(GROUP, 1);
		assertThat(delivered(taken)).containsExactly("1/2");
		assertThat(taken.deliveries().get(0).error()).isEqualTo("error 1/1");
	}

	@Test
	void whatIsReturnedAgainWhileAnotherHasItStaysWithTheOther() {
		append(1);
		exchange(GROUP, 1);
		EventLog.Outcome first = returned(1, 1);
		exchange(GROUP, 0, first);
		assertThat(delivered(exchange(GROUP, 1))).containsExactly("1/1");
		exchange(GROUP, 0, first);
		assertThat(this.log.groups("topic")).containsExactly(new GroupState("group", 1, 1, 0));
	}

	@Test
	void whatFailsTooOftenGoesToTheDeadLetters() {
		Message message = new Message("id", Map.of("a", "b"), bytes("poison"));
		this.log.append("topic", message);
		append(1);
		for (int i = 1; i < 3; i++) {
			assertThat(delivered(exchange(GROUP, 1))).containsExactly("1/" + i);
			exchange(GROUP, 0, failed(1, i, Duration.ZERO));
			assertThat(this.log.topics()).containsExactly("topic");
		}
		exchange(GROUP, 1);
		assertThat(delivered(exchange(GROUP, 5, failed(1, 3, Duration.ofDays(1))))).containsExactly("2/1");
		assertThat(this.log.groups("topic")).containsExactly(new GroupState("group", 2, 1, 0));
		Event dead = this.log.read("topic.dead", 0, 10).get(0);
		assertThat(dead.message().body()).isEqualTo(message.body());
		assertThat(dead.message().headers())
			.containsExactlyInAnyOrderEntriesOf(Map.of("a", "b", Events.DEAD_TOPIC, "topic", Events.DEAD_OFFSET, "1",
					Events.DEAD_GROUP, "group", Events.DEAD_ATTEMPTS, "3", Events.DEAD_ERROR, "error 1/3"));
		// Another group has dead letters of its own.
		Group other = new Group("other", From.START, Duration.ofSeconds(1), 1, 1);
		this.log.exchange("topic", other, List.of(), 1);
		this.clock.advance(Duration.ofSeconds(1));
		assertThat(delivered(this.log.exchange("topic", other, List.of(), 1))).containsExactly("2/1");
		Map<String, String> headers = this.log.read("topic.dead", 2, 10).get(0).message().headers();
		assertThat(headers).containsEntry(Events.DEAD_GROUP, "other").containsEntry(Events.DEAD_ATTEMPTS, "1");
		assertThat(headers.get(Events.DEAD_ERROR)).isEqualTo(DeadLetters.LATE);
	}

	@Test
	void aDeadLetterWithAsManyHeadersAsThereMayBeIsOneAllTheSame() {
		String value = "x".repeat(Limits.HEADERS - 1 - 101);
		this.log.append("topic", Message.of(bytes("poison")).withHeaders(Map.of("a", value, "b", "y".repeat(100))));
		Group once = GROUP.withMaxDeliveries(1);
		exchange(once, 1);
		exchange(once, 0, new EventLog.Failed(1, token(1, 1), "e".repeat(1_000), Duration.ZERO));
		assertThat(this.log.read("topic.dead", 0, 1).get(0).message().headers())
			.containsEntry(Events.DEAD_ERROR, "e".repeat(1_000))
			.containsEntry("b", "y".repeat(100))
			.doesNotContainKey("a");
	}

	@Test
	void aDeadLetterThatFailsIsGivenUp() {
		this.log.append("topic.dead", Message.of(bytes("poison")));
		Group once = GROUP.withMaxDeliveries(1);
		exchange("topic.dead", once, 1);
		exchange("topic.dead", once, 1, failed(1, 1, Duration.ZERO));
		assertThat(this.log.groups("topic.dead")).containsExactly(new GroupState("group", 2, 0, 0));
		assertThat(this.log.topics()).containsExactly("topic.dead");
	}

	@Test
	void aThousandAreInFlight() {
		List<Append> appends = IntStream.range(0, 1_000)
			.mapToObj((i) -> new Append("topic", Message.of(bytes("event " + i))))
			.toList();
		assertThat(this.logs.outbox("ns").apply(List.of(), appends)).hasSize(1_000);
		Group wide = GROUP.withMaxInFlight(1_000);
		EventLog.Taken taken = exchange(wide, 1_000);
		assertThat(taken.deliveries()).hasSize(1_000);
		EventLog.Outcome[] outcomes = taken.deliveries()
			.stream()
			.map((each) -> new EventLog.Handled(each.event().offset(), taken.token()))
			.toArray(EventLog.Outcome[]::new);
		exchange(wide, 0, outcomes);
		assertThat(this.log.groups("topic")).containsExactly(new GroupState("group", 1_001, 0, 0));
	}

	@Test
	void twoThatLookAtOnceNeverTakeTheSame() {
		try (JdbcDatabases others = JdbcDatabases.sqlite(file(), PATIENCE, this.clock);
				JdbcEventLog otherLogs = new JdbcEventLog(others, RETENTION)) {
			append(6);
			assertThat(delivered(exchange(GROUP, 2))).containsExactly("1/1", "2/1");
			assertThat(delivered(otherLogs.in("ns").exchange("topic", GROUP, List.of(), 2))).containsExactly("3/1",
					"4/1");
			assertThat(delivered(exchange(GROUP, 9))).containsExactly("5/1", "6/1");
		}
	}

	@Test
	void oldEventsAreRemovedAndOffsetsGoOn() {
		append(600);
		exchange(GROUP, 2);
		this.clock.advance(Duration.ofMinutes(30));
		append(2);
		this.log.join("topic", GROUP);
		assertThat(this.log.read("topic", 0, 1).get(0).offset()).isOne();
		this.clock.advance(Duration.ofMinutes(30));
		Awaitility.await()
			.atMost(PATIENCE)
			.untilAsserted(() -> assertThat(offsets(this.log.read("topic", 0, 10))).containsExactly(601L, 602L));
		// What is no longer kept is handled by nobody.
		assertThat(this.log.groups("topic")).containsExactly(new GroupState("group", 601, 0, 2));
		assertThat(this.log.offsetAt("topic", Instant.EPOCH)).isEqualTo(601);
		assertThat(begin("another", From.START)).isEqualTo(601);
		assertThat(delivered(exchange(GROUP, 10))).containsExactly("601/1", "602/1");
		this.log.removeGroup("topic", "another");
		this.log.removeGroup("topic", "group");
		this.clock.advance(Duration.ofHours(1));
		Awaitility.await().atMost(PATIENCE).until(() -> this.log.topics().isEmpty());
		assertThat(this.log.offsetAt("topic", Instant.EPOCH)).isEqualTo(603);
		reopen();
		assertThat(append(1).get(0).offset()).isEqualTo(603);
		assertThat(this.log.topics()).containsExactly("topic");
	}

	@Test
	void aTopicThatIsTooLargeIsCutButNotWhatIsYoung() {
		// Looked at before the marker is, because it was there before.
		this.log.join("topic", GROUP);
		this.log.append("marker", Message.of(new byte[20_000]));
		this.clock.advance(Duration.ofMillis(1));
		for (int i = 0; i < 20; i++) {
			this.log.append("topic", Message.of(new byte[1_000]));
		}
		this.log.append("small", Message.of(new byte[9_000]));
		this.clock.advance(Retention.LEAST.minusMillis(1));
		append(1);
		Awaitility.await().atMost(PATIENCE).until(() -> this.log.read("marker", 0, 1).isEmpty());
		assertThat(this.log.read("topic", 0, 100)).hasSize(21);
		this.clock.advance(Duration.ofMillis(1));
		Awaitility.await().atMost(PATIENCE).untilAsserted(() -> assertThat(this.log.read("topic", 0, 100)).hasSize(10));
		assertThat(this.log.read("topic", 0, 1).get(0).offset()).isEqualTo(12);
		assertThat(this.log.read("small", 0, 1)).hasSize(1);
	}

	@Test
	void aGroupThatNobodyUsesIsForgotten() {
		append(1);
		this.log.join("topic", Group.of("unused"));
		this.log.join("topic", Group.of("used"));
		for (int i = 0; i < 70; i++) {
			this.clock.advance(Duration.ofMinutes(1));
			this.log.exchange("topic", Group.of("used"), List.of(), 0);
		}
		Awaitility.await()
			.atMost(PATIENCE)
			.untilAsserted(
					() -> assertThat(this.log.groups("topic")).extracting(GroupState::name).containsExactly("used"));
	}

	@Test
	void noRevisionIsGivenTwiceWhenTheLastEventIsGone() {
		Store table = this.databases.in("ns").table("table");
		long before = table.put("key", bytes("value"));
		append(10);
		this.log.join("other", GROUP);
		this.log.removeGroup("other", "group");
		this.clock.advance(Duration.ofHours(2));
		Awaitility.await().atMost(PATIENCE).until(() -> this.log.topics().isEmpty());
		// What is gone and was acknowledged is not taken for lost.
		reopen();
		long after = this.databases.in("ns").table("table").put("key", bytes("value"));
		assertThat(after).isGreaterThan(before + 10);
		assertThat(this.databases.in("ns").table("table").list(Query.ALL).revision()).isEqualTo(after);
	}

	@Test
	void anAppendThatChangesNothingLeavesNothingBehind() {
		Message message = Message.of(bytes("once"));
		this.log.append("topic", message);
		this.log.append("topic", message);
		reopen();
		assertThat(this.log.read("topic", 0, 10)).hasSize(1);
	}

	@Test
	void newsAreToldOfOwnAndOthersEventsAndOfNothingElse() {
		AtomicInteger news = new AtomicInteger();
		AtomicInteger otherNews = new AtomicInteger();
		try (JdbcDatabases others = JdbcDatabases.sqlite(file(), PATIENCE, this.clock);
				JdbcEventLog otherLogs = new JdbcEventLog(others, RETENTION);
				Subscription watch = this.log.watch("topic", news::incrementAndGet);
				Subscription otherWatch = this.log.watch("other", otherNews::incrementAndGet)) {
			// Each is told once when it begins, or twice.
			Awaitility.await().atMost(PATIENCE).until(() -> news.get() > 0);
			append(1);
			awaitNews(otherNews, () -> this.log.append("other", Message.of(bytes("own"))));
			int before = news.get();
			awaitNews(otherNews, () -> otherLogs.in("ns").append("other", Message.of(bytes("other"))));
			this.databases.in("ns").table("topic").put("key", bytes("value"));
			otherLogs.in("other").append("topic", Message.of(bytes("other")));
			awaitNews(otherNews, () -> this.log.append("other", Message.of(bytes("own"))));
			assertThat(news).hasValue(before);
			awaitNews(news, () -> otherLogs.in("ns").append("topic", Message.of(bytes("other"))));
			watch.close();
			int last = news.get();
			append(1);
			awaitNews(otherNews, () -> this.log.append("other", Message.of(bytes("own"))));
			assertThat(news).hasValue(last);
		}
	}

	@Test
	void newsAreToldOfWhatIsReturned() {
		AtomicInteger news = new AtomicInteger();
		append(1);
		exchange(GROUP, 1);
		try (Subscription watch = this.log.watch("topic", news::incrementAndGet)) {
			awaitNews(news, () -> this.log.append("topic", Message.of(bytes("more"))));
			awaitNews(news, () -> exchange(GROUP, 0, returned(1, 1)));
		}
	}

	private static void awaitNews(AtomicInteger news, Callable<?> cause) {
		int before = news.get();
		try {
			cause.call();
		}
		catch (Exception ex) {
			throw new AssertionError(ex);
		}
		Awaitility.await().atMost(PATIENCE).pollInterval(Duration.ofMillis(1)).until(() -> news.get() > before);
	}

	@Test
	void writesAndAppendsAreOneStep() {
		Outbox outbox = this.logs.outbox("ns");
		Store table = this.databases.in("ns").table("orders");
		Message created = Message.of(bytes("created"));
		List<Event> events = outbox.apply(
				List.of(new TableWrite("orders", Write.put("1", bytes("new")).withWhen(When.ABSENT))),
				List.of(new Append("orders", created), new Append("audit", Message.of(bytes("by me"))),
						new Append("orders", created)));
		assertThat(events).extracting(Event::topic).containsExactly("orders", "audit", "orders");
		assertThat(events).extracting(Event::offset).containsExactly(1L, 1L, 1L);
		assertThat(table.get("1").value()).isEqualTo(bytes("new"));
		assertThat(this.log.read("orders", 0, 10)).containsExactly(events.get(0));
		assertThatExceptionOfType(MicroException.Conflict.class).isThrownBy(() -> outbox.apply(
				List.of(new TableWrite("orders", Write.put("2", bytes("new"))),
						new TableWrite("orders", Write.put("1", bytes("new")).withWhen(When.ABSENT))),
				List.of(new Append("orders", Message.of(bytes("created"))))))
			.withMessageContaining("'1'");
		assertThat(table.get("2")).isNull();
		assertThat(this.log.read("orders", 0, 10)).hasSize(1);
		assertThat(outbox.apply(List.of(new TableWrite("orders", Write.delete("1"))), List.of())).isEmpty();
		assertThat(table.get("1")).isNull();
		assertThat(outbox.apply(List.of(), List.of())).isEmpty();
	}

	@Test
	void anOutboxHasLimits() {
		Outbox outbox = this.logs.outbox("ns");
		Append append = new Append("topic", Message.of(new byte[Limits.BODY]));
		TableWrite write = new TableWrite("table", Write.put("key", new byte[Limits.VALUE]));
		TableWrite other = new TableWrite("table", Write.put("other", new byte[Limits.VALUE - Limits.BODY + 1]));
		assertInvalid("two writes", () -> outbox.apply(List.of(write, write), List.of()));
		assertInvalid("16777217 bytes", () -> outbox.apply(List.of(write, other), List.of(append)));
		assertInvalid("1001 appends", () -> outbox.apply(List.of(),
				IntStream.range(0, 1_001).mapToObj((i) -> new Append("topic", Message.of(new byte[0]))).toList()));
		assertInvalid("1001 writes", () -> outbox.apply(
				IntStream.range(0, 1_001).mapToObj((i) -> new TableWrite("table", Write.delete("key-" + i))).toList(),
				List.of(append)));
		assertThat(this.log.topics()).isEmpty();
		assertThat(this.databases.in("ns").tables()).isEmpty();
	}

	private static void assertInvalid(String what, Callable<?> call) {
		assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(call::call).withMessageContaining(what);
	}

	@Test
	void whatIsNotAsItWasWrittenIsAnErrorThatNamesTheFile() throws Exception {
		append(3);
		exchange(GROUP, 1);
		assertDamaged("events", "event_offset = 2", "the event 2", () -> this.log.read("topic", 0, 10), "body = x'00'",
				"id = 'a'", "headers = '{}'", "bytes = bytes + 1", "appended = appended + 1", "checksum = 1");
		assertDamaged("events", "event_offset = 2", "the event 2",
				() -> this.log.offsetAt("topic", Instant.EPOCH.plusMillis(1)), "appended = appended - 1");
		assertDamaged("events", "event_offset = 2", "the event 2", () -> exchange(GROUP, 2), "body = x'00'");
		assertDamaged("events", "event_offset = 2", "the event 2", () -> this.log.read("topic", 0, 3),
				"event_offset = 9", "topic = 1");
		assertDamaged("topics", "number > 0", "the topic", () -> append(1), "last_offset = 2", "newest = 0",
				"oldest = 1", "bytes = 1", "first_offset = 2", "checksum = 1");
		assertDamaged("topics", "number > 0", "the topic", () -> this.log.read("topic", 0, 1), "number = number + 1");
		assertDamaged("event_groups", "number > 0", "the group", () -> exchange(GROUP, 1), "next_offset = 3",
				"used = used + 1", "revision = 1", "number = number + 1", "checksum = 1");
		assertDamaged("deliveries", "attempt = 1", "the group", () -> exchange(GROUP, 1), "attempt = 2", "token = 0",
				"due = 0", "error = 'e'", "checksum = 1", "event_offset = 2");
		// Nothing came of what failed, and all is well again.
		assertThat(offsets(this.log.read("topic", 0, 10))).containsExactly(1L, 2L, 3L);
		assertThat(this.log.groups("topic")).containsExactly(new GroupState("group", 1, 1, 2));
		assertThat(delivered(exchange(GROUP, 2))).containsExactly("2/1", "3/1");
	}

	private void assertDamaged(String table, String where, String what, Callable<?> call, String... changes)
			throws SQLException {
		for (String change : changes) {
			sql("CREATE TABLE kept AS SELECT * FROM " + table,
					"UPDATE " + table + " SET " + change + " WHERE " + where);
			assertThatExceptionOfType(MicroException.Unavailable.class).as(change)
				.isThrownBy(call::call)
				.withMessageContainingAll(file().toString(), "damaged", what, "'topic'", "'ns'");
			sql("DELETE FROM " + table, "INSERT INTO " + table + " SELECT * FROM kept", "DROP TABLE kept");
		}
	}

	@Test
	void aGroupOfWhoseEventsNothingIsLeftDoesNotAskAgainAndAgain() {
		append(3);
		this.log.join("topic", GROUP);
		this.clock.advance(Duration.ofMinutes(61));
		Awaitility.await().atMost(PATIENCE).until(() -> this.log.read("topic", 0, 1).isEmpty());
		EventLog.Taken taken = exchange(GROUP, 5);
		assertThat(taken.deliveries()).isEmpty();
		assertThat(taken.due()).isNull();
		assertThat(append(1).get(0).offset()).isEqualTo(4);
		assertThat(delivered(exchange(GROUP, 5))).containsExactly("4/1");
	}

	@Test
	void aGroupWhoseHandlersTakeLongIsNotForgotten() {
		append(1);
		Group slow = GROUP.withAckWait(Duration.ofHours(3));
		exchange(slow, 1);
		this.log.join("topic", Group.of("unused"));
		this.clock.advance(Duration.ofHours(2));
		Awaitility.await().atMost(PATIENCE).until(() -> this.log.groups("topic").size() == 1);
		assertThat(this.log.groups("topic").get(0).name()).isEqualTo(GROUP.name());
	}

	@Test
	void aDamagedEventKeepsNoAcknowledgementFromCounting() throws Exception {
		append(2);
		exchange(GROUP.withMaxInFlight(1), 1);
		sql("UPDATE events SET body = x'00' WHERE event_offset = 2");
		exchange(GROUP.withMaxInFlight(1), 1, handled(1, 1));
		assertThat(this.log.groups("topic").get(0).next()).isEqualTo(2);
		assertThatExceptionOfType(MicroException.Unavailable.class)
			.isThrownBy(() -> exchange(GROUP.withMaxInFlight(1), 1));
	}

	@Test
	void aDamagedEventKeepsNobodyElseFromWriting() throws Exception {
		Message message = append(1).get(0).message();
		sql("UPDATE events SET body = x'00'");
		assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(() -> this.logs.outbox("ns")
			.apply(List.of(new TableWrite("table", Write.put("key", bytes("value")))),
					List.of(new Append("fresh", Message.of(bytes("fresh"))), new Append("topic", message))));
		assertThat(this.databases.in("ns").tables()).isEmpty();
		assertThat(this.log.topics()).containsExactly("topic");
		assertThat(append(1).get(0).offset()).isEqualTo(2);
	}

	@Test
	void whatIsDamagedIsItsRequestsAloneAlsoWhereManyShareACommit() throws Exception {
		Message message = append(1).get(0).message();
		this.log.join("topic", GROUP);
		this.log.append("other", Message.of(bytes("event")));
		Store table = this.databases.in("ns").table("table");
		table.put("damaged", bytes("value"));
		sql("UPDATE events SET body = x'00' WHERE id = CAST('" + message.id() + "' AS BLOB)",
				"UPDATE entries SET checksum = 1");
		AtomicInteger times = new AtomicInteger();
		CountDownLatch begun = new CountDownLatch(1);
		CountDownLatch go = new CountDownLatch(1);
		Calls calls = new Calls();
		try {
			// What is in one transaction with others is done again where that is undone.
			Future<?> first = calls.start(() -> this.databases.writer().write((open, now) -> {
				times.incrementAndGet();
				begun.countDown();
				Awaitility.await().atMost(PATIENCE).until(() -> go.getCount() == 0);
				return 0;
			}, 0));
			assertThat(begun.await(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
			List<Future<?>> fine = List.of(calls.start(() -> this.log.append("other", Message.of(bytes("event")))),
					calls.start(() -> this.log.exchange("other", GROUP, List.of(), 1)),
					calls.start(() -> table.put("key", bytes("value"))));
			List<Future<?>> damaged = List.of(calls.start(() -> exchange(GROUP, 1)),
					calls.start(() -> this.log.append("topic", message)),
					calls.start(() -> table.put(Write.put("damaged", bytes("value")).withWhen(When.ABSENT))),
					calls.start(() -> this.logs.outbox("ns")
						.apply(List.of(new TableWrite("fresh", Write.put("key", bytes("value")))), List
							.of(new Append("fresh", Message.of(bytes("event"))), new Append("topic", message)))));
			calls.awaitAllWaiting();
			go.countDown();
			for (Future<?> each : damaged) {
				assertThatExceptionOfType(ExecutionException.class).isThrownBy(each::get)
					.withCauseInstanceOf(MicroException.Unavailable.class)
					.withMessageContaining("damaged");
			}
			for (Future<?> each : fine) {
				each.get();
			}
			first.get();
		}
		finally {
			go.countDown();
			calls.close();
		}
		assertThat(times).hasValue(1);
		assertThat(this.log.topics()).containsExactly("other", "topic");
		assertThat(offsets(this.log.read("other", 0, 10))).containsExactly(1L, 2L);
		assertThat(this.log.groups("other")).extracting(GroupState::inFlight).containsExactly(1);
		assertThat(this.databases.in("ns").table("fresh").get("key")).isNull();
		assertThat(table.get("key")).isNotNull();
	}

	@Test
	void aDeadLetterThatCannotBeReadKeepsNothingElseFromCounting() throws Exception {
		append(3);
		Group once = GROUP.withMaxDeliveries(1);
		exchange(once, 3);
		sql("UPDATE events SET body = x'00' WHERE event_offset = 2");
		exchange(once, 0, failed(1, 1, Duration.ZERO), failed(2, 1, Duration.ZERO), handled(3, 1));
		assertThat(this.log.groups("topic")).containsExactly(new GroupState("group", 2, 1, 0));
		assertThat(this.log.read("topic.dead", 0, 10)).hasSize(1);
		assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(() -> exchange(once, 3))
			.withMessageContainingAll("the event 2", "damaged");
		sql("UPDATE events SET body = CAST('event' AS BLOB) WHERE event_offset = 2");
		exchange(once, 3);
		assertThat(this.log.groups("topic")).containsExactly(new GroupState("group", 4, 0, 0));
		assertThat(this.log.read("topic.dead", 0, 10)).hasSize(2);
	}

	@Test
	void whatIsClosedSaysSo() {
		AtomicInteger news = new AtomicInteger();
		this.log.watch("topic", news::incrementAndGet);
		this.logs.close();
		this.logs.close();
		int before = news.get();
		List<Callable<?>> calls = List.of(() -> append(1), () -> this.log.read("topic", 0, 1), () -> this.log.topics(),
				() -> this.log.groups("topic"), () -> this.log.removeGroup("topic", "group"), () -> exchange(GROUP, 1),
				() -> this.log.watch("topic", news::incrementAndGet),
				() -> this.logs.outbox("ns").apply(List.of(), List.of()));
		for (Callable<?> call : calls) {
			assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(call::call)
				.withMessageContaining("closed");
		}
		try (JdbcEventLog others = new JdbcEventLog(this.databases, RETENTION)) {
			others.in("ns").append("topic", Message.of(bytes("event")));
		}
		assertThat(news).hasValue(before);
		this.databases.in("ns").table("table").put("key", bytes("value"));
	}

	@Test
	void othersCanReadItWithTheirTools() throws Exception {
		this.log.append("notes", new Message("id", Map.of("a", "b\"c"), bytes("hello")));
		assertThat(sql(
				"SELECT namespace, name, event_offset, id, headers, body FROM events JOIN topics ON number = topic"))
			.containsExactly("ns|notes|1|id|{\"a\":\"b\\\"c\"}|hello");
	}

	private List<Event> append(int count) {
		List<Event> events = new ArrayList<>();
		for (int i = 0; i < count; i++) {
			events.add(this.log.append("topic", Message.of(bytes("event"))));
		}
		return events;
	}

	private EventLog.Taken exchange(Group group, int wanted, EventLog.Outcome... outcomes) {
		return exchange("topic", group, wanted, outcomes);
	}

	private EventLog.Taken exchange(String topic, Group group, int wanted, EventLog.Outcome... outcomes) {
		EventLog.Taken taken = this.log.exchange(topic, group, List.of(outcomes), wanted);
		taken.deliveries().forEach((each) -> this.tokens.put(delivered(each), taken.token()));
		return taken;
	}

	private EventLog.Handled handled(long offset, int attempt) {
		return new EventLog.Handled(offset, token(offset, attempt));
	}

	private EventLog.Returned returned(long offset, int attempt) {
		return new EventLog.Returned(offset, token(offset, attempt));
	}

	private long token(long offset, int attempt) {
		return this.tokens.getOrDefault(offset + "/" + attempt, 1L);
	}

	private EventLog.Failed failed(long offset, int attempt, Duration pause) {
		return new EventLog.Failed(offset, token(offset, attempt), "error " + offset + "/" + attempt, pause);
	}

	private static List<String> delivered(EventLog.Taken taken) {
		return taken.deliveries().stream().map(JdbcEventLogTests::delivered).toList();
	}

	private static String delivered(Delivery delivery) {
		return delivery.event().offset() + "/" + delivery.attempt();
	}

	private static List<Long> offsets(List<Event> events) {
		return events.stream().map(Event::offset).toList();
	}

	private List<String> sql(String... statements) throws SQLException {
		List<String> rows = new ArrayList<>();
		try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file());
				Statement statement = connection.createStatement()) {
			statement.execute("PRAGMA busy_timeout = 10000");
			for (String sql : statements) {
				if (statement.execute(sql)) {
					try (ResultSet result = statement.getResultSet()) {
						int columns = result.getMetaData().getColumnCount();
						while (result.next()) {
							List<String> row = new ArrayList<>();
							for (int i = 1; i <= columns; i++) {
								row.add(result.getString(i));
							}
							rows.add(String.join("|", row));
						}
					}
				}
			}
		}
		return rows;
	}

	private static byte[] bytes(String text) {
		return text.getBytes(StandardCharsets.UTF_8);
	}

	/**
	 * Calls on threads of their own.
	 */
	private static final class Calls implements AutoCloseable {

		private final List<Thread> threads = new ArrayList<>();

		Future<?> start(Callable<?> call) {
			FutureTask<?> task = new FutureTask<>(call);
			Thread thread = new Thread(task);
			this.threads.add(thread);
			thread.start();
			return task;
		}

		void awaitAllWaiting() {
			Awaitility.await()
				.atMost(PATIENCE)
				.until(() -> this.threads.stream()
					.allMatch((thread) -> thread.getState() == Thread.State.TIMED_WAITING));
		}

		@Override
		public void close() throws InterruptedException {
			for (Thread thread : this.threads) {
				thread.join(PATIENCE.toMillis());
			}
		}

	}

}
