package mu.micro.autoconfigure;

import mu.micro.Scoped;
import mu.micro.broker.Broker;
import mu.micro.local.LocalBroker;
import mu.micro.memory.MemoryBroker;
import mu.micro.remote.RemoteBroker;

import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Lazy;
import org.springframework.core.io.ResourceLoader;

/**
 * The broker: the one provider that {@code micro.broker.type} names, and the noun for the
 * application's own namespace. Nothing is opened before somebody uses it.
 */
@AutoConfiguration
@EnableConfigurationProperties(MicroProperties.class)
public final class BrokerAutoConfiguration {

	@Bean
	@Lazy
	@ConditionalOnMissingBean(value = Broker.class, parameterizedContainer = Scoped.class)
	Scoped<Broker> microBrokers(MicroProperties properties, ResourceLoader resources) {
		return switch (ProviderType.present("micro.broker.type", properties.broker().type(),
				resources.getClassLoader())) {
			case LOCAL -> new LocalBroker(properties.dataDir().resolve("broker"));
			case MEMORY -> new MemoryBroker();
			case REMOTE -> new RemoteBroker(properties.remote().address(), properties.remote().timeout());
		};
	}

	@Bean
	@Lazy
	@ConditionalOnMissingBean
	Broker microBroker(Scoped<Broker> brokers, MicroProperties properties) {
		return brokers.in(properties.namespace());
	}

}
