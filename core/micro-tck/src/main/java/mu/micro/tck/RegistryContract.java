package mu.micro.tck;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

import mu.micro.Lease;
import mu.micro.MicroException;
import mu.micro.Scoped;
import mu.micro.Subscription;
import mu.micro.registry.Instance;
import mu.micro.registry.Registry;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * What every {@link Registry} promises. A provider's test fills the hooks and overrides
 * nothing else.
 */
@Timeout(60)
public abstract class RegistryContract {

	/**
	 * What a loaded machine may add to any stated time.
	 */
	private static final Duration SLACK = Duration.ofSeconds(5);

	/**
	 * What it may add to the settling time: less, so that what only ends with its ttl
	 * does not pass for settled.
	 */
	private static final Duration SETTLE_SLACK = Duration.ofSeconds(2);

	private static final Duration PATIENCE = Duration.ofSeconds(10);

	private static final Duration TTL = Duration.ofSeconds(30);

	private final String namespace = "ns-" + UUID.randomUUID();

	private final String service = "service-" + UUID.randomUUID();

	private final List<Scoped<Registry>> opened = new ArrayList<>();

	private Registry here;

	private Registry there;

	/**
	 * Opens one more view of the registry under test, as another process would.
	 * @return the view, closed by the contract
	 * @throws Exception if it cannot be opened
	 */
	protected abstract Scoped<Registry> open() throws Exception;

	/**
	 * How long others may still see an instance whose lease was closed.
	 * @return the provider's settling time
	 */
	protected abstract Duration settle();

	/**
	 * The shortest ttl that is not raised.
	 * @return the provider's shortest ttl
	 */
	protected abstract Duration shortestTtl();

	/**
	 * Registers an instance from a node that can be killed: another process where the
	 * provider allows for one.
	 * @param namespace where to register
	 * @param instance what to register
	 * @param ttl the lease's time to live
	 * @return the node
	 * @throws Exception if it cannot be started
	 */
	protected abstract Node start(String namespace, Instance instance, Duration ttl) throws Exception;

	@BeforeEach
	void openTwoViews() throws Exception {
		this.here = view().in(this.namespace);
		this.there = view().in(this.namespace);
	}

	@AfterEach
	void closeViews() {
		this.opened.forEach(Scoped::close);
	}

	@Test
	void anUnknownServiceHasNoInstances() {
		assertThat(this.here.instances("nobody-" + UUID.randomUUID())).isEmpty();
		assertThat(this.here.services()).isEmpty();
	}

	@Test
	void anInstanceIsSeenWholeByOthers() {
		Instance instance = new Instance(this.service, "v1.2.3", "a", "127.0.0.1", 4711,
				Map.of(Instance.SCHEMA, "0123456789abcdef", "empty", "", "text", "ü=€ 😀\n\t\"quoted\" 'too' \\"));
		try (Lease lease = this.here.register(instance, TTL)) {
			await(() -> this.there.instances(this.service).equals(List.of(instance)));
			assertThat(this.here.instances(this.service)).containsExactly(instance);
			assertThat(this.there.services()).containsExactly(this.service);
			assertThat(lease.held()).isTrue();
		}
	}

	@Test
	void metadataAtItsLimitArrives() {
		Instance instance = new Instance(this.service, "latest", "a", "127.0.0.1", 1,
				Map.of("k".repeat(24), "v".repeat(1000)));
		this.here.register(instance, TTL);
		await(() -> this.there.instances(this.service).equals(List.of(instance)));
	}

	@Test
	void namesAtTheirLimitArrive() {
		String longest = "é".repeat(200);
		Instance instance = new Instance(longest, "latest", "i".repeat(200), "127.0.0.1", 1, Map.of());
		this.here.register(instance, TTL);
		await(() -> this.there.instances(longest).equals(List.of(instance)));
		assertThat(this.there.services()).containsExactly(longest);
	}

	@Test
	void instancesAreSortedByIdAndAllThere() {
		List<Instance> expected = new ArrayList<>();
		for (int i = 10; i < 40; i++) {
			expected.add(instance("id-" + i, i));
		}
		for (int i = expected.size() - 1; i >= 0; i--) {
			((i % 2 == 0) ? this.here : this.there).register(expected.get(i), TTL);
		}
		await(() -> this.here.instances(this.service).equals(expected));
		await(() -> this.there.instances(this.service).equals(expected));
	}

