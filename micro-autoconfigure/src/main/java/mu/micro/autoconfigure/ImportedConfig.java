package mu.micro.autoconfigure;

import mu.micro.Scoped;
import mu.micro.config.Config;
import mu.micro.store.Databases;
import org.jspecify.annotations.Nullable;

import org.springframework.beans.factory.support.DefaultListableBeanFactory;
import org.springframework.boot.bootstrap.BootstrapContextClosedEvent;

/**
 * What {@code spring.config.import=micro:} opened before there were beans, so that the
 * beans use the same.
 *
 * @param databases what the configuration is kept in; null where it needs none
 * @param configs the configuration
 */
record ImportedConfig(@Nullable Databases databases, Scoped<Config> configs) implements AutoCloseable {

	static ImportedConfig open(MicroProperties properties) {
		if (properties.config().type() != ConfigType.STORE) {
			return new ImportedConfig(null, ConfigAutoConfiguration.open(properties, () -> {
				throw new IllegalStateException("no store is needed");
			}, null));
		}
		Databases databases = StoreAutoConfiguration.open(properties, null);
		return new ImportedConfig(databases, ConfigAutoConfiguration.open(properties, () -> databases, null));
	}

	/**
	 * Hands this on to the application's beans.
	 * @param event the end of the bootstrap
	 */
	void promote(BootstrapContextClosedEvent event) {
		DefaultListableBeanFactory beans = (DefaultListableBeanFactory) event.getApplicationContext().getBeanFactory();
		beans.registerSingleton("microImportedConfig", this);
		beans.registerDisposableBean("microImportedConfig", this::close);
	}

	@Override
	public void close() {
		this.configs.close();
		if (this.databases != null) {
			this.databases.close();
		}
	}

}
