package mu.micro.spring;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import java.util.stream.Collectors;

import com.google.protobuf.Descriptors.ServiceDescriptor;
import io.grpc.Server;
import mu.micro.Lease;
import mu.micro.Limits;
import mu.micro.MicroException;
import mu.micro.core.Threads;
import mu.micro.grpc.Schema;
import mu.micro.registry.Instance;
import mu.micro.registry.Registry;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;

import org.springframework.beans.factory.DisposableBean;
import org.springframework.context.ApplicationListener;
import org.springframework.grpc.server.lifecycle.GrpcServerLifecycleEvent;
import org.springframework.grpc.server.lifecycle.GrpcServerShutdownEvent;
import org.springframework.grpc.server.lifecycle.GrpcServerStartedEvent;

/**
 * Registers this application's services once its gRPC server has started, and closes
 * their leases when that server begins to stop, so that callers turn elsewhere while the
 * last calls are answered. While the registry cannot be reached it tries again.
 */
public final class ServiceRegistration implements ApplicationListener<GrpcServerLifecycleEvent>, DisposableBean {

	private static final Log logger = LogFactory.getLog(ServiceRegistration.class);

	private static final long RETRY_MILLIS = 500;

	private final Registry registry;

	private final Options options;

	private final Supplier<Map<String, String>> metadata;

	private final ScheduledExecutorService timer = Threads.timer("micro-registration");

	private final ReentrantLock lock = new ReentrantLock();

	private final List<Lease> leases = new ArrayList<>();

	/**
	 * Counts starts and stops of the server, so that a late registration of an earlier
	 * one is taken back.
	 */
	private long round;

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
			withdraw();
		}
	}

	private void register(Server server, int port) {
		Schema schema = Schema.of(server.getServices());
		refuseTwins(schema);
		Map<String, String> all = new TreeMap<>(this.options.metadata);
		all.putAll(this.metadata.get());
		all.put(Instance.SCHEMA, schema.hash());
		long round = withdraw();
		for (String service : this.options.services) {
			register(new Instance(service, this.options.version, id(service), this.options.host, port, all), round,
					null);
		}
	}

	private static String id(String service) {
		String id = service + "-" + UUID.randomUUID();
		return (id.codePointCount(0, id.length()) > Limits.NAME) ? UUID.randomUUID().toString() : id;
	}

	/*
	 * A registry that is away does not keep the service from answering those who know it.
	 */
	private void register(Instance instance, long round, @Nullable String before) {
		try {
			if (before == null) {
				warnOfAnotherContract(instance);
			}
			keep(this.registry.register(instance, this.options.ttl), round);
			if (before != null) {
				logger.info("'" + instance.service() + "' is registered now");
			}
		}
		catch (RuntimeException ex) {
			if (before == null && !passing(ex)) {
				throw ex;
			}
			String problem = String.valueOf(ex.getMessage());
			if (!problem.equals(before)) {
				logger.warn("'" + instance.service() + "' is not registered yet, and tried again every " + RETRY_MILLIS
						+ " ms: " + problem);
			}
			retry(() -> register(instance, round, problem), round);
		}
	}

	private static boolean passing(RuntimeException ex) {
		return ex instanceof MicroException.Unavailable || ex instanceof MicroException.TimedOut
				|| ex instanceof MicroException.OutcomeUnknown;
	}

	private void keep(Lease lease, long current) {
		this.lock.lock();
		try {
			if (this.round == current) {
				this.leases.add(lease);
				return;
			}
		}
		finally {
			this.lock.unlock();
		}
		lease.close();
	}

	private void retry(Runnable attempt, long current) {
		this.lock.lock();
		try {
			if (this.round == current && !this.timer.isShutdown()) {
				this.timer.schedule(attempt, RETRY_MILLIS, TimeUnit.MILLISECONDS);
			}
		}
		finally {
			this.lock.unlock();
		}
	}

	/*
	 * An endpoint is called as Foo.Bar, by the simple name of its gRPC service. Of twins
	 * each has to be in the package of the service that it is called through.
	 */
	private void refuseTwins(Schema schema) {
		schema.services().stream().collect(Collectors.groupingBy(ServiceDescriptor::getName)).forEach((name, twins) -> {
			if (twins.size() > 1 && !twins.stream().allMatch(this::isOwn)) {
				throw new TwinServicesException(name, twins.stream().map(ServiceDescriptor::getFullName).toList());
			}
		});
	}

	private boolean isOwn(ServiceDescriptor grpcService) {
		return this.options.services.stream().anyMatch((service) -> Schema.isOwn(grpcService, service));
	}

	private void warnOfAnotherContract(Instance instance) {
		for (Instance other : this.registry.instances(instance.service())) {
			String theirs = other.metadata().get(Instance.SCHEMA);
			if (theirs != null && !theirs.equals(instance.metadata().get(Instance.SCHEMA))
					&& other.version().equals(instance.version())) {
				logger.warn("Another '" + instance.service() + "' with the same version '" + other.version()
						+ "' and a different contract runs at " + other.host() + ":" + other.port()
						+ "; calls by name reach both. Stop it, or give one of them another name "
						+ "(@MicroService) or version (micro.service.version).");
				return;
			}
		}
	}

	private long withdraw() {
		List<Lease> held;
		long next;
		this.lock.lock();
		try {
			next = ++this.round;
			held = List.copyOf(this.leases);
			this.leases.clear();
		}
		finally {
			this.lock.unlock();
		}
		held.forEach(Lease::close);
		return next;
	}

	@Override
	public void destroy() {
		this.timer.shutdownNow();
		withdraw();
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
