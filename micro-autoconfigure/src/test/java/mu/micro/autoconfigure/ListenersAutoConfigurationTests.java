package mu.micro.autoconfigure;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

import mu.micro.Limits;
import mu.micro.Message;
import mu.micro.Scoped;
import mu.micro.broker.Broker;
import mu.micro.events.Event;
import mu.micro.events.Events;
import mu.micro.memory.MemoryBroker;
import mu.micro.memory.MemoryEvents;
import mu.micro.spring.messaging.BrokerListener;
import mu.micro.spring.messaging.BrokerTemplate;
import mu.micro.spring.messaging.EventConsumer;
import mu.micro.spring.messaging.EventsTemplate;
import mu.micro.spring.messaging.Listeners;
import mu.micro.spring.messaging.Payloads;
import mu.micro.store.Database;
import mu.micro.store.TableWrite;
import mu.micro.store.Write;
import org.awaitility.Awaitility;
import org.awaitility.core.ThrowingRunnable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.context.LifecycleAutoConfiguration;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ApplicationContextException;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Lazy;
import org.springframework.messaging.handler.annotation.Header;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class ListenersAutoConfigurationTests {

	@TempDir
	private Path data;

	@Test
	void withoutBrokerAndEventsThereAreNoTemplates() {
		runner().run((context) -> assertThat(context).hasNotFailed()
			.hasSingleBean(Listeners.class)
			.doesNotHaveBean(BrokerTemplate.class)
			.doesNotHaveBean(EventsTemplate.class));
	}

	@Test
	void nothingIsMadeBeforeItIsUsed() {
		runner().withUserConfiguration(Sources.class)
			.run((context) -> assertThat(
					List.of("broker", "events", "microPayloads", "microBrokerTemplate", "microEventsTemplate"))
				.noneMatch(context.getSourceApplicationContext().getBeanFactory()::containsSingleton));
	}

	@Test
	void messagesAreHandled() {
		for (String lazy : List.of("false", "true")) {
			runner().withUserConfiguration(Sources.class)
				.withBean(Prices.class)
				.withPropertyValues("spring.main.lazy-initialization=" + lazy)
				.run((context) -> {
					context.getBean(BrokerTemplate.class).publish("prices", new Price("milk", 3));
					List<Object> seen = context.getBean(Prices.class).seen;
					await(() -> assertThat(seen).containsExactly(new Price("milk", 3), "/shop"));
				});
		}
	}

	@Test
	void eventsAreHandledAgainAndPutAsideWithTheCauseAtOnceWhereTheyCannotBeRead() {
		runner().withUserConfiguration(Sources.class).withBean(Billing.class).run((context) -> {
			Events events = context.getBean(Events.class);
			context.getBean(EventsTemplate.class).append("orders", new Price("milk", 3));
			events.append("orders", Message.of("{".getBytes()).withHeaders(Map.of("content-type", "application/json")));
			context.getBean(EventsTemplate.class).append("orders", new Price("bread", 4));
			await(() -> assertThat(context.getBean(Billing.class).seen).containsExactly("milk 1 null",
					"milk 2 java.lang.IllegalStateException: no change", "bread 1 null",
					"bread 2 java.lang.IllegalStateException: no change"));
			await(() -> assertThat(events.read("orders.dead", 0, 10)).hasSize(3));
			assertThat(events.groups("orders")).hasSize(1).allMatch((group) -> group.name().equals("shop"));
			Event unread = events.read("orders.dead", 2, 1).get(0);
			assertThat(unread.message().headers()).containsEntry(Events.DEAD_OFFSET, "2")
				.containsEntry(Events.DEAD_ATTEMPTS, "1")
				.hasEntrySatisfying(Events.DEAD_ERROR,
						(error) -> assertThat(error).contains("application/json", Price.class.getName()));
		});
	}

	@Test
	void eventsAreAppendedTogetherWithWhatIsWrittenWhereverBothAreKept() {
		TableWrite write = new TableWrite("orders", Write.put("o1", new byte[] { 1 }));
		for (String profile : List.of("local", "test")) {
			runner()
				.withConfiguration(AutoConfigurations.of(StoreAutoConfiguration.class, BrokerAutoConfiguration.class,
						EventsAutoConfiguration.class))
				.withInitializer(new ProfileDefaults())
				.withPropertyValues("micro.profile=" + profile, "micro.data-dir=" + this.data)
				.withBean(Billing.class)
				.run((context) -> {
					context.getBean(EventsTemplate.class).append("orders", new Price("milk", 3), List.of(write));
					assertThat(context.getBean(Database.class).table("orders").get("o1")).isNotNull();
					await(() -> assertThat(context.getBean(Billing.class).seen).contains("milk 1 null"));
				});
		}
	}

	@Test
	void eachContextListensForItsOwnBeans() {
		runner().withUserConfiguration(Sources.class)
			.run((parent) -> runner().withParent(parent).withBean(Prices.class).run((child) -> {
				parent.getBean(BrokerTemplate.class).publish("prices", new Price("milk", 3));
				await(() -> assertThat(child.getBean(Prices.class).seen).hasSize(2));
			}));
	}

	@Test
	void handlersThatDoNotEndKeepNoApplicationFromEnding() {
		Stuck stuck = new Stuck();
		AtomicLong closing = new AtomicLong();
		runner().withConfiguration(AutoConfigurations.of(LifecycleAutoConfiguration.class))
			.withUserConfiguration(Sources.class)
			.withBean(Stuck.class, () -> stuck)
			.withPropertyValues("spring.lifecycle.timeout-per-shutdown-phase=200ms")
			.run((context) -> {
				context.getBean(BrokerTemplate.class).publish("prices", "");
				context.getBean(EventsTemplate.class).append("orders", "");
				await(() -> assertThat(stuck.handling).hasValue(2));
				closing.set(System.nanoTime());
			});
		assertThat(Duration.ofNanos(System.nanoTime() - closing.get())).isLessThan(Duration.ofSeconds(20));
		assertThat(stuck.handling).hasValue(2);
		stuck.end.countDown();
		await(() -> assertThat(stuck.handling).hasValue(0));
	}

	@Test
	void aWrongDeclarationEndsInAnAnalysis() {
		runner().withUserConfiguration(Sources.class).withBean(Wrong.class).run((context) -> {
			FailureAnalysis analysis = new WrongListenerFailureAnalyzer().analyze(context.getStartupFailure());
			assertThat(analysis.getDescription()).startsWith("@EventConsumer on ")
				.contains("Wrong.handle()")
				.endsWith("the ackWait 'soon' is no duration.");
			assertThat(analysis.getAction()).isEqualTo("Write it as in 30s, 2m or PT30S.");
		});
	}

	@Test
	@ExtendWith(OutputCaptureExtension.class)
	void whatIsRefusedAtTheStartEndsInAnAnalysisThatNamesTheMethod(CapturedOutput output) {
		SpringApplication application = new SpringApplication(ListenersAutoConfiguration.class, Sources.class,
				Refused.class);
		application.setWebApplicationType(WebApplicationType.NONE);
		assertThatExceptionOfType(ApplicationContextException.class)
			.isThrownBy(() -> application.run("--topic=" + "t".repeat(Limits.NAME)));
		assertThat(output).containsSubsequence("APPLICATION FAILED TO START", "@EventConsumer on ", "Refused.handle()",
				"dead letters", "Change the declaration");
	}

	@Test
	void beansOfTheApplicationReplaceOurs() {
		Payloads own = new Payloads("own", new JsonMapper());
		runner().withUserConfiguration(Sources.class).withBean("own", Payloads.class, () -> own).run((context) -> {
			assertThat(context.getBean(Payloads.class)).isSameAs(own);
			Event event = context.getBean(EventsTemplate.class).append("orders", "");
			assertThat(event.message().headers()).containsEntry(Payloads.CE_SOURCE, "/own");
		});
	}

	private static ApplicationContextRunner runner() {
		return new ApplicationContextRunner().withConfiguration(AutoConfigurations.of(ListenersAutoConfiguration.class))
			.withPropertyValues("spring.application.name=shop");
	}

	private static void await(ThrowingRunnable assertion) {
		Awaitility.await().atMost(Duration.ofSeconds(20)).untilAsserted(assertion);
	}

	record Price(String article, int cents) {
	}

	@Configuration(proxyBeanMethods = false)
	static class Sources {

		@Bean
		@Lazy
		Scoped<Broker> brokers() {
			return new MemoryBroker();
		}

		@Bean
		@Lazy
		Scoped<Events> allEvents() {
			return new MemoryEvents();
		}

		@Bean
		@Lazy
		Broker broker(Scoped<Broker> brokers) {
			return brokers.in("micro");
		}

		@Bean
		@Lazy
		Events events(Scoped<Events> events) {
			return events.in("micro");
		}

	}

	static class Refused {

		@EventConsumer(topic = "${topic}", group = "refused")
		void handle() {
		}

	}

	static class Prices {

		private final List<Object> seen = new CopyOnWriteArrayList<>();

		@BrokerListener(topic = "prices", queue = "archive")
		void handle(Price price, @Header(Payloads.CE_SOURCE) String source) {
			this.seen.add(price);
			this.seen.add(source);
		}

	}

	static class Billing {

		private final List<String> seen = new CopyOnWriteArrayList<>();

		@EventConsumer(topic = "orders", maxDeliveries = "2")
		void bill(Price price, @Header(EventConsumer.ATTEMPT) int attempt,
				@Header(name = EventConsumer.ERROR, required = false) @Nullable String error) {
			this.seen.add(price.article() + " " + attempt + " " + error);
			throw new IllegalStateException("no change");
		}

	}

	static class Stuck {

		private final AtomicInteger handling = new AtomicInteger();

		private final CountDownLatch end = new CountDownLatch(1);

		@BrokerListener(topic = "prices")
		@EventConsumer(topic = "orders")
		void handle() {
			this.handling.incrementAndGet();
			boolean ended = false;
			while (!ended) {
				try {
					ended = this.end.await(1, TimeUnit.MINUTES);
				}
				catch (InterruptedException ex) {
					// Heeds nothing.
				}
			}
			this.handling.decrementAndGet();
		}

	}

	static class Wrong {

		@EventConsumer(topic = "orders", ackWait = "soon")
		void handle() {
		}

	}

}
