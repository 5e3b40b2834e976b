package mu.micro.spring.messaging;

import java.util.Map;

import io.micrometer.observation.ObservationRegistry;
import mu.micro.MicroException;
import mu.micro.broker.Broker;

/**
 * Publishes objects to a broker's topics, as {@link Payloads} writes them.
 */
public final class BrokerTemplate {

	private final Broker broker;

	private final Payloads payloads;

	private final Sending sending;

	/**
	 * Publishes through a broker.
	 * @param broker the broker
	 * @param payloads writes what messages say
	 * @param observations observes each message
	 */
	public BrokerTemplate(Broker broker, Payloads payloads, ObservationRegistry observations) {
		this.broker = broker;
		this.payloads = payloads;
		this.sending = new Sending(observations);
	}

	/**
	 * Publishes a message.
	 * @param topic a name within {@link mu.micro.Limits#NAME}
	 * @param payload what it says
	 * @throws MicroException.Invalid if a limit is not kept
	 * @throws MicroException.Unavailable if the broker cannot be reached
	 * @throws MicroException.OutcomeUnknown if it did not answer in time: to publish it
	 * again may bring it twice
	 */
	public void publish(String topic, Object payload) {
		publish(topic, payload, Map.of());
	}

	/**
	 * Publishes a message.
	 * @param topic a name within {@link mu.micro.Limits#NAME}
	 * @param payload what it says
	 * @param headers what is said about it
	 * @throws MicroException.Invalid if a limit is not kept
	 * @throws MicroException.Unavailable if the broker cannot be reached
	 * @throws MicroException.OutcomeUnknown if it did not answer in time: to publish it
	 * again may bring it twice
	 */
	public void publish(String topic, Object payload, Map<String, String> headers) {
		this.sending.send(topic, this.payloads.write(payload, headers), (message) -> {
			this.broker.publish(topic, message);
			return topic;
		});
	}

}
