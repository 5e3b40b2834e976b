package mu.micro.autoconfigure;

import java.util.List;

import org.springframework.boot.context.config.ConfigDataLocation;
import org.springframework.boot.context.config.ConfigDataLocationResolver;
import org.springframework.boot.context.config.ConfigDataLocationResolverContext;

/**
 * Takes {@code micro:} and {@code micro:some.path} as locations of
 * {@code spring.config.import}.
 */
class MicroConfigDataLocationResolver implements ConfigDataLocationResolver<MicroConfigDataResource> {

	private static final String PREFIX = "micro:";

	@Override
	public boolean isResolvable(ConfigDataLocationResolverContext context, ConfigDataLocation location) {
		return location.hasPrefix(PREFIX);
	}

	@Override
	public List<MicroConfigDataResource> resolve(ConfigDataLocationResolverContext context,
			ConfigDataLocation location) {
		return List.of(new MicroConfigDataResource(location.getNonPrefixedValue(PREFIX), location.isOptional()));
	}

}
