package mu.micro.spring.messaging;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import io.micrometer.observation.ObservationRegistry;
import mu.micro.Message;
import mu.micro.MicroException;
import mu.micro.events.Delivery;
import mu.micro.events.Event;
import mu.micro.events.Events;
import mu.micro.events.From;
import mu.micro.events.Group;
import mu.micro.store.TableWrite;
import mu.micro.store.Write;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.support.DefaultLifecycleProcessor;
import org.springframework.messaging.handler.annotation.Header;
import org.springframework.messaging.handler.annotation.Headers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

@Timeout(60)
class EventConsumerTests {

	private final TestEvents events = new TestEvents();

	private final Payloads payloads = new Payloads("shop", new JsonMapper());

	private final List<Object> seen = new ArrayList<>();

	@Test
	void groupsAreAsTheAttributesSay() {
		try (AnnotationConfigApplicationContext context = TestContext.start(new Groups(), this.events)) {
			assertThat(this.events.consumers).extracting((each) -> each.group)
				.containsExactlyInAnyOrder(Group.of("shop"), new Group("ours", From.NOW, Duration.ofSeconds(10), 3, 3),
						Group.of("offset").withFrom(From.offset(17)).withAckWait(Duration.ofMinutes(2)),
						Group.of("time").withFrom(From.time(Instant.parse("2026-01-31T12:00:00Z"))),
						Group.of("start").withFrom(From.START));
		}
		assertThat(this.events.consumers).isEmpty();
	}

	@Test
	void theHandlerSeesTheDeliveryAndWhatWentWrongBefore() throws Exception {
		Message message = this.payloads.write(new Order("o1"), Map.of(EventConsumer.ERROR, "of another"));
		try (AnnotationConfigApplicationContext context = TestContext.start(new All(this.seen), this.events)) {
			this.events.deliver("orders", message, 1, null);
			this.events.deliver("orders", message, 3, "out of paper");
		}
		Event event = new Event("orders", 7, Instant.EPOCH, message);
		assertThat(this.seen).containsExactly(new Order("o1"), new Delivery(event, 1, null), event, message, 1, "none",
				"absent", new Order("o1"), new Delivery(event, 3, "out of paper"), event, message, 3, "out of paper",
				"out of paper");
	}

	@Test
	void whatIsThrownIsAFailure() {
		try (AnnotationConfigApplicationContext context = TestContext.start(new Failing(), this.events)) {
			assertThatExceptionOfType(Exception.class)
				.isThrownBy(() -> this.events.deliver("failing", this.payloads.write(new Order("o1")), 1, null))
				.isExactlyInstanceOf(Exception.class)
				.withMessage("no o1");
			assertThat(this.events.appended).isEmpty();
		}
	}

	@Test
	void whatCannotBeReadIsADeadLetterOfEachGroupAtOnce() throws Exception {
		Message unreadable = Message.of("{".getBytes()).withHeaders(Map.of("content-type", "application/json"));
		try (AnnotationConfigApplicationContext context = TestContext.start(new Failing(), this.events)) {
			this.events.deliver("failing", unreadable, 1, null);
			this.events.deliver("failing", unreadable, 1, null);
			assertThat(this.events.appended).singleElement().satisfies((letter) -> {
				assertThat(letter.topic()).isEqualTo("failing.dead");
				assertThat(letter.message().id()).isEqualTo(unreadable.id());
				assertThat(letter.message().headers()).containsEntry(Events.DEAD_GROUP, "shop")
					.containsEntry(Events.DEAD_ATTEMPTS, "1")
					.hasEntrySatisfying(Events.DEAD_ERROR, (error) -> assertThat(error).contains("application/json"));
			});
		}
	}

	@Test
	void twoGroupsThatCannotReadAnEventHaveALetterEach() throws Exception {
		try (AnnotationConfigApplicationContext context = TestContext.start((each) -> {
			each.registerBean(Failing.class);
			each.registerBean(FailingToo.class);
		}, this.events)) {
			this.events.deliver("failing", Message.of("{".getBytes()), 1, null);
		}
		assertThat(this.events.appended).extracting((letter) -> letter.message().headers().get(Events.DEAD_GROUP))
			.containsExactlyInAnyOrder("shop", "others");
		assertThat(this.events.appended).extracting((letter) -> letter.message().id()).doesNotHaveDuplicates();
	}