	@Test
	void theNamesOfServicesAreSorted() {
		List<String> sorted = List.of("B", "a", "a-b", "a.b", "aa", "c", "é");
		for (int i : new int[] { 3, 0, 6, 5, 1, 4, 2 }) {
			Instance instance = new Instance(sorted.get(i), "latest", "a", "127.0.0.1", 1, Map.of());
			((i % 2 == 0) ? this.here : this.there).register(instance, TTL);
		}
		await(() -> List.copyOf(this.here.services()).equals(sorted));
		await(() -> List.copyOf(this.there.services()).equals(sorted));
		AtomicReference<Set<String>> seen = new AtomicReference<>(Set.of());
		this.here.watch(seen::set);
		await(() -> List.copyOf(seen.get()).equals(sorted));
	}

	@Test
	void aClosedLeaseEndsTheInstance() {
		AtomicBoolean lost = new AtomicBoolean();
		Lease lease = this.here.register(instance("a", 1), TTL);
		lease.onLost(() -> lost.set(true));
		await(() -> this.there.instances(this.service).size() == 1);
		lease.close();
		lease.close();
		assertThat(lease.held()).isFalse();
		assertThat(this.here.instances(this.service)).isEmpty();
		settled(() -> this.there.instances(this.service).isEmpty());
		settled(() -> this.there.services().isEmpty());
		assertThat(lost).isFalse();
	}

	@Test
	void registeringAgainChangesTheMetadata() {
		Instance before = new Instance(this.service, "latest", "a", "127.0.0.1", 1, Map.of("zone", "one"));
		Instance after = new Instance(this.service, "latest", "a", "127.0.0.1", 2, Map.of("zone", "two"));
		List<List<Instance>> seen = new CopyOnWriteArrayList<>();
		this.there.watch(this.service, seen::add);
		this.here.register(before, TTL);
		await(() -> this.there.instances(this.service).equals(List.of(before)));
		this.here.register(after, TTL);
		await(() -> this.there.instances(this.service).equals(List.of(after)));
		await(() -> !seen.isEmpty() && seen.get(seen.size() - 1).equals(List.of(after)));
	}

	@Test
	void aSupersededLeaseIsLostAndCannotEndItsSuccessor() {
		CountDownLatch lost = new CountDownLatch(1);
		Lease first = this.here.register(instance("a", 1), TTL);
		first.onLost(lost::countDown);
		Lease second = this.here.register(instance("a", 2), TTL);
		await(() -> lost.getCount() == 0);
		assertThat(first.held()).isFalse();
		first.close();
		await(() -> this.there.instances(this.service).equals(List.of(instance("a", 2))));
		assertThat(this.here.instances(this.service)).containsExactly(instance("a", 2));
		assertThat(second.held()).isTrue();
		AtomicBoolean late = new AtomicBoolean();
		first.onLost(() -> late.set(true));
		await(late::get);
	}

	@Test
	void namespacesNeverSeeEachOther() throws Exception {
		String dashed = this.namespace + "-b";
		String underscored = this.namespace + "_b";
		Scoped<Registry> registry = view();
		List<List<Instance>> seen = new CopyOnWriteArrayList<>();
		registry.in(underscored).watch(this.service, seen::add);
		registry.in(dashed).register(instance("a", 1), TTL);
		Registry other = view().in(dashed);
		await(() -> other.instances(this.service).size() == 1);
		for (String name : List.of(underscored, this.namespace, dashed.toUpperCase(Locale.ROOT))) {
			assertThat(registry.in(name).instances(this.service)).isEmpty();
			assertThat(registry.in(name).services()).isEmpty();
		}
		assertThat(seen).allMatch(List::isEmpty);
	}

	@Test
	void aWatchDeliversTheCurrentListFirstAndThenEachChange() {
		this.there.register(instance("a", 1), TTL);
		await(() -> this.here.instances(this.service).size() == 1);
		List<List<Instance>> seen = new CopyOnWriteArrayList<>();
		this.here.watch(this.service, seen::add);
		await(() -> !seen.isEmpty());
		assertThat(seen.get(0)).containsExactly(instance("a", 1));
		Lease second = this.there.register(instance("b", 2), TTL);
		await(() -> seen.get(seen.size() - 1).equals(List.of(instance("a", 1), instance("b", 2))));
		second.close();
		await(() -> seen.get(seen.size() - 1).equals(List.of(instance("a", 1))));
	}

	@Test
	void aWatchOfAnUnknownServiceStartsEmpty() {
		List<List<Instance>> seen = new CopyOnWriteArrayList<>();
		this.here.watch(this.service, seen::add);
		await(() -> !seen.isEmpty());
		assertThat(seen.get(0)).isEmpty();
		this.there.register(instance("a", 1), TTL);
		await(() -> seen.get(seen.size() - 1).equals(List.of(instance("a", 1))));
	}

