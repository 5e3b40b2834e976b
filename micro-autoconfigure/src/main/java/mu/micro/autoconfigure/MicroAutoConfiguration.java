package mu.micro.autoconfigure;

import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;

/**
 * What all nouns share.
 */
@AutoConfiguration
@EnableConfigurationProperties(MicroProperties.class)
public final class MicroAutoConfiguration {

	@Bean
	ProvidersLog microProvidersLog(MicroProperties properties) {
		return new ProvidersLog(properties);
	}

}
