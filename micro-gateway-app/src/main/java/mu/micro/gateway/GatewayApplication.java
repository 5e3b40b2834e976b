package mu.micro.gateway;

import java.util.Map;

import io.micrometer.core.instrument.MeterRegistry;
import mu.micro.autoconfigure.MicroProperties;
import mu.micro.registry.Registry;
import mu.micro.spring.InstanceMetadata;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.info.BuildProperties;
import org.springframework.context.annotation.Bean;

/**
 * HTTP with JSON on port 8080, for every service that the registry knows.
 */
@SpringBootApplication(proxyBeanMethods = false)
@EnableConfigurationProperties(GatewayProperties.class)
public class GatewayApplication {

	public static void main(String[] args) {
		SpringApplication.run(GatewayApplication.class, args);
	}

	@Bean
	Calls calls(Registry registry) {
		return new Calls(registry);
	}

	@Bean
	Door door(MicroProperties micro, GatewayProperties properties, ObjectProvider<BuildProperties> build, Calls calls,
			MeterRegistry meters) {
		BuildProperties built = build.getIfAvailable();
		String version = (built != null) ? String.valueOf(built.getVersion()) : "unknown";
		return new Door(micro.listenAddress(), properties, version, calls, meters);
	}

	@Bean
	InstanceMetadata doorAddress(Door door, MicroProperties micro) {
		return () -> Map.of("http", micro.host() + ":" + door.port());
	}

}
