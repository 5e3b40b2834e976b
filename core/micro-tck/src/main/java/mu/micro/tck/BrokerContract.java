package mu.micro.tck;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.UUID;
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
import java.util.stream.IntStream;

import mu.micro.Limits;
import mu.micro.Message;
import mu.micro.MicroException;
import mu.micro.Scoped;
import mu.micro.broker.Broker;
import mu.micro.broker.BrokerSubscription;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * What every {@link Broker} promises. A provider's test fills the hook and overrides
 * nothing else.
 */
@Timeout(120)
public abstract class BrokerContract {

	private static final Duration PATIENCE = Duration.ofSeconds(15);

	private static final String TOPIC = "topic";

	private static final String QUEUE = "queue";

	/**
	 * Names that mean something to some broker, or look alike.
	 */
	private static final List<String> NAMES = List.of("a", "A", "a.b", "a/b", "a b", "a.", ".a", "/a", "a/", "a..b",
			"a.*", "a.>", "*", "**", ">", "#", "+", "?", "$", "$SYS", "%", "%61", "_", "_a", "-", "\\", "\"", "'", " a",
			"a ", "..", ".", "~", "ä", "a\u0308", "\u00a0a", "日本", "😀", "[a]", "{a}", "a:b", "a,b", "a;b", "a=b",
			"a&b", "null", "0");

	private final String namespace = "ns-" + UUID.randomUUID();

	private final List<Scoped<Broker>> opened = new ArrayList<>();

	private final ExecutorService threads = Executors.newCachedThreadPool();

	/**
	 * Opened when a test ends, so that no handler of it stays.
	 */
	private final CountDownLatch ended = new CountDownLatch(1);

	private Broker here;

	private Broker there;

	/**
	 * Opens one more view of the broker under test, as another process would.
	 * @return the view, closed by the contract
	 * @throws Exception if it cannot be opened
	 */
	protected abstract Scoped<Broker> open() throws Exception;

	@BeforeEach
	void openTwoViews() throws Exception {
		this.here = view().in(this.namespace);
		this.there = view().in(this.namespace);
	}

	@AfterEach
	void closeViews() {
		this.ended.countDown();
		this.opened.forEach(Scoped::close);
		this.threads.shutdownNow();
	}

	// What arrives.

	@Test
	void aMessageArrivesUnchanged() {
		byte[] body = new byte[256];
		for (int i = 0; i < body.length; i++) {
			body[i] = (byte) i;
		}
		Message message = new Message("an id: ü/€ 😀 ?&=%", Map.of(Message.CONTENT_TYPE, "application/json", "empty",
				"", "Text", "ü=€ 😀\n\t\0\"quoted\" 'too' \\", "text", "of another header", "ü 😀", "x"), body);
		Sink near = new Sink();
		Sink far = new Sink();
		Sink member = new Sink();
		this.here.subscribe(TOPIC, near);
		this.there.subscribe(TOPIC, far);
		this.there.subscribe(TOPIC, QUEUE, member);
		this.here.publish(TOPIC, message);
		for (Sink sink : List.of(near, far, member)) {
			await(() -> sink.size() == 1);
			assertThat(sink.messages()).containsExactly(message);
		}
	}

	@Test
	void aMessageWithoutABodyArrives() {
		Sink sink = new Sink();
		this.there.subscribe(TOPIC, sink);
		Message message = Message.of(new byte[0]);
		this.here.publish(TOPIC, message);
		await(() -> sink.size() == 1);
		assertThat(sink.messages()).containsExactly(message);
	}

	@Test
	void aMessageAtItsLimitsArrives() {
		byte[] body = new byte[Limits.BODY];
		for (int i = 0; i < body.length; i++) {
			body[i] = (byte) (i * 31 + i / 256);
		}
		Message message = new Message("😀".repeat(Limits.NAME), Map.of("long", "v".repeat(Limits.HEADERS - 4)), body);
		Sink far = new Sink();
		Sink member = new Sink();
		this.there.subscribe(TOPIC, far);
		this.there.subscribe(TOPIC, QUEUE, member);
		this.here.publish(TOPIC, message);
		await(() -> far.size() == 1 && member.size() == 1);
		assertThat(far.messages()).containsExactly(message);
		assertThat(member.messages()).containsExactly(message);
	}

