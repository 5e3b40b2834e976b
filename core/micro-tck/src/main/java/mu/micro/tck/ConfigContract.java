package mu.micro.tck;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

import mu.micro.Limits;
import mu.micro.MicroException;
import mu.micro.Scoped;
import mu.micro.Subscription;
import mu.micro.config.Config;
import mu.micro.config.Json;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * What every {@link Config} promises. A provider's test fills the hooks and overrides
 * nothing else.
 */
@Timeout(60)
public abstract class ConfigContract {

	private static final Duration PATIENCE = Duration.ofSeconds(15);

	/**
	 * The promised second, and what a loaded machine may add to it.
	 */
	private static final Duration HEARD = Duration.ofSeconds(1).plusSeconds(2);

	private static final String MARKER = "sésame, ouvre-toi";

	private final String namespace = "ns-" + UUID.randomUUID();

	private final List<Scoped<Config>> opened = new ArrayList<>();

	private Config here;

	private Config there;

	/**
	 * Opens one more view of the config under test, as another process would.
	 * @return the view, closed by the contract
	 * @throws Exception if it cannot be opened
	 */
	protected abstract Scoped<Config> open() throws Exception;

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
	void atFirstThereIsNothing() {
		assertThat(this.here.get("", false)).isNull();
		assertThat(this.here.get("a", false)).isNull();
		assertThat(this.here.get("a.b", true)).isNull();
		assertThat(this.here.remove("")).isFalse();
		assertThat(this.here.remove("a.b")).isFalse();
	}

	@Test
	void whatIsSetIsReadByOthersInWholeAndInPart() {
		this.here.set("db.pool.size", Json.of(5), false);
		this.here.set("name", Json.of("foo"), false);
		assertThat(this.there.get("db.pool.size", false)).isEqualTo(Json.of(5));
		assertThat(this.there.get("db.pool", false)).isEqualTo(object("size", Json.of(5)));
		assertThat(this.there.get("db", false)).isEqualTo(object("pool", object("size", Json.of(5))));
		assertThat(this.there.get("", false))
			.isEqualTo(object("db", object("pool", object("size", Json.of(5))), "name", Json.of("foo")));
		assertThat(this.there.get("db.poo", false)).isNull();
		assertThat(this.there.get("db.pool.size.x", false)).isNull();
		assertThat(this.there.get("size", false)).isNull();
	}

	@Test
	void everyTypeSurvivesAndSoDoesEveryDigit() {
		List<Json> values = new ArrayList<>();
		for (String text : List.of("", "5", "true", "null", "[secret]", "<a href=\"x\">&'</a>",
				"ü=€ 😀\n\t\b\u0000\\")) {
			values.add(Json.of(text));
		}
		for (String number : List.of("0", "1", "-1", "1.0", "1.10", "0.1", "-0.000001", "9007199254740993",
				"9223372036854775807", "-9223372036854775808", "1E+3", "1E-7", "3.141592653589793238462643383279502884",
				"1.7976931348623157E+308", "4.9E-324", "1E+1000", "1E-1000")) {
			values.add(Json.of(new BigDecimal(number)));
		}
		values.add(Json.of(new BigDecimal(BigInteger.TEN.pow(999))));
		values.add(Json.of(true));
		values.add(Json.of(false));
		values.add(Json.NULL);
		values.add(Json.of(List.of()));
		values.add(Json.of(Map.of()));
		values
			.add(Json.of(List.of(Json.NULL, Json.of(1), Json.of(List.of(object("a.b", Json.of("x"), "", Json.NULL))))));
		for (int i = 0; i < values.size(); i++) {
			this.here.set("plain.v" + i, values.get(i), false);
		}
		Map<String, Json> all = new LinkedHashMap<>();
		for (int i = 0; i < values.size(); i++) {
			all.put("v" + i, values.get(i));
		}
		this.here.set("secret", Json.of(all), true);
		for (int i = 0; i < values.size(); i++) {
			assertSame(this.there.get("plain.v" + i, false), values.get(i));
			assertSame(this.there.get("secret.v" + i, true), values.get(i));
		}
		assertThat(this.there.get("plain", false)).isEqualTo(Json.of(all));
		assertThat(this.there.get("secret", true)).isEqualTo(Json.of(all));
	}

