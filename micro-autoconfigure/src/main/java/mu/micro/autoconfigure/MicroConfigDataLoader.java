package mu.micro.autoconfigure;

import java.util.List;

import mu.micro.MicroException;
import mu.micro.config.Config;
import mu.micro.config.Json;
import org.apache.commons.logging.Log;
import org.jspecify.annotations.Nullable;

import org.springframework.boot.bootstrap.BootstrapRegistry.InstanceSupplier;
import org.springframework.boot.bootstrap.ConfigurableBootstrapContext;
import org.springframework.boot.context.config.ConfigData;
import org.springframework.boot.context.config.ConfigDataLoader;
import org.springframework.boot.context.config.ConfigDataLoaderContext;
import org.springframework.boot.logging.DeferredLogFactory;

/**
 * Reads the configuration for {@code spring.config.import=micro:}, secrets revealed.
 */
class MicroConfigDataLoader implements ConfigDataLoader<MicroConfigDataResource> {

	private final Log logger;

	MicroConfigDataLoader(DeferredLogFactory logs) {
		this.logger = logs.getLog(MicroConfigDataLoader.class);
	}

	@Override
	public ConfigData load(ConfigDataLoaderContext context, MicroConfigDataResource resource) {
		ConfigPropertySource source = new ConfigPropertySource(resource.path());
		try {
			source.update(read(context.getBootstrapContext(), resource));
		}
		catch (MicroException ex) {
			if (!resource.optional()) {
				throw ex;
			}
			this.logger.warn(resource + " is not there yet, and taken once it is: " + ex.getMessage());
		}
		return new ConfigData(List.of(source));
	}

	private static @Nullable Json read(ConfigurableBootstrapContext bootstrap, MicroConfigDataResource resource) {
		if (!bootstrap.isRegistered(ImportedConfig.class)) {
			ImportedConfig opened = ImportedConfig.open(resource.properties());
			bootstrap.register(ImportedConfig.class, InstanceSupplier.of(opened));
			bootstrap.addCloseListener(opened::promote);
		}
		Config config = bootstrap.get(ImportedConfig.class).configs().in(resource.properties().namespace());
		return config.get(resource.path(), true);
	}

}
