package mu.micro.spring.messaging;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;

import io.micrometer.common.KeyValue;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationHandler;
import io.micrometer.observation.ObservationRegistry;
import io.micrometer.observation.transport.ReceiverContext;
import io.micrometer.observation.transport.SenderContext;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.context.annotation.AnnotationConfigApplicationContext;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

class ObservationTests {

	private final TestBroker broker = new TestBroker();

	private final TestEvents events = new TestEvents();

	private final Payloads payloads = new Payloads("shop", new JsonMapper());

	private final List<String> seen = new CopyOnWriteArrayList<>();

	private final ObservationRegistry observations = ObservationRegistry.create();

	ObservationTests() {
		this.observations.observationConfig().observationHandler(new Tracer(this.seen));
	}

	@Test
	void aTraceGoesAlongWithAMessage() {
		try (AnnotationConfigApplicationContext context = start()) {
			new BrokerTemplate(this.broker, this.payloads, this.observations).publish("prices", "3");
		}
		assertThat(this.seen).containsExactly("start prices publish {topic=prices}",
				"start prices process {listener=Observed.price, topic=prices} of a trace", "handled in prices process",
				"stop prices process", "stop prices publish");
	}

	@Test
	void eachDeliveryIsObservedAndWhatItThrows() throws Exception {
		EventsTemplate template = new EventsTemplate(this.events, () -> this.events, this.payloads, this.observations);
		try (AnnotationConfigApplicationContext context = start()) {
			assertThatIllegalStateException()
				.isThrownBy(() -> this.events.deliver("orders", template.append("orders", "o1").message(), 1, null));
			this.events.deliver("orders", template.append("orders", "o2", Map.of("a", "b")).message(), 2, "x");
			assertThat(template.append("orders", "o3", List.of()).message().headers()).containsEntry("traceparent",
					"a trace");
		}
		assertThat(this.seen).filteredOn((each) -> each.contains("process"))
			.containsExactly("start orders process {listener=Observed.order, topic=orders} of a trace",
					"handled in orders process", "failed orders process", "stop orders process",
					"start orders process {listener=Observed.order, topic=orders} of a trace",
					"handled in orders process", "stop orders process");
	}

	private AnnotationConfigApplicationContext start() {
		return TestContext.start((context) -> {
			context.registerBean(ObservationRegistry.class, () -> this.observations);
			context.registerBean(Observed.class, () -> new Observed(this.seen, this.observations));
		}, this.broker, this.events);
	}

	static class Observed {

		private final List<String> seen;

		private final ObservationRegistry observations;

		Observed(List<String> seen, ObservationRegistry observations) {
			this.seen = seen;
			this.observations = observations;
		}

		@BrokerListener(topic = "prices")
		void price() {
			handled();
		}

		@EventConsumer(topic = "orders")
		void order(String id) {
			handled();
			if (id.equals("o1")) {
				throw new IllegalStateException("on purpose");
			}
		}

		private void handled() {
			this.seen.add("handled in " + this.observations.getCurrentObservation().getContext().getContextualName());
		}

	}

	/**
	 * Does to headers what tracing does.
	 */
	static class Tracer implements ObservationHandler<Observation.Context> {

		private final List<String> seen;

		Tracer(List<String> seen) {
			this.seen = seen;
		}

		@Override
		public boolean supportsContext(Observation.Context context) {
			return true;
		}

		@Override
		public void onStart(Observation.Context context) {
			String start = "start " + context.getContextualName() + " "
					+ new TreeMap<>(context.getLowCardinalityKeyValues()
						.stream()
						.collect(Collectors.toMap(KeyValue::getKey, KeyValue::getValue)));
			if (context instanceof SenderContext<?> sender) {
				inject(sender);
			}
			if (context instanceof ReceiverContext<?> receiver) {
				start += " of " + extract(receiver);
			}
			this.seen.add(start);
		}

		private static <C> void inject(SenderContext<C> context) {
			context.getSetter().set(context.getCarrier(), "traceparent", "a trace");
		}

		private static <C> String extract(ReceiverContext<C> context) {
			return context.getGetter().get(context.getCarrier(), "traceparent");
		}

		@Override
		public void onError(Observation.Context context) {
			this.seen.add("failed " + context.getContextualName());
		}

		@Override
		public void onStop(Observation.Context context) {
			this.seen.add("stop " + context.getContextualName());
		}

	}

}
