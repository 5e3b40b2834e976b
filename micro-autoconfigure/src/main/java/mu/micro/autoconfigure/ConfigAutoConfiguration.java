package mu.micro.autoconfigure;

import java.security.SecureRandom;
import java.util.Base64;
import java.util.List;
import java.util.function.Supplier;

import mu.micro.Scoped;
import mu.micro.config.Config;
import mu.micro.core.Keyring;
import mu.micro.core.StoreConfig;
import mu.micro.remote.RemoteConfig;
import mu.micro.store.Databases;
import org.jspecify.annotations.Nullable;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.cloud.autoconfigure.RefreshAutoConfiguration;
import org.springframework.cloud.context.scope.refresh.RefreshScope;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Lazy;
import org.springframework.core.io.ResourceLoader;

/**
 * The configuration: the one provider that {@code micro.config.type} names, and the noun
 * for the application's own namespace. What {@code spring.config.import=micro:} brought
 * into the Environment follows each change.
 */
@AutoConfiguration(after = { StoreAutoConfiguration.class, RefreshAutoConfiguration.class })
@EnableConfigurationProperties(MicroProperties.class)
public final class ConfigAutoConfiguration {

	@Bean
	@Lazy
	@ConditionalOnMissingBean(value = Config.class, parameterizedContainer = Scoped.class)
	Scoped<Config> microConfigs(MicroProperties properties, ResourceLoader resources,
			ObjectProvider<ImportedConfig> imported, ObjectProvider<Databases> databases) {
		ImportedConfig opened = imported.getIfAvailable();
		return (opened != null) ? opened.configs() : open(properties, databases::getObject, resources.getClassLoader());
	}

	@Bean
	@Lazy
	@ConditionalOnMissingBean
	Config microConfig(Scoped<Config> configs, MicroProperties properties) {
		return configs.in(properties.namespace());
	}

	static Scoped<Config> open(MicroProperties properties, Supplier<Databases> databases,
			@Nullable ClassLoader classes) {
		return switch (ProviderType.present("micro.config.type", properties.config().type(), classes)) {
			case STORE -> new StoreConfig(databases.get(), keyring(properties));
			case REMOTE -> new RemoteConfig(properties.remote().address(), properties.remote().timeout());
		};
	}

	private static Keyring keyring(MicroProperties properties) {
		List<String> keys = properties.config().secretKeys();
		if (!keys.isEmpty()) {
			return Keyring.of(keys);
		}
		if (properties.store().type() == StoreType.MEMORY) {
			byte[] key = new byte[Keyring.BYTES];
			new SecureRandom().nextBytes(key);
			return Keyring.of(List.of(Base64.getEncoder().encodeToString(key)));
		}
		return Keyring.file(properties.dataDir().resolve("config-keys"));
	}

	@Configuration(proxyBeanMethods = false)
	@ConditionalOnClass(RefreshScope.class)
	@ConditionalOnBean({ ImportedConfig.class, RefreshScope.class })
	static class Refresh {

		@Bean
		ConfigRefresh microConfigRefresh(ConfigurableApplicationContext context, ImportedConfig imported,
				RefreshScope scope, MicroProperties properties) {
			return new ConfigRefresh(context, imported.configs().in(properties.namespace()), scope);
		}

	}

}
