package mu.micro.autoconfigure;

import java.util.Locale;

import mu.micro.Scoped;
import mu.micro.local.LocalRegistry;
import mu.micro.memory.MemoryRegistry;
import mu.micro.registry.Registry;
import mu.micro.remote.RemoteRegistry;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;

import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/**
 * The registry: the one provider that {@code micro.registry.type} names, and the noun for
 * the application's own namespace.
 */
@AutoConfiguration
@EnableConfigurationProperties(MicroProperties.class)
public final class RegistryAutoConfiguration {

	private static final Log logger = LogFactory.getLog(RegistryAutoConfiguration.class);

	private static final String TYPE = "micro.registry.type";

	@Bean
	@ConditionalOnMissingBean(value = Registry.class, parameterizedContainer = Scoped.class)
	Scoped<Registry> microMissingRegistry(MicroProperties properties) {
		RegistryType type = properties.registry().type();
		throw new MissingProviderException(TYPE, id(type), type.module());
	}

	@Bean
	@ConditionalOnMissingBean
	Registry microRegistry(Scoped<Registry> registries, MicroProperties properties) {
		logger.info("Micro profile " + properties.profile().id() + ", registry " + id(properties.registry().type()));
		return registries.in(properties.namespace());
	}

	private static String id(RegistryType type) {
		return type.name().toLowerCase(Locale.ROOT);
	}

	@Configuration(proxyBeanMethods = false)
	@ConditionalOnClass(LocalRegistry.class)
	@ConditionalOnProperty(name = TYPE, havingValue = "local")
	@ConditionalOnMissingBean(value = Registry.class, parameterizedContainer = Scoped.class)
	static class Local {

		@Bean
		Scoped<Registry> microLocalRegistry(MicroProperties properties) {
			return new LocalRegistry(properties.dataDir().resolve("registry"));
		}

	}

	@Configuration(proxyBeanMethods = false)
	@ConditionalOnProperty(name = TYPE, havingValue = "memory")
	@ConditionalOnMissingBean(value = Registry.class, parameterizedContainer = Scoped.class)
	static class Memory {

		@Bean
		Scoped<Registry> microMemoryRegistry() {
			return new MemoryRegistry();
		}

	}

	@Configuration(proxyBeanMethods = false)
	@ConditionalOnClass(RemoteRegistry.class)
	@ConditionalOnProperty(name = TYPE, havingValue = "remote")
	@ConditionalOnMissingBean(value = Registry.class, parameterizedContainer = Scoped.class)
	static class Remote {

		@Bean
		Scoped<Registry> microRemoteRegistry(MicroProperties properties) {
			return new RemoteRegistry(properties.remote().address(), properties.remote().timeout());
		}

	}

}
