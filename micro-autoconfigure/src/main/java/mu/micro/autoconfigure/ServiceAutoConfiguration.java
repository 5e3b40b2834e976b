package mu.micro.autoconfigure;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Stream;

import io.grpc.protobuf.services.HealthStatusManager;
import mu.micro.MicroException;
import mu.micro.registry.Registry;
import mu.micro.services.CallCounter;
import mu.micro.services.DebugService;
import mu.micro.spring.InstanceMetadata;
import mu.micro.spring.MicroService;
import mu.micro.spring.ServiceRegistration;

import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.AnyNestedCondition;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.grpc.server.autoconfigure.GrpcServerAutoConfiguration;
import org.springframework.boot.grpc.server.autoconfigure.GrpcServerServicesAutoConfiguration;
import org.springframework.boot.grpc.server.autoconfigure.health.GrpcServerHealthAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Conditional;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.core.env.Environment;
import org.springframework.grpc.server.GlobalServerInterceptor;
import org.springframework.grpc.server.GrpcServerFactory;
import org.springframework.grpc.server.exception.GrpcExceptionHandler;

/**
 * Makes an application with a {@link MicroService} a service: registered by name,
 * answering debug, its errors in the one form.
 */
@AutoConfiguration(after = RegistryAutoConfiguration.class,
		before = { GrpcServerServicesAutoConfiguration.class, GrpcServerHealthAutoConfiguration.class,
				GrpcServerAutoConfiguration.class })
@ConditionalOnClass({ GrpcServerFactory.class, GrpcServerAutoConfiguration.class, DebugService.class })
@Conditional(ServiceAutoConfiguration.IsService.class)
public final class ServiceAutoConfiguration {

	@Bean
	ServiceRegistration microServiceRegistration(Registry registry, MicroProperties properties,
			ListableBeanFactory beans, Environment environment, ObjectProvider<InstanceMetadata> metadata) {
		return new ServiceRegistration(registry,
				new ServiceRegistration.Options(names(properties, beans, environment), properties.service().version(),
						properties.host(), properties.registry().ttl(), properties.service().metadata()),
				() -> all(metadata));
	}

	@Bean
	@GlobalServerInterceptor
	CallCounter microCallCounter() {
		return new CallCounter();
	}

	@Bean
	DebugService microDebugService(CallCounter calls, ObjectProvider<HealthStatusManager> health) {
		return new DebugService(new GrpcHealth(health), calls);
	}

	@Bean
	@Order(Ordered.LOWEST_PRECEDENCE)
	GrpcExceptionHandler microExceptionHandler(MicroProperties properties, ListableBeanFactory beans,
			Environment environment) {
		return new ServiceExceptionHandler(names(properties, beans, environment).get(0));
	}

	private static List<String> names(MicroProperties properties, ListableBeanFactory beans, Environment environment) {
		List<String> names = Stream
			.concat(Stream.ofNullable(properties.service().name()),
					Arrays.stream(beans.getBeanNamesForAnnotation(MicroService.class))
						.map((bean) -> beans.findAnnotationOnBean(bean, MicroService.class))
						.filter(Objects::nonNull)
						.map((service) -> (service.value().isEmpty())
								? environment.getProperty("spring.application.name", "") : service.value()))
			.distinct()
			.toList();
		if (names.contains("")) {
			throw new MicroException.Invalid("a @MicroService has no name: give it one, as in "
					+ "@MicroService(\"helloworld\"), or set spring.application.name");
		}
		return names;
	}

	private static Map<String, String> all(ObjectProvider<InstanceMetadata> metadata) {
		Map<String, String> all = new TreeMap<>();
		metadata.orderedStream().forEach((more) -> all.putAll(more.get()));
		return all;
	}

	static class IsService extends AnyNestedCondition {

		IsService() {
			super(ConfigurationPhase.REGISTER_BEAN);
		}

		@ConditionalOnBean(annotation = MicroService.class)
		static class HasMicroService {

		}

		@ConditionalOnProperty("micro.service.name")
		static class HasName {

		}

	}

}