	@Test
	void aDeadLetterThatCannotBeReadIsGivenUp() throws Exception {
		try (AnnotationConfigApplicationContext context = TestContext.start(new Mourning(), this.events)) {
			this.events.deliver("orders.dead", Message.of("{".getBytes()), 1, null);
		}
		assertThat(this.events.appended).isEmpty();
	}

	@Test
	void aContextThatStopsWaitsForWhatRunsAndLetsNothingBegin() throws Exception {
		Slow slow = new Slow();
		AnnotationConfigApplicationContext context = TestContext.start(slow, this.events);
		CompletableFuture<Void> call = CompletableFuture.runAsync(() -> deliver("slow"));
		assertThat(slow.begun.await(10, TimeUnit.SECONDS)).isTrue();
		CompletableFuture<Void> closing = CompletableFuture.runAsync(context::close);
		Awaitility.await().atMost(Duration.ofSeconds(10)).until(this.events.consumers::isEmpty);
		deliver("other");
		assertThat(slow.others).hasSize(0);
		assertThat(closing).isNotDone();
		assertThat(context.isActive()).isTrue();
		slow.end.countDown();
		closing.get(10, TimeUnit.SECONDS);
		call.get(10, TimeUnit.SECONDS);
		assertThat(slow.interrupted).isFalse();
	}

	@Test
	void aCallThatDoesNotEndKeepsNobodyFromStoppingForLongerThanThePhaseMayTake() throws Exception {
		Slow slow = new Slow();
		AnnotationConfigApplicationContext context = TestContext.start((each) -> {
			each.registerBean(Slow.class, () -> slow);
			each.registerBean("lifecycleProcessor", DefaultLifecycleProcessor.class, () -> {
				DefaultLifecycleProcessor processor = new DefaultLifecycleProcessor();
				processor.setTimeoutPerShutdownPhase(500);
				return processor;
			});
		}, this.events);
		CompletableFuture<Void> call = CompletableFuture.runAsync(() -> deliver("slow"));
		assertThat(slow.begun.await(10, TimeUnit.SECONDS)).isTrue();
		CompletableFuture.runAsync(context::close).get(10, TimeUnit.SECONDS);
		assertThat(call).isNotDone();
		slow.end.countDown();
		call.get(10, TimeUnit.SECONDS);
	}

	private void deliver(String topic) {
		try {
			this.events.deliver(topic, this.payloads.write(""), 1, null);
		}
		catch (Exception ex) {
			throw new IllegalStateException(ex);
		}
	}

	@Test
	void wrongDeclarationsAreRefusedWithWhatToChange() {
		refused(new NoDuration(), "ackWait 'soon' is no duration", "30s");
		refused(new NoPlace(), "from 'yesterday' is no place to begin", "start, now, an offset");
		refused(new NoNumber(), "maxDeliveries 'many' is no number", "10");
		refused(new TooLong(), "not between a millisecond and a day", "change it");
		refused(new BlankGroup(), "the group's name is blank");
		refused(new TooFar(), "from '99999999999999999999' is no place to begin");
		assertThatExceptionOfType(WrongListenerException.class).isThrownBy(() -> TestContext.start(new Groups()))
			.withMessageContaining("no bean of type mu.micro.events.Events");
	}

	private void refused(Object wrong, String... words) {
		assertThatExceptionOfType(WrongListenerException.class).isThrownBy(() -> TestContext.start(wrong, this.events))
			.withMessageStartingWith("@EventConsumer on ")
			.withMessageContainingAll(words);
		assertThat(this.events.consumers).isEmpty();
	}