	@Test
	void onlyItsOwnHeadersTravelWithAMessage() {
		Sink sink = new Sink();
		this.there.subscribe(TOPIC, sink);
		this.here.publish(TOPIC, message("1"));
		this.here.publish(TOPIC, message("2").withHeaders(Map.of("authorization", "is the publisher's to say")));
		await(() -> sink.size() == 2);
		assertThat(sink.messages().get(0).headers()).isEmpty();
		assertThat(sink.messages().get(1).headers()).containsOnlyKeys("authorization");
	}

	// Who gets it.

	@Test
	void withoutAQueueEverySubscriptionGetsEachMessage() {
		List<Sink> sinks = IntStream.range(0, 6).mapToObj((i) -> new Sink()).toList();
		for (int i = 0; i < sinks.size(); i++) {
			((i % 2 == 0) ? this.here : this.there).subscribe(TOPIC, sinks.get(i));
		}
		List<String> published = new ArrayList<>();
		for (int i = 0; i < 20; i++) {
			((i % 2 == 0) ? this.here : this.there).publish(TOPIC, message("m" + i));
			published.add("m" + i);
		}
		for (Sink sink : sinks) {
			await(() -> sink.size() == published.size());
			assertThat(sink.ids()).isEqualTo(published);
		}
	}

	@Test
	void ofAQueueOneMemberGetsEachMessage() {
		List<Sink> members = IntStream.range(0, 4).mapToObj((i) -> new Sink()).toList();
		for (int i = 0; i < members.size(); i++) {
			((i % 2 == 0) ? this.here : this.there).subscribe(TOPIC, QUEUE, members.get(i));
		}
		List<String> published = new ArrayList<>();
		for (int i = 0; i < 400; i++) {
			((i % 2 == 0) ? this.here : this.there).publish(TOPIC, message("m" + i));
			published.add("m" + i);
		}
		await(() -> sizes(members) >= published.size());
		assertThat(ids(members)).containsExactlyInAnyOrderElementsOf(published);
		assertThat(members).allMatch((member) -> member.size() >= 10);
	}

	@Test
	void queuesAndAllGetAMessageAtOnce() throws Exception {
		Broker third = view().in(this.namespace);
		List<Sink> all = List.of(new Sink(), new Sink());
		this.here.subscribe(TOPIC, all.get(0));
		this.there.subscribe(TOPIC, all.get(1));
		List<List<Sink>> queues = new ArrayList<>();
		for (String queue : List.of("one", "other", "ONE")) {
			List<Sink> members = List.of(new Sink(), new Sink(), new Sink());
			this.here.subscribe(TOPIC, queue, members.get(0));
			this.there.subscribe(TOPIC, queue, members.get(1));
			this.there.subscribe(TOPIC, queue, members.get(2));
			queues.add(members);
		}
		List<String> published = new ArrayList<>();
		for (int i = 0; i < 100; i++) {
			third.publish(TOPIC, message("m" + i));
			published.add("m" + i);
		}
		for (Sink sink : all) {
			await(() -> sink.size() >= published.size());
			assertThat(sink.ids()).isEqualTo(published);
		}
		for (List<Sink> members : queues) {
			await(() -> sizes(members) >= published.size());
			assertThat(ids(members)).containsExactlyInAnyOrderElementsOf(published);
		}
	}

	@Test
	void aQueueIsOneOfItsTopic() {
		Sink one = new Sink();
		Sink other = new Sink();
		this.here.subscribe("one", QUEUE, one);
		this.there.subscribe("other", QUEUE, other);
		for (int i = 0; i < 10; i++) {
			this.here.publish("one", message("one"));
			this.there.publish("other", message("other"));
		}
		await(() -> one.size() >= 10 && other.size() >= 10);
		assertThat(one.ids()).hasSize(10).containsOnly("one");
		assertThat(other.ids()).hasSize(10).containsOnly("other");
	}

