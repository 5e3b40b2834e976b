package mu.micro.spring.messaging;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.lang.reflect.UndeclaredThrowableException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;

import com.google.common.primitives.Bytes;
import io.micrometer.observation.ObservationRegistry;
import mu.micro.Message;
import mu.micro.MicroException;
import mu.micro.events.Delivery;
import mu.micro.wire.errors.Error;
import org.aopalliance.intercept.MethodInterceptor;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.aop.TargetSource;
import org.springframework.aop.framework.autoproxy.BeanNameAutoProxyCreator;
import org.springframework.beans.factory.config.ConfigurableBeanFactory;
import org.springframework.context.ApplicationContextException;
import org.springframework.context.SmartLifecycle;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.core.annotation.AliasFor;
import org.springframework.messaging.converter.MessageConversionException;
import org.springframework.messaging.handler.annotation.Header;
import org.springframework.messaging.handler.annotation.Headers;
import org.springframework.messaging.handler.annotation.Payload;
import org.springframework.scheduling.concurrent.ExecutorConfigurationSupport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.catchThrowable;

@Timeout(60)
class BrokerListenerTests {

	private static final Error ERROR = Error.newBuilder().setId("shop").setCode(404).build();

	private final TestBroker broker = new TestBroker();

	private final Payloads payloads = new Payloads("shop", new JsonMapper());

	private final List<Object> seen = new ArrayList<>();

	@Test
	void payloadsAreReadAsTheParameterSays() {
		try (AnnotationConfigApplicationContext context = TestContext.start(new Kinds(this.seen), this.broker)) {
			publish("record", new Price("milk", 3));
			publish("protobuf", ERROR);
			this.broker.publish("protobuf", this.payloads.write(ERROR, Map.of("content-type", "application/json")));
			publish("protobuf", Error.getDefaultInstance());
			publish("text", "grüß");
			publish("bytes", new byte[] { 1, 2 });
			publish("list", List.of(new Price("milk", 3)));
			publish("nothing", "");
		}
		assertThat(this.seen).containsExactly(new Price("milk", 3), ERROR, ERROR, Error.getDefaultInstance(), "grüß",
				List.of((byte) 1, (byte) 2), List.of(new Price("milk", 3)), "nothing");
	}

	private void publish(String topic, Object payload) {
		this.broker.publish(topic, this.payloads.write(payload));
	}

	@Test
	void headersAndTheMessageAreGivenBesides() {
		Message message = this.payloads.write(new Price("milk", 3), "7",
				Map.of("count", "12", "id", "one", "timestamp", "now", "contentType", "x"));
		try (AnnotationConfigApplicationContext context = TestContext.start(new All(this.seen), this.broker)) {
			this.broker.publish("all", message);
		}
		assertThat(this.seen).containsExactly(message, new Price("milk", 3), message.headers(), 12,
				Instant.parse(message.headers().get("ce-time")), "/shop", Price.class.getName(), "7", "none");
	}

	@Test
	void whatIsThrownAndWhatCannotBeReadGoesToTheBroker() {
		try (AnnotationConfigApplicationContext context = TestContext.start(new Failing(), this.broker)) {
			assertThatIllegalStateException().isThrownBy(() -> publish("runtime", "")).withMessage("on purpose");
			assertThatExceptionOfType(UndeclaredThrowableException.class).isThrownBy(() -> publish("checked", ""))
				.withCause(new Exception("on purpose"));
			assertThatExceptionOfType(MessageConversionException.class).isThrownBy(() -> publish("price", "milk"))
				.withMessageContainingAll("text/plain", Price.class.getName());
		}
	}

	@Test
	void attributesAreResolvedAndAnnotationsMayBeRepeatedAndComposed() {
		try (AnnotationConfigApplicationContext context = TestContext.start(new Several(this.seen), this.broker)) {
			assertThat(this.broker.subscriptions).extracting(Object::toString)
				.containsExactlyInAnyOrder("resolved/ours", "one/null", "two/q", "composed/archive");
			publish("resolved", "a");
			publish("two", "b");
			publish("composed", "c");
		}
		assertThat(this.seen).containsExactly("a", "b", "c");
	}

