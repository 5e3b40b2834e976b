package mu.micro.tck;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.LongStream;
import java.util.stream.Stream;

import mu.micro.Limits;
import mu.micro.Message;
import mu.micro.MicroException;
import mu.micro.Scoped;
import mu.micro.Subscription;
import mu.micro.events.Delivery;
import mu.micro.events.Event;
import mu.micro.events.Events;
import mu.micro.events.From;
import mu.micro.events.Group;
import mu.micro.events.GroupState;
import mu.micro.events.Handler;
import mu.micro.events.Retention;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * What every {@link Events} promises. A provider's test fills the hooks and overrides
 * nothing else.
 */
@Timeout(120)
public abstract class EventsContract {

	/**
	 * What a loaded machine may add to any stated time.
	 */
	private static final Duration SLACK = Duration.ofSeconds(5);

	/**
	 * What it may add to the second within which an event is heard of.
	 */
	private static final Duration HEARING_SLACK = Duration.ofSeconds(2);

	private static final Duration PATIENCE = Duration.ofSeconds(20);

	/**
	 * What clocks that count in whole milliseconds may take from a time.
	 */
	private static final Duration ROUNDING = Duration.ofMillis(5);

	private final String namespace = "ns-" + UUID.randomUUID();

	private final String topic = "topic-" + UUID.randomUUID();

	private final List<Scoped<Events>> opened = new ArrayList<>();

	private final ExecutorService threads = Executors.newCachedThreadPool();

	/**
	 * Lets go of what is still waiting when a test fails.
	 */
	private final CountDownLatch end = new CountDownLatch(1);

	private Events here;

	private Events there;

	/**
	 * Opens one more view of the events under test, as another process would.
	 * @param retention how long this view keeps events; those of one namespace are used
	 * with one retention
	 * @return the view, closed by the contract
	 * @throws Exception if it cannot be opened
	 */
	protected abstract Scoped<Events> open(Retention retention) throws Exception;

	/**
	 * Makes time pass for the provider: moves its clock, which otherwise goes on as the
	 * system's does.
	 * @param time how much
	 */
	protected abstract void pass(Duration time);

	@BeforeEach
	void openTwoViews() throws Exception {
		this.here = view().in(this.namespace);
		this.there = view().in(this.namespace);
	}

	@AfterEach
	void closeViews() {
		this.end.countDown();
		this.threads.shutdownNow();
		this.opened.forEach(Scoped::close);
	}

	// Appending and reading.

	@Test
	void offsetsBeginAtOneAndGrowByOneInEachTopic() {
		for (int i = 1; i <= 10; i++) {
			assertThat(append((i % 2 == 0) ? this.here : this.there, "a").offset()).isEqualTo(i);
			assertThat(this.here.append(this.topic + "-b", message("b")).offset()).isEqualTo(i);
		}
		assertThat(offsets(this.there.read(this.topic, 1, 100))).isEqualTo(range(1, 10));
	}

	@Test
	void anEventIsSeenWholeByOthersAtOnce() {
		byte[] body = new byte[256];
		for (int i = 0; i < body.length; i++) {
			body[i] = (byte) i;
		}
		Map<String, String> headers = Map.of("content-type", "text/plain", "Content-Type", "other", "empty", "",
				"ü € %", "ü=€ \ud83d\ude00\n\t\0\"quoted\" 'too' \\");
		Message message = new Message("id / ü \ud83d\ude00 %_'\"\\", headers, body);
		Event event = this.here.append(this.topic, message);
		assertThat(event).isEqualTo(new Event(this.topic, 1, event.time(), message));
		assertThat(event.time().getNano() % 1_000_000).isZero();
		assertThat(this.there.read(this.topic, 1, 1)).containsExactly(event);
		assertThat(next(this.there, Group.of("group")).event()).isEqualTo(event);
	}

	@Test
	void theLargestMessageIsAMessage() {
		String name = "h".repeat(Limits.NAME);
		Map<String, String> headers = Map.of(name, "v".repeat(Limits.HEADERS - Limits.NAME));
		Message message = new Message("\ud83d\ude00".repeat(Limits.NAME), headers, new byte[Limits.BODY]);
		Event event = this.here.append(this.topic, message);
		assertThat(this.there.read(this.topic, 1, 1)).containsExactly(event);
		assertThat(next(this.there, Group.of("group")).event().message()).isEqualTo(message);
		Event empty = this.here.append(this.topic, new Message("i", Map.of(), new byte[0]));
		assertThat(this.there.read(this.topic, 2, 1)).containsExactly(empty);
	}

	@Test
	void timesNeverGoBack() {
		List<Instant> times = new ArrayList<>();
		for (int i = 0; i < 20; i++) {
			times.add(append((i % 2 == 0) ? this.here : this.there, "a").time());
		}
		assertThat(times).isSorted();
	}

	@Test
	void appendingAgainUnderOneIdKeepsOneEvent() {
		Event first = append(this.here, "a");
		append(this.here, "b");
		assertThat(this.here.append(this.topic, first.message())).isEqualTo(first);
		assertThat(this.there.append(this.topic, message("c").withId(first.message().id()))).isEqualTo(first);
		assertThat(append(this.there, "d").offset()).isEqualTo(3);
		assertThat(bodies(this.here.read(this.topic, 1, 100))).containsExactly("a", "b", "d");
	}

	@Test
	void appendingUnderOneIdAtOnceKeepsOneEvent() throws Exception {
		Message message = message("a");
		Set<Long> seen = ConcurrentHashMap.newKeySet();
		atOnce(8, (events) -> {
			for (int i = 0; i < 10; i++) {
				seen.add(events.append(this.topic, message).offset());
			}
		});
		assertThat(seen).containsExactly(1L);
		assertThat(this.here.read(this.topic, 1, 100)).hasSize(1);
	}

	@Test
	void anIdIsKnownToItsTopicAlone() {
		Message message = message("a").withId("ID");
		this.here.append(this.topic, message);
		assertThat(this.here.append(this.topic, message.withId("id")).offset()).isEqualTo(2);
		assertThat(this.here.append(this.topic, message.withId("ID ")).offset()).isEqualTo(3);
		assertThat(this.here.append(this.topic + "-b", message).topic()).isEqualTo(this.topic + "-b");
		assertThat(this.there.read(this.topic + "-b", 1, 100)).hasSize(1);
	}

	@Test
	void concurrentAppendersLoseNothing() throws Exception {
		Map<Long, Event> appended = new ConcurrentHashMap<>();
		atOnce(8, (events) -> {
			long last = 0;
			for (int i = 0; i < 30; i++) {
				Event event = append(events, "a");
				assertThat(event.offset()).isGreaterThan(last);
				assertThat(appended.put(event.offset(), event)).isNull();
				last = event.offset();
			}
		});
		List<Event> events = this.here.read(this.topic, 1, 1000);
		assertThat(offsets(events)).isEqualTo(range(1, 240));
		assertThat(events).isEqualTo(List.copyOf(new TreeMap<>(appended).values()));
		assertThat(events).extracting(Event::time).isSorted();
	}

