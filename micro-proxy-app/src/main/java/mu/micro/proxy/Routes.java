package mu.micro.proxy;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;

import mu.micro.Limits;
import mu.micro.MicroException;
import mu.micro.Subscription;
import mu.micro.grpc.ServiceNames;
import mu.micro.registry.Registry;
import org.jspecify.annotations.Nullable;

/**
 * Which service a call is for, among those that the registry's watch last told.
 */
final class Routes implements AutoCloseable {

	private final Subscription watch;

	private volatile @Nullable Known known;

	/**
	 * Begins to watch.
	 * @param registry where services are found
	 */
	Routes(Registry registry) {
		this.watch = registry.watch((services) -> this.known = Known.of(services));
	}

	/**
	 * The service that a call is for: the one its header names, else the one that is
	 * registered as the gRPC service is called, else as its package is, then as the
	 * package without its last part, and so on.
	 * @param header the header's value
	 * @param grpcService the full name of the gRPC service
	 * @return the service's name, as registered
	 * @throws MicroException.NotFound if no such service is running
	 * @throws MicroException.Unavailable if the registry has told nothing yet
	 */
	String find(@Nullable String header, @Nullable String grpcService) {
		Known now = known();
		if (header != null) {
			String service = now.names.get(header);
			if (service == null) {
				throw new MicroException.NotFound("no service '" + shorten(header)
						+ "', which the micro-service header names, is running: start it, or see 'micro services'");
			}
			return service;
		}
		String name = (grpcService != null) ? grpcService : "";
		String service = now.owner(name);
		if (service == null) {
			throw new MicroException.NotFound("no running service answers '" + shorten(name) + "': start the one "
					+ "that does, or name it in the micro-service header; 'micro services' lists those that run");
		}
		return service;
	}

	/**
	 * The service that calls to a gRPC service go to, where no header names another.
	 * @param grpcService the full name of the gRPC service, or of anything in its package
	 * @return the service's name as registered, or null if no such service is running
	 */
	@Nullable String owner(String grpcService) {
		Known now = this.known;
		return (now != null) ? now.owner(grpcService) : null;
	}

	/**
	 * The services that run.
	 * @return their names, as registered
	 */
	Set<String> services() {
		return known().services;
	}

	private Known known() {
		Known now = this.known;
		if (now == null) {
			throw new MicroException.Unavailable("the registry has not told which services run; try again");
		}
		return now;
	}

	private static String shorten(String name) {
		return (name.length() > Limits.NAME) ? name.substring(0, Limits.NAME) + "..." : name;
	}

	@Override
	public void close() {
		this.watch.close();
	}

	/**
	 * The services, and all names they answer to.
	 */
	private record Known(Set<String> services, Map<String, String> names) {

		static Known of(Set<String> services) {
			Map<String, String> names = new HashMap<>();
			services.forEach((service) -> names.putIfAbsent(ServiceNames.toPackage(service), service));
			services.forEach((service) -> names.put(service, service));
			return new Known(Set.copyOf(services), Map.copyOf(names));
		}

		@Nullable String owner(String grpcService) {
			String name = grpcService;
			while (true) {
				String service = this.names.get(name);
				int dot = name.lastIndexOf('.');
				if (service != null || dot < 0) {
					return service;
				}
				name = name.substring(0, dot);
			}
		}

	}

}