	@Test
	void settingAnObjectMerges() {
		this.here.set("a", object("b", Json.of(1), "c", object("d", Json.of(2), "e", Json.of(3))), false);
		this.there.set("a", object("c", object("e", Json.of(4), "f", Json.of(5)), "g", Json.of(6)), false);
		this.there.set("a", Json.of(Map.of()), false);
		this.there.set("a.c", Json.of(Map.of()), false);
		this.there.set("", Json.of(Map.of()), false);
		assertThat(this.here.get("a", false)).isEqualTo(object("b", Json.of(1), "c",
				object("d", Json.of(2), "e", Json.of(4), "f", Json.of(5)), "g", Json.of(6)));
		this.there.set("", object("a", object("b", Json.of(7)), "h", Json.of(8)), false);
		assertThat(this.here.get("", false)).isEqualTo(object("a", object("b", Json.of(7), "c",
				object("d", Json.of(2), "e", Json.of(4), "f", Json.of(5)), "g", Json.of(6)), "h", Json.of(8)));
	}

	@Test
	void aLeafReplacesAnObjectAndAnObjectALeaf() {
		this.here.set("a", object("b", object("c", Json.of(1))), false);
		this.here.set("a.b", Json.of("leaf"), false);
		assertThat(this.there.get("a", false)).isEqualTo(object("b", Json.of("leaf")));
		this.here.set("a.b", object("d", Json.of(2)), false);
		assertThat(this.there.get("a", false)).isEqualTo(object("b", object("d", Json.of(2))));
		this.here.set("a", Json.NULL, false);
		assertThat(this.there.get("a", false)).isEqualTo(Json.NULL);
		this.here.set("a", Json.of(Map.of()), false);
		assertThat(this.there.get("a", false)).isEqualTo(Json.of(Map.of()));
		this.here.set("a", Json.of(3), false);
		this.here.set("a.b.c", Json.of(4), false);
		assertThat(this.there.get("", false)).isEqualTo(object("a", object("b", object("c", Json.of(4)))));
	}

	@Test
	void arraysAreKeptWhole() {
		this.here.set("a", Json.of(List.of(Json.of(1), object("b", Json.of(2)))), false);
		assertThat(this.there.get("a.0", false)).isNull();
		assertThat(this.there.get("a.b", false)).isNull();
		assertThat(this.there.remove("a.0")).isFalse();
		this.here.set("a", Json.of(List.of(object("c", Json.of(3)))), false);
		assertThat(this.there.get("a", false)).isEqualTo(Json.of(List.of(object("c", Json.of(3)))));
		this.here.set("", object("a", Json.of(List.of())), false);
		assertThat(this.there.get("a", false)).isEqualTo(Json.of(List.of()));
		this.here.set("a.b", Json.of(4), false);
		assertThat(this.there.get("a", false)).isEqualTo(object("b", Json.of(4)));
	}

	@Test
	void removingRemovesNothingElse() {
		this.here.set("", object("a", object("b", Json.of(1), "bb", Json.of(2), "c", object("d", Json.of(3)))), false);
		this.here.set("ab", Json.of(4), false);
		assertThat(this.there.remove("a.b")).isTrue();
		assertThat(this.there.remove("a.b")).isFalse();
		assertThat(this.here.get("", false))
			.isEqualTo(object("a", object("bb", Json.of(2), "c", object("d", Json.of(3))), "ab", Json.of(4)));
		assertThat(this.there.remove("a.c")).isTrue();
		assertThat(this.there.remove("a.bb.x")).isFalse();
		assertThat(this.here.get("", false)).isEqualTo(object("a", object("bb", Json.of(2)), "ab", Json.of(4)));
		assertThat(this.there.remove("a")).isTrue();
		assertThat(this.here.get("", false)).isEqualTo(object("ab", Json.of(4)));
	}