	@Test
	void nothingIsCalledBeforeTheContextRunsOrAfterItStoppedAndNothingTwice() {
		AnnotationConfigApplicationContext context = TestContext.start(new Kinds(this.seen), this.broker);
		Listeners listeners = context.getBean(Listeners.class);
		assertThat(listeners.isRunning()).isTrue();
		int subscriptions = this.broker.subscriptions.size();
		listeners.start();
		assertThat(this.broker.subscriptions).hasSize(subscriptions);
		context.stop();
		assertThat(this.broker.subscriptions).isEmpty();
		assertThat(listeners.isRunning()).isFalse();
		context.start();
		assertThat(this.broker.subscriptions).hasSize(subscriptions);
		context.close();
		assertThat(this.broker.subscriptions).isEmpty();
		// Schedulers below, servers above.
		assertThat(listeners.getPhase()).isGreaterThan(ExecutorConfigurationSupport.DEFAULT_PHASE)
			.isLessThan(SmartLifecycle.DEFAULT_PHASE - 2048);
	}

	@Test
	void aBrokerThatIsAwayIsAskedUntilItIsThere() {
		this.broker.away = true;
		try (AnnotationConfigApplicationContext context = TestContext.start(new All(this.seen), this.broker)) {
			assertThat(this.broker.subscriptions).isEmpty();
			this.broker.away = false;
			Awaitility.await().atMost(Duration.ofSeconds(20)).until(() -> this.broker.subscriptions.size() == 1);
			context.stop();
			this.broker.away = true;
			context.start();
			context.stop();
			this.broker.away = false;
			Awaitility.await()
				.during(Duration.ofMillis(700))
				.atMost(Duration.ofSeconds(20))
				.until(this.broker.subscriptions::isEmpty);
		}
	}

	@Test
	void listenersStartBesideEachOtherAndAreLiveAfterIt() {
		this.broker.barrier = new CyclicBarrier(6);
		try (AnnotationConfigApplicationContext context = TestContext.start(new Kinds(this.seen), this.broker)) {
			assertThat(this.broker.subscriptions).hasSize(6);
		}
	}

	@Test
	void listenersAreTriedAgainBesideEachOther() {
		this.broker.away = true;
		this.broker.barrier = new CyclicBarrier(6);
		try (AnnotationConfigApplicationContext context = TestContext.start(new Kinds(this.seen), this.broker)) {
			this.broker.away = false;
			Awaitility.await().atMost(Duration.ofSeconds(15)).until(() -> this.broker.subscriptions.size() == 6);
		}
	}

	@Test
	void aStartThatIsInterruptedFailsAndLeavesNothingBehind() throws Exception {
		this.broker.barrier = new CyclicBarrier(7);
		CompletableFuture<Throwable> failure = new CompletableFuture<>();
		Thread start = new Thread(
				() -> failure.complete(catchThrowable(() -> TestContext.start(new Kinds(this.seen), this.broker))));
		start.start();
		Awaitility.await().atMost(Duration.ofSeconds(15)).until(() -> this.broker.barrier.getNumberWaiting() == 6);
		start.interrupt();
		assertThat(failure.get(15, TimeUnit.SECONDS)).hasCauseInstanceOf(MicroException.Cancelled.class);
		assertThat(this.broker.subscriptions).isEmpty();
	}

	@Test
	void aStartThatFailsLeavesNothingBehind() {
		this.broker.refused = "one";
		assertThatExceptionOfType(ApplicationContextException.class)
			.isThrownBy(() -> TestContext.start(new Several(this.seen), this.broker))
			.withRootCauseInstanceOf(MicroException.Invalid.class)
			.havingCause()
			.isInstanceOf(WrongListenerException.class)
			.withMessageContainingAll("@BrokerListener on ", "Several.handle(", "the topic 'one' is refused");
		assertThat(this.broker.subscriptions).isEmpty();
	}

	@Test
	void aBeanBehindAProxyIsCalledThroughIt() {
		List<String> intercepted = new ArrayList<>();
		for (boolean classes : List.of(true, false)) {
			try (AnnotationConfigApplicationContext context = TestContext.start((each) -> {
				each.registerBean("proxied", Declared.class, () -> new Declared(this.seen));
				each.registerBean(BeanNameAutoProxyCreator.class, () -> proxies(classes, intercepted));
			}, this.broker)) {
				publish("proxied", "through");
			}
		}
		assertThat(this.seen).containsExactly("through", "through");
		assertThat(intercepted).containsExactly("handle", "handle");
	}

	private static BeanNameAutoProxyCreator proxies(boolean classes, List<String> intercepted) {
		BeanNameAutoProxyCreator proxies = new BeanNameAutoProxyCreator() {

			@Override
			protected Object[] getAdvicesAndAdvisorsForBean(Class<?> type, String name, TargetSource source) {
				return (name.equals("proxied")) ? new Object[] { (MethodInterceptor) (call) -> {
					intercepted.add(call.getMethod().getName());
					return call.proceed();
				} } : DO_NOT_PROXY;
			}

		};
		proxies.setProxyTargetClass(classes);
		return proxies;
	}

