package mu.micro.autoconfigure;

import java.util.List;

import org.springframework.boot.context.config.ConfigData;
import org.springframework.boot.context.config.ConfigDataLoader;
import org.springframework.boot.context.config.ConfigDataLoaderContext;

/**
 * Keeps a place in the Environment for what {@code spring.config.import=micro:} asks for.
 * It is filled by {@link MicroEnvironmentPostProcessor}, when all files are read that may
 * say where the configuration is.
 */
class MicroConfigDataLoader implements ConfigDataLoader<MicroConfigDataResource> {

	@Override
	public ConfigData load(ConfigDataLoaderContext context, MicroConfigDataResource resource) {
		return new ConfigData(List.of(new ConfigPropertySource(resource.path(), resource.optional())));
	}

}
