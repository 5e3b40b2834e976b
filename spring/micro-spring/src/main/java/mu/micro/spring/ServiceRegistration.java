package mu.micro.spring;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.stream.Collectors;

import com.google.protobuf.Descriptors.ServiceDescriptor;
import io.grpc.Server;
import mu.micro.Lease;
import mu.micro.grpc.Schema;
import mu.micro.registry.Instance;
import mu.micro.registry.Registry;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;

import org.springframework.beans.factory.DisposableBean;
import org.springframework.context.ApplicationListener;
import org.springframework.grpc.server.lifecycle.GrpcServerLifecycleEvent;
import org.springframework.grpc.server.lifecycle.GrpcServerShutdownEvent;
import org.springframework.grpc.server.lifecycle.GrpcServerStartedEvent;

/**
 * Registers this application's services once its gRPC server has started, and closes
 * their leases when that server begins to stop, so that callers turn elsewhere while the
 * last calls are answered.
 */
public final class ServiceRegistration implements ApplicationListener<GrpcServerLifecycleEvent>, DisposableBean {

	private static final Log logger = LogFactory.getLog(ServiceRegistration.class);

	private final Registry registry;

	private final Options options;

	private final Supplier<Map<String, String>> metadata;

	private final List<Lease> leases = new ArrayList<>();

	/**
	 * Registers nothing yet.
	 * @param registry where to register
	 * @param options what to register
	 * @param metadata what else to tell of each instance, asked when the server has
	 * started
	 */
	public ServiceRegistration(Registry registry, Options options, Supplier<Map<String, String>> metadata) {
		this.registry = registry;
		this.options = options;
		this.metadata = metadata;
	}

	@Override
	public void onApplicationEvent(GrpcServerLifecycleEvent event) {
		if (event instanceof GrpcServerStartedEvent started && started.getPort() > 0) {
			register(event.getServer(), started.getPort());
		}
		if (event instanceof GrpcServerShutdownEvent && event.getServer().getPort() > 0) {
			destroy();
		}
	}

	private void register(Server server, int port) {
		Schema schema = Schema.of(server.getServices());
		refuseTwins(schema);
		Map<String, String> all = new TreeMap<>(this.options.metadata);
		all.putAll(this.metadata.get());
		all.put(Instance.SCHEMA, schema.hash());
		for (String service : this.options.services) {
			warnOfAnotherContract(service, schema.hash());
			this.leases.add(this.registry.register(new Instance(service, this.options.version,
					service + "-" + UUID.randomUUID(), this.options.host, port, all), this.options.ttl));
		}
		logger
			.debug("Registered " + String.join(", ", this.options.services) + " at " + this.options.host + ":" + port);
	}

	/*
	 * An endpoint is called as Foo.Bar, by the simple name of its gRPC service.
	 */
	private static void refuseTwins(Schema schema) {
		schema.services()
			.stream()
			.collect(Collectors.groupingBy(ServiceDescriptor::getName,
					Collectors.mapping(ServiceDescriptor::getFullName, Collectors.toList())))
			.forEach((name, twins) -> {
				if (twins.size() > 1) {
					throw new TwinServicesException(name, twins);
				}
			});
	}

	private void warnOfAnotherContract(String service, String hash) {
		for (Instance other : this.registry.instances(service)) {
			String theirs = other.metadata().get(Instance.SCHEMA);
			if (theirs != null && !theirs.equals(hash) && other.version().equals(this.options.version)) {
				logger.warn("Another '" + service + "' with the same version '" + other.version()
						+ "' and a different contract runs at " + other.host() + ":" + other.port()
						+ "; calls by name reach both. Stop it, or give one of them another name "
						+ "(@MicroService) or version (micro.service.version).");
				return;
			}
		}
	}

	@Override
	public void destroy() {
		this.leases.forEach(Lease::close);
		this.leases.clear();
	}

	/**
	 * What to register.
	 *
	 * @param services the services' names
	 * @param version what was deployed
	 * @param host where others reach this application
	 * @param ttl how long an instance may outlive this process
	 * @param metadata what else to tell of each instance
	 */
	public record Options(List<String> services, String version, String host, Duration ttl,
			Map<String, String> metadata) {
	}

}
