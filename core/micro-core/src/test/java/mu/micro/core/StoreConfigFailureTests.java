package mu.micro.core;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

import mu.micro.MicroException;
import mu.micro.Subscription;
import mu.micro.config.Config;
import mu.micro.config.Json;
import mu.micro.memory.MemoryDatabases;
import mu.micro.store.Change;
import mu.micro.store.Entry;
import mu.micro.store.Store;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

@Timeout(60)
class StoreConfigFailureTests {

	private static final String MARKER = "hunter2-marker";

	private final TroubledDatabases databases = new TroubledDatabases(new MemoryDatabases());

	private final List<StoreConfig> opened = new ArrayList<>();

	private final Config config = open(key(1)).in("micro");

	@AfterEach
	void close() {
		this.databases.onRead = () -> {
		};
		this.databases.onWrite = this.databases.onRead;
		this.opened.forEach(StoreConfig::close);
		this.databases.close();
	}

	@Test
	void readingAndWatchingMakeNothing() {
		this.config.get("a", true);
		this.config.remove("a");
		this.config.set("", Json.of(Map.of()), true);
		this.config.watch("a", true, (json) -> {
		});
		assertThat(this.databases.names()).isEmpty();
		assertThat(this.databases.writes).hasValue(0);
	}

	@Test
	void whatHasNoMemberLeftIsGoneFromTheStore() {
		this.config.set("a.b", Json.of(1), true);
		assertThat(this.databases.names()).containsExactly("micro");
		this.config.remove("a.b");
		assertThat(this.databases.names()).isEmpty();
	}

	@Test
	void whatChangesNothingIsNotWritten() {
		this.config.set("a", Json.of(Map.of("b", Json.of(1), "c", Json.of("x"))), false);
		this.config.set("a.b", Json.of(1), false);
		this.config.set("", Json.of(Map.of("a", Json.of(Map.of("c", Json.of("x"))))), false);
		this.config.set("a", Json.of(Map.of()), false);
		this.config.remove("a.b.c");
		assertThat(this.databases.writes).hasValue(1);
	}

	@Test
	void secretsAreNotReadableInTheStoreAndTheRestIs() {
		this.config.set("db", Json.of(Map.of("password", Json.of(MARKER), "pin", Json.of(471147114711L))), true);
		this.config.set("db.user", Json.of("scott"), false);
		assertThat(document("micro")).contains("{\"db\":{\"password\":{\".secret\":\"", "\"user\":\"scott\"")
			.doesNotContain(MARKER, "471147114711");
	}

	@Test
	void aSecretCannotBeMovedToAnotherPathOrNamespace() {
		this.config.set("a.b", Json.of(MARKER), true);
		Config other = this.opened.get(0).in("other");
		write("other", document("micro"));
		assertThatExceptionOfType(MicroException.Internal.class).isThrownBy(() -> other.get("a.b", true))
			.withMessageContainingAll("'a.b'", "'other'");
		write("micro", document("micro").replace("\"b\"", "\"c\""));
		assertThatExceptionOfType(MicroException.Internal.class).isThrownBy(() -> this.config.get("", true))
			.withMessageContainingAll("'a.c'", "'micro'");
		assertThat(this.config.get("", false)).isEqualTo(Json.of(Map.of("a", Json.of(Map.of("c", Config.HIDDEN)))));
	}

	@Test
	void aSecretWithoutItsKeyIsNotInTheWayOfAnythingElse() {
		this.config.set("a", Json.of(MARKER), true);
		this.config.set("b", Json.of(1), false);
		StoreConfig keyless = open(key(2));
		Config config = keyless.in("micro");
		String before = document("micro");
		for (Runnable call : List.<Runnable>of(() -> config.get("a", true), () -> config.get("", true),
				() -> config.watch("a", true, (json) -> {
				}), () -> keyless.rotate("micro"))) {
			assertThatExceptionOfType(MicroException.Internal.class).isThrownBy(call::run)
				.withMessageContainingAll("'a'", "'micro'", "key ring");
		}
		assertThat(document("micro")).isEqualTo(before);
		assertThat(config.get("a", false)).isEqualTo(Config.HIDDEN);
		assertThat(config.get("b", true)).isEqualTo(Json.of(1));
		config.set("c", Json.of("new"), true);
		assertThat(config.get("c", true)).isEqualTo(Json.of("new"));
		assertThat(this.config.get("a", true)).isEqualTo(Json.of(MARKER));
		assertThat(config.remove("a")).isTrue();
		assertThat(config.get("", true)).isEqualTo(Json.of(Map.of("b", Json.of(1), "c", Json.of("new"))));
	}