	@Test
	void aLazyBeanIsMadeByItsFirstMessage() {
		try (AnnotationConfigApplicationContext context = TestContext.start((each) -> each.registerBean("lazy",
				Declared.class, () -> new Declared(this.seen), (definition) -> definition.setLazyInit(true)),
				this.broker)) {
			assertThat(context.getBeanFactory().containsSingleton("lazy")).isFalse();
			publish("proxied", "first");
		}
		assertThat(this.seen).containsExactly("first");
	}

	@Test
	void aChildContextListensForItsOwnBeans() {
		try (AnnotationConfigApplicationContext parent = TestContext.start(new All(this.seen), this.broker)) {
			AnnotationConfigApplicationContext child = TestContext.start((each) -> {
				each.setParent(parent);
				each.registerBean(Declared.class, () -> new Declared(this.seen));
			});
			assertThat(this.broker.subscriptions).extracting(Object::toString)
				.containsExactly("all/null", "proxied/null");
			child.close();
			assertThat(this.broker.subscriptions).extracting(Object::toString).containsExactly("all/null");
		}
	}

	@Test
	void wrongDeclarationsAreRefusedWithWhatToChange() {
		refused(new Private(), "neither private nor static");
		refused(new Static(), "neither private nor static");
		refused(new Returning(), "let it return void");
		refused(new TwoPayloads(), "2 parameters for one payload", "@Header");
		refused(new Blank(), "the topic is blank");
		refused(new OfEvents(), "without Delivery", "mu.micro.Message");
		refused(new Anything(), "of type java.lang.Object could take anything", "byte[]");
		refused(new Unresolved(), "'${no.such.property}' cannot be resolved", "set the property");
		for (String scope : List.of(ConfigurableBeanFactory.SCOPE_PROTOTYPE, "request")) {
			assertThatExceptionOfType(WrongListenerException.class)
				.isThrownBy(() -> TestContext.start((each) -> each.registerBean("scoped", Declared.class,
						() -> new Declared(this.seen), (definition) -> definition.setScope(scope)), this.broker))
				.withMessageContainingAll("'scoped' is no singleton", "move the method");
		}
		assertThatExceptionOfType(WrongListenerException.class).isThrownBy(() -> TestContext.start((each) -> {
			each.registerBean("proxied", Undeclared.class, Undeclared::new);
			each.registerBean(BeanNameAutoProxyCreator.class, () -> proxies(false, new ArrayList<>()));
		}, this.broker)).withMessageContainingAll("the bean's proxy does not have it", "proxyTargetClass");
		assertThatExceptionOfType(WrongListenerException.class).isThrownBy(() -> TestContext.start((each) -> {
			each.registerBean("proxied", Final.class, Final::new);
			each.registerBean(BeanNameAutoProxyCreator.class, () -> proxies(true, new ArrayList<>()));
		}, this.broker)).withMessageContainingAll("cannot override it", "not be final");
		assertThatExceptionOfType(WrongListenerException.class).isThrownBy(() -> TestContext.start((each) -> {
			each.registerBean("proxied", Annotated.class, Annotated::new);
			each.registerBean(BeanNameAutoProxyCreator.class, () -> proxies(false, new ArrayList<>()));
		}, this.broker)).withMessageContainingAll("2 parameters for one payload in " + Unannotated.class.getName());
		assertThatExceptionOfType(WrongListenerException.class).isThrownBy(() -> TestContext.start(new All(this.seen)))
			.withMessageContaining("no bean of type mu.micro.broker.Broker");
		assertThat(this.broker.subscriptions).isEmpty();
	}

	private void refused(Object wrong, String... words) {
		assertThatExceptionOfType(WrongListenerException.class).isThrownBy(() -> TestContext.start(wrong, this.broker))
			.withMessageStartingWith("@BrokerListener on ")
			.withMessageContaining(wrong.getClass().getSimpleName() + ".handle(")
			.withMessageContainingAll(words)
			.satisfies((ex) -> assertThat(ex).hasMessage(ex.problem() + "; " + ex.action()));
	}

	@Test
	void aTemplatePublishesWhatAListenerReads() {
		BrokerTemplate template = new BrokerTemplate(this.broker, this.payloads, ObservationRegistry.NOOP);
		try (AnnotationConfigApplicationContext context = TestContext.start(new Kinds(this.seen), this.broker)) {
			template.publish("record", new Price("milk", 3));
			template.publish("protobuf", ERROR, Map.of("content-type", "application/json"));
		}
		assertThat(this.seen).containsExactly(new Price("milk", 3), ERROR);
		assertThatExceptionOfType(MicroException.Invalid.class)
			.isThrownBy(() -> template.publish("record", ERROR, Map.of("content-type", "nonsense")));
	}

