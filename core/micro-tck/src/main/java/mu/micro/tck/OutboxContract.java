package mu.micro.tck;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;

import mu.micro.Limits;
import mu.micro.Message;
import mu.micro.MicroException;
import mu.micro.Scoped;
import mu.micro.events.Append;
import mu.micro.events.Event;
import mu.micro.events.Events;
import mu.micro.events.Group;
import mu.micro.events.Outbox;
import mu.micro.store.Databases;
import mu.micro.store.Entry;
import mu.micro.store.Query;
import mu.micro.store.Store;
import mu.micro.store.TableWrite;
import mu.micro.store.When;
import mu.micro.store.Write;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * What every {@link Outbox} promises. A provider's test fills the hook and overrides
 * nothing else.
 */
@Timeout(60)
public abstract class OutboxContract {

	private static final Duration PATIENCE = Duration.ofSeconds(20);

	private final String namespace = "ns-" + UUID.randomUUID();

	private final List<View> opened = new ArrayList<>();

	private final ExecutorService threads = Executors.newCachedThreadPool();

	private View here;

	private View there;

	private Outbox outbox;

	private Store table;

	private Events events;

	/**
	 * Opens one more view of the data under test, as another process would.
	 * @return the view, closed by the contract
	 * @throws Exception if it cannot be opened
	 */
	protected abstract View open() throws Exception;

	@BeforeEach
	void openTwoViews() throws Exception {
		this.here = view();
		this.there = view();
		this.outbox = this.here.outboxes.in(this.namespace);
		this.table = this.there.databases.in(this.namespace).table("table");
		this.events = this.there.events.in(this.namespace);
	}

	@AfterEach
	void closeViews() {
		this.threads.shutdownNow();
		this.opened.forEach(View::close);
	}

	@Test
	void whatIsWrittenAndWhatIsToldAreThereTogether() {
		Message message = new Message("id", Map.of("name", "value"), bytes("told"));
		List<Event> events = this.outbox.apply(List.of(put("a", "written")), List.of(new Append("topic", message)));
		assertThat(events).containsExactly(new Event("topic", 1, events.get(0).time(), message));
		assertThat(this.events.read("topic", 1, 10)).isEqualTo(events);
		assertThat(value("a")).isEqualTo("written");
	}

	@Test
	void aConditionThatDoesNotHoldUndoesAll() {
		this.table.put("there", bytes("before"));
		for (When wrong : List.of(When.ABSENT, When.revision(1))) {
			List<TableWrite> writes = List.of(put("a", "1"),
					new TableWrite("table", Write.put("there", bytes("2")).withWhen(wrong)), put("b", "3"));
			assertThatExceptionOfType(MicroException.Conflict.class)
				.isThrownBy(() -> this.outbox.apply(writes, List.of(append("topic", "told"))));
		}
		assertThat(this.table.list(Query.ALL).entries()).singleElement()
			.extracting((entry) -> text(entry.value()))
			.isEqualTo("before");
		assertThat(this.events.topics()).isEmpty();
		assertThat(this.outbox.apply(List.of(), List.of(append("topic", "told"))).get(0).offset()).isEqualTo(1);
	}

	@Test
	void whatIsOverALimitIsRefusedAndUndoesAll() {
		TableWrite write = put("a", "1");
		Append append = append("topic", "told");
		Append large = new Append("topic", Message.of(new byte[Limits.BODY]));
		TableWrite value = new TableWrite("table", Write.put("b", new byte[Limits.VALUE]));
		invalid(List.of(write, put("a", "2")), List.of(append));
		invalid(IntStream.rangeClosed(0, Limits.BATCH).mapToObj((i) -> put("key-" + i, "1")).toList(), List.of(append));
		invalid(List.of(write), Collections.nCopies(Limits.BATCH + 1, append));
		invalid(List.of(write, value), Collections.nCopies(9, large));
		invalid(List.of(write), Collections.nCopies(17, large));
		assertThat(this.table.list(Query.ALL).entries()).isEmpty();
		assertThat(this.events.topics()).isEmpty();
		List<Event> events = this.outbox.apply(List.of(write, value), Collections.nCopies(7, large));
		assertThat(events).hasSize(7).containsOnly(events.get(0));
	}

	@Test
	void eventsComeInTheOrderOfTheirAppends() {
		this.events.append("b", Message.of(bytes("before")));
		List<Append> appends = IntStream.range(0, Limits.BATCH)
			.mapToObj((i) -> append((i % 3 == 0) ? "a" : "b", Integer.toString(i)))
			.toList();
		List<Event> events = this.outbox.apply(List.of(put("a", "1")), appends);
		assertThat(events).extracting((event) -> new Append(event.topic(), event.message())).isEqualTo(appends);
		assertThat(events).extracting(Event::time).isSorted();
		for (String topic : List.of("a", "b")) {
			List<Event> own = events.stream().filter((event) -> event.topic().equals(topic)).toList();
			int skipped = topic.equals("b") ? 1 : 0;
			assertThat(this.events.read(topic, 1 + skipped, 1000)).isEqualTo(own);
			assertThat(own.get(own.size() - 1).offset()).isEqualTo(own.size() + skipped);
		}
	}

	@Test
	void anIdThatIsKnownIsNotAppendedAgain() {
		Event known = this.events.append("topic", Message.of(bytes("known")));
		Append again = new Append("topic", known.message());
		Append twice = append("topic", "new");
		List<Event> events = this.outbox.apply(List.of(put("a", "1")), List.of(again, twice, again, twice));
		assertThat(events).extracting(Event::offset).containsExactly(1L, 2L, 1L, 2L);
		assertThat(events.get(0)).isEqualTo(known);
		assertThat(value("a")).isEqualTo("1");
		assertThat(this.events.append("topic", twice.message())).isEqualTo(events.get(1));
		assertThat(this.outbox.apply(List.of(put("a", "2")), List.of(twice))).containsExactly(events.get(1));
		assertThat(value("a")).isEqualTo("2");
		assertThat(this.events.read("topic", 1, 10)).hasSize(2);
	}

