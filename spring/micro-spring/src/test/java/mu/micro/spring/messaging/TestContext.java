package mu.micro.spring.messaging;

import java.util.Map;
import java.util.function.Consumer;

import io.micrometer.observation.ObservationRegistry;
import mu.micro.broker.Broker;
import mu.micro.events.Events;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.support.PropertySourcesPlaceholderConfigurer;
import org.springframework.core.env.MapPropertySource;

/**
 * An application with listeners.
 */
@Configuration(proxyBeanMethods = false)
class TestContext {

	static AnnotationConfigApplicationContext start(Object listener, Object... sources) {
		return start((context) -> context.registerBean((Class<Object>) listener.getClass(), () -> listener), sources);
	}

	static AnnotationConfigApplicationContext start(Consumer<AnnotationConfigApplicationContext> listeners,
			Object... sources) {
		AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext();
		context.getEnvironment()
			.getPropertySources()
			.addFirst(new MapPropertySource("test",
					Map.of("topic", "resolved", "group", "ours", "times", "3", "blank", " ")));
		context.register(TestContext.class);
		for (Object source : sources) {
			context.registerBean((Class<Object>) source.getClass(), () -> source);
		}
		listeners.accept(context);
		context.refresh();
		return context;
	}

	@Bean
	static PropertySourcesPlaceholderConfigurer placeholders() {
		return new PropertySourcesPlaceholderConfigurer();
	}

	@Bean
	Payloads payloads() {
		return new Payloads("shop", new JsonMapper());
	}

	@Bean
	Listeners listeners(ObjectProvider<Broker> broker, ObjectProvider<Events> events, ObjectProvider<Payloads> payloads,
			ObjectProvider<ObservationRegistry> observations) {
		return new Listeners(broker, events, "shop", payloads,
				observations.getIfAvailable(() -> ObservationRegistry.NOOP));
	}

}