	@Test
	void aReadGoesOnFromAnOffset() {
		assertThat(this.here.read(this.topic, 1, 10)).isEmpty();
		fill(this.here, 10);
		assertThat(offsets(this.there.read(this.topic, 0, 3))).isEqualTo(range(1, 3));
		assertThat(offsets(this.there.read(this.topic, 4, 3))).isEqualTo(range(4, 6));
		assertThat(offsets(this.there.read(this.topic, 8, Limits.PAGE))).isEqualTo(range(8, 10));
		assertThat(this.there.read(this.topic, 11, 10)).isEmpty();
		assertThat(this.there.read(this.topic, Long.MAX_VALUE, 10)).isEmpty();
	}

	@Test
	void aReadIsBounded() {
		for (int i = 0; i < 18; i++) {
			this.here.append(this.topic, Message.of(new byte[Limits.BODY]));
		}
		List<Event> events = new ArrayList<>();
		while (events.size() < 18) {
			List<Event> page = this.there.read(this.topic, events.size() + 1, Limits.PAGE);
			assertThat(page).isNotEmpty();
			assertThat(page.stream().mapToInt((event) -> event.message().body().length).sum())
				.isLessThanOrEqualTo(Limits.BATCH_BYTES);
			events.addAll(page);
		}
		assertThat(offsets(events)).isEqualTo(range(1, 18));
	}

	@Test
	void anOffsetIsFoundByTime() {
		assertThat(this.here.offsetAt(this.topic, Instant.EPOCH)).isEqualTo(1);
		Event first = append(this.here, "a");
		pass(Duration.ofSeconds(10));
		Event second = append(this.there, "b");
		Event third = append(this.here, "c");
		assertThat(second.time()).isAfterOrEqualTo(first.time().plusSeconds(10));
		assertThat(this.there.offsetAt(this.topic, first.time())).isEqualTo(1);
		assertThat(this.there.offsetAt(this.topic, first.time().plusNanos(1))).isEqualTo(2);
		assertThat(this.there.offsetAt(this.topic, first.time().plusSeconds(5))).isEqualTo(2);
		assertThat(this.there.offsetAt(this.topic, second.time())).isEqualTo(2);
		assertThat(this.there.offsetAt(this.topic, third.time().plusMillis(1))).isEqualTo(4);
		assertThat(this.there.offsetAt(this.topic, Instant.MIN)).isEqualTo(1);
		assertThat(this.there.offsetAt(this.topic, Instant.MAX)).isEqualTo(4);
	}

	@Test
	void topicsAreThoseWithAnEventOrAGroup() {
		assertThat(this.here.topics()).isEmpty();
		List<String> names = List.of("A", "a", "a\uffff", "a\ud83d\ude00", "b");
		for (String name : List.of("b", "a\ud83d\ude00", "A", "a\uffff")) {
			this.here.append(name, message("a"));
		}
		this.here.read("read", 1, 1);
		this.here.groups("asked");
		this.here.consume("a", Group.of("group"), (delivery) -> {
		}).close();
		assertThat(this.there.topics()).containsExactlyElementsOf(names);
		this.there.removeGroup("a", "group");
		assertThat(this.here.topics()).containsExactly("A", "a\uffff", "a\ud83d\ude00", "b");
	}

	@Test
	void namesAreTakenLiterally() {
		List<String> names = List.of("a", "A", "a/b", "a%", "%", "_", "*", "a.b", ".dead", "a b", "ä", "a\u0308", "'",
				"\ud83d\ude00".repeat(Limits.NAME));
		for (String name : names) {
			this.here.append(name, message(name));
		}
		for (String name : names) {
			assertThat(bodies(this.there.read(name, 1, 10))).containsExactly(name);
		}
		List<String> groups = names.subList(0, names.size() - 1);
		for (String group : groups) {
			assertThat(text(next(this.here, "a", Group.of(group)))).isEqualTo("a");
		}
		assertThat(this.there.groups("a")).extracting(GroupState::name).containsExactlyInAnyOrderElementsOf(groups);
		assertThat(this.there.removeGroup("a", "%")).isTrue();
		assertThat(this.there.groups("a")).hasSize(groups.size() - 1);
	}

	@Test
	void namespacesNeverMeet() throws Exception {
		Scoped<Events> view = view();
		List<String> namespaces = List.of(this.namespace, this.namespace + "-b", this.namespace + "_b",
				this.namespace.toUpperCase(Locale.ROOT));
		Queue<String> heard = new ConcurrentLinkedQueue<>();
		for (String each : namespaces) {
			view.in(each)
				.consume(this.topic, Group.of("group"), (delivery) -> heard.add(each + " hears " + text(delivery)));
		}
		for (String each : namespaces) {
			Event event = view.in(each).append(this.topic, message(each).withId("id"));
			assertThat(event.offset()).isEqualTo(1);
		}
		await(() -> heard.size() == namespaces.size());
		assertThat(heard)
			.containsExactlyInAnyOrderElementsOf(namespaces.stream().map((each) -> each + " hears " + each).toList());
		view.in(this.namespace).append(this.topic + "-own", message("a"));
		for (String each : namespaces) {
			assertThat(bodies(view.in(each).read(this.topic, 1, 10))).containsExactly(each);
			await(() -> view.in(each).groups(this.topic).equals(List.of(new GroupState("group", 2, 0, 0))));
		}
		assertThat(view.in(namespaces.get(1)).topics()).containsExactly(this.topic);
		assertThat(view.in(namespaces.get(1)).removeGroup(this.topic, "group")).isTrue();
		assertThat(view.in(namespaces.get(2)).groups(this.topic)).hasSize(1);
		for (String wrong : List.of("", " ", "n".repeat(201), "a\nb")) {
			invalid(() -> view.in(wrong));
		}
	}

	@Test
	void whatIsOverALimitIsRefused() {
		Handler handler = (delivery) -> {
		};
		for (String wrong : List.of("", " ", "n".repeat(201), "a\nb", "\ud83d")) {
			invalid(() -> this.here.append(wrong, message("a")));
			invalid(() -> this.here.read(wrong, 1, 1));
			invalid(() -> this.here.offsetAt(wrong, Instant.EPOCH));
			invalid(() -> this.here.groups(wrong));
			invalid(() -> this.here.removeGroup(wrong, "group"));
			invalid(() -> this.here.removeGroup(this.topic, wrong));
			invalid(() -> this.here.consume(wrong, Group.of("group"), handler));
		}
		for (int wrong : new int[] { Integer.MIN_VALUE, 0, Limits.PAGE + 1 }) {
			invalid(() -> this.here.read(this.topic, 1, wrong));
		}
		invalid(() -> this.here.read(this.topic, -1, 1));
		invalid(() -> this.here.consume("n".repeat(196), Group.of("group"), handler));
		assertThat(this.here.topics()).isEmpty();
		this.here.append("n".repeat(200), message("a"));
		this.here.consume("n".repeat(195), Group.of("g".repeat(200)), handler).close();
		assertThat(this.there.topics()).containsExactly("n".repeat(195), "n".repeat(200));
	}

	// Groups and their places.

	@Test
	void aGroupHasEveryEventInOrder() {
		fill(this.here, 10);
		List<Delivery> deliveries = new CopyOnWriteArrayList<>();
		this.here.consume(this.topic, Group.of("group"), deliveries::add);
		for (int i = 0; i < 10; i++) {
			append((i % 2 == 0) ? this.here : this.there, "later");
		}
		await(() -> deliveries.size() == 20);
		assertThat(deliveries.stream().map(Delivery::event).toList()).isEqualTo(this.there.read(this.topic, 1, 100));
		assertThat(deliveries).allMatch((delivery) -> delivery.attempt() == 1 && delivery.error() == null);
	}