	@Test
	void eitherMayBeMissing() {
		assertThat(this.outbox.apply(List.of(), List.of())).isEmpty();
		assertThat(this.outbox.apply(List.of(put("a", "1")), List.of())).isEmpty();
		assertThat(value("a")).isEqualTo("1");
		assertThat(this.outbox.apply(List.of(), List.of(append("topic", "told")))).hasSize(1);
		assertThat(this.events.read("topic", 1, 10)).hasSize(1);
	}

	/*
	 * Each adds one to a number if it is still what it read, and tells of it.
	 */
	@Test
	void eventsComeInTheOrderOfTheWrites() throws Exception {
		this.table.put("number", bytes("0"));
		List<Future<?>> running = new ArrayList<>();
		for (int i = 0; i < 6; i++) {
			View view = (i % 2 == 0) ? this.here : this.there;
			running.add(this.threads.submit(() -> {
				for (int added = 0; added < 15;) {
					Entry entry = Objects
						.requireNonNull(view.databases.in(this.namespace).table("table").get("number"));
					String next = Integer.toString(Integer.parseInt(text(entry.value())) + 1);
					Write write = Write.put("number", bytes(next)).withWhen(When.revision(entry.revision()));
					try {
						view.outboxes.in(this.namespace)
							.apply(List.of(new TableWrite("table", write)), List.of(append("topic", next)));
						added++;
					}
					catch (MicroException.Conflict ex) {
						// Another was faster: read again.
					}
				}
			}));
		}
		for (Future<?> each : running) {
			each.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
		}
		assertThat(value("number")).isEqualTo("90");
		assertThat(this.events.read("topic", 1, 1000)).extracting((event) -> text(event.message().body()))
			.isEqualTo(IntStream.rangeClosed(1, 90).mapToObj(Integer::toString).toList());
	}

	@Test
	void whoHearsOfAnEventSeesWhatWasWritten() {
		List<String> seen = new CopyOnWriteArrayList<>();
		this.events.consume("topic", Group.of("group"), (delivery) -> {
			String told = text(delivery.event().message().body());
			seen.add(told + " " + value(told));
		});
		List<String> heard = new CopyOnWriteArrayList<>();
		this.table.watch("", 0, (change) -> heard.add("change"));
		for (int i = 0; i < 50; i++) {
			this.outbox.apply(List.of(put("key-" + i, "written")), List.of(append("topic", "key-" + i)));
		}
		await(() -> seen.size() == 50 && heard.size() == 50);
		assertThat(seen).isEqualTo(IntStream.range(0, 50).mapToObj((i) -> "key-" + i + " written").toList());
	}

	@Test
	void namespacesNeverMeet() {
		List<String> namespaces = List.of(this.namespace, this.namespace + "-b");
		for (String each : namespaces) {
			this.here.outboxes.in(each)
				.apply(List.of(new TableWrite("table", Write.put("a", bytes(each)).withWhen(When.ABSENT))),
						List.of(new Append("topic", new Message("id", Map.of(), bytes(each)))));
		}
		for (String each : namespaces) {
			Entry entry = Objects.requireNonNull(this.there.databases.in(each).table("table").get("a"));
			assertThat(text(entry.value())).isEqualTo(each);
			assertThat(this.there.events.in(each).read("topic", 1, 10)).singleElement()
				.extracting((event) -> text(event.message().body()))
				.isEqualTo(each);
		}
		for (String wrong : List.of("", " ", "n".repeat(201), "a\nb")) {
			assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(() -> this.here.outboxes.in(wrong));
		}
	}

	@Test
	void onceItIsClosedNothingIsDone() {
		this.here.outboxes.close();
		this.here.outboxes.close();
		assertThatExceptionOfType(MicroException.Unavailable.class)
			.isThrownBy(() -> this.outbox.apply(List.of(put("a", "1")), List.of(append("topic", "told"))));
		assertThat(this.table.list(Query.ALL).entries()).isEmpty();
		assertThat(this.events.topics()).isEmpty();
	}

	private View view() throws Exception {
		View view = open();
		this.opened.add(view);
		return view;
	}

	private void invalid(List<TableWrite> writes, List<Append> appends) {
		assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(() -> this.outbox.apply(writes, appends));
	}

	private String value(String key) {
		return text(Objects.requireNonNull(this.table.get(key)).value());
	}

	private static TableWrite put(String key, String value) {
		return new TableWrite("table", Write.put(key, bytes(value)));
	}

	private static Append append(String topic, String text) {
		return new Append(topic, Message.of(bytes(text)));
	}

	private static byte[] bytes(String text) {
		return text.getBytes(StandardCharsets.UTF_8);
	}

	private static String text(byte[] bytes) {
		return new String(bytes, StandardCharsets.UTF_8);
	}

	private static void await(BooleanSupplier condition) {
		Awaitility.await().atMost(PATIENCE).pollInterval(Duration.ofMillis(5)).until(condition::getAsBoolean);
	}

	/**
	 * An outbox, with the tables and the topics that it belongs to.
	 *
	 * @param outboxes the outboxes
	 * @param databases where they write
	 * @param events where they append
	 */
	public record View(Scoped<Outbox> outboxes, Databases databases, Scoped<Events> events) {

		void close() {
			this.outboxes.close();
			this.events.close();
			this.databases.close();
		}

	}

}