	@Test
	void theNamesOfServicesCanBeWatched() {
		List<Set<String>> seen = new CopyOnWriteArrayList<>();
		this.here.watch(seen::add);
		await(() -> !seen.isEmpty());
		assertThat(seen.get(0)).isEmpty();
		Lease lease = this.there.register(instance("a", 1), TTL);
		await(() -> seen.get(seen.size() - 1).equals(Set.of(this.service)));
		lease.close();
		await(() -> seen.get(seen.size() - 1).isEmpty());
	}

	@Test
	void aSlowWatcherGetsTheLastStateAndDelaysNobody() throws Exception {
		CountDownLatch blocked = new CountDownLatch(1);
		CountDownLatch release = new CountDownLatch(1);
		AtomicReference<List<Instance>> slow = new AtomicReference<>();
		AtomicInteger calls = new AtomicInteger();
		AtomicReference<List<Instance>> quick = new AtomicReference<>();
		this.here.watch(this.service, (instances) -> {
			blocked.countDown();
			awaitLatch(release);
			calls.incrementAndGet();
			slow.set(instances);
		});
		this.here.watch(this.service, quick::set);
		int changes = 20;
		try {
			assertThat(blocked.await(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)).isTrue();
			for (int i = 1; i <= changes; i++) {
				this.there.register(instance("a", i), TTL);
			}
			await(() -> List.of(instance("a", changes)).equals(quick.get()));
			assertThat(calls).hasValue(0);
		}
		finally {
			release.countDown();
		}
		await(() -> List.of(instance("a", changes)).equals(slow.get()));
		// A provider may be behind with this watch, and then tells the rest one by one.
		assertThat(calls).hasValueLessThan(changes);
	}

	@Test
	void aListenersCallsComeOneAtATime() {
		AtomicInteger running = new AtomicInteger();
		AtomicInteger most = new AtomicInteger();
		AtomicReference<List<Instance>> last = new AtomicReference<>();
		this.here.watch(this.service, (instances) -> {
			most.accumulateAndGet(running.incrementAndGet(), Math::max);
			// Long enough for the next change to come meanwhile.
			LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
			last.set(instances);
			running.decrementAndGet();
		});
		int changes = 20;
		for (int i = 1; i <= changes; i++) {
			((i % 2 == 0) ? this.here : this.there).register(instance("id-" + (10 + i), i), TTL);
		}
		await(() -> last.get() != null && last.get().size() == changes);
		assertThat(most).hasValue(1);
	}

	@Test
	void aThrowingWatcherIsCalledAgainAndHarmsNobody() {
		AtomicReference<List<Instance>> quick = new AtomicReference<>();
		List<List<Instance>> seen = new CopyOnWriteArrayList<>();
		List<List<Instance>> seenByOther = new CopyOnWriteArrayList<>();
		this.here.watch(this.service, (instances) -> {
			seen.add(instances);
			throw new IllegalStateException("thrown on purpose");
		});
		this.here.watch(this.service, (instances) -> {
			seenByOther.add(instances);
			throw new AssertionError("thrown on purpose");
		});
		this.here.watch(this.service, quick::set);
		await(() -> seen.size() == 1 && seenByOther.size() == 1);
		this.there.register(instance("a", 1), TTL);
		await(() -> List.of(instance("a", 1)).equals(quick.get()));
		await(() -> seen.contains(List.of(instance("a", 1))));
		await(() -> seenByOther.contains(List.of(instance("a", 1))));
	}

	@Test
	void onceASubscriptionIsClosedNoCallStarts() {
		AtomicBoolean closed = new AtomicBoolean();
		AtomicInteger late = new AtomicInteger();
		for (int round = 0; round < 20; round++) {
			closed.set(false);
			Subscription watch = this.here.watch(this.service, (instances) -> {
				if (closed.get()) {
					late.incrementAndGet();
				}
			});
			this.here.register(instance("a", 1 + round), TTL);
			watch.close();
			watch.close();
			closed.set(true);
			this.here.register(instance("b", 100 + round), TTL);
			assertThat(late).hasValue(0);
		}
		await(() -> this.there.instances(this.service).equals(List.of(instance("a", 20), instance("b", 119))));
		assertThat(late).hasValue(0);
	}