	@Test
	void eachGroupHasEveryEvent() {
		fill(this.here, 5);
		List<String> first = new CopyOnWriteArrayList<>();
		List<String> second = new CopyOnWriteArrayList<>();
		this.here.consume(this.topic, Group.of("first"), (delivery) -> first.add(text(delivery)));
		this.there.consume(this.topic, Group.of("second"), (delivery) -> second.add(text(delivery)));
		fill(this.here, 5);
		await(() -> first.size() == 10 && second.size() == 10);
		assertThat(first).isEqualTo(second).isEqualTo(bodies(this.here.read(this.topic, 1, 100)));
	}

	@Test
	void aGroupIsThereOnceConsumeReturns() {
		append(this.here, "before");
		List<String> heard = new CopyOnWriteArrayList<>();
		this.here.consume(this.topic, Group.of("group").withFrom(From.NOW), (delivery) -> heard.add(text(delivery)));
		assertThat(this.there.groups(this.topic)).containsExactly(new GroupState("group", 2, 0, 0));
		append(this.there, "after");
		await(() -> !heard.isEmpty());
		assertThat(heard).containsExactly("after");
		this.here.consume("new", Group.of("group").withFrom(From.NOW), (delivery) -> heard.add(text(delivery)));
		this.there.append("new", message("first"));
		await(() -> heard.size() == 2);
		assertThat(heard).containsExactly("after", "first");
	}

	@Test
	void aGroupBeginsAtAnOffsetOrATime() {
		fill(this.here, 3);
		pass(Duration.ofSeconds(10));
		Instant time = append(this.here, "3").time();
		append(this.here, "4");
		assertThat(beginsWith(From.START)).isEqualTo(1);
		assertThat(beginsWith(From.offset(0))).isEqualTo(1);
		assertThat(beginsWith(From.offset(3))).isEqualTo(3);
		assertThat(beginsWith(From.time(Instant.EPOCH))).isEqualTo(1);
		assertThat(beginsWith(From.time(time))).isEqualTo(4);
		assertThat(beginsWith(From.time(time.minusSeconds(5)))).isEqualTo(4);
		List<Long> heard = new CopyOnWriteArrayList<>();
		this.here.consume(this.topic, Group.of("ahead").withFrom(From.offset(8)),
				(delivery) -> heard.add(delivery.event().offset()));
		assertThat(this.there.groups(this.topic)).contains(new GroupState("ahead", 8, 0, 0));
		fill(this.there, 4);
		await(() -> heard.size() == 2);
		assertThat(heard).containsExactly(8L, 9L);
	}

	@Test
	void aGroupKeepsItsPlace() throws Exception {
		fill(this.here, 10);
		List<Long> handled = new CopyOnWriteArrayList<>();
		for (int round = 0; round < 5; round++) {
			Scoped<Events> view = view();
			AtomicInteger calls = new AtomicInteger();
			CountDownLatch two = new CountDownLatch(2);
			view.in(this.namespace).consume(this.topic, Group.of("group").withFrom(From.offset(round)), (delivery) -> {
				if (calls.incrementAndGet() > 2) {
					throw new IllegalStateException("enough");
				}
				handled.add(delivery.event().offset());
				two.countDown();
			});
			assertThat(two.await(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)).isTrue();
			view.close();
		}
		assertThat(handled).isEqualTo(range(1, 10));
	}

	@Test
	void aGroupKeepsItsPlaceWhenAllViewsWereClosed() throws Exception {
		fill(this.here, 5);
		List<Long> handled = new CopyOnWriteArrayList<>();
		this.here.consume(this.topic, Group.of("group"), (delivery) -> handled.add(delivery.event().offset()));
		await(() -> handled.size() == 5);
		this.opened.forEach(Scoped::close);
		Events again = view().in(this.namespace);
		assertThat(again.groups(this.topic)).containsExactly(new GroupState("group", 6, 0, 0));
		assertThat(append(again, "a").offset()).isEqualTo(6);
		again.consume(this.topic, Group.of("group"), (delivery) -> handled.add(delivery.event().offset()));
		await(() -> handled.size() == 6);
		assertThat(handled).isEqualTo(range(1, 6));
	}

	@Test
	void whatOthersAppendIsHeardWithinASecond() {
		List<Duration> times = new ArrayList<>();
		AtomicInteger heard = new AtomicInteger();
		this.there.consume(this.topic, Group.of("group"), (delivery) -> heard.incrementAndGet());
		for (int i = 1; i <= 5; i++) {
			int count = i;
			append(this.here, "a");
			long start = System.nanoTime();
			await(() -> heard.get() == count);
			times.add(since(start));
		}
		assertThat(times).allMatch((time) -> time.compareTo(Duration.ofSeconds(1).plus(HEARING_SLACK)) < 0);
		assertThat(Collections.min(times)).isLessThan(Duration.ofSeconds(1));
	}

	@Test
	void theStateOfAGroupTellsHowFarItIs() {
		assertThat(this.here.groups(this.topic)).isEmpty();
		fill(this.here, 5);
		Block block = new Block();
		this.here.consume(this.topic, Group.of("b").withMaxInFlight(2).withAckWait(PATIENCE), block);
		this.here.consume(this.topic, Group.of("a\ud83d\ude00").withFrom(From.NOW), block).close();
		this.here.consume(this.topic, Group.of("a\uffff").withFrom(From.offset(4)), (delivery) -> {
			throw new IllegalStateException("thrown on purpose");
		}).close();
		await(() -> block.begun.size() == 2);
		List<GroupState> states = this.there.groups(this.topic);
		assertThat(states).extracting(GroupState::name).containsExactly("a\uffff", "a\ud83d\ude00", "b");
		assertThat(states.get(0).next()).isEqualTo(4);
		assertThat(states.get(0).inFlight() + states.get(0).waiting()).isEqualTo(2);
		assertThat(states.get(1)).isEqualTo(new GroupState("a\ud83d\ude00", 6, 0, 0));
		assertThat(states.get(2)).isEqualTo(new GroupState("b", 1, 2, 3));
		block.release(2);
		await(() -> block.begun.size() == 3);
		assertThat(this.there.groups(this.topic).get(2)).isEqualTo(new GroupState("b", 1, 2, 2));
		block.releaseAll();
		await(() -> this.there.groups(this.topic).get(2).equals(new GroupState("b", 6, 0, 0)));
	}

	@Test
	void aGroupThatWasRemovedBeginsAgain() {
		fill(this.here, 3);
		assertThat(this.here.removeGroup(this.topic, "group")).isFalse();
		List<Long> heard = new CopyOnWriteArrayList<>();
		Handler handler = (delivery) -> heard.add(delivery.event().offset());
		Subscription consuming = this.here.consume(this.topic, Group.of("group"), handler);
		await(() -> heard.size() == 3);
		consuming.close();
		assertThat(this.there.removeGroup(this.topic, "group")).isTrue();
		assertThat(this.there.groups(this.topic)).isEmpty();
		assertThat(this.here.removeGroup(this.topic, "group")).isFalse();
		this.here.consume(this.topic, Group.of("group"), handler);
		await(() -> heard.size() == 6);
		await(() -> this.here.groups(this.topic).equals(List.of(new GroupState("group", 4, 0, 0))));
		assertThat(this.there.removeGroup(this.topic, "group")).as("while it is consumed from").isTrue();
		await(() -> heard.size() == 9);
		assertThat(heard).containsExactly(1L, 2L, 3L, 1L, 2L, 3L, 1L, 2L, 3L);
	}

