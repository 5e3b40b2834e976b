package mu.micro.autoconfigure;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

import org.springframework.boot.context.config.ConfigDataLocation;
import org.springframework.boot.context.config.ConfigDataLocationResolver;
import org.springframework.boot.context.config.ConfigDataLocationResolverContext;
import org.springframework.boot.context.config.Profiles;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.bind.PropertySourcesPlaceholdersResolver;
import org.springframework.boot.context.properties.source.MapConfigurationPropertySource;
import org.springframework.core.env.MapPropertySource;
import org.springframework.core.env.StandardEnvironment;

/**
 * Takes {@code micro:} and {@code micro:some.path} as locations of
 * {@code spring.config.import}. They are resolved when the profiles are known, because
 * those choose the providers.
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
		return List.of();
	}

	@Override
	public List<MicroConfigDataResource> resolveProfileSpecific(ConfigDataLocationResolverContext context,
			ConfigDataLocation location, Profiles profiles) {
		return List.of(new MicroConfigDataResource(location.getNonPrefixedValue(PREFIX), location.isOptional(),
				properties(context.getBinder(), profiles.getActive())));
	}

	/*
	 * The profile's defaults are not in the Environment yet.
	 */
	private static MicroProperties properties(Binder binder, List<String> profiles) {
		Map<String, String> set = binder.bind("micro", Bindable.mapOf(String.class, String.class))
			.orElseGet(HashMap::new);
		Map<String, Object> all = new HashMap<>(MicroEnvironmentPostProcessor
			.defaults(MicroEnvironmentPostProcessor.profile(set.get("profile"), profiles)));
		set.forEach((name, value) -> all.put("micro." + name, value));
		StandardEnvironment environment = new StandardEnvironment();
		environment.getPropertySources().addLast(new MapPropertySource(MicroEnvironmentPostProcessor.SOURCE, all));
		return new Binder(List.of(new MapConfigurationPropertySource(all)),
				new PropertySourcesPlaceholdersResolver(environment))
			.bind("micro", MicroProperties.class)
			.get();
	}

}
