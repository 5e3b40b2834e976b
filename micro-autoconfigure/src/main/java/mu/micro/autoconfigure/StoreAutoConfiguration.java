package mu.micro.autoconfigure;

import java.time.Clock;

import mu.micro.jdbc.JdbcDatabases;
import mu.micro.memory.MemoryDatabases;
import mu.micro.remote.RemoteDatabases;
import mu.micro.store.Database;
import mu.micro.store.Databases;
import mu.micro.store.Store;
import org.jspecify.annotations.Nullable;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Lazy;
import org.springframework.core.env.Environment;
import org.springframework.core.io.ResourceLoader;

/**
 * The store: the one provider that {@code micro.store.type} names, the database of the
 * application's own namespace, and the table of its own name. Nothing is opened before
 * somebody uses it.
 */
@AutoConfiguration
@EnableConfigurationProperties(MicroProperties.class)
public final class StoreAutoConfiguration {

	@Bean
	@Lazy
	@ConditionalOnMissingBean
	Databases microDatabases(MicroProperties properties, ResourceLoader resources,
			ObjectProvider<ImportedConfig> imported) {
		ImportedConfig opened = imported.getIfAvailable();
		return (opened != null && opened.databases() != null) ? opened.databases()
				: open(properties, resources.getClassLoader());
	}

	@Bean
	@Lazy
	@ConditionalOnMissingBean
	Database microDatabase(Databases databases, MicroProperties properties) {
		return databases.in(properties.namespace());
	}

	@Bean
	@Lazy
	@ConditionalOnMissingBean
	Store microStore(Database database, Environment environment) {
		return database.table(environment.getProperty("spring.application.name", "micro"));
	}

	static Databases open(MicroProperties properties, @Nullable ClassLoader classes) {
		return switch (ProviderType.present("micro.store.type", properties.store().type(), classes)) {
			case SQLITE ->
				JdbcDatabases.sqlite(properties.sqlite().file(), properties.sqlite().timeout(), Clock.systemUTC());
			case MEMORY -> new MemoryDatabases();
			case REMOTE -> new RemoteDatabases(properties.remote().address(), properties.remote().timeout());
		};
	}

}