	@Test
	void topicsNeverMeetHoweverTheyAreNamed() {
		List<Sink> all = new ArrayList<>();
		List<Sink> members = new ArrayList<>();
		for (String topic : NAMES) {
			all.add(new Sink());
			members.add(new Sink());
			this.there.subscribe(topic, all.get(all.size() - 1));
			this.there.subscribe(topic, topic, members.get(members.size() - 1));
		}
		for (String topic : NAMES) {
			this.here.publish(topic, new Message("id", Map.of(), topic.getBytes(StandardCharsets.UTF_8)));
		}
		for (int i = 0; i < NAMES.size(); i++) {
			for (Sink sink : List.of(all.get(i), members.get(i))) {
				await(() -> sink.size() > 0);
			}
		}
		for (int i = 0; i < NAMES.size(); i++) {
			for (Sink sink : List.of(all.get(i), members.get(i))) {
				assertThat(
						sink.messages().stream().map((message) -> new String(message.body(), StandardCharsets.UTF_8)))
					.containsExactly(NAMES.get(i));
			}
		}
	}

	@Test
	void queuesNeverMeetHoweverTheyAreNamed() {
		List<Sink> members = new ArrayList<>();
		for (String queue : NAMES) {
			members.add(new Sink());
			this.there.subscribe(TOPIC, queue, members.get(members.size() - 1));
		}
		this.here.publish(TOPIC, message("1"));
		this.here.publish(TOPIC, message("2"));
		for (Sink member : members) {
			await(() -> member.size() >= 2);
			assertThat(member.ids()).containsExactly("1", "2");
		}
	}

	@Test
	void namesAtTheirLimitWork() throws Exception {
		for (String name : List.of("é".repeat(Limits.NAME), "😀".repeat(Limits.NAME))) {
			Sink all = new Sink();
			Sink member = new Sink();
			Broker subscriber = view().in(name);
			subscriber.subscribe(name, all);
			subscriber.subscribe(name, name, member);
			view().in(name).publish(name, message(name));
			await(() -> all.size() == 1 && member.size() == 1);
			assertThat(all.ids()).containsExactly(name);
		}
	}

	@Test
	void namespacesNeverMeet() throws Exception {
		Scoped<Broker> near = view();
		Scoped<Broker> far = view();
		List<String> namespaces = List.of(this.namespace, this.namespace + "-b", this.namespace + "_b",
				this.namespace + ".b", this.namespace + ".", this.namespace.toUpperCase(Locale.ROOT));
		List<Sink> sinks = new ArrayList<>();
		for (String name : namespaces) {
			for (Scoped<Broker> broker : List.of(near, far)) {
				Sink sink = new Sink();
				sinks.add(sink);
				broker.in(name).subscribe(TOPIC, sink);
			}
			Sink member = new Sink();
			sinks.add(member);
			far.in(name).subscribe(TOPIC, QUEUE, member);
		}
		for (String name : namespaces) {
			near.in(name).publish(TOPIC, message(name));
		}
		for (int i = 0; i < sinks.size(); i++) {
			Sink sink = sinks.get(i);
			await(() -> sink.size() > 0);
			assertThat(sink.ids()).containsExactly(namespaces.get(i / 3));
		}
	}

	@Test
	void whatIsNoNameIsRefused() throws Exception {
		Scoped<Broker> broker = view();
		for (String name : List.of("", " ", "n".repeat(Limits.NAME + 1), "a\nb", "a\0", "\ud800")) {
			assertInvalid(() -> broker.in(name));
			assertInvalid(() -> this.here.publish(name, message("1")));
			assertInvalid(() -> this.here.subscribe(name, new Sink()));
			assertInvalid(() -> this.here.subscribe(TOPIC, name, new Sink()));
		}
	}

	// When it comes.

	@Test
	void aSubscriptionIsLiveForAllOnceItIsMade() {
		for (int round = 0; round < 50; round++) {
			Sink far = new Sink();
			Sink near = new Sink();
			Sink member = new Sink();
			List<BrokerSubscription> subscriptions = List.of(this.there.subscribe(TOPIC, far),
					this.here.subscribe(TOPIC, near), this.there.subscribe(TOPIC, QUEUE, member));
			String id = "m" + round;
			this.here.publish(TOPIC, message(id));
			for (Sink sink : List.of(far, near, member)) {
				await(() -> sink.size() == 1);
				assertThat(sink.ids()).containsExactly(id);
			}
			subscriptions.forEach(BrokerSubscription::close);
		}
	}

	@Test
	void whatNobodyListensToIsKeptForNobody() {
		this.here.publish(TOPIC, message("before"));
		Sink sink = new Sink();
		this.there.subscribe(TOPIC, sink);
		this.here.publish(TOPIC, message("after"));
		await(() -> sink.size() > 0);
		assertThat(sink.ids()).containsExactly("after");
	}