	@Test
	void afterARotationTheOldKeyIsNeededNoMore() {
		this.config.set("a", Json.of(Map.of("b", Json.of(MARKER), "c", Json.of(List.of(Json.of(1))))), true);
		this.config.set("d", Json.of(2), false);
		String sealed = ((Json.Text) ((Json.Struct) JsonText
			.parse(document("micro").replaceAll(".*(\\{\"\\.secret\":\"[^\"]*\"\\}).*", "$1"))).members()
			.get(".secret")).value();
		String id = sealed.substring(0, sealed.indexOf(':'));
		StoreConfig both = open(key(2), key(1));
		List<Json> seen = new CopyOnWriteArrayList<>();
		both.in("micro").watch("", true, seen::add);
		both.in("micro").set("e", Json.of("new"), true);
		assertThat(document("micro")).contains(id);
		assertThat(both.rotate("micro")).isTrue();
		assertThat(both.rotate("micro")).isFalse();
		assertThat(both.rotate("nothing")).isFalse();
		assertThat(document("micro")).doesNotContain(id);
		Config renewed = open(key(2)).in("micro");
		Json expected = Json.of(Map.of("a", Json.of(Map.of("b", Json.of(MARKER), "c", Json.of(List.of(Json.of(1))))),
				"d", Json.of(2), "e", Json.of("new")));
		assertThat(renewed.get("", true)).isEqualTo(expected);
		assertThatExceptionOfType(MicroException.Internal.class).isThrownBy(() -> this.config.get("a.b", true));
		renewed.set("f", Json.of(3), false);
		await(() -> seen.get(seen.size() - 1) instanceof Json.Struct struct && struct.members().containsKey("f"));
		assertThat(seen.stream().filter(expected::equals)).hasSizeLessThanOrEqualTo(1);
	}

	@Test
	void aRotationLosesNoChange() throws Exception {
		StoreConfig both = open(key(2), key(1));
		this.config.set("a", Json.of(MARKER), true);
		CountDownLatch changed = new CountDownLatch(1);
		AtomicReference<RuntimeException> failure = new AtomicReference<>();
		this.databases.onWrite = () -> {
			// The first write is the rotation's, and this one comes before it.
			this.databases.onWrite = () -> {
			};
			try {
				this.config.set("a", Json.of("changed"), true);
			}
			catch (RuntimeException ex) {
				failure.set(ex);
			}
			changed.countDown();
		};
		assertThat(both.rotate("micro")).isTrue();
		assertThat(changed.await(10, TimeUnit.SECONDS)).isTrue();
		assertThat(failure).hasNullValue();
		assertThat(open(key(2)).in("micro").get("a", true)).isEqualTo(Json.of("changed"));
	}

	@Test
	void aChangeBeginsAnewWhenOthersWereFaster() {
		Config others = open(key(1)).in("micro");
		AtomicInteger races = new AtomicInteger(10);
		AtomicInteger nested = new AtomicInteger();
		this.databases.onWrite = () -> {
			if (nested.get() == 0 && races.getAndDecrement() > 0) {
				nested.incrementAndGet();
				others.set("other" + races.get(), Json.of(1), false);
				nested.decrementAndGet();
			}
		};
		this.config.set("mine", Json.of(2), false);
		assertThat(((Json.Struct) others.get("", false)).members()).hasSize(11).containsEntry("mine", Json.of(2));
	}

	@Test
	void aChangeThatFindsNoGapIsGivenUpWhenItsTimeIsOver() {
		this.databases.onWrite = () -> {
			throw new MicroException.Conflict("on purpose");
		};
		Duration time = Duration.ofMillis(500);
		long start = System.nanoTime();
		assertThatExceptionOfType(MicroException.Unavailable.class)
			.isThrownBy(() -> open(time, key(1)).in("micro").set("a", Json.of(MARKER), true))
			.withMessageContainingAll("'micro'", "others kept changing", time.toString(), "nothing was changed",
					"try again");
		assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
		assertThat(this.databases.writes).hasValueGreaterThan(1);
		assertThat(this.config.get("", false)).isNull();
	}

