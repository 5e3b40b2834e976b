package mu.micro.autoconfigure;

import java.time.Clock;

import mu.micro.Scoped;
import mu.micro.blob.Blobs;
import mu.micro.local.FileBlobs;
import mu.micro.memory.MemoryBlobs;
import mu.micro.remote.RemoteBlobs;

import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Lazy;
import org.springframework.core.io.ResourceLoader;

/**
 * Blobs: the one provider that {@code micro.blob.type} names, and the blobs of the
 * application's own namespace. Nothing is opened before somebody uses it.
 */
@AutoConfiguration
@EnableConfigurationProperties(MicroProperties.class)
public final class BlobAutoConfiguration {

	@Bean
	@Lazy
	@ConditionalOnMissingBean(value = Blobs.class, parameterizedContainer = Scoped.class)
	Scoped<Blobs> microScopedBlobs(MicroProperties properties, ResourceLoader resources) {
		return switch (ProviderType.present("micro.blob.type", properties.blob().type(), resources.getClassLoader())) {
			case FILE -> new FileBlobs(properties.blob().directory(), Clock.systemUTC());
			case MEMORY -> new MemoryBlobs();
			case REMOTE -> new RemoteBlobs(properties.remote().address(), properties.remote().timeout());
		};
	}

	@Bean
	@Lazy
	@ConditionalOnMissingBean
	Blobs microBlobs(Scoped<Blobs> blobs, MicroProperties properties) {
		return blobs.in(properties.namespace());
	}

}
