package mu.micro.autoconfigure;

import io.grpc.ManagedChannelBuilder;
import mu.micro.grpc.MicroNameResolverProvider;
import mu.micro.registry.Registry;

import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.grpc.client.autoconfigure.GrpcClientAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.grpc.client.GrpcChannelBuilderCustomizer;

/**
 * Lets {@code micro:///name} be the target of any gRPC channel that Boot makes.
 */
@AutoConfiguration(after = RegistryAutoConfiguration.class, before = GrpcClientAutoConfiguration.class)
@ConditionalOnClass({ GrpcChannelBuilderCustomizer.class, GrpcClientAutoConfiguration.class })
@ConditionalOnBean(Registry.class)
public final class ClientAutoConfiguration {

	@Bean
	<T extends ManagedChannelBuilder<T>> GrpcChannelBuilderCustomizer<T> microChannelCustomizer(Registry registry) {
		return (target, builder) -> builder.setNameResolverArg(MicroNameResolverProvider.REGISTRY, registry);
	}

}