	@Test
	void objectsThatAreLeftEmptyAreRemovedToo() {
		this.here.set("a.b.c.d", Json.of(1), false);
		this.here.set("a.x", Json.of(2), false);
		assertThat(this.here.remove("a.b.c.d")).isTrue();
		assertThat(this.there.get("", false)).isEqualTo(object("a", object("x", Json.of(2))));
		assertThat(this.here.remove("a.x")).isTrue();
		assertThat(this.there.get("a", false)).isNull();
		assertThat(this.there.get("", false)).isNull();
		this.here.set("a.b", Json.of(3), false);
		this.here.set("c", Json.of(4), true);
		assertThat(this.here.remove("")).isTrue();
		assertThat(this.there.get("", false)).isNull();
		this.here.set("", Json.of(Map.of()), false);
		assertThat(this.there.get("", false)).isNull();
	}

	@Test
	void aSecretThatIsNotRevealedReadsAsSuch() {
		this.here.set("db.password", Json.of(MARKER), true);
		this.here.set("db.port", Json.of(5432), false);
		assertThat(this.there.get("db.password", false)).isEqualTo(Config.HIDDEN);
		assertThat(this.there.get("db", false))
			.isEqualTo(object("password", Json.of("[secret]"), "port", Json.of(5432)));
		assertThat(this.there.get("", false))
			.isEqualTo(object("db", object("password", Json.of("[secret]"), "port", Json.of(5432))));
		assertThat(this.there.get("db.password", true)).isEqualTo(Json.of(MARKER));
		assertThat(this.there.get("db", true)).isEqualTo(object("password", Json.of(MARKER), "port", Json.of(5432)));
		assertThat(this.there.get("db.password.x", true)).isNull();
	}

	@Test
	void eachLeafOfASecretObjectIsASecret() {
		this.here.set("a.old", Json.of("plain"), false);
		Json.Struct value = object("b", Json.of(4711), "c",
				object("d", Json.of(List.of(Json.of(1), Json.of(2))), "e", Json.NULL));
		this.here.set("a", value, true);
		assertThat(this.there.get("a", false)).isEqualTo(object("b", Config.HIDDEN, "c",
				object("d", Config.HIDDEN, "e", Config.HIDDEN), "old", Json.of("plain")));
		assertThat(this.there.get("a.c.d", true)).isEqualTo(Json.of(List.of(Json.of(1), Json.of(2))));
		assertThat(this.there.remove("a.c")).isTrue();
		assertThat(this.there.get("a", true)).isEqualTo(object("b", Json.of(4711), "old", Json.of("plain")));
	}

	@Test
	void whatIsSetLastDecidesWhetherALeafIsASecret() {
		this.here.set("a", Json.of("first"), true);
		this.here.set("a", Json.of("second"), false);
		assertThat(this.there.get("a", false)).isEqualTo(Json.of("second"));
		this.here.set("a", Json.of("second"), true);
		assertThat(this.there.get("a", false)).isEqualTo(Config.HIDDEN);
		assertThat(this.there.get("a", true)).isEqualTo(Json.of("second"));
		this.here.set("a.b", Json.of("third"), false);
		assertThat(this.there.get("a", true)).isEqualTo(object("b", Json.of("third")));
		this.here.set("a", Json.of(Map.of("c", Json.of("fourth"))), true);
		this.here.set("a", Json.of("leaf"), false);
		assertThat(this.there.get("a", false)).isEqualTo(Json.of("leaf"));
	}

	@Test
	void whatWasReadWithoutRevealingCanBeSetAgain() {
		this.here.set("a", object("b", Json.of(MARKER), "c", Json.of(2)), true);
		this.here.set("a.d", Json.of(3), false);
		Json read = this.there.get("", false);
		this.there.set("", Objects.requireNonNull(read), false);
		this.there.set("a.b", Config.HIDDEN, true);
		assertThat(this.here.get("a", true)).isEqualTo(object("b", Json.of(MARKER), "c", Json.of(2), "d", Json.of(3)));
		assertThat(this.here.get("a.b", false)).isEqualTo(Config.HIDDEN);
		this.there.set("a.d", Config.HIDDEN, false);
		assertThat(this.here.get("a.d", true)).isEqualTo(Config.HIDDEN);
	}