	@Test
	void nothingIsBegunOnceTheTimeOfAChangeIsOver() {
		this.databases.onWrite = () -> {
			throw new MicroException.Conflict("on purpose");
		};
		assertThatExceptionOfType(MicroException.Unavailable.class)
			.isThrownBy(() -> open(Duration.ZERO, key(1)).in("micro").set("a", Json.of(1), false));
		assertThat(this.databases.writes).hasValue(1);
	}

	@Test
	void aChangeThatGetsNoTurnIsGivenUpToo() throws Exception {
		Config slow = open(Duration.ofMillis(200), key(1)).in("micro");
		CountDownLatch writing = new CountDownLatch(1);
		CountDownLatch release = new CountDownLatch(1);
		this.databases.onWrite = () -> {
			writing.countDown();
			awaitLatch(release);
		};
		Thread holder = new Thread(() -> slow.set("a", Json.of(1), false));
		holder.start();
		try {
			assertThat(writing.await(10, TimeUnit.SECONDS)).isTrue();
			assertThatExceptionOfType(MicroException.Unavailable.class)
				.isThrownBy(() -> slow.set("b", Json.of(2), false))
				.withMessageContaining("nothing was changed");
		}
		finally {
			release.countDown();
			holder.join(10_000);
		}
		assertThat(slow.get("", false)).isEqualTo(Json.of(Map.of("a", Json.of(1))));
	}

	@Test
	void whatTheStoreSaysIsPassedOn() {
		this.databases.onWrite = () -> {
			throw new MicroException.OutcomeUnknown("on purpose", null);
		};
		assertThatExceptionOfType(MicroException.OutcomeUnknown.class)
			.isThrownBy(() -> this.config.set("a", Json.of(1), false))
			.withMessage("on purpose");
		assertThat(this.databases.writes).hasValue(1);
		this.databases.onRead = () -> {
			throw new MicroException.Unavailable("on purpose");
		};
		for (Runnable call : List.<Runnable>of(() -> this.config.get("a", false),
				() -> this.config.set("a", Json.of(1), false), () -> this.config.remove("a"),
				() -> this.config.watch("a", false, (json) -> {
				}))) {
			assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(call::run).withMessage("on purpose");
		}
	}

	@Test
	void anInterruptionEndsAChangeThatWaits() throws Exception {
		CountDownLatch writing = new CountDownLatch(1);
		CountDownLatch release = new CountDownLatch(1);
		this.databases.onWrite = () -> {
			writing.countDown();
			awaitLatch(release);
		};
		Thread holder = new Thread(() -> this.config.set("a", Json.of(1), false));
		AtomicReference<Throwable> failure = new AtomicReference<>();
		Thread waiting = new Thread(() -> {
			try {
				this.config.set("b", Json.of(2), false);
			}
			catch (MicroException ex) {
				failure.set(ex);
			}
		});
		holder.start();
		try {
			assertThat(writing.await(10, TimeUnit.SECONDS)).isTrue();
			waiting.start();
			await(() -> waiting.getState() == Thread.State.TIMED_WAITING);
			waiting.interrupt();
			waiting.join(10_000);
			assertThat(failure.get()).isInstanceOf(MicroException.Cancelled.class);
		}
		finally {
			release.countDown();
			holder.join(10_000);
		}
		assertThat(this.config.get("", false)).isEqualTo(Json.of(Map.of("a", Json.of(1))));
	}

	@Test
	void aWatchTellsTheLastStateOnceTheStoreCanBeReadAgain() {
		List<Json> seen = new CopyOnWriteArrayList<>();
		this.config.watch("a", false, seen::add);
		await(() -> seen.size() == 1);
		int reads = this.databases.reads.get();
		Store table = this.databases.in("micro").table(StoreConfig.TABLE);
		this.databases.onRead = () -> {
			throw new MicroException.Unavailable("on purpose");
		};
		table.put(StoreConfig.KEY, "{\"a\":1}".getBytes(StandardCharsets.UTF_8));
		await(() -> this.databases.reads.get() > reads + 2);
		table.put(StoreConfig.KEY, "{\"a\":2}".getBytes(StandardCharsets.UTF_8));
		assertThat(seen).hasSize(1);
		this.databases.onRead = () -> {
		};
		await(() -> Json.of(2).equals(seen.get(seen.size() - 1)));
		assertThat(seen).hasSize(2);
	}

