package mu.micro.autoconfigure;

import mu.micro.Scoped;
import mu.micro.local.LocalRegistry;
import mu.micro.memory.MemoryRegistry;
import mu.micro.registry.Registry;
import mu.micro.remote.RemoteRegistry;

import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.core.io.ResourceLoader;

/**
 * The registry: the one provider that {@code micro.registry.type} names, and the noun for
 * the application's own namespace.
 */
@AutoConfiguration
@EnableConfigurationProperties(MicroProperties.class)
public final class RegistryAutoConfiguration {

	@Bean
	@ConditionalOnMissingBean(value = Registry.class, parameterizedContainer = Scoped.class)
	Scoped<Registry> microRegistries(MicroProperties properties, ResourceLoader resources) {
		return switch (ProviderType.present("micro.registry.type", properties.registry().type(),
				resources.getClassLoader())) {
			case LOCAL -> new LocalRegistry(properties.dataDir().resolve("registry"));
			case MEMORY -> new MemoryRegistry();
			case REMOTE -> new RemoteRegistry(properties.remote().address(), properties.remote().timeout());
		};
	}

	@Bean
	@ConditionalOnMissingBean
	Registry microRegistry(Scoped<Registry> registries, MicroProperties properties) {
		return registries.in(properties.namespace());
	}

}