	@Test
	void whoGoesAwayAndReturnsGetsWhatIsPublishedFromThenOn() throws Exception {
		Sink first = new Sink();
		Scoped<Broker> leaving = view();
		leaving.in(this.namespace).subscribe(TOPIC, first);
		this.here.publish(TOPIC, message("1"));
		await(() -> first.size() == 1);
		leaving.close();
		this.here.publish(TOPIC, message("2"));
		Sink second = new Sink();
		view().in(this.namespace).subscribe(TOPIC, second);
		this.here.publish(TOPIC, message("3"));
		await(() -> second.size() > 0);
		assertThat(first.ids()).containsExactly("1");
		assertThat(second.ids()).containsExactly("3");
	}

	@Test
	void whatOneThreadPublishesArrivesInItsOrder() throws Exception {
		Sink near = new Sink();
		Sink far = new Sink();
		List<Sink> members = List.of(new Sink(), new Sink());
		this.here.subscribe(TOPIC, near);
		this.there.subscribe(TOPIC, far);
		this.here.subscribe(TOPIC, QUEUE, members.get(0));
		this.there.subscribe(TOPIC, QUEUE, members.get(1));
		int publishers = 4;
		// No more than wait for a handler that has not begun.
		int each = Broker.BACKLOG / publishers;
		publishAll(publishers, each);
		for (Sink sink : List.of(near, far)) {
			await(() -> sink.size() == publishers * each);
			assertOrdered(sink, publishers);
		}
		await(() -> sizes(members) == publishers * each);
		members.forEach((member) -> assertOrdered(member, publishers));
	}

	@Test
	void manyPublishersAndSubscribersAddUp() throws Exception {
		List<Sink> sinks = new ArrayList<>();
		List<BrokerSubscription> subscriptions = new ArrayList<>();
		List<Sink> members = new ArrayList<>();
		List<BrokerSubscription> memberships = new ArrayList<>();
		for (int i = 0; i < 5; i++) {
			for (Broker broker : List.of(this.here, this.there)) {
				sinks.add(new Sink());
				subscriptions.add(broker.subscribe(TOPIC, sinks.get(sinks.size() - 1)));
				members.add(new Sink());
				memberships.add(broker.subscribe(TOPIC, QUEUE, members.get(members.size() - 1)));
			}
		}
		int publishers = 8;
		int each = 250;
		publishAll(publishers, each);
		long total = publishers * each;
		for (int i = 0; i < sinks.size(); i++) {
			Sink sink = sinks.get(i);
			BrokerSubscription subscription = subscriptions.get(i);
			await(() -> sink.size() + subscription.dropped() == total);
			assertThat(sink.ids()).doesNotHaveDuplicates();
			assertOrdered(sink, publishers);
		}
		await(() -> sizes(members) + dropped(memberships) == total);
		assertThat(ids(members)).doesNotHaveDuplicates();
	}

	// Slow, throwing and hanging handlers.

	@Test
	void aSlowSubscriberStopsNobodyAndWhatItCannotTakeIsCounted() {
		CountDownLatch release = new CountDownLatch(1);
		Sink slow = new Sink((message) -> awaitLatch(release));
		Sink near = new Sink();
		Sink far = new Sink();
		BrokerSubscription counted = this.there.subscribe(TOPIC, slow);
		BrokerSubscription quick = this.there.subscribe(TOPIC, far);
		this.here.subscribe(TOPIC, near);
		int published = 3 * Broker.BACKLOG;
		for (int i = 0; i < published; i++) {
			this.here.publish(TOPIC, message("m" + i));
			int count = i + 1;
			if (count % 100 == 0) {
				await(() -> near.size() == count && far.size() == count);
			}
		}
		assertThat(quick.dropped()).isZero();
		release.countDown();
		await(() -> slow.size() + counted.dropped() == published);
		assertThat(slow.size()).isBetween(Broker.BACKLOG, 2 * Broker.BACKLOG);
		// The newest were dropped.
		assertThat(slow.ids()).isEqualTo(IntStream.range(0, slow.size()).mapToObj((i) -> "m" + i).toList());
		this.here.publish(TOPIC, message("again"));
		await(() -> slow.size() + counted.dropped() == published + 1);
		assertThat(slow.last().id()).isEqualTo("again");
	}

