package mu.micro.server;

import java.time.Clock;
import java.time.Duration;
import java.util.List;

import mu.micro.Scoped;
import mu.micro.autoconfigure.MicroProfile;
import mu.micro.autoconfigure.MicroProperties;
import mu.micro.blob.Blobs;
import mu.micro.broker.Broker;
import mu.micro.config.Config;
import mu.micro.core.Locks;
import mu.micro.core.StoreLocks;
import mu.micro.events.Events;
import mu.micro.events.Outbox;
import mu.micro.registry.Registry;
import mu.micro.services.BlobService;
import mu.micro.services.BrokerService;
import mu.micro.services.ConfigService;
import mu.micro.services.DatabaseService;
import mu.micro.services.EventStoreService;
import mu.micro.services.RegistryService;
import mu.micro.services.StoreService;
import mu.micro.services.StreamService;
import mu.micro.services.SyncService;
import mu.micro.services.TopicsService;
import mu.micro.services.WatchedService;
import mu.micro.spring.MicroService;
import mu.micro.store.Databases;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.context.event.ApplicationReadyEvent;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.context.ApplicationListener;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Lazy;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.Environment;
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

	/*
	 * Before other beans are made, and so before ServerProperties are one.
	 */
	@Bean
	static HostedServices hostedServices(Environment environment) {
		return new HostedServices(
				Binder.get(environment).bindOrCreate("micro.server", ServerProperties.class).services());
	}

	@Bean
	@MicroService(RegistryService.NAME)
	RegistryService registryService(Scoped<Registry> registries, MicroProperties properties) {
		return new RegistryService(registries, properties.namespace(), SCHEMA_TIMEOUT);
	}

	@Bean
	@MicroService(StoreService.NAME)
	StoreService storeService(Databases databases, MicroProperties properties) {
		return new StoreService(databases, properties.namespace(), Clock.systemUTC());
	}

	@Bean
	@MicroService(StoreService.NAME)
	DatabaseService databaseService(Databases databases, MicroProperties properties) {
		return new DatabaseService(databases, properties.namespace());
	}

	@Bean
	@MicroService(StoreService.NAME)
	BlobService blobService(Scoped<Blobs> blobs, MicroProperties properties) {
		return new BlobService(blobs, properties.namespace());
	}

	@Bean
	@MicroService(ConfigService.NAME)
	ConfigService configService(Scoped<Config> configs, MicroProperties properties) {
		return new ConfigService(configs, properties.namespace(), Clock.systemUTC());
	}

	/*
	 * For sync alone, which need not be hosted.
	 */
	@Bean
	@Lazy
	Locks locks(Databases databases) {
		return new StoreLocks(databases, Clock.systemUTC());
	}

	@Bean
	@MicroService(SyncService.NAME)
	SyncService syncService(Locks locks, MicroProperties properties) {
		return new SyncService(locks, properties.namespace());
	}

	@Bean
	@MicroService(BrokerService.NAME)
	BrokerService brokerService(Scoped<Broker> brokers, MicroProperties properties) {
		return new BrokerService(brokers, properties.namespace());
	}

	@Bean
	@MicroService(StreamService.NAME)
	StreamService streamService(Scoped<Events> events, MicroProperties properties) {
		return new StreamService(events, properties.namespace());
	}

	@Bean
	@MicroService(StreamService.NAME)
	EventStoreService eventStoreService(Scoped<Events> events, MicroProperties properties) {
		return new EventStoreService(events, properties.namespace());
	}

	@Bean
	@MicroService(StreamService.NAME)
	TopicsService topicsService(Scoped<Events> events, ObjectProvider<Scoped<Outbox>> outboxes,
			MicroProperties properties) {
		return new TopicsService(events, outboxes.getIfAvailable(), properties.namespace());
	}

	/*
	 * Watches would otherwise keep the server from stopping gracefully.
	 */
	@Bean
	ApplicationListener<GrpcServerShutdownEvent> endWatches(ObjectProvider<WatchedService> services) {
		return (event) -> services.forEach(WatchedService::endWatches);
	}

	@Bean
	ApplicationListener<GrpcServerStartedEvent> resumeWatches(ObjectProvider<WatchedService> services,
			MicroProperties micro) {
		return (event) -> {
			services.forEach(WatchedService::resumeWatches);
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