	@Test
	void aWatchOutlivesAnError() {
		List<Json> seen = new CopyOnWriteArrayList<>();
		this.config.watch("a", false, seen::add);
		await(() -> seen.size() == 1);
		int reads = this.databases.reads.get();
		this.databases.onRead = () -> {
			throw new Error("on purpose");
		};
		write("micro", "{\"a\":1}");
		await(() -> this.databases.reads.get() > reads + 1);
		this.databases.onRead = () -> {
		};
		await(() -> Json.of(1).equals(seen.get(seen.size() - 1)));
	}

	@Test
	void aWatchThatIsClosedReadsNoMore() {
		List<Json> seen = new CopyOnWriteArrayList<>();
		Subscription watch = this.config.watch("a", false, seen::add);
		await(() -> seen.size() == 1);
		int before = this.databases.reads.get();
		this.databases.onRead = () -> {
			throw new MicroException.Unavailable("on purpose");
		};
		write("micro", "{\"a\":1}");
		await(() -> this.databases.reads.get() > before + 2);
		watch.close();
		int after = this.databases.reads.get();
		Awaitility.await()
			.during(Duration.ofMillis(1500))
			.atMost(Duration.ofSeconds(5))
			.until(() -> this.databases.reads.get() == after);
	}

	@Test
	void aWatchThatLagsReadsAgain() {
		List<Json> seen = new CopyOnWriteArrayList<>();
		this.config.watch("a", false, seen::add);
		await(() -> seen.size() == 1);
		int reads = this.databases.reads.get();
		this.databases.watchers.get(0).accept(new Change.Lagged(1));
		assertThat(this.databases.reads.get()).isGreaterThan(reads);
	}

	@Test
	void aDamagedDocumentIsNamedAndNotQuoted() {
		for (String document : List.of(MARKER, "[\"" + MARKER + "\"]", "{\"a\":\"" + MARKER, "",
				"\"" + MARKER + "\"")) {
			write("micro", document);
			for (Runnable call : List.<Runnable>of(() -> this.config.get("a", false),
					() -> this.config.set("a", Json.of(1), false), () -> this.config.remove("a"),
					() -> this.config.watch("a", false, (json) -> {
					}))) {
				assertThatExceptionOfType(MicroException.Internal.class).isThrownBy(call::run)
					.withMessageContainingAll("'micro'", StoreConfig.TABLE, StoreConfig.KEY, "damaged")
					.satisfies((ex) -> assertThat(texts(ex)).doesNotContain(MARKER));
			}
			assertThat(document("micro")).isEqualTo(document);
		}
	}

	@Test
	void whateverGoesWrongNoSecretIsToldToLogsOrInExceptions() {
		List<String> told = new CopyOnWriteArrayList<>();
		Logger root = Logger.getLogger("");
		Logger micro = Logger.getLogger("mu.micro");
		Level rootLevel = root.getLevel();
		Handler handler = new Handler() {

			@Override
			public void publish(LogRecord entry) {
				told.add(entry.getMessage() + Arrays.toString(entry.getParameters())
						+ ((entry.getThrown() != null) ? texts(entry.getThrown()) : ""));
			}

			@Override
			public void flush() {
			}

			@Override
			public void close() {
			}

		};
		handler.setLevel(Level.ALL);
		root.addHandler(handler);
		root.setLevel(Level.ALL);
		micro.setLevel(Level.ALL);
		try {
			tellAllThatGoesWrong(told);
		}
		finally {
			root.removeHandler(handler);
			root.setLevel(rootLevel);
			micro.setLevel(null);
		}
		assertThat(told).hasSizeGreaterThan(15).noneMatch((text) -> text.contains(MARKER));
		assertThat(told).anyMatch((text) -> text.contains("cannot read it"));
	}