	@Test
	void whatWaitsIsBoundedInBytesToo() {
		CountDownLatch release = new CountDownLatch(1);
		Sink slow = new Sink((message) -> awaitLatch(release));
		BrokerSubscription subscription = this.there.subscribe(TOPIC, slow);
		int fit = Limits.BATCH_BYTES / Limits.BODY;
		int published = 4 * fit;
		for (int i = 0; i < published; i++) {
			this.here.publish(TOPIC, new Message("m" + i, Map.of(), new byte[Limits.BODY]));
		}
		await(() -> subscription.dropped() > 0);
		release.countDown();
		await(() -> slow.size() + subscription.dropped() == published);
		// As much again may have been on its way to where it waits.
		assertThat(slow.size()).isBetween(fit, 3 * fit);
	}

	@Test
	void whatAFullQueueCannotTakeIsCounted() {
		CountDownLatch release = new CountDownLatch(1);
		List<Sink> members = List.of(new Sink((message) -> awaitLatch(release)),
				new Sink((message) -> awaitLatch(release)));
		List<BrokerSubscription> memberships = List.of(this.here.subscribe(TOPIC, QUEUE, members.get(0)),
				this.there.subscribe(TOPIC, QUEUE, members.get(1)));
		int published = 5 * Broker.BACKLOG;
		for (int i = 0; i < published; i++) {
			this.here.publish(TOPIC, message("m" + i));
		}
		release.countDown();
		await(() -> sizes(members) + dropped(memberships) == published);
		assertThat(dropped(memberships)).isPositive();
		assertThat(ids(members)).doesNotHaveDuplicates();
	}

	@Test
	void aThrowingHandlerIsCalledAgainAndHarmsNobody() {
		Sink throwing = new Sink((message) -> {
			throw new IllegalStateException("thrown on purpose");
		});
		Sink failing = new Sink((message) -> {
			throw new AssertionError("thrown on purpose");
		});
		Sink quiet = new Sink();
		BrokerSubscription subscription = this.there.subscribe(TOPIC, throwing);
		this.there.subscribe(TOPIC, failing);
		this.there.subscribe(TOPIC, quiet);
		List<String> published = List.of("1", "2", "3");
		published.forEach((id) -> this.here.publish(TOPIC, message(id)));
		for (Sink sink : List.of(throwing, failing, quiet)) {
			await(() -> sink.size() == published.size());
			assertThat(sink.ids()).isEqualTo(published);
		}
		assertThat(subscription.dropped()).isZero();
	}

	@Test
	void aHandlersCallsComeOneAtATime() {
		AtomicInteger running = new AtomicInteger();
		AtomicInteger most = new AtomicInteger();
		Sink sink = new Sink((message) -> {
			most.accumulateAndGet(running.incrementAndGet(), Math::max);
			// Long enough for the next one to come meanwhile.
			LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
			running.decrementAndGet();
		});
		this.here.subscribe(TOPIC, sink);
		for (int i = 0; i < 20; i++) {
			((i % 2 == 0) ? this.here : this.there).publish(TOPIC, message("m" + i));
		}
		await(() -> sink.size() == 20 && running.get() == 0);
		assertThat(most).hasValue(1);
	}

	@Test
	void aHandlerMayPublishAndSubscribe() {
		Sink last = new Sink();
		this.here.subscribe(TOPIC, (message) -> {
			int number = Integer.parseInt(message.id());
			if (number > 0) {
				this.here.publish(TOPIC, message(String.valueOf(number - 1)));
			}
			else {
				this.here.subscribe("last", last);
				this.here.publish("last", message);
			}
		});
		this.there.publish(TOPIC, message("10"));
		await(() -> last.size() == 1);
		assertThat(last.ids()).containsExactly("0");
	}

	// Closing.

	@Test
	void onceASubscriptionIsClosedNoCallStarts() {
		AtomicBoolean closed = new AtomicBoolean();
		AtomicInteger late = new AtomicInteger();
		Sink other = new Sink();
		this.there.subscribe(TOPIC, other);
		for (int round = 0; round < 20; round++) {
			closed.set(false);
			Consumer<Message> handler = (message) -> {
				if (closed.get()) {
					late.incrementAndGet();
				}
			};
			BrokerSubscription subscription = this.there.subscribe(TOPIC, handler);
			BrokerSubscription member = this.there.subscribe(TOPIC, QUEUE, handler);
			for (int i = 0; i < 10; i++) {
				this.here.publish(TOPIC, message("m"));
			}
			subscription.close();
			subscription.close();
			member.close();
			closed.set(true);
			this.here.publish(TOPIC, message("m"));
			assertThat(late).hasValue(0);
		}
		await(() -> other.size() == 20 * 11);
		assertThat(late).hasValue(0);
	}