	// Deliveries.

	@Test
	void whatAHandlerThrewForComesAgainAfterAPause() {
		append(this.here, "a");
		append(this.here, "b");
		List<Delivery> deliveries = new CopyOnWriteArrayList<>();
		List<Long> times = new CopyOnWriteArrayList<>();
		this.here.consume(this.topic, Group.of("group"), (delivery) -> {
			times.add(System.nanoTime());
			deliveries.add(delivery);
			if (delivery.event().offset() == 1 && delivery.attempt() < 4) {
				throw new IOException("failure " + delivery.attempt());
			}
		});
		await(() -> deliveries.size() == 5);
		assertThat(deliveries).extracting((delivery) -> delivery.event().offset()).containsExactly(1L, 1L, 1L, 1L, 2L);
		assertThat(deliveries).extracting(Delivery::attempt).containsExactly(1, 2, 3, 4, 1);
		assertThat(deliveries.get(0).error()).isNull();
		for (int i = 1; i < 4; i++) {
			assertThat(deliveries.get(i).error()).contains("failure " + i);
			Duration pause = Duration.ofNanos(times.get(i) - times.get(i - 1));
			Duration least = Duration.ofMillis(100).multipliedBy(1L << (i - 1));
			assertThat(pause).isBetween(least.minus(ROUNDING), least.plus(SLACK));
		}
		assertThat(deliveries.get(4).error()).isNull();
	}

	@Test
	void aPauseIsNoLongerThanTheTimeForAHandler() {
		append(this.here, "a");
		List<Long> times = new CopyOnWriteArrayList<>();
		Group group = Group.of("group").withAckWait(Duration.ofMillis(200)).withMaxDeliveries(9);
		this.here.consume(this.topic, group, (delivery) -> {
			times.add(System.nanoTime());
			throw new IllegalStateException("thrown on purpose");
		});
		await(() -> dead(this.there).size() == 1);
		Duration all = Duration.ofNanos(times.get(times.size() - 1) - times.get(0));
		assertThat(all).as("pauses of 100 ms, and seven of 200 ms").isLessThan(Duration.ofMillis(1500).plus(SLACK));
	}

	@Test
	void anErrorIsAFailureLikeOthers() {
		append(this.here, "a");
		List<Delivery> deliveries = new CopyOnWriteArrayList<>();
		this.here.consume(this.topic, Group.of("group"), (delivery) -> {
			deliveries.add(delivery);
			if (delivery.attempt() == 1) {
				throw new AssertionError("thrown on purpose");
			}
			Thread.currentThread().interrupt();
		});
		await(() -> deliveries.size() == 2);
		append(this.there, "b");
		await(() -> deliveries.size() == 3);
		assertThat(deliveries.get(1).error()).contains("thrown on purpose");
	}

	@Test
	void whatFailedTooOftenIsADeadLetter() {
		Message poison = new Message("id-1", Map.of("own", "header", Events.DEAD_GROUP, "claimed"), bytes("poison"));
		this.here.append(this.topic, message("good"));
		this.here.append(this.topic, poison);
		this.here.append(this.topic, message("good"));
		List<String> handled = new CopyOnWriteArrayList<>();
		AtomicInteger attempts = new AtomicInteger();
		this.here.consume(this.topic, Group.of("group").withMaxDeliveries(3), (delivery) -> {
			if (text(delivery).equals("poison")) {
				throw new IllegalStateException("failure " + attempts.incrementAndGet());
			}
			handled.add(text(delivery));
		});
		await(() -> handled.size() == 2);
		assertThat(attempts).hasValue(3);
		Event dead = dead(this.there).get(0);
		assertThat(dead(this.there)).hasSize(1);
		assertThat(dead.offset()).isEqualTo(1);
		assertThat(dead.message().id()).isEqualTo("id-1");
		assertThat(dead.message().body()).isEqualTo(poison.body());
		Map<String, String> headers = dead.message().headers();
		assertThat(headers).containsEntry("own", "header")
			.containsEntry(Events.DEAD_TOPIC, this.topic)
			.containsEntry(Events.DEAD_OFFSET, "2")
			.containsEntry(Events.DEAD_GROUP, "group")
			.containsEntry(Events.DEAD_ATTEMPTS, "3");
		assertThat(headers.get(Events.DEAD_ERROR)).contains("failure 3");
		await(() -> this.there.groups(this.topic).equals(List.of(new GroupState("group", 4, 0, 0))));
	}

	@Test
	void oneDeliveryIsEnoughForADeadLetterIfThatIsTheMost() {
		append(this.here, "a");
		AtomicInteger calls = new AtomicInteger();
		this.here.consume(this.topic, Group.of("group").withMaxDeliveries(1), (delivery) -> {
			calls.incrementAndGet();
			throw new IllegalStateException("thrown on purpose");
		});
		await(() -> dead(this.there).size() == 1);
		assertThat(calls).hasValue(1);
	}

	@Test
	void eachGroupHasDeadLettersOfItsOwn() {
		append(this.here, "a");
		for (String group : List.of("first", "second", "third")) {
			this.here.consume(this.topic, Group.of(group).withMaxDeliveries(1), (delivery) -> {
				throw new IllegalStateException("thrown on purpose");
			});
		}
		await(() -> dead(this.there).size() == 3);
		assertThat(dead(this.there)).extracting((event) -> event.message().headers().get(Events.DEAD_GROUP))
			.containsExactlyInAnyOrder("first", "second", "third");
		assertThat(dead(this.there)).extracting((event) -> event.message().id()).doesNotHaveDuplicates();
	}

	@Test
	void deadLettersMayBeConsumedAndHaveNoneThemselves() {
		append(this.here, "a");
		append(this.here, "b");
		Handler failing = (delivery) -> {
			throw new IllegalStateException("thrown on purpose");
		};
		List<Delivery> dead = new CopyOnWriteArrayList<>();
		this.there.consume(this.topic + Events.DEAD, Group.of("group").withMaxDeliveries(2), (delivery) -> {
			dead.add(delivery);
			failing.handle(delivery);
		});
		this.here.consume(this.topic, Group.of("group").withMaxDeliveries(1), failing);
		await(() -> dead.size() == 4);
		await(() -> this.here.groups(this.topic + Events.DEAD).equals(List.of(new GroupState("group", 3, 0, 0))));
		assertThat(this.here.topics()).containsExactly(this.topic, this.topic + Events.DEAD);
		assertThat(dead(this.here)).hasSize(2);
	}

