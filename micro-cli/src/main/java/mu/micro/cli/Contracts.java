package mu.micro.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

import io.grpc.Deadline;
import mu.micro.grpc.Schema;
import mu.micro.registry.Instance;
import mu.micro.wire.registry.Node;
import mu.micro.wire.registry.Service;
import org.jspecify.annotations.Nullable;

/**
 * What the instances of a service offer. While a new release takes over from an old one
 * that may differ; then the instance whose schema was read is the one to call.
 */
final class Contracts {

	private final Proxy proxy;

	private final String service;

	private final List<Service> versions;

	/**
	 * The contracts of the instances that are running.
	 * @param proxy how to reach them
	 * @param service the service's name
	 */
	Contracts(Proxy proxy, String service) {
		this.proxy = proxy;
		this.service = service;
		// Who names an instance has chosen already.
		boolean chosen = proxy.options().metadata().containsKey(Proxy.INSTANCE.name());
		this.versions = (chosen) ? List.of() : proxy.known(service);
	}

	/**
	 * The instances.
	 * @return one service for each version; empty if the registry does not tell
	 */
	List<Service> versions() {
		return this.versions;
	}

	/**
	 * How many different contracts some instances have.
	 * @param versions the instances
	 * @return how many
	 */
	static int count(List<Service> versions) {
		return instances(versions).size();
	}

	private static Map<String, List<String>> instances(List<Service> versions) {
		Map<String, List<String>> instances = new LinkedHashMap<>();
		for (Service version : versions) {
			for (Node node : version.getNodesList()) {
				instances.computeIfAbsent(node.getMetadataOrDefault(Instance.SCHEMA, ""), (schema) -> new ArrayList<>())
					.add(node.getId());
			}
		}
		return instances;
	}

	/**
	 * Reads a contract: the only one or, of several, the first that has what is wanted.
	 * @param wanted throws a {@link Failure} if it is not among the endpoints; not asked
	 * when there is no choice
	 * @return the contract, and how to call those who have it
	 */
	Offer offer(Consumer<Endpoints> wanted) {
		Map<String, List<String>> instances = instances(this.versions);
		if (instances.size() < 2) {
			return new Offer(this.proxy.options(), this.proxy.schema(this.service));
		}
		Deadline deadline = this.proxy.deadline();
		Failure failed = null;
		for (List<String> alike : instances.values()) {
			for (String instance : alike) {
				try {
					Offer offer = read(instance);
					wanted.accept(new Endpoints(this.service, offer.schema));
					return offer;
				}
				catch (Failure ex) {
					failed = telling(failed, ex);
					if (deadline.isExpired()) {
						throw failed;
					}
					if (ex.code() != Failure.SERVICE) {
						break;
					}
				}
			}
		}
		throw (failed != null) ? failed : new Failure.NoService(this.service, null);
	}

	// What one of them lacks says more than that another is away; but one that is late
	// may
	// have it.
	private static Failure telling(@Nullable Failure failed, Failure next) {
		return (failed == null || failed.code() == Failure.SERVICE || next.code() == Failure.TIMEOUT) ? next : failed;
	}

	private Offer read(String instance) {
		Options options = this.proxy.options().carrying(Proxy.INSTANCE.name(), instance);
		return new Offer(options, this.proxy.with(options).schema(this.service));
	}

	/**
	 * A contract.
	 *
	 * @param options what calls carry to reach who has it
	 * @param schema the contract itself
	 */
	record Offer(Options options, Schema schema) {
	}

}