	@Test
	void closingASubscriptionWaitsForTheCallThatRuns() throws Exception {
		CountDownLatch blocked = new CountDownLatch(1);
		CountDownLatch release = new CountDownLatch(1);
		List<String> happened = new CopyOnWriteArrayList<>();
		BrokerSubscription subscription = this.there.subscribe(TOPIC, (message) -> {
			blocked.countDown();
			awaitLatch(release);
			happened.add("call");
		});
		this.here.publish(TOPIC, message("1"));
		this.here.publish(TOPIC, message("2"));
		Thread closer = new Thread(() -> {
			subscription.close();
			happened.add("close");
		});
		closer.setDaemon(true);
		try {
			assertThat(blocked.await(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)).isTrue();
			closer.start();
			await(() -> Set.of(Thread.State.WAITING, Thread.State.TIMED_WAITING, Thread.State.TERMINATED)
				.contains(closer.getState()));
		}
		finally {
			release.countDown();
		}
		closer.join(PATIENCE.toMillis());
		assertThat(happened).containsExactly("call", "close");
	}

	@Test
	void aHandlerMayCloseItsOwnSubscription() {
		AtomicReference<BrokerSubscription> subscription = new AtomicReference<>();
		CountDownLatch assigned = new CountDownLatch(1);
		Sink once = new Sink((message) -> {
			awaitLatch(assigned);
			subscription.get().close();
		});
		Sink other = new Sink();
		subscription.set(this.there.subscribe(TOPIC, once));
		this.there.subscribe(TOPIC, other);
		this.here.publish(TOPIC, message("1"));
		this.here.publish(TOPIC, message("2"));
		assigned.countDown();
		this.here.publish(TOPIC, message("3"));
		await(() -> once.size() > 0 && other.size() == 3);
		assertThat(once.ids()).containsExactly("1");
	}

	@Test
	void whoLeavesAQueueGetsNoMoreOfItAndTheRestGetsAll() throws Exception {
		Sink stays = new Sink();
		Scoped<Broker> closing = view();
		this.here.subscribe(TOPIC, QUEUE, stays);
		BrokerSubscription leaves = this.there.subscribe(TOPIC, QUEUE, new Sink());
		BrokerSubscription alsoLeaves = this.here.subscribe(TOPIC, QUEUE, new Sink());
		closing.in(this.namespace).subscribe(TOPIC, QUEUE, new Sink());
		leaves.close();
		alsoLeaves.close();
		closing.close();
		for (int i = 0; i < 50; i++) {
			((i % 2 == 0) ? this.here : this.there).publish(TOPIC, message("m" + i));
		}
		await(() -> stays.size() == 50);
	}

	@Test
	void closingABrokerEndsItsSubscriptionsAndNoOthers() throws Exception {
		Scoped<Broker> broker = view();
		Broker mine = broker.in(this.namespace);
		Sink sink = new Sink();
		Sink member = new Sink();
		Sink other = new Sink();
		BrokerSubscription subscription = mine.subscribe(TOPIC, sink);
		mine.subscribe(TOPIC, QUEUE, member);
		this.there.subscribe(TOPIC, other);
		this.here.publish(TOPIC, message("1"));
		await(() -> sink.size() == 1 && member.size() == 1 && other.size() == 1);
		broker.close();
		broker.close();
		subscription.close();
		this.here.publish(TOPIC, message("2"));
		await(() -> other.size() == 2);
		assertThat(sink.size()).isEqualTo(1);
		assertThat(member.size()).isEqualTo(1);
		assertUnavailable(() -> mine.publish(TOPIC, message("3")));
		assertUnavailable(() -> mine.subscribe(TOPIC, sink));
		assertUnavailable(() -> mine.subscribe(TOPIC, QUEUE, sink));
	}