	@Test
	void aDeadLetterFitsHoweverLargeItsMessageAndItsErrorAre() {
		Map<String, String> headers = Map.of("large", "h".repeat(Limits.HEADERS - 100), "small", "kept");
		Message message = new Message("id", headers, new byte[Limits.BODY]);
		this.here.append(this.topic, message);
		List<Delivery> deliveries = new CopyOnWriteArrayList<>();
		String error = "€\ud83d\ude00\ud83d\0\n".repeat(5_000);
		this.here.consume(this.topic, Group.of("\ud83d\ude00".repeat(Limits.NAME)).withMaxDeliveries(2), (delivery) -> {
			deliveries.add(delivery);
			throw new IllegalStateException(error);
		});
		await(() -> dead(this.there).size() == 1);
		String second = deliveries.get(1).error();
		assertThat(second).isNotNull();
		assertThat(second).hasSizeBetween(900, 1_000).contains("€\ud83d\ude00");
		Message letter = dead(this.there).get(0).message();
		assertThat(letter.body()).isEqualTo(message.body());
		assertThat(letter.headers()).containsEntry("small", "kept")
			.containsEntry(Events.DEAD_OFFSET, "1")
			.containsEntry(Events.DEAD_GROUP, "\ud83d\ude00".repeat(Limits.NAME));
		assertThat(letter.headers().get(Events.DEAD_ERROR)).startsWith("java.lang.IllegalStateException");
	}

	@Test
	void aHandlerThatHangsIsInterruptedAndItsReturnCountsNoMore() {
		append(this.here, "a");
		append(this.here, "b");
		List<Delivery> deliveries = new CopyOnWriteArrayList<>();
		AtomicBoolean interrupted = new AtomicBoolean();
		this.here.consume(this.topic, Group.of("group").withAckWait(Duration.ofMillis(500)), (delivery) -> {
			deliveries.add(delivery);
			if (deliveries.size() == 1) {
				interrupted.set(!parked(this.end));
			}
		});
		await(() -> deliveries.size() == 3);
		assertThat(interrupted).isTrue();
		assertThat(deliveries).extracting((delivery) -> delivery.event().offset()).containsExactly(1L, 1L, 2L);
		assertThat(deliveries.get(1).attempt()).isEqualTo(2);
		assertThat(deliveries.get(1).error()).isNotBlank();
	}

	@Test
	void whatHangsTooOftenIsADeadLetter() {
		append(this.here, "a");
		AtomicInteger calls = new AtomicInteger();
		Group group = Group.of("group").withAckWait(Duration.ofMillis(200)).withMaxDeliveries(2);
		this.here.consume(this.topic, group, (delivery) -> {
			calls.incrementAndGet();
			parked(this.end);
		});
		await(() -> dead(this.there).size() == 1);
		assertThat(calls).hasValue(2);
		Map<String, String> headers = dead(this.there).get(0).message().headers();
		assertThat(headers).containsEntry(Events.DEAD_ATTEMPTS, "2");
		assertThat(headers.get(Events.DEAD_ERROR)).isNotBlank();
	}

	/*
	 * To the group, one who does not even hear the interruption is one who is dead.
	 */
	@Test
	void theEventsOfADeadMemberGoToTheLivingAfterTheTimeForAHandler() {
		append(this.here, "a");
		CountDownLatch hang = new CountDownLatch(1);
		CountDownLatch begun = new CountDownLatch(1);
		AtomicInteger returned = new AtomicInteger();
		Group group = Group.of("group").withAckWait(Duration.ofMillis(500));
		long start = System.nanoTime();
		this.here.consume(this.topic, group, (delivery) -> {
			begun.countDown();
			stubborn(hang);
			returned.incrementAndGet();
		});
		assertThat(parked(begun)).isTrue();
		List<Delivery> deliveries = new CopyOnWriteArrayList<>();
		Subscription living = this.there.consume(this.topic, group, deliveries::add);
		await(() -> deliveries.size() == 1);
		assertThat(since(start)).isBetween(group.ackWait().minus(ROUNDING), group.ackWait().plus(SLACK));
		assertThat(deliveries.get(0).attempt()).isEqualTo(2);
		append(this.there, "b");
		await(() -> deliveries.size() == 2);
		living.close();
		assertThat(this.here.groups(this.topic)).containsExactly(new GroupState("group", 3, 0, 0));
		hang.countDown();
		await(() -> returned.get() == 1);
		append(this.there, "c");
		await(() -> returned.get() == 2);
		assertThat(deliveries).hasSize(2);
		await(() -> this.here.groups(this.topic).equals(List.of(new GroupState("group", 4, 0, 0))));
	}

	/*
	 * The provider's time is over before the member's own is, as after a pause of its
	 * process.
	 */
	@Test
	void whatIsSaidOfADeliveryThatWasNotTheLastCountsNoMore() {
		append(this.here, "a");
		Group group = Group.of("group").withAckWait(Duration.ofMinutes(1));
		Block first = new Block();
		Subscription slow = this.here.consume(this.topic, group, first);
		await(() -> first.begun.size() == 1);
		pass(Duration.ofMinutes(2));
		List<Delivery> deliveries = new CopyOnWriteArrayList<>();
		CountDownLatch second = new CountDownLatch(1);
		this.there.consume(this.topic, group, (delivery) -> {
			deliveries.add(delivery);
			if (deliveries.size() == 1) {
				parked(second);
				throw new IllegalStateException("thrown on purpose");
			}
		});
		await(() -> deliveries.size() == 1);
		first.releaseAll();
		slow.close();
		assertThat(first.ended).hasValue(1);
		assertThat(this.there.groups(this.topic)).containsExactly(new GroupState("group", 1, 1, 0));
		second.countDown();
		await(() -> deliveries.size() == 2);
		assertThat(deliveries).extracting(Delivery::attempt).containsExactly(2, 3);
		await(() -> this.there.groups(this.topic).equals(List.of(new GroupState("group", 2, 0, 0))));
	}

	@Test
	void whatIsSaidOfADeliveryToAGroupThatWasRemovedDoesNotCountForTheNewOne() {
		append(this.here, "a");
		List<String> begun = new CopyOnWriteArrayList<>();
		CountDownLatch before = new CountDownLatch(1);
		CountDownLatch after = new CountDownLatch(1);
		this.here.consume(this.topic, Group.of("group").withMaxInFlight(2), (delivery) -> {
			begun.add(text(delivery) + delivery.attempt());
			if (begun.size() == 1) {
				before.await();
			}
			else if (begun.size() == 2) {
				after.await();
				throw new IllegalStateException("thrown on purpose");
			}
		});
		await(() -> begun.size() == 1);
		assertThat(this.there.removeGroup(this.topic, "group")).isTrue();
		await(() -> begun.size() == 2);
		append(this.here, "b");
		before.countDown();
		// There was no room for it before the first delivery was settled.
		await(() -> begun.size() == 3);
		assertThat(begun).containsExactly("a1", "a1", "b1");
		after.countDown();
		await(() -> begun.size() == 4);
		assertThat(begun).last().isEqualTo("a2");
		await(() -> this.there.groups(this.topic).equals(List.of(new GroupState("group", 3, 0, 0))));
	}

