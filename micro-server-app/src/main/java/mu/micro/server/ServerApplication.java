package mu.micro.server;

import java.time.Duration;

import mu.micro.Scoped;
import mu.micro.grpc.Channels;
import mu.micro.grpc.Schemas;
import mu.micro.registry.Registry;
import mu.micro.services.RegistryService;
import mu.micro.spring.MicroService;

import org.springframework.boot.ApplicationArguments;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;

/**
 * Hosts the core services and, where its apps are configured, starts those beside it.
 */
@SpringBootApplication(proxyBeanMethods = false)
@EnableConfigurationProperties(ServerProperties.class)
public class ServerApplication {

	private static final Duration SCHEMA_TIMEOUT = Duration.ofSeconds(3);

	private static final int MAX_SCHEMA = 4 * 1024 * 1024;

	public static void main(String[] args) {
		SpringApplication.run(ServerApplication.class, args);
	}

	@Bean
	Channels channels(Registry registry) {
		return new Channels(registry, MAX_SCHEMA);
	}

	@Bean
	Schemas schemas(Registry registry, Channels channels) {
		return new Schemas(registry, channels, SCHEMA_TIMEOUT);
	}

	@Bean
	@MicroService("registry")
	RegistryService registryService(Scoped<Registry> registries, Schemas schemas) {
		return new RegistryService(registries, schemas);
	}

	@Bean
	ChildApps childApps(ServerProperties properties, ApplicationArguments arguments) {
		return new ChildApps(properties.apps(), new AppFinder(ServerApplication.class, properties.appsDir()),
				arguments.getSourceArgs());
	}

}