	record Price(String article, int cents) {
	}

	static class Kinds {

		private final List<Object> seen;

		Kinds(List<Object> seen) {
			this.seen = seen;
		}

		@BrokerListener(topic = "record")
		void handle(Price price) {
			this.seen.add(price);
		}

		@BrokerListener(topic = "protobuf")
		void handle(Error error) {
			this.seen.add(error);
		}

		@BrokerListener(topic = "text")
		void handle(String text) {
			this.seen.add(text);
		}

		@BrokerListener(topic = "bytes")
		void handle(byte[] bytes) {
			this.seen.add(Bytes.asList(bytes));
		}

		@BrokerListener(topic = "list")
		void handle(List<Price> prices) {
			this.seen.add(prices);
		}

		@BrokerListener(topic = "nothing")
		void handle() {
			this.seen.add("nothing");
		}

	}

	static class All {

		private final List<Object> seen;

		All(List<Object> seen) {
			this.seen = seen;
		}

		@BrokerListener(topic = "all")
		void handle(Message message, @Payload Price price, @Headers Map<String, String> headers,
				@Header("count") int count, @Header("ce-time") Instant time, @Header("ce-source") String source,
				@Header("ce-type") String type, @Header("ce-id") String id,
				@Header(name = "missing", defaultValue = "none") String missing) {
			this.seen.addAll(List.of(message, price, Map.copyOf(headers), count, time, source, type, id, missing));
		}

	}

	static class Failing {

		@BrokerListener(topic = "runtime")
		void runtime() {
			throw new IllegalStateException("on purpose");
		}

		@BrokerListener(topic = "checked")
		void checked() throws Exception {
			throw new Exception("on purpose");
		}

		@BrokerListener(topic = "price")
		void price(Price price) {
		}

	}

	@Target(ElementType.METHOD)
	@Retention(RetentionPolicy.RUNTIME)
	@BrokerListener(topic = "", queue = "archive")
	@interface Archived {

		@AliasFor(annotation = BrokerListener.class)
		String topic();

	}

	static class Several {

		private final List<Object> seen;

		Several(List<Object> seen) {
			this.seen = seen;
		}

		@BrokerListener(topic = "${topic}", queue = "#{'${group}'}")
		@BrokerListener(topic = "one")
		@BrokerListener(topic = "two", queue = "q")
		void handle(String text) {
			this.seen.add(text);
		}

		@Archived(topic = "composed")
		void archive(String text) {
			this.seen.add(text);
		}

	}

	interface Declares {

		void handle(String text);

	}

	static class Declared implements Declares {

		private final List<Object> seen;

		Declared() {
			this(new ArrayList<>());
		}

		Declared(List<Object> seen) {
			this.seen = seen;
		}

		@Override
		@BrokerListener(topic = "proxied")
		public void handle(String text) {
			this.seen.add(text);
		}

	}

	static class Undeclared implements Declares {

		@Override
		public void handle(String text) {
		}

		@BrokerListener(topic = "proxied")
		void other(String text) {
		}

	}

	interface Unannotated {

		void handle(String text, String id);

	}

	static class Annotated implements Unannotated {

		@Override
		@BrokerListener(topic = "proxied")
		public void handle(String text, @Header("ce-id") String id) {
		}

	}

	static class Final {

		@BrokerListener(topic = "proxied")
		final void handle(String text) {
		}

	}

	static class Private {

		@BrokerListener(topic = "wrong")
		private void handle() {
		}

	}

	static class Static {

		@BrokerListener(topic = "wrong")
		static void handle() {
		}

	}

	static class Returning {

		@BrokerListener(topic = "wrong")
		String handle() {
			return "";
		}

	}

	static class TwoPayloads {

		@BrokerListener(topic = "wrong")
		void handle(String one, @Payload byte[] two, @Header("three") String three) {
		}

	}

	static class Blank {

		@BrokerListener(topic = "${blank}")
		void handle() {
		}

	}

	static class OfEvents {

		@BrokerListener(topic = "wrong")
		void handle(Delivery delivery) {
		}

	}

	static class Anything {

		@BrokerListener(topic = "wrong")
		void handle(Object payload) {
		}

	}

	static class Unresolved {

		@BrokerListener(topic = "${no.such.property}")
		void handle() {
		}

	}

}