	@Test
	void oneInFlightIsStrictOrderOverMembersAndRedeliveries() {
		List<Long> handled = new CopyOnWriteArrayList<>();
		AtomicInteger running = new AtomicInteger();
		AtomicBoolean together = new AtomicBoolean();
		for (int i = 0; i < 4; i++) {
			((i % 2 == 0) ? this.here : this.there).consume(this.topic, Group.of("group"), (delivery) -> {
				together.compareAndSet(false, running.incrementAndGet() > 1);
				LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(100));
				running.decrementAndGet();
				if (delivery.event().offset() % 10 == 3 && delivery.attempt() < 3) {
					throw new IllegalStateException("thrown on purpose");
				}
				handled.add(delivery.event().offset());
			});
		}
		fill(this.here, 50);
		await(() -> handled.size() == 50);
		assertThat(handled).isEqualTo(range(1, 50));
		assertThat(together).isFalse();
	}

	@Test
	void noMoreAreInFlightThanTheGroupSaysOverAllMembers() {
		fill(this.here, 20);
		Block block = new Block();
		Group group = Group.of("group").withMaxInFlight(3).withAckWait(PATIENCE);
		this.here.consume(this.topic, group, block);
		this.there.consume(this.topic, group, block);
		for (int i = 0; i <= 17; i++) {
			int handled = i;
			await(() -> block.begun.size() == handled + 3);
			assertThat(block.begun).as("lower offsets begin first")
				.containsExactlyInAnyOrderElementsOf(range(1, i + 3));
			assertThat(this.there.groups(this.topic).get(0).inFlight()).isEqualTo(3);
			block.release(block.begun.get(i));
		}
		block.releaseAll();
		await(() -> this.here.groups(this.topic).equals(List.of(new GroupState("group", 21, 0, 0))));
	}

	@Test
	void aFailureHoldsUpNoOthersWhereMoreAreInFlight() {
		fill(this.here, 5);
		List<Long> handled = new CopyOnWriteArrayList<>();
		this.here.consume(this.topic, Group.of("group").withMaxInFlight(2), (delivery) -> {
			if (delivery.event().offset() == 1 && handled.size() < 4) {
				throw new IllegalStateException("thrown on purpose");
			}
			handled.add(delivery.event().offset());
		});
		await(() -> handled.size() == 5);
		assertThat(handled).containsExactly(2L, 3L, 4L, 5L, 1L);
	}

	@Test
	void manyInFlightAreHandledOnceEach() {
		fill(this.here, 300);
		Queue<Long> handled = new ConcurrentLinkedQueue<>();
		CountDownLatch all = new CountDownLatch(100);
		this.here.consume(this.topic, Group.of("group").withMaxInFlight(100), (delivery) -> {
			all.countDown();
			if (delivery.event().offset() <= 100) {
				assertThat(parked(all)).as("a hundred at once").isTrue();
			}
			handled.add(delivery.event().offset());
		});
		await(() -> handled.size() >= 300 && this.there.groups(this.topic).get(0).next() == 301);
		assertThat(handled).containsExactlyInAnyOrderElementsOf(range(1, 300));
	}

	@Test
	void membersShare() {
		fill(this.here, 20);
		List<AtomicInteger> handled = List.of(new AtomicInteger(), new AtomicInteger(), new AtomicInteger());
		AtomicBoolean enough = new AtomicBoolean();
		for (int i = 0; i < handled.size(); i++) {
			Events events = (i % 2 == 0) ? this.here : this.there;
			AtomicInteger mine = handled.get(i);
			events.consume(this.topic, Group.of("group").withMaxInFlight(4), (delivery) -> {
				mine.incrementAndGet();
				LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
				if (!enough.get()) {
					append(events, "another");
				}
			});
		}
		await(() -> handled.stream().allMatch((each) -> each.get() >= 10));
		enough.set(true);
	}

	@Test
	void aHandlerMayUseTheEventsItself() {
		List<String> heard = new CopyOnWriteArrayList<>();
		this.here.consume(this.topic, Group.of("group"), (delivery) -> {
			heard.add(text(delivery));
			if (heard.size() == 1) {
				append(this.here, "second");
				this.here.consume("other", Group.of("other"), (inner) -> heard.add(text(inner)));
				this.here.append("other", message("third"));
				await(() -> heard.size() == 2);
			}
		});
		append(this.there, "first");
		await(() -> heard.size() == 3);
		assertThat(heard).containsExactly("first", "third", "second");
	}

	/*
	 * Members come and go; of the events some fail always, some once, some hang once.
	 */
	@Test
	void countsAddUpHoweverTheGroupGrowsAndShrinks() throws Exception {
		int count = 300;
		Map<Long, AtomicInteger> handled = new ConcurrentHashMap<>();
		Handler handler = (delivery) -> {
			long offset = delivery.event().offset();
			if (offset % 20 == 7 || offset % 7 == 1 && delivery.attempt() == 1) {
				throw new IllegalStateException("thrown on purpose");
			}
			if (offset % 100 == 50 && delivery.attempt() == 1) {
				parked(this.end);
				throw new IllegalStateException("interrupted on purpose");
			}
			handled.computeIfAbsent(offset, (key) -> new AtomicInteger()).incrementAndGet();
		};
		Group group = Group.of("group").withMaxInFlight(8).withMaxDeliveries(3).withAckWait(Duration.ofSeconds(2));
		Future<?> publisher = this.threads.submit(() -> fill(this.here, count));
		List<Subscription> members = new ArrayList<>();
		for (int round = 0; round < 12; round++) {
			members.add(((round % 2 == 0) ? this.here : this.there).consume(this.topic, group, handler));
			int least = Math.min(count - 20, 10 * round);
			await(() -> handled.size() >= least);
			if (round % 3 != 0) {
				members.remove(round % members.size()).close();
			}
		}
		publisher.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
		List<Long> poison = range(1, count).stream().filter((offset) -> offset % 20 == 7).toList();
		await(() -> this.there.groups(this.topic).equals(List.of(new GroupState("group", count + 1, 0, 0))));
		assertThat(handled.values()).allMatch((times) -> times.get() == 1);
		List<Long> dead = dead(this.here).stream()
			.map((event) -> Long.valueOf(event.message().headers().get(Events.DEAD_OFFSET)))
			.toList();
		assertThat(dead).containsExactlyInAnyOrderElementsOf(poison);
		assertThat(Stream.concat(handled.keySet().stream(), dead.stream()))
			.containsExactlyInAnyOrderElementsOf(range(1, count));
	}

	@Test
	void aHandlerMayThrowWhatCannotBePrinted() {
		append(this.here, "a");
		List<Integer> attempts = new CopyOnWriteArrayList<>();
		this.here.consume(this.topic, Group.of("group"), (delivery) -> {
			attempts.add(delivery.attempt());
			if (delivery.attempt() == 1) {
				throw new Unprintable();
			}
		});
		await(() -> attempts.equals(List.of(1, 2)));
		await(() -> this.there.groups(this.topic).equals(List.of(new GroupState("group", 2, 0, 0))));
	}

	// Closing.

	@Test
	void closingWaitsForTheRunningHandlerWhichCounts() throws Exception {
		fill(this.here, 3);
		Block block = new Block();
		Subscription consuming = this.here.consume(this.topic, Group.of("group").withMaxInFlight(2), block);
		await(() -> block.begun.size() == 2);
		Thread closing = new Thread(consuming::close);
		closing.start();
		// Once it waits nothing begins any more.
		await(() -> closing.getState() == Thread.State.TIMED_WAITING || closing.getState() == Thread.State.WAITING);
		block.release(2);
		Awaitility.await().during(Duration.ofMillis(200)).atMost(SLACK).until(closing::isAlive);
		block.release(1);
		closing.join(PATIENCE.toMillis());
		assertThat(closing.isAlive()).isFalse();
		assertThat(block.ended).hasValue(2);
		assertThat(this.there.groups(this.topic)).containsExactly(new GroupState("group", 3, 0, 1));
		consuming.close();
		assertThat(block.begun).hasSize(2);
		assertThat(next(this.there, Group.of("group")).event().offset()).isEqualTo(3);
	}

	@Test
	void closingWaitsNoLongerThanForTheTimeOfAHandler() {
		append(this.here, "a");
		AtomicBoolean interrupted = new AtomicBoolean();
		CountDownLatch begun = new CountDownLatch(1);
		Group group = Group.of("group").withAckWait(Duration.ofMillis(500));
		Subscription consuming = this.here.consume(this.topic, group, (delivery) -> {
			begun.countDown();
			interrupted.set(!parked(this.end));
		});
		assertThat(parked(begun)).isTrue();
		long start = System.nanoTime();
		consuming.close();
		assertThat(since(start)).isLessThan(group.ackWait().plus(SLACK));
		assertThat(interrupted).isTrue();
		assertThat(next(this.there, group).attempt()).isEqualTo(2);
	}

	@Test
	void onceASubscriptionIsClosedNoCallStarts() {
		Set<Long> events = ConcurrentHashMap.newKeySet();
		AtomicBoolean closed = new AtomicBoolean();
		AtomicInteger late = new AtomicInteger();
		for (int round = 0; round < 10; round++) {
			closed.set(false);
			fill(this.here, 5);
			Subscription consuming = this.here.consume(this.topic, Group.of("group").withMaxInFlight(3), (delivery) -> {
				if (closed.get()) {
					late.incrementAndGet();
				}
				events.add(delivery.event().offset());
			});
			LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(100 * round));
			consuming.close();
			closed.set(true);
			append(this.there, "a");
		}
		assertThat(late).hasValue(0);
	}

	/*
	 * Nobody would wait for an hour.
	 */
	@Test
	void whatWasTakenAndNotBegunGoesBackAtOnce() {
		Group group = Group.of("group").withMaxInFlight(50).withAckWait(Duration.ofHours(1));
		for (int round = 0; round < 5; round++) {
			String name = this.topic + "-" + round;
			for (int i = 0; i < 60; i++) {
				this.here.append(name, message("a"));
			}
			Queue<Delivery> begun = new ConcurrentLinkedQueue<>();
			Subscription consuming = this.here.consume(name, group, begun::add);
			int least = 10 * round;
			await(() -> begun.size() >= least);
			consuming.close();
			this.there.consume(name, group, begun::add);
			await(() -> begun.size() >= 60);
			assertThat(begun).extracting((delivery) -> delivery.event().offset())
				.containsExactlyInAnyOrderElementsOf(range(1, 60));
			assertThat(begun).allMatch((delivery) -> delivery.attempt() == 1 && delivery.error() == null);
		}
	}

	@Test
	void aHandlerMayCloseItsOwnSubscription() {
		AtomicReference<Subscription> consuming = new AtomicReference<>();
		AtomicInteger calls = new AtomicInteger();
		CountDownLatch ready = new CountDownLatch(1);
		fill(this.here, 3);
		consuming.set(this.here.consume(this.topic, Group.of("group"), (delivery) -> {
			parked(ready);
			consuming.get().close();
			calls.incrementAndGet();
		}));
		ready.countDown();
		await(() -> this.there.groups(this.topic).equals(List.of(new GroupState("group", 2, 0, 2))));
		consuming.get().close();
		assertThat(calls).hasValue(1);
		assertThat(next(this.there, Group.of("group")).event().offset()).isEqualTo(2);
	}

	@Test
	void closingAViewEndsItsSubscriptionsAndItsCalls() throws Exception {
		fill(this.here, 2);
		Scoped<Events> view = view();
		Events mine = view.in(this.namespace);
		List<Long> handled = new CopyOnWriteArrayList<>();
		CountDownLatch begun = new CountDownLatch(1);
		Subscription consuming = mine.consume(this.topic, Group.of("group"), (delivery) -> {
			begun.countDown();
			LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(300));
			handled.add(delivery.event().offset());
		});
		assertThat(parked(begun)).isTrue();
		view.close();
		assertThat(handled).containsExactly(1L);
		assertThat(this.there.groups(this.topic)).containsExactly(new GroupState("group", 2, 0, 1));
		view.close();
		consuming.close();
		unavailable(() -> mine.append(this.topic, message("a")));
		unavailable(() -> mine.read(this.topic, 1, 1));
		unavailable(() -> mine.offsetAt(this.topic, Instant.EPOCH));
		unavailable(mine::topics);
		unavailable(() -> mine.groups(this.topic));
		unavailable(() -> mine.removeGroup(this.topic, "group"));
		unavailable(() -> mine.consume(this.topic, Group.of("group"), (delivery) -> {
		}));
		append(this.here, "a");
		assertThat(next(this.there, Group.of("group")).event().offset()).isEqualTo(2);
		assertThat(handled).containsExactly(1L);
	}

	// Retention.

	@Test
	void eventsGoWhenTheyAreTooOld() throws Exception {
		Events events = view(new Retention(Duration.ofMinutes(10), Long.MAX_VALUE)).in(this.namespace + "-r");
		Event first = append(events, "a");
		append(events, "b");
		pass(Duration.ofMinutes(6));
		append(events, "c");
		assertThat(events.read(this.topic, 1, 10)).hasSize(3);
		pass(Duration.ofMinutes(5));
		append(events, "d");
		await(() -> offsets(events.read(this.topic, 1, 10)).equals(List.of(3L, 4L)));
		assertThat(events.offsetAt(this.topic, first.time())).isEqualTo(3);
		assertThat(beginsWith(events, From.START)).isEqualTo(3);
		assertThat(beginsWith(events, From.offset(2))).isEqualTo(3);
		assertThat(events.append(this.topic, first.message()).offset()).as("its id is new again").isEqualTo(5);
	}

	@Test
	void eventsGoWhenTheyAreTooMany() throws Exception {
		Events events = view(new Retention(Duration.ofDays(1), 10_000)).in(this.namespace + "-r");
		Map<String, String> headers = Map.of("name", "v".repeat(496));
		for (int i = 0; i < 20; i++) {
			events.append(this.topic, Message.of(new byte[500]).withHeaders(headers));
		}
		events.append(this.topic + "-b", Message.of(new byte[9_000]));
		pass(Retention.LEAST.plusSeconds(1));
		events.append(this.topic, Message.of(new byte[1000]));
		await(() -> offsets(events.read(this.topic, 1, 100)).equals(range(12, 21)));
		assertThat(events.read(this.topic + "-b", 1, 100)).as("each topic has its own").hasSize(1);
	}

	@Test
	void nothingOfTheLastTwoMinutesGoes() throws Exception {
		Events events = view(new Retention(Retention.LEAST, 1)).in(this.namespace + "-r");
		Event first = append(events, "a");
		append(events, "b");
		pass(Retention.LEAST.minusSeconds(20));
		Event third = append(events, "c");
		assertThat(events.append(this.topic, first.message())).isEqualTo(first);
		assertThat(events.read(this.topic, 1, 10)).hasSize(3);
		pass(Duration.ofSeconds(40));
		await(() -> {
			append(events, "d");
			return events.read(this.topic, 1, 1).get(0).offset() == 3;
		});
		assertThat(events.append(this.topic, third.message())).isEqualTo(third);
	}

	@Test
	void offsetsGoOnWhenNothingIsLeft() throws Exception {
		Events events = view(new Retention(Retention.LEAST, Long.MAX_VALUE)).in(this.namespace + "-r");
		append(events, "a");
		append(events, "b");
		pass(Retention.LEAST.plusSeconds(1));
		await(() -> events.read(this.topic, 1, 10).isEmpty() && events.topics().isEmpty());
		assertThat(events.offsetAt(this.topic, Instant.EPOCH)).isEqualTo(3);
		assertThat(append(events, "c").offset()).isEqualTo(3);
		assertThat(offsets(events.read(this.topic, 1, 10))).containsExactly(3L);
	}

	@Test
	void aGroupGoesOnWithTheOldestEventThatIsKept() throws Exception {
		Scoped<Events> view = view(new Retention(Duration.ofMinutes(10), Long.MAX_VALUE));
		Events events = view.in(this.namespace + "-r");
		List<Long> handled = new CopyOnWriteArrayList<>();
		Handler handler = (delivery) -> handled.add(delivery.event().offset());
		Subscription consuming = events.consume(this.topic, Group.of("group"), handler);
		append(events, "a");
		await(() -> handled.size() == 1);
		consuming.close();
		append(events, "b");
		append(events, "c");
		pass(Duration.ofMinutes(6));
		events.consume(this.topic, Group.of("group").withFrom(From.NOW), (delivery) -> {
			throw new IllegalStateException("thrown on purpose");
		}).close();
		append(events, "d");
		pass(Duration.ofMinutes(5));
		await(() -> events.groups(this.topic).equals(List.of(new GroupState("group", 4, 0, 1))));
		events.consume(this.topic, Group.of("group"), handler);
		await(() -> handled.size() == 2);
		assertThat(handled).containsExactly(1L, 4L);
	}

	@Test
	void groupsThatNobodyUsesAreForgottenAndOthersAreNot() throws Exception {
		Events events = view(new Retention(Duration.ofMinutes(10), Long.MAX_VALUE)).in(this.namespace + "-r");
		AtomicInteger heard = new AtomicInteger();
		events.consume(this.topic, Group.of("unused"), (delivery) -> {
		}).close();
		events.consume(this.topic, Group.of("used"), (delivery) -> heard.incrementAndGet());
		for (int i = 1; i <= 4; i++) {
			int count = i;
			pass(Duration.ofMinutes(4));
			append(events, "a");
			await(() -> heard.get() == count && events.groups(this.topic)
				.stream()
				.anyMatch((state) -> state.name().equals("used") && state.next() == count + 1));
		}
		await(() -> events.groups(this.topic).size() == 1);
		assertThat(events.groups(this.topic)).containsExactly(new GroupState("used", 5, 0, 0));
	}

	private Scoped<Events> view() throws Exception {
		return view(Retention.DEFAULT);
	}

	private Scoped<Events> view(Retention retention) throws Exception {
		Scoped<Events> view = open(retention);
		this.opened.add(view);
		return view;
	}

	private Event append(Events events, String text) {
		return events.append(this.topic, message(text));
	}

	private void fill(Events events, int count) {
		for (int i = 0; i < count; i++) {
			append(events, Integer.toString(i));
		}
	}

	private List<Event> dead(Events events) {
		return events.read(this.topic + Events.DEAD, 1, Limits.PAGE);
	}

	/*
	 * The first delivery to a group, which handles it alone.
	 */
	private Delivery next(Events events, Group group) {
		return next(events, this.topic, group);
	}

	private static Delivery next(Events events, String name, Group group) {
		List<Delivery> deliveries = new CopyOnWriteArrayList<>();
		Subscription consuming = events.consume(name, group, (delivery) -> {
			if (!deliveries.isEmpty()) {
				throw new IllegalStateException("only the first");
			}
			deliveries.add(delivery);
		});
		await(() -> !deliveries.isEmpty());
		consuming.close();
		return deliveries.get(0);
	}

	private long beginsWith(From from) {
		return beginsWith(this.there, from);
	}

	private long beginsWith(Events events, From from) {
		return next(events, Group.of("group-" + UUID.randomUUID()).withFrom(from)).event().offset();
	}

	/*
	 * The same by several threads, over both views.
	 */
	private void atOnce(int count, Consumer<Events> action) throws Exception {
		List<Future<?>> running = new ArrayList<>();
		for (int i = 0; i < count; i++) {
			Events events = (i % 2 == 0) ? this.here : this.there;
			running.add(this.threads.submit(() -> action.accept(events)));
		}
		for (Future<?> each : running) {
			each.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
		}
	}

	private static Message message(String text) {
		return Message.of(bytes(text));
	}

	private static byte[] bytes(String text) {
		return text.getBytes(StandardCharsets.UTF_8);
	}

	private static String text(Delivery delivery) {
		return text(delivery.event());
	}

	private static String text(Event event) {
		return new String(event.message().body(), StandardCharsets.UTF_8);
	}

	private static List<String> bodies(List<Event> events) {
		return events.stream().map(EventsContract::text).toList();
	}

	private static List<Long> offsets(List<Event> events) {
		return events.stream().map(Event::offset).toList();
	}

	private static List<Long> range(long first, long last) {
		return LongStream.rangeClosed(first, last).boxed().toList();
	}

	private static void invalid(Runnable call) {
		assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(call::run);
	}

	private static void unavailable(Runnable call) {
		assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(call::run);
	}

	private static Duration since(long start) {
		return Duration.ofNanos(System.nanoTime() - start);
	}

	/*
	 * Whether the latch was counted down and no interruption came.
	 */
	private static boolean parked(CountDownLatch latch) {
		try {
			return latch.await(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
		}
		catch (InterruptedException ex) {
			return false;
		}
	}

	private void stubborn(CountDownLatch latch) {
		while (latch.getCount() > 0 && this.end.getCount() > 0) {
			parked(latch);
		}
	}

	private static void await(BooleanSupplier condition) {
		Awaitility.await().atMost(PATIENCE).pollInterval(Duration.ofMillis(5)).until(condition::getAsBoolean);
	}

	/**
	 * A handler whose calls last until they are let go.
	 */
	private static final class Block implements Handler {

		private final List<Long> begun = new CopyOnWriteArrayList<>();

		private final AtomicInteger ended = new AtomicInteger();

		private final Map<Long, CountDownLatch> latches = new ConcurrentHashMap<>();

		private volatile boolean open;

		@Override
		public void handle(Delivery delivery) throws InterruptedException {
			long offset = delivery.event().offset();
			this.begun.add(offset);
			CountDownLatch latch = latch(offset);
			if (!this.open) {
				latch.await();
			}
			this.ended.incrementAndGet();
		}

		void release(long offset) {
			latch(offset).countDown();
		}

		void releaseAll() {
			this.open = true;
			this.latches.values().forEach(CountDownLatch::countDown);
		}

		private CountDownLatch latch(long offset) {
			return this.latches.computeIfAbsent(offset, (key) -> new CountDownLatch(1));
		}

	}

	/**
	 * What is thrown by somebody's handler may be of any kind.
	 */
	private static final class Unprintable extends RuntimeException {

		private static final long serialVersionUID = 1;

		@Override
		public String getMessage() {
			throw new IllegalStateException("not to be printed");
		}

	}

}
