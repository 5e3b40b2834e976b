package mu.micro.autoconfigure;

import io.micrometer.observation.ObservationRegistry;
import mu.micro.broker.Broker;
import mu.micro.events.Events;
import mu.micro.events.Outbox;
import mu.micro.spring.messaging.BrokerTemplate;
import mu.micro.spring.messaging.EventsTemplate;
import mu.micro.spring.messaging.Listeners;
import mu.micro.spring.messaging.Payloads;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.SearchStrategy;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Lazy;
import org.springframework.core.env.Environment;

/**
 * Methods that handle messages and events, and templates that send them, over the broker
 * and the events that there are.
 */
@AutoConfiguration(after = { BrokerAutoConfiguration.class, EventsAutoConfiguration.class })
public final class ListenersAutoConfiguration {

	private static final String APPLICATION = "spring.application.name";

	/*
	 * With a mapper of its own: what is kept, and read by others, must outlive a change
	 * of how the application speaks to browsers.
	 */
	@Bean
	@Lazy
	@ConditionalOnMissingBean
	Payloads microPayloads(Environment environment) {
		return new Payloads(environment.getProperty(APPLICATION, "micro"),
				JsonMapper.builder().findAndAddModules().build());
	}

	/*
	 * Each context listens for its own beans.
	 */
	@Bean
	@ConditionalOnMissingBean(search = SearchStrategy.CURRENT)
	Listeners microListeners(ObjectProvider<Broker> broker, ObjectProvider<Events> events, Environment environment,
			ObjectProvider<Payloads> payloads, ObjectProvider<ObservationRegistry> observations) {
		return new Listeners(broker, events, environment.getProperty(APPLICATION, ""), payloads,
				registry(observations));
	}

	@Bean
	@Lazy
	@ConditionalOnBean(Broker.class)
	@ConditionalOnMissingBean
	BrokerTemplate microBrokerTemplate(Broker broker, Payloads payloads,
			ObjectProvider<ObservationRegistry> observations) {
		return new BrokerTemplate(broker, payloads, registry(observations));
	}

	@Bean
	@Lazy
	@ConditionalOnBean(Events.class)
	@ConditionalOnMissingBean
	EventsTemplate microEventsTemplate(Events events, ObjectProvider<Outbox> outbox, Payloads payloads,
			ObjectProvider<ObservationRegistry> observations) {
		return new EventsTemplate(events, outbox::getIfAvailable, payloads, registry(observations));
	}

	private static ObservationRegistry registry(ObjectProvider<ObservationRegistry> observations) {
		return observations.getIfUnique(() -> ObservationRegistry.NOOP);
	}

}