	@Test
	void closingASubscriptionWaitsForTheCallThatRuns() throws Exception {
		CountDownLatch blocked = new CountDownLatch(1);
		CountDownLatch release = new CountDownLatch(1);
		List<String> ended = new CopyOnWriteArrayList<>();
		Subscription watch = this.here.watch(this.service, (instances) -> {
			blocked.countDown();
			awaitLatch(release);
			ended.add("call");
		});
		Thread closer = new Thread(() -> {
			watch.close();
			ended.add("close");
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
		assertThat(ended).containsExactly("call", "close");
	}

	@Test
	void aListenerMayCloseItsOwnSubscription() {
		AtomicReference<Subscription> watch = new AtomicReference<>();
		AtomicInteger calls = new AtomicInteger();
		CountDownLatch assigned = new CountDownLatch(1);
		watch.set(this.here.watch(this.service, (instances) -> {
			awaitLatch(assigned);
			calls.incrementAndGet();
			watch.get().close();
		}));
		assigned.countDown();
		await(() -> calls.get() == 1);
		this.here.register(instance("a", 1), TTL);
		await(() -> this.there.instances(this.service).size() == 1);
		assertThat(calls).hasValue(1);
	}

	@Test
	void aKilledNodeDisappearsWithinItsTtl() throws Exception {
		AtomicReference<List<Instance>> seen = new AtomicReference<>();
		this.here.watch(this.service, seen::set);
		Node node = start(this.namespace, instance("a", 1), shortestTtl());
		await(() -> this.here.instances(this.service).size() == 1);
		node.kill();
		within(shortestTtl(), () -> this.here.instances(this.service).isEmpty());
		within(shortestTtl(), () -> this.there.services().isEmpty());
		await(() -> List.of().equals(seen.get()));
	}

	@Test
	void aLivingNodeOutlivesItsTtl() {
		Lease lease = this.here.register(instance("a", 1), shortestTtl());
		await(() -> this.there.instances(this.service).size() == 1);
		Duration longer = shortestTtl().multipliedBy(2).plusMillis(500);
		Awaitility.await()
			.during(longer)
			.atMost(longer.plus(SLACK))
			.pollInterval(Duration.ofMillis(100))
			.until(() -> this.there.instances(this.service).size() == 1);
		assertThat(lease.held()).isTrue();
	}

	@Test
	void aTtlBelowTheShortestIsRaised() {
		Lease lease = this.here.register(instance("a", 1), Duration.ofMillis(1));
		await(() -> this.there.instances(this.service).size() == 1);
		Awaitility.await()
			.during(Duration.ofMillis(500))
			.atMost(PATIENCE)
			.pollInterval(Duration.ofMillis(10))
			.until(() -> this.there.instances(this.service).size() == 1);
		assertThat(lease.held()).isTrue();
	}

	@Test
	void closingARegistryEndsItsLeasesAndSubscriptions() throws Exception {
		Scoped<Registry> registry = view();
		AtomicInteger calls = new AtomicInteger();
		Registry mine = registry.in(this.namespace);
		Lease lease = mine.register(instance("a", 1), TTL);
		mine.watch(this.service, (instances) -> calls.incrementAndGet());
		await(() -> this.there.instances(this.service).size() == 1);
		registry.close();
		registry.close();
		int before = calls.get();
		assertThat(lease.held()).isFalse();
		settled(() -> this.there.instances(this.service).isEmpty());
		this.here.register(instance("b", 2), TTL);
		await(() -> this.there.instances(this.service).size() == 1);
		assertThat(calls).hasValue(before);
		assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(() -> mine.instances(this.service));
		assertThatExceptionOfType(MicroException.Unavailable.class)
			.isThrownBy(() -> mine.register(instance("a", 1), TTL));
	}

	@Test
	void whatIsNoNamespaceIsRefused() throws Exception {
		Scoped<Registry> registry = view();
		for (String name : List.of("", " ", "n".repeat(201), "a\nb")) {
			assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(() -> registry.in(name));
		}
	}

	private Instance instance(String id, int port) {
		return new Instance(this.service, "latest", id, "127.0.0.1", port, Map.of());
	}

	private Scoped<Registry> view() throws Exception {
		Scoped<Registry> view = open();
		this.opened.add(view);
		return view;
	}

	private static void awaitLatch(CountDownLatch latch) {
		try {
			// Longer than anybody waits for what it holds up.
			latch.await(PATIENCE.plus(PATIENCE).toMillis(), TimeUnit.MILLISECONDS);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	private static void await(BooleanSupplier condition) {
		until(PATIENCE.plus(SLACK), condition);
	}

	private void settled(BooleanSupplier condition) {
		until(settle().plus(SETTLE_SLACK), condition);
	}

	private static void within(Duration time, BooleanSupplier condition) {
		until(time.plus(SLACK), condition);
	}

	private static void until(Duration time, BooleanSupplier condition) {
		Awaitility.await().atMost(time).pollInterval(Duration.ofMillis(10)).until(condition::getAsBoolean);
	}

	/**
	 * Something that registered an instance and can die without a word.
	 */
	@FunctionalInterface
	protected interface Node {

		/**
		 * Ends the node as a crash would.
		 */
		void kill();

	}

}
