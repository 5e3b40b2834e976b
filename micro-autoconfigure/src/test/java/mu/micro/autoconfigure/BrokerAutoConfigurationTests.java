package mu.micro.autoconfigure;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

import mu.micro.Message;
import mu.micro.Scoped;
import mu.micro.broker.Broker;
import mu.micro.local.LocalBroker;
import mu.micro.memory.MemoryBroker;
import mu.micro.remote.RemoteBroker;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class BrokerAutoConfigurationTests {

	@TempDir
	private Path data;

	@Test
	void messagesPassBetweenProcessesByDefaultAndNothingIsOpenedBeforeTheFirst() {
		List<Message> heard = new CopyOnWriteArrayList<>();
		runner().run((context) -> {
			assertThat(this.data).isEmptyDirectory();
			context.getBean(Broker.class).subscribe("topic", heard::add);
			assertThat(context.getBean("microBrokers")).isInstanceOf(LocalBroker.class);
			runner().run((other) -> other.getBean(Broker.class).publish("topic", Message.of(new byte[0])));
			Awaitility.await().until(() -> heard.size() == 1);
			runner().withPropertyValues("micro.namespace=other")
				.run((other) -> other.getBean(Broker.class).publish("topic", Message.of(new byte[0])));
			assertThat(heard).hasSize(1);
		});
	}

	@Test
	void theProfileChoosesTheProvider() {
		runner().withPropertyValues("micro.profile=test")
			.run((context) -> assertThat(context.getBean("microBrokers")).isInstanceOf(MemoryBroker.class));
		runner().withPropertyValues("micro.profile=service")
			.run((context) -> assertThat(context.getBean("microBrokers")).isInstanceOf(RemoteBroker.class));
	}

	@Test
	void theUsersOwnBrokerIsLeftAlone() {
		runner().withUserConfiguration(OwnBroker.class).run((context) -> {
			context.getBean(Broker.class).publish("topic", Message.of(new byte[0]));
			assertThat(context).hasSingleBean(Scoped.class).hasBean("ownBroker");
			assertThat(this.data).isEmptyDirectory();
		});
	}

	@Test
	void aProviderThatIsNotOnTheClassPathIsNamed() {
		runner().withClassLoader(new FilteredClassLoader("mu.micro.local"))
			.run((context) -> assertThatThrownBy(() -> context.getBean(Broker.class)).rootCause()
				.isInstanceOfSatisfying(MissingProviderException.class, (ex) -> {
					assertThat(ex.property()).isEqualTo("micro.broker.type");
					assertThat(ex.type().module()).isEqualTo("micro-local");
				}));
	}

	private ApplicationContextRunner runner() {
		return new ApplicationContextRunner().withConfiguration(AutoConfigurations.of(BrokerAutoConfiguration.class))
			.withInitializer(new ProfileDefaults())
			.withPropertyValues("micro.data-dir=" + this.data);
	}

	@Configuration(proxyBeanMethods = false)
	static class OwnBroker {

		@Bean
		Scoped<Broker> ownBroker() {
			return new MemoryBroker();
		}

	}

}
