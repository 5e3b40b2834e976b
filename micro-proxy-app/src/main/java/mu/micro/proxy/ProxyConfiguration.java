package mu.micro.proxy;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

import io.grpc.ServerServiceDefinition;
import io.micrometer.core.instrument.MeterRegistry;
import mu.micro.autoconfigure.MicroProperties;
import mu.micro.grpc.Channels;
import mu.micro.grpc.Schemas;
import mu.micro.registry.Registry;
import mu.micro.spring.InstanceMetadata;

import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/**
 * What the proxy is made of.
 */
@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties(ProxyProperties.class)
class ProxyConfiguration {

	/**
	 * How long one service may take to tell what it offers.
	 */
	private static final Duration SCHEMA_TIMEOUT = Duration.ofSeconds(5);

	/**
	 * How long a reflection client waits for services that do not tell.
	 */
	private static final Duration PATIENCE = Duration.ofSeconds(1);

	@Bean
	Workers workers() {
		return new Workers();
	}

	@Bean
	Channels channels(Registry registry, ProxyProperties properties) {
		return new Channels(registry, properties.maxMessageBytes());
	}

	@Bean
	Schemas schemas(Registry registry, Channels channels) {
		return new Schemas(registry, channels, SCHEMA_TIMEOUT);
	}

	@Bean
	Routes routes(Registry registry) {
		return new Routes(registry);
	}

	@Bean
	ReflectionService reflectionForAll(Routes routes, Schemas schemas, Workers workers) {
		Catalog catalog = new Catalog(routes, schemas, workers.blocking(), PATIENCE);
		return new ReflectionService(catalog, routes, workers.blocking());
	}

	@Bean
	HealthService healthOfAll(Routes routes, Channels channels, Workers workers) {
		return new HealthService(routes, channels, workers);
	}

	@Bean
	Forwarding forwarding(Routes routes, Registry registry, Channels channels, Workers workers,
			ReflectionService reflection, HealthService health) {
		List<ServerServiceDefinition> own = Stream
			.concat(reflection.definitions().stream(), Stream.of(health.definition(reflection::offers)))
			.toList();
		return new Forwarding(routes, registry, channels, workers.blocking(), own);
	}

	@Bean
	Door door(MicroProperties micro, ProxyProperties properties, Forwarding forwarding, HealthService health,
			Channels channels, MeterRegistry meters) {
		return new Door(micro.listenAddress(), properties, forwarding, health, channels, new CallMeter(meters));
	}

	@Bean
	InstanceMetadata doorMetadata(Door door, MicroProperties micro) {
		return () -> Map.of("grpc", micro.host() + ":" + door.port());
	}

}
