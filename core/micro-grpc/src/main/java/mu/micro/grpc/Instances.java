package mu.micro.grpc;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

import mu.micro.MicroException;
import mu.micro.registry.Instance;
import mu.micro.wire.registry.Node;
import mu.micro.wire.registry.Service;

/**
 * Instances as the registry's wire has them: one {@code registry.Service} for each
 * version of a service, with a node for each instance.
 */
public final class Instances {

	private static final String LATEST = "latest";

	private Instances() {
	}

	/**
	 * Writes instances.
	 * @param instances instances of one service or of several
	 * @return one service for each name and version, sorted by both; without endpoints
	 */
	public static List<Service> toServices(Collection<Instance> instances) {
		Map<String, Map<String, Service.Builder>> services = new TreeMap<>();
		for (Instance instance : instances) {
			services.computeIfAbsent(instance.service(), (name) -> new TreeMap<>())
				.computeIfAbsent(instance.version(),
						(version) -> Service.newBuilder().setName(instance.service()).setVersion(version))
				.addNodes(Node.newBuilder()
					.setId(instance.id())
					.setAddress(address(instance))
					.setPort(instance.port())
					.putAllMetadata(instance.metadata()));
		}
		return services.values()
			.stream()
			.flatMap((versions) -> versions.values().stream())
			.map(Service.Builder::build)
			.toList();
	}

	/**
	 * Reads the instances of some services. A service's own metadata is taken for each of
	 * its nodes, whose own goes first; an empty version is {@code latest}.
	 * @param services the services
	 * @return the instances, sorted by id
	 * @throws MicroException.Invalid if a node is none, or over a limit
	 */
	public static List<Instance> fromServices(Collection<Service> services) {
		List<Instance> instances = new ArrayList<>();
		for (Service service : services) {
			String version = (service.getVersion().isEmpty()) ? LATEST : service.getVersion();
			for (Node node : service.getNodesList()) {
				Map<String, String> metadata = new HashMap<>(service.getMetadataMap());
				metadata.putAll(node.getMetadataMap());
				instances.add(new Instance(service.getName(), version, node.getId(), host(node), port(node), metadata));
			}
		}
		instances.sort(Comparator.comparing(Instance::id));
		return instances;
	}

	/**
	 * Where an instance is reached.
	 * @param instance the instance
	 * @return {@code host:port}, an IPv6 address in brackets
	 */
	public static String address(Instance instance) {
		String host = (instance.host().indexOf(':') < 0) ? instance.host() : "[" + instance.host() + "]";
		return host + ":" + instance.port();
	}

	private static String host(Node node) {
		String address = node.getAddress();
		String host = (hasPort(node)) ? address.substring(0, address.lastIndexOf(':')) : address;
		return (host.startsWith("[") && host.endsWith("]")) ? host.substring(1, host.length() - 1) : host;
	}

	private static int port(Node node) {
		String text = (hasPort(node)) ? node.getAddress().substring(node.getAddress().lastIndexOf(':') + 1)
				: Long.toString(node.getPort());
		try {
			return Integer.parseInt(text);
		}
		catch (NumberFormatException ex) {
			throw new MicroException.Invalid("the node's address '" + node.getAddress()
					+ "' is neither host:port nor a host beside a port from 1 to 65535", ex);
		}
	}

	// A bare IPv6 address has several colons, and its port in a field of its own.
	private static boolean hasPort(Node node) {
		String address = node.getAddress();
		int colon = address.lastIndexOf(':');
		if (colon < 0 || address.endsWith("]")) {
			return false;
		}
		return address.startsWith("[") || address.indexOf(':') == colon;
	}

}
