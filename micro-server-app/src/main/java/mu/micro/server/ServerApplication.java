package mu.micro.server;

import java.time.Duration;
import java.util.List;

import mu.micro.Scoped;
import mu.micro.autoconfigure.MicroProfile;
import mu.micro.autoconfigure.MicroProperties;
import mu.micro.registry.Registry;
import mu.micro.services.RegistryService;
import mu.micro.spring.MicroService;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.context.event.ApplicationReadyEvent;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.ApplicationListener;
import org.springframework.context.annotation.Bean;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.grpc.server.lifecycle.GrpcServerShutdownEvent;
import org.springframework.grpc.server.lifecycle.GrpcServerStartedEvent;

/**
 * Hosts the core services and, where its apps are configured, starts those beside it.
 */
@SpringBootApplication(proxyBeanMethods = false)
@EnableConfigurationProperties(ServerProperties.class)
public class ServerApplication {

	private static final Log logger = LogFactory.getLog(ServerApplication.class);

	private static final Duration SCHEMA_TIMEOUT = Duration.ofSeconds(3);

	public static void main(String[] args) {
		SpringApplication.run(ServerApplication.class, args);
	}

	@Bean
	@MicroService(RegistryService.NAME)
	RegistryService registryService(Scoped<Registry> registries, MicroProperties properties) {
		return new RegistryService(registries, properties.namespace(), SCHEMA_TIMEOUT);
	}

	/*
	 * Watches would otherwise keep the server from stopping gracefully.
	 */
	@Bean
	ApplicationListener<GrpcServerShutdownEvent> endWatches(RegistryService registry) {
		return (event) -> registry.endWatches();
	}

	@Bean
	ApplicationListener<GrpcServerStartedEvent> resumeWatches(RegistryService registry, MicroProperties micro) {
		return (event) -> {
			registry.resumeWatches();
			logger.info("Micro server: core services at " + micro.listenAddress() + ":" + event.getPort());
		};
	}

	@Bean
	ChildApps childApps(ServerProperties properties, MicroProperties micro, ConfigurableEnvironment environment) {
		List<String> apps = properties.apps();
		if (apps == null) {
			apps = (micro.profile() == MicroProfile.LOCAL) ? List.of("gateway", "proxy") : List.of();
		}
		return new ChildApps(apps, new AppFinder(ServerApplication.class, properties.appsDir()), environment);
	}

	@Bean
	ApplicationListener<ApplicationReadyEvent> startApps(ChildApps apps) {
		return (event) -> apps.start();
	}

}
