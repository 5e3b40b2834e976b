package mu.micro.autoconfigure;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

import mu.micro.Message;
import mu.micro.Scoped;
import mu.micro.events.Append;
import mu.micro.events.Events;
import mu.micro.events.Outbox;
import mu.micro.events.Retention;
import mu.micro.jdbc.JdbcEvents;
import mu.micro.memory.MemoryDatabases;
import mu.micro.memory.MemoryEvents;
import mu.micro.memory.MemoryOutbox;
import mu.micro.remote.RemoteEvents;
import mu.micro.remote.RemoteOutbox;
import mu.micro.store.Database;
import mu.micro.store.Databases;
import mu.micro.store.TableWrite;
import mu.micro.store.Write;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class EventsAutoConfigurationTests {

	@TempDir
	private Path data;

	@Test
	void eventsAreInTheStoresFileByDefaultAndOpenedByTheirFirstUse() {
		runner().run((context) -> {
			assertThat(this.data).isEmptyDirectory();
			context.getBean(Events.class).append("topic", Message.of(new byte[0]));
			assertThat(context.getBean("microScopedEvents")).isInstanceOf(JdbcEvents.class);
			assertThat(this.data.resolve("store.db")).isRegularFile();
		});
		runner().run((context) -> assertThat(context.getBean(Events.class).read("topic", 1, 10)).hasSize(1));
	}

	@Test
	void theOutboxWritesToTheStoreAndAppendsInOneStep() {
		for (String profile : List.of("local", "test")) {
			runner().withPropertyValues("micro.profile=" + profile).run((context) -> {
				context.getBean(Outbox.class)
					.apply(List.of(new TableWrite("orders", Write.put("1", new byte[0]))),
							List.of(new Append("placed", Message.of(new byte[0]))));
				assertThat(context.getBean(Database.class).table("orders").get("1")).isNotNull();
				assertThat(context.getBean(Events.class).topics()).containsExactly("placed");
			});
		}
	}

	@Test
	void theProfileChoosesTheProvider() {
		runner().withPropertyValues("micro.profile=test").run((context) -> {
			assertThat(context.getBean("microScopedEvents")).isInstanceOf(MemoryEvents.class);
			assertThat(context.getBean("microOutboxes")).isInstanceOf(MemoryOutbox.class);
		});
		runner().withPropertyValues("micro.profile=service").run((context) -> {
			assertThat(context.getBean("microScopedEvents")).isInstanceOf(RemoteEvents.class);
			assertThat(context.getBean("microOutboxes")).isInstanceOf(RemoteOutbox.class);
		});
	}

	@Test
	void whereStoreAndEventsAreApartThereIsNoOutbox() {
		runner().withPropertyValues("micro.events.type=memory")
			.run((context) -> assertThat(context).doesNotHaveBean(Outbox.class));
		runner().withPropertyValues("micro.store.type=memory").run((context) -> {
			context.getBean(Events.class).append("topic", Message.of(new byte[0]));
			assertThat(this.data.resolve("store.db")).isRegularFile();
			assertThat(context).doesNotHaveBean(Outbox.class);
		});
	}

	@Test
	void anOutboxOverAStoreOfTheUsersOwnIsRefused() {
		runner().withUserConfiguration(OwnDatabases.class)
			.run((context) -> assertThatThrownBy(() -> context.getBean(Outbox.class))
				.hasStackTraceContaining("bring an Outbox too"));
	}

	@Test
	void whatIsKeptAndForHowLongIsASetting() {
		runner().withPropertyValues("micro.events.retention.age=1h", "micro.events.retention.size=10MB")
			.run((context) -> assertThat(context.getBean(MicroProperties.class).events().retention().whole())
				.isEqualTo(new Retention(Duration.ofHours(1), 10 * 1024 * 1024)));
		runner().run((context) -> assertThat(context.getBean(MicroProperties.class).events().retention().whole())
			.isEqualTo(Retention.DEFAULT));
		runner().withPropertyValues("micro.events.retention.age=1m")
			.run((context) -> assertThatThrownBy(() -> context.getBean(Events.class))
				.hasStackTraceContaining("two minutes"));
	}

	@Test
	void theUsersOwnEventsAreLeftAlone() {
		runner().withUserConfiguration(OwnEvents.class).run((context) -> {
			context.getBean(Events.class).append("topic", Message.of(new byte[0]));
			assertThat(context).doesNotHaveBean("microScopedEvents");
			assertThat(this.data).isEmptyDirectory();
		});
	}

	@Test
	void aProviderThatIsNotOnTheClassPathIsNamed() {
		runner().withClassLoader(new FilteredClassLoader("mu.micro.jdbc"))
			.run((context) -> assertThatThrownBy(() -> context.getBean(Events.class)).rootCause()
				.isInstanceOfSatisfying(MissingProviderException.class, (ex) -> {
					assertThat(ex.property()).isEqualTo("micro.events.type");
					assertThat(ex.type().module()).isEqualTo("micro-jdbc");
				}));
	}

	private ApplicationContextRunner runner() {
		return new ApplicationContextRunner()
			.withConfiguration(AutoConfigurations.of(StoreAutoConfiguration.class, EventsAutoConfiguration.class))
			.withInitializer(new ProfileDefaults())
			.withPropertyValues("micro.data-dir=" + this.data);
	}

	@Configuration(proxyBeanMethods = false)
	static class OwnDatabases {

		@Bean
		Databases ownDatabases() {
			return new MemoryDatabases();
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class OwnEvents {

		@Bean
		Scoped<Events> ownEvents() {
			return new MemoryEvents();
		}

	}

}
