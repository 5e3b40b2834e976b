package mu.micro.registry;

import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

import mu.micro.Lease;
import mu.micro.MicroException;
import mu.micro.Subscription;

/**
 * Who runs where, in one namespace.
 * <p>
 * The registry carries identity and address only. What a service offers is read from a
 * live instance by gRPC reflection.
 * <p>
 * Lists are whole and sorted by instance id. Calls that need other parties end within the
 * caller's deadline, else within the provider's timeout, and throw
 * {@link MicroException.Unavailable} when those cannot be reached.
 */
public interface Registry {

	/**
	 * Announces an instance and keeps it announced until the lease is closed.
	 * <p>
	 * After a crash of this process the instance is gone within {@code ttl}; after
	 * {@link Lease#close()} within the provider's settling time. Registering the same
	 * service and id again replaces what was announced; the older lease is then lost, and
	 * closing it changes nothing.
	 * @param instance what to announce
	 * @param ttl how long the instance may outlive its process; a provider raises what is
	 * below its shortest
	 * @return the lease, held
	 * @throws MicroException.OutcomeUnknown if the provider's answer did not come in
	 * time: others may see the instance for as long as its ttl; register again
	 */
	Lease register(Instance instance, Duration ttl);

	/**
	 * The instances of a service.
	 * @param service the service's name
	 * @return what is known now; empty when the service is unknown
	 */
	List<Instance> instances(String service);

	/**
	 * The names of the services that have an instance.
	 * @return the names, sorted
	 */
	Set<String> services();

	/**
	 * Hears of a service's instances: the whole list now, and again after each change. A
	 * slow listener misses states in between, never the last one.
	 * @param service the service's name, which may be unknown yet
	 * @param listener gets each list
	 * @return ends the calls when closed
	 */
	Subscription watch(String service, Consumer<List<Instance>> listener);

	/**
	 * Hears of the services' names: the whole set now, and again after each change. A
	 * slow listener misses states in between, never the last one.
	 * @param listener gets each set
	 * @return ends the calls when closed
	 */
	Subscription watch(Consumer<Set<String>> listener);

}