	@Test
	void aTemplateAppendsWithIdAndHeaders() {
		EventsTemplate template = new EventsTemplate(this.events, () -> null, this.payloads, ObservationRegistry.NOOP);
		assertThat(template.append("orders", new Order("o1")).offset()).isEqualTo(1);
		Event second = template.append("orders", new Order("o2"), Map.of("lang", "de"));
		assertThat(second.message().headers()).containsEntry("lang", "de").containsEntry("ce-source", "/shop");
		Event third = template.append("orders", new Order("o3"), "7", Map.of());
		assertThat(third.message().id()).isEqualTo("7");
		assertThat(this.payloads.read(third.message(), Order.class)).isEqualTo(new Order("o3"));
		assertThat(this.events.appended).hasSize(3);
		assertThatExceptionOfType(MicroException.Unimplemented.class)
			.isThrownBy(() -> template.append("orders", new Order("o1"), List.of()))
			.withMessageContaining("mu.micro.events.Outbox");
	}

	@Test
	void aTemplateWritesAndAppendsInOneStep() {
		EventsTemplate template = new EventsTemplate(this.events, () -> this.events, this.payloads,
				ObservationRegistry.NOOP);
		List<TableWrite> writes = List.of(new TableWrite("orders", Write.put("o1", new byte[0])));
		Event event = template.append("orders", this.payloads.write(new Order("o1"), "7", Map.of()), writes);
		assertThat(event.message().id()).isEqualTo("7");
		assertThat(this.events.appended).containsExactly(event);
		assertThat(this.events.written).isEqualTo(writes);
	}

	record Order(String id) {
	}

	static class Groups {

		@EventConsumer(topic = "${topic}", group = "${group}", from = "now", ackWait = "10s",
				maxDeliveries = "${times}", maxInFlight = "${times}")
		@EventConsumer(topic = "orders")
		@EventConsumer(topic = "orders", group = "offset", from = "17", ackWait = "PT2M")
		@EventConsumer(topic = "orders", group = "time", from = "2026-01-31T12:00:00Z")
		@EventConsumer(topic = "orders", group = "start", from = "start")
		void handle() {
		}

	}

	static class All {

		private final List<Object> seen;

		All(List<Object> seen) {
			this.seen = seen;
		}

		@EventConsumer(topic = "orders")
		void handle(Order order, Delivery delivery, Event event, Message message,
				@Header(EventConsumer.ATTEMPT) int attempt,
				@Header(name = EventConsumer.ERROR, defaultValue = "none") @Nullable String error,
				@Headers Map<String, String> headers) {
			this.seen.addAll(List.of(order, delivery, event, message, attempt, error,
					headers.getOrDefault(EventConsumer.ERROR, "absent")));
		}

	}

	static class FailingToo {

		@EventConsumer(topic = "failing", group = "others")
		void handle(Order order) {
			throw new IllegalStateException("it was read: " + order);
		}

	}

	static class Mourning {

		@EventConsumer(topic = "orders.dead")
		void handle(Order order) {
			throw new IllegalStateException("it was read: " + order);
		}

	}

	static class Failing {

		@EventConsumer(topic = "failing")
		void handle(Order order) throws Exception {
			throw new Exception("no " + order.id());
		}

	}

	static class Slow {

		private final CountDownLatch begun = new CountDownLatch(1);

		private final CountDownLatch end = new CountDownLatch(1);

		private final List<String> others = new ArrayList<>();

		private volatile boolean interrupted;

		@EventConsumer(topic = "slow")
		void handle() {
			this.begun.countDown();
			try {
				this.end.await(30, TimeUnit.SECONDS);
			}
			catch (InterruptedException ex) {
				this.interrupted = true;
			}
		}

		@EventConsumer(topic = "other")
		void other(String text) {
			this.others.add(text);
		}

	}

	static class NoDuration {

		@EventConsumer(topic = "orders", ackWait = "soon")
		void handle() {
		}

	}

	static class NoPlace {

		@EventConsumer(topic = "orders", from = "yesterday")
		void handle() {
		}

	}

	static class TooFar {

		@EventConsumer(topic = "orders", from = "99999999999999999999")
		void handle() {
		}

	}

	static class NoNumber {

		@EventConsumer(topic = "orders", maxDeliveries = "many")
		void handle() {
		}

	}

	static class TooLong {

		@EventConsumer(topic = "orders", ackWait = "2d")
		void handle() {
		}

	}

	static class BlankGroup {

		@EventConsumer(topic = "orders", group = "${blank}")
		void handle() {
		}

	}

}