	private void tellAllThatGoesWrong(List<String> told) {
		List<Json> seen = new CopyOnWriteArrayList<>();
		Json secret = Json.of(Map.of("a", Json.of(MARKER), "b", Json.of(List.of(Json.of(MARKER)))));
		this.config.watch("", true, seen::add);
		this.config.watch("", true, (json) -> {
			throw new IllegalStateException("thrown on purpose");
		});
		this.config.set("s", secret, true);
		await(() -> seen.contains(Json.of(Map.of("s", secret))));
		tell(told, () -> this.config.set(MARKER.substring(0, 7) + "..", secret, true));
		tell(told, () -> this.config.set("", Json.of(MARKER), true));
		tell(told, () -> this.config.set("s", Json.of(Map.of("x.y", Json.of(MARKER))), true));
		tell(told, () -> this.config.set("s", Json.of(MARKER.repeat(100_000)), true));
		tell(told, () -> JsonText.parse(MARKER));
		tell(told, () -> JsonText.parse("{\"s\":\"" + MARKER));
		Config keyless = open(key(2)).in("micro");
		tell(told, () -> keyless.get("s", true));
		tell(told, () -> keyless.watch("s.a", true, seen::add));
		tell(told, () -> Keyring.of(List.of(MARKER)));
		this.databases.onWrite = () -> {
			throw new MicroException.Conflict("on purpose");
		};
		tell(told, () -> this.config.set("t", secret, true));
		this.databases.onWrite = () -> {
			throw new MicroException.OutcomeUnknown("on purpose", null);
		};
		tell(told, () -> this.config.set("t", secret, true));
		this.databases.onWrite = () -> {
		};
		String good = document("micro");
		int before = told.size();
		write("micro", good.replace("\"a\":", "\"moved\":"));
		await(() -> told.size() > before);
		tell(told, () -> this.config.get("", true));
		tell(told, () -> this.opened.get(0).in("other").get("s", true));
		write("other", good);
		tell(told, () -> this.opened.get(0).in("other").get("s", true));
		write("micro", "{" + good);
		tell(told, () -> this.config.get("", false));
		write("micro", good);
		told.add(this.config.toString());
		told.add(this.opened.get(0).toString());
		told.add(seen.toString());
		told.add(secret.toString());
		Entry entry = this.databases.in("micro").table(StoreConfig.TABLE).get(StoreConfig.KEY);
		told.add(entry + " " + document("micro"));
	}

	private static void tell(List<String> told, Runnable call) {
		try {
			call.run();
		}
		catch (RuntimeException ex) {
			told.add(texts(ex));
		}
	}

	private static String texts(Throwable failure) {
		StringBuilder texts = new StringBuilder();
		for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
			texts.append(cause).append('\n');
			for (Throwable other : cause.getSuppressed()) {
				texts.append(texts(other));
			}
		}
		return texts.toString();
	}

	private StoreConfig open(String... keys) {
		return open(Duration.ofSeconds(5), keys);
	}

	private StoreConfig open(Duration longestChange, String... keys) {
		StoreConfig view = new StoreConfig(this.databases, Keyring.of(List.of(keys)), longestChange);
		this.opened.add(view);
		return view;
	}

	private String document(String namespace) {
		Entry entry = this.databases.in(namespace).table(StoreConfig.TABLE).get(StoreConfig.KEY);
		return (entry != null) ? new String(entry.value(), StandardCharsets.UTF_8) : "";
	}

	private void write(String namespace, String document) {
		this.databases.in(namespace)
			.table(StoreConfig.TABLE)
			.put(StoreConfig.KEY, document.getBytes(StandardCharsets.UTF_8));
	}

	private static String key(int filler) {
		byte[] key = new byte[32];
		Arrays.fill(key, (byte) filler);
		return Base64.getEncoder().encodeToString(key);
	}

	private static void awaitLatch(CountDownLatch latch) {
		try {
			latch.await(30, TimeUnit.SECONDS);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	private static void await(BooleanSupplier condition) {
		Awaitility.await()
			.atMost(Duration.ofSeconds(15))
			.pollInterval(Duration.ofMillis(10))
			.until(condition::getAsBoolean);
	}

}