	@Test
	void changesAtTheSameTimeLoseNothing() throws Exception {
		int writers = 8;
		int rounds = 25;
		ExecutorService threads = Executors.newFixedThreadPool(writers);
		try {
			CyclicBarrier start = new CyclicBarrier(writers);
			List<Future<?>> done = new ArrayList<>();
			for (int writer = 0; writer < writers; writer++) {
				Config view = (writer % 2 == 0) ? this.here : this.there;
				String mine = "w" + writer;
				done.add(threads.submit(() -> {
					start.await(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
					for (int round = 0; round < rounds; round++) {
						String path = "all." + ((round % 2 == 0) ? mine + ".r" : "r" + round + "." + mine);
						view.set((round % 2 == 0) ? path + round : path, Json.of(round), round % 3 == 0);
						view.set(mine, object("gone", Json.of(round), "stays" + round, Json.of(round)), false);
						assertThat(view.remove(mine + ".gone")).isTrue();
					}
					return null;
				}));
			}
			for (Future<?> writer : done) {
				writer.get(60, TimeUnit.SECONDS);
			}
		}
		finally {
			threads.shutdownNow();
		}
		for (int writer = 0; writer < writers; writer++) {
			Map<String, Json> stays = new LinkedHashMap<>();
			for (int round = 0; round < rounds; round++) {
				String path = (round % 2 == 0) ? "all.w" + writer + ".r" + round : "all.r" + round + ".w" + writer;
				assertThat(this.there.get(path, true)).as(path).isEqualTo(Json.of(round));
				stays.put("stays" + round, Json.of(round));
			}
			assertThat(this.here.get("w" + writer, false)).isEqualTo(Json.of(stays));
		}
	}

	@Test
	void aWatchTellsWhatIsThereFirstAndThenEachChange() {
		this.there.set("a.b", Json.of(1), false);
		Watched watched = watch("a.b", false);
		await(() -> watched.size() == 1);
		assertThat(watched.last()).isEqualTo(Json.of(1));
		this.there.set("a.b", Json.of(2), false);
		heard(watched, Json.of(2));
		this.here.set("a", object("b", object("c", Json.of(3))), false);
		heard(watched, object("c", Json.of(3)));
		this.there.set("a.b.d", Json.of(4), false);
		heard(watched, object("c", Json.of(3), "d", Json.of(4)));
		this.there.set("a", Json.of("leaf"), false);
		heard(watched, null);
		this.there.set("a.b", Json.of(5), false);
		heard(watched, Json.of(5));
		this.there.remove("a");
		heard(watched, null);
	}

	@Test
	void aWatchBeginsWhereThereIsNothing() {
		Watched watched = watch("a.b", false);
		await(() -> watched.size() == 1);
		assertThat(watched.last()).isNull();
		this.there.set("a.b", Json.of(1), false);
		heard(watched, Json.of(1));
	}

	@Test
	void everythingCanBeWatched() {
		Watched watched = watch("", false);
		await(() -> watched.size() == 1);
		assertThat(watched.last()).isNull();
		this.there.set("a.b", Json.of(1), false);
		heard(watched, object("a", object("b", Json.of(1))));
		this.there.set("c", Json.of(2), false);
		heard(watched, object("a", object("b", Json.of(1)), "c", Json.of(2)));
		this.there.remove("");
		heard(watched, null);
	}

	@Test
	void aWatchDoesNotHearOfWhatItDoesNotRead() {
		Watched plain = watch("a.b", false);
		Watched all = watch("", false);
		this.there.set("a.b", Json.of(1), false);
		heard(plain, Json.of(1));
		this.there.set("a.bb", Json.of(2), false);
		this.there.set("b", Json.of(3), false);
		this.there.set("a.b", Json.of(1), false);
		this.there.remove("a.bb");
		heard(all, object("a", object("b", Json.of(1)), "b", Json.of(3)));
		this.there.set("a.b", Json.of(4), false);
		heard(plain, Json.of(4));
		assertThat(plain.seen().stream().filter(Json.of(1)::equals)).hasSize(1);
	}

	@Test
	void aWatchHearsSecretsOnlyIfItAsksForThem() {
		Watched hidden = watch("a", false);
		Watched revealed = watch("a", true);
		this.there.set("a.b", Json.of(MARKER), true);
		heard(hidden, object("b", Config.HIDDEN));
		heard(revealed, object("b", Json.of(MARKER)));
		this.there.set("a.b", Json.of("another"), true);
		heard(revealed, object("b", Json.of("another")));
		this.there.set("a.c", Json.of(1), false);
		heard(hidden, object("b", Config.HIDDEN, "c", Json.of(1)));
		assertThat(hidden.seen().stream().filter(object("b", Config.HIDDEN)::equals)).hasSize(1);
		assertThat(hidden.seen()).noneMatch((json) -> contains(json, MARKER) || contains(json, "another"));
	}

	@Test
	void aSlowWatcherHearsTheLastStateAndDelaysNobody() throws Exception {
		CountDownLatch blocked = new CountDownLatch(1);
		CountDownLatch release = new CountDownLatch(1);
		AtomicReference<Json> slow = new AtomicReference<>();
		AtomicInteger calls = new AtomicInteger();
		this.here.watch("a", false, (json) -> {
			blocked.countDown();
			awaitLatch(release);
			calls.incrementAndGet();
			slow.set(json);
		});
		Watched quick = watch("a", false);
		int changes = 20;
		try {
			assertThat(blocked.await(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)).isTrue();
			for (int i = 1; i <= changes; i++) {
				this.there.set("a", Json.of(i), false);
			}
			heard(quick, Json.of(changes));
			assertThat(calls).hasValue(0);
		}
		finally {
			release.countDown();
		}
		await(() -> Json.of(changes).equals(slow.get()));
		assertThat(calls).hasValueLessThanOrEqualTo(3);
	}

	@Test
	void aListenersCallsComeOneAtATime() {
		AtomicInteger running = new AtomicInteger();
		AtomicInteger most = new AtomicInteger();
		AtomicReference<Json> last = new AtomicReference<>();
		this.here.watch("a", false, (json) -> {
			most.accumulateAndGet(running.incrementAndGet(), Math::max);
			// Long enough for the next change to come meanwhile.
			LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
			last.set(json);
			running.decrementAndGet();
		});
		int changes = 20;
		for (int i = 1; i <= changes; i++) {
			((i % 2 == 0) ? this.here : this.there).set("a", Json.of(i), false);
		}
		await(() -> Json.of(changes).equals(last.get()));
		assertThat(most).hasValue(1);
	}

	@Test
	void aThrowingWatcherIsCalledAgainAndHarmsNobody() {
		List<Json> seen = new CopyOnWriteArrayList<>();
		this.there.set("a", Json.of(1), false);
		this.here.watch("a", false, (json) -> {
			seen.add(json);
			throw new IllegalStateException("thrown on purpose");
		});
		this.here.watch("a", false, (json) -> {
			throw new AssertionError("thrown on purpose");
		});
		Watched quick = watch("a", false);
		await(() -> seen.size() == 1);
		this.there.set("a", Json.of(2), false);
		heard(quick, Json.of(2));
		await(() -> seen.equals(List.of(Json.of(1), Json.of(2))));
	}

	@Test
	void onceASubscriptionIsClosedNoCallStarts() {
		AtomicBoolean closed = new AtomicBoolean();
		AtomicInteger late = new AtomicInteger();
		Watched other = watch("a", false);
		for (int round = 0; round < 20; round++) {
			closed.set(false);
			Subscription watch = this.here.watch("a", false, (json) -> {
				if (closed.get()) {
					late.incrementAndGet();
				}
			});
			this.here.set("a", Json.of(round), false);
			watch.close();
			watch.close();
			closed.set(true);
			this.here.set("a", Json.of(100 + round), false);
			assertThat(late).hasValue(0);
		}
		heard(other, Json.of(119));
		assertThat(late).hasValue(0);
	}

	@Test
	void closingASubscriptionWaitsForTheCallThatRuns() throws Exception {
		CountDownLatch blocked = new CountDownLatch(1);
		CountDownLatch release = new CountDownLatch(1);
		List<String> ended = new CopyOnWriteArrayList<>();
		Subscription watch = this.here.watch("a", false, (json) -> {
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
		Watched other = watch("a", false);
		watch.set(this.here.watch("a", false, (json) -> {
			awaitLatch(assigned);
			calls.incrementAndGet();
			watch.get().close();
		}));
		assigned.countDown();
		await(() -> calls.get() == 1);
		this.there.set("a", Json.of(1), false);
		heard(other, Json.of(1));
		assertThat(calls).hasValue(1);
	}

	@Test
	void namespacesNeverSeeEachOther() throws Exception {
		String dashed = this.namespace + "-b";
		String underscored = this.namespace + "_b";
		Scoped<Config> config = view();
		List<Json> seen = new CopyOnWriteArrayList<>();
		config.in(underscored).watch("a", true, seen::add);
		config.in(dashed).set("a", Json.of(MARKER), true);
		assertThat(view().in(dashed).get("a", true)).isEqualTo(Json.of(MARKER));
		for (String name : List.of(underscored, this.namespace, dashed.toUpperCase(Locale.ROOT))) {
			assertThat(config.in(name).get("", true)).isNull();
			assertThat(config.in(name).remove("a")).isFalse();
		}
		config.in(underscored).set("a", Json.of(1), false);
		await(() -> seen.contains(Json.of(1)));
		assertThat(seen).doesNotContain(Json.of(MARKER));
		assertThat(config.in(dashed).get("a", true)).isEqualTo(Json.of(MARKER));
	}

	@Test
	void whatIsNoPathIsRefused() {
		for (String path : List.of(".", ".a", "a.", "a..b", " ", "a. .b", "a\nb", "a.\u0000", "\uD83D",
				"n".repeat(Limits.NAME + 1), ("n".repeat(127) + ".").repeat(8) + "n",
				".a".repeat(Config.DEPTH + 1).substring(1))) {
			refused(() -> this.here.get(path, false));
			refused(() -> this.here.set(path, Json.of(1), false));
			refused(() -> this.here.remove(path));
			refused(() -> this.here.watch(path, false, (json) -> {
			}));
		}
		assertThat(this.there.get("", false)).isNull();
	}

	@Test
	void pathsAtTheirLimitsWork() {
		List<String> paths = List.of("n".repeat(Limits.NAME), "😀".repeat(Limits.NAME),
				("n".repeat(127) + ".").repeat(8).substring(0, Limits.KEY - 1), ".a".repeat(Config.DEPTH).substring(1),
				"a b", "a/b:c", "%.*", "ü.€", "A", "-1.0");
		for (String path : paths) {
			this.here.set(path, Json.of(path), true);
		}
		for (String path : paths) {
			assertThat(this.there.get(path, true)).as(path).isEqualTo(Json.of(path));
		}
		for (String path : paths) {
			assertThat(this.there.remove(path)).as(path).isTrue();
		}
		assertThat(this.here.get("", false)).isNull();
	}

	@Test
	void namesThatNoPathCouldReachAreRefused() {
		this.here.set("a", object("b", Json.of(1)), false);
		for (String name : List.of("", "b.c", ".", ".secret", " ", "b\nc", "n".repeat(Limits.NAME + 1))) {
			for (boolean secret : new boolean[] { false, true }) {
				refused(() -> this.here.set("a", object("ok", Json.of(2), name, Json.of(3)), secret));
				refused(() -> this.here.set("", object("a", object("d", object(name, Json.of(3)))), secret));
				refused(() -> this.here.set("a.x", object(name, Json.of(Map.of())), secret));
			}
		}
		String longest = ("n".repeat(127) + ".").repeat(8).substring(0, Limits.KEY - 1);
		refused(() -> this.here.set(longest, object("n", Json.of(1)), false));
		assertThat(this.there.get("", false)).isEqualTo(object("a", object("b", Json.of(1))));
	}

	@Test
	void theWholeIsAnObject() {
		this.here.set("a", Json.of(1), false);
		for (Json leaf : List.of(Json.of(1), Json.of("text"), Json.of(true), Json.NULL, Json.of(List.of()))) {
			refused(() -> this.here.set("", leaf, false));
		}
		assertThat(this.there.get("", false)).isEqualTo(object("a", Json.of(1)));
	}

	@Test
	void theSizeHasALimit() {
		int part = Config.DOCUMENT / 4;
		for (String name : List.of("a", "b", "c")) {
			this.here.set(name, Json.of("é".repeat(part / 2)), false);
		}
		Json before = this.there.get("", false);
		assertThatExceptionOfType(MicroException.Invalid.class)
			.isThrownBy(() -> this.here.set("d", Json.of("é".repeat(part / 2)), false))
			.withMessageContaining(Integer.toString(Config.DOCUMENT));
		refused(() -> this.here.set("d", Json.of("x".repeat(part * 9 / 10)), true));
		refused(() -> this.here.set("d", Json.of("x".repeat(32 * Config.DOCUMENT)), false));
		assertThat(this.there.get("", false)).isEqualTo(before);
		this.here.set("d", Json.of("x".repeat(part * 9 / 10)), false);
		this.here.set("a", Json.of("x".repeat(part / 2)), true);
		assertThat(this.there.get("d", false)).isEqualTo(Json.of("x".repeat(part * 9 / 10)));
		assertThat(this.there.get("a", true)).isEqualTo(Json.of("x".repeat(part / 2)));
	}

	@Test
	void theNumberOfLeavesHasALimit() {
		Map<String, Json> most = new LinkedHashMap<>();
		for (int i = 0; i < Config.LEAVES - 1; i++) {
			most.put("n" + i, Json.of(i));
		}
		this.here.set("a.b", Json.of(most), false);
		this.here.set("a.c", Json.of(Collections.nCopies(20_000, Json.of(1))), false);
		assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(() -> this.here.set("d", Json.of(1), false))
			.withMessageContaining(Integer.toString(Config.LEAVES));
		this.here.set("a.c", Json.of(1), false);
		assertThat(this.there.get("a.b", false)).isEqualTo(Json.of(most));
		assertThat(this.there.get("d", false)).isNull();
	}

	@Test
	void theDepthHasALimit() {
		Json deepest = Json.of(1);
		for (int i = 0; i < Config.DEPTH - 1; i++) {
			deepest = (i % 2 == 0) ? Json.of(List.of(deepest)) : object("a", deepest);
		}
		this.here.set("a", deepest, false);
		this.here.set("b", deepest, true);
		assertThat(this.there.get("a", false)).isEqualTo(deepest);
		assertThat(this.there.get("b", true)).isEqualTo(deepest);
		Json tooDeep = deepest;
		assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(() -> this.here.set("b.c", tooDeep, false))
			.withMessageContaining(Integer.toString(Config.DEPTH));
		refused(() -> this.here.set("", object("b", Json.of(List.of(tooDeep))), true));
		Json bottomless = Json.of(1);
		for (int i = 0; i < 20_000; i++) {
			bottomless = Json.of(List.of(bottomless));
		}
		Json farTooDeep = bottomless;
		refused(() -> this.here.set("b", farTooDeep, false));
		assertThat(this.there.get("b", true)).isEqualTo(deepest);
	}

	@Test
	void numbersAndTextsHaveLimits() {
		refused(() -> Json.of(new BigDecimal("1E+1001")));
		refused(() -> Json.of(new BigDecimal("1E-1001")));
		refused(() -> Json.of(new BigDecimal("1E-2147483647")));
		refused(() -> Json.of(new BigDecimal(BigInteger.TEN.pow(1000))));
		refused(() -> Json.of("\uDE00"));
		refused(() -> object("\uD83D", Json.of(1)));
	}

	@Test
	void noMessageHoldsAValue() {
		String value = MARKER + "x".repeat(Config.DOCUMENT);
		for (Runnable call : List.<Runnable>of(() -> this.here.set("a", Json.of(value), true),
				() -> this.here.set("a", object("b", Json.of(MARKER), "c.d", Json.of(1)), true),
				() -> this.here.set("", Json.of(MARKER), true))) {
			assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(call::run)
				.satisfies((ex) -> assertThat(ex.toString()).doesNotContain(MARKER));
		}
		this.here.set("a", Json.of(MARKER), true);
		assertThat(this.here.toString()).doesNotContain(MARKER);
		assertThat(this.there.get("", true)).hasToString("Struct{a=Text}");
		for (Json json : List.of(Json.of(4711), Json.of(true), Json.of(List.of(Json.of(MARKER))))) {
			assertThat(json.toString()).doesNotContain("4711").doesNotContain("true").doesNotContain(MARKER);
		}
	}

	@Test
	void closingAConfigEndsItsSubscriptions() throws Exception {
		Scoped<Config> config = view();
		AtomicInteger calls = new AtomicInteger();
		Config mine = config.in(this.namespace);
		mine.watch("a", false, (json) -> calls.incrementAndGet());
		mine.set("a", Json.of(1), false);
		await(() -> calls.get() > 0);
		config.close();
		config.close();
		int before = calls.get();
		Watched watched = watch("a", false);
		this.there.set("a", Json.of(2), false);
		heard(watched, Json.of(2));
		assertThat(calls).hasValue(before);
		for (Runnable call : List.<Runnable>of(() -> mine.get("a", false), () -> mine.set("a", Json.of(3), false),
				() -> mine.remove("a"), () -> mine.watch("a", false, (json) -> {
				}))) {
			assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(call::run);
		}
		assertThat(this.there.get("a", false)).isEqualTo(Json.of(2));
	}

	@Test
	void whatIsNoNamespaceIsRefused() throws Exception {
		Scoped<Config> config = view();
		for (String name : List.of("", " ", "n".repeat(Limits.NAME + 1), "a\nb")) {
			refused(() -> config.in(name));
		}
	}

	private Scoped<Config> view() throws Exception {
		Scoped<Config> view = open();
		this.opened.add(view);
		return view;
	}

	private Watched watch(String path, boolean reveal) {
		Watched watched = new Watched(new CopyOnWriteArrayList<>());
		this.here.watch(path, reveal, (json) -> watched.seen.add((json != null) ? json : Watched.NOTHING));
		return watched;
	}

	private static Json.Struct object(Object... members) {
		Map<String, Json> map = new LinkedHashMap<>();
		for (int i = 0; i < members.length; i += 2) {
			map.put((String) members[i], (Json) members[i + 1]);
		}
		return Json.of(map);
	}

	private static boolean contains(Json json, String text) {
		if (json instanceof Json.Struct struct) {
			return struct.members().values().stream().anyMatch((member) -> contains(member, text));
		}
		return Json.of(text).equals(json);
	}

	private static void assertSame(@Nullable Json actual, Json expected) {
		assertThat(actual).isEqualTo(expected);
		if (expected instanceof Json.Number number && actual instanceof Json.Number same) {
			// Equal as text too.
			assertThat(same.value().toString()).isEqualTo(number.value().toString());
		}
	}

	private static void refused(Runnable call) {
		assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(call::run);
	}

	private static void heard(Watched watched, @Nullable Json state) {
		Json expected = (state != null) ? state : Watched.NOTHING;
		until(HEARD, () -> watched.size() > 0 && watched.seen.get(watched.size() - 1).equals(expected));
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
		until(PATIENCE, condition);
	}

	private static void until(Duration time, BooleanSupplier condition) {
		Awaitility.await().atMost(time).pollInterval(Duration.ofMillis(10)).until(condition::getAsBoolean);
	}

	/**
	 * What a watcher has heard.
	 */
	private record Watched(List<Json> seen) {

		// Stands for null, which is nothing any test sets.
		private static final Json NOTHING = Json.of("nothing-" + UUID.randomUUID());

		int size() {
			return this.seen.size();
		}

		@Nullable Json last() {
			Json last = this.seen.get(this.seen.size() - 1);
			return (last != NOTHING) ? last : null;
		}

	}

}
