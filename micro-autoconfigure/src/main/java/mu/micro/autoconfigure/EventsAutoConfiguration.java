package mu.micro.autoconfigure;

import java.time.Clock;
import java.util.function.Supplier;

import mu.micro.MicroException;
import mu.micro.Scoped;
import mu.micro.events.Events;
import mu.micro.events.Outbox;
import mu.micro.jdbc.JdbcDatabases;
import mu.micro.jdbc.JdbcEvents;
import mu.micro.memory.MemoryDatabases;
import mu.micro.memory.MemoryEvents;
import mu.micro.memory.MemoryOutbox;
import mu.micro.remote.RemoteEvents;
import mu.micro.remote.RemoteOutbox;
import mu.micro.store.Databases;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Condition;
import org.springframework.context.annotation.ConditionContext;
import org.springframework.context.annotation.Conditional;
import org.springframework.context.annotation.Lazy;
import org.springframework.core.env.Environment;
import org.springframework.core.io.ResourceLoader;
import org.springframework.core.type.AnnotatedTypeMetadata;

/**
 * Events: the one provider that {@code micro.events.type} names, and the noun for the
 * application's own namespace; where the store is of the same type, also the outbox.
 * Nothing is opened before somebody uses it.
 */
@AutoConfiguration(after = StoreAutoConfiguration.class)
@EnableConfigurationProperties(MicroProperties.class)
public final class EventsAutoConfiguration {

	private static final String TYPE = "micro.events.type";

	@Bean
	@Lazy
	@ConditionalOnMissingBean(value = Events.class, parameterizedContainer = Scoped.class)
	Scoped<Events> microScopedEvents(MicroProperties properties, ResourceLoader resources,
			ObjectProvider<Databases> databases) {
		return switch (ProviderType.present(TYPE, properties.events().type(), resources.getClassLoader())) {
			case SQLITE -> Sqlite.events(properties, databases::getObject);
			case MEMORY -> new MemoryEvents(Clock.systemUTC(), properties.events().retention().whole());
			case REMOTE -> new RemoteEvents(properties.remote().address(), properties.remote().timeout());
		};
	}

	@Bean
	@Lazy
	@ConditionalOnMissingBean
	Events microEvents(Scoped<Events> events, MicroProperties properties) {
		return events.in(properties.namespace());
	}

	@Bean
	@Lazy
	@Conditional(OnePlace.class)
	@ConditionalOnMissingBean(value = Outbox.class, parameterizedContainer = Scoped.class)
	Scoped<Outbox> microOutboxes(Scoped<Events> events, Databases databases, MicroProperties properties) {
		if (properties.events().type() == EventsType.REMOTE) {
			return new RemoteOutbox(properties.remote().address(), properties.remote().timeout());
		}
		if (databases instanceof MemoryDatabases memory && events instanceof MemoryEvents own) {
			return new MemoryOutbox(memory, own);
		}
		if (properties.events().type() == EventsType.SQLITE) {
			return Sqlite.outboxes(events);
		}
		throw apart();
	}

	@Bean
	@Lazy
	@Conditional(OnePlace.class)
	@ConditionalOnMissingBean
	Outbox microOutbox(Scoped<Outbox> outboxes, MicroProperties properties) {
		return outboxes.in(properties.namespace());
	}

	private static MicroException.Invalid apart() {
		return new MicroException.Invalid("the store and the events are beans that are not kept in one place, so that"
				+ " there is no outbox; leave both to micro.store.type and " + TYPE + ", or bring an Outbox too");
	}

	/**
	 * Apart, so that nothing of it is needed where its module is not there.
	 */
	private static final class Sqlite {

		private Sqlite() {
		}

		static Scoped<Events> events(MicroProperties properties, Supplier<Databases> databases) {
			if (properties.store().type() == StoreType.SQLITE && databases.get() instanceof JdbcDatabases shared) {
				return new JdbcEvents(shared, properties.events().retention().whole());
			}
			JdbcDatabases own = JdbcDatabases.sqlite(properties.sqlite().file(), properties.sqlite().timeout(),
					Clock.systemUTC());
			return new Alone(own, new JdbcEvents(own, properties.events().retention().whole()));
		}

		static Scoped<Outbox> outboxes(Scoped<Events> events) {
			if (events instanceof JdbcEvents shared) {
				return shared.outboxes();
			}
			throw apart();
		}

	}

	/**
	 * Events in a file that the store is not in.
	 */
	private record Alone(JdbcDatabases file, JdbcEvents events) implements Scoped<Events> {

		@Override
		public Events in(String namespace) {
			return this.events.in(namespace);
		}

		@Override
		public void close() {
			this.events.close();
			this.file.close();
		}

	}

	/**
	 * Store and events are of one type.
	 */
	static class OnePlace implements Condition {

		@Override
		public boolean matches(ConditionContext context, AnnotatedTypeMetadata metadata) {
			Environment environment = context.getEnvironment();
			return environment.getProperty("micro.store.type", "")
				.equalsIgnoreCase(environment.getProperty(TYPE, "none"));
		}

	}

}
