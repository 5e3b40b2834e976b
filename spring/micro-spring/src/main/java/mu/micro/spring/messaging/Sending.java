package mu.micro.spring.messaging;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;

import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import io.micrometer.observation.transport.Kind;
import io.micrometer.observation.transport.SenderContext;
import mu.micro.Message;

/**
 * Observes messages that are sent, and has a trace go along in their headers.
 */
record Sending(ObservationRegistry observations) {

	/**
	 * Sends a message.
	 * @param <T> what sending it gives
	 * @param topic where to
	 * @param message the message
	 * @param send sends it
	 * @return what sending it gave
	 */
	<T> T send(String topic, Message message, Function<Message, T> send) {
		Map<String, String> headers = new HashMap<>(message.headers());
		SenderContext<Map<String, String>> context = new SenderContext<>(
				(carrier, name, value) -> headers.put(name, value), Kind.PRODUCER);
		context.setCarrier(headers);
		return Observation.createNotStarted("micro.message.publish", () -> context, this.observations)
			.contextualName(topic + " publish")
			.lowCardinalityKeyValue("topic", topic)
			.observe(() -> send.apply(message.withHeaders(headers)));
	}

}