	@Test
	void aHandlerMayCloseItsBroker() throws Exception {
		Scoped<Broker> broker = view();
		Sink sink = new Sink((message) -> broker.close());
		broker.in(this.namespace).subscribe(TOPIC, sink);
		this.here.publish(TOPIC, message("1"));
		await(() -> sink.size() == 1);
		assertUnavailableSoon(() -> broker.in(this.namespace).publish(TOPIC, message("2")));
		this.here.publish(TOPIC, message("3"));
		assertThat(sink.ids()).containsExactly("1");
	}

	@Test
	void tenThousandTopicsLeaveTheBrokerAsItWas() {
		for (int i = 0; i < 10_000; i++) {
			((i % 2 == 0) ? this.here : this.there).subscribe("topic-" + i, (message) -> {
			}).close();
		}
		for (int i = 0; i < 10_000; i++) {
			this.here.publish("topic-" + i, message("m"));
		}
		Sink sink = new Sink();
		this.there.subscribe("topic-1", sink);
		this.here.publish("topic-1", message("1"));
		await(() -> sink.size() == 1);
	}

	private Scoped<Broker> view() throws Exception {
		Scoped<Broker> view = open();
		this.opened.add(view);
		return view;
	}

	private void publishAll(int publishers, int each) throws Exception {
		List<Future<?>> published = new ArrayList<>();
		for (int publisher = 0; publisher < publishers; publisher++) {
			int number = publisher;
			Broker broker = (publisher % 2 == 0) ? this.here : this.there;
			published.add(this.threads.submit(() -> {
				for (int i = 0; i < each; i++) {
					broker.publish(TOPIC, message(number + "-" + i));
				}
			}));
		}
		for (Future<?> future : published) {
			future.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
		}
	}

	private static void assertOrdered(Sink sink, int publishers) {
		for (int publisher = 0; publisher < publishers; publisher++) {
			String prefix = publisher + "-";
			assertThat(sink.ids()
				.stream()
				.filter((id) -> id.startsWith(prefix))
				.map((id) -> Integer.parseInt(id.substring(prefix.length())))).isSorted();
		}
	}

	private void awaitLatch(CountDownLatch latch) {
		try {
			while (!latch.await(10, TimeUnit.MILLISECONDS) && this.ended.getCount() > 0) {
				continue;
			}
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	private static Message message(String id) {
		return new Message(id, Map.of(), id.getBytes(StandardCharsets.UTF_8));
	}

	private static long sizes(List<Sink> sinks) {
		return sinks.stream().mapToLong(Sink::size).sum();
	}

	private static List<String> ids(List<Sink> sinks) {
		return sinks.stream().flatMap((sink) -> sink.ids().stream()).toList();
	}

	private static long dropped(List<BrokerSubscription> subscriptions) {
		return subscriptions.stream().mapToLong(BrokerSubscription::dropped).sum();
	}

	private static void assertInvalid(ThrowingCallable call) {
		assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(call);
	}

	private static void assertUnavailable(ThrowingCallable call) {
		assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(call);
	}

	private static void assertUnavailableSoon(ThrowingCallable call) {
		Awaitility.await().atMost(PATIENCE).untilAsserted(() -> assertUnavailable(call));
	}

	private static void await(BooleanSupplier condition) {
		if (!condition.getAsBoolean()) {
			Awaitility.await()
				.atMost(PATIENCE)
				.pollDelay(Duration.ZERO)
				.pollInterval(Duration.ofMillis(2))
				.until(condition::getAsBoolean);
		}
	}

	/**
	 * A handler that keeps what it got, and then does something.
	 */
	private static final class Sink implements Consumer<Message> {

		private final Queue<Message> messages = new ConcurrentLinkedQueue<>();

		private final AtomicInteger size = new AtomicInteger();

		private final AtomicReference<Message> last = new AtomicReference<>();

		private final Consumer<Message> then;

		Sink() {
			this((message) -> {
			});
		}

		Sink(Consumer<Message> then) {
			this.then = then;
		}

		@Override
		public void accept(Message message) {
			this.messages.add(message);
			this.last.set(message);
			this.size.incrementAndGet();
			this.then.accept(message);
		}

		int size() {
			return this.size.get();
		}

		Message last() {
			return this.last.get();
		}

		List<Message> messages() {
			return List.copyOf(this.messages);
		}

		List<String> ids() {
			return this.messages.stream().map(Message::id).toList();
		}

	}

}
