package mu.micro.cli;

import java.time.Duration;
import java.util.function.Consumer;

import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import mu.micro.MicroException;
import mu.micro.Scoped;

/**
 * One of Micro's own services, used as the noun it serves. What fails meanwhile is a
 * {@link Failure}.
 */
final class CoreService {

	private final String name;

	private final Proxy proxy;

	private CoreService(String name, Proxy proxy) {
		this.name = name;
		this.proxy = proxy;
	}

	/**
	 * Does something with a noun.
	 * @param options where Micro is, and what calls carry
	 * @param service the core service's name
	 * @param opening makes the noun's provider
	 * @param work gets the provider, which is closed afterwards
	 * @param <P> the provider
	 */
	static <P extends Scoped<?>> void use(Options options, String service, Opening<P> opening, Consumer<P> work) {
		try (Proxy proxy = new Proxy(options)) {
			CoreService core = new CoreService(service, proxy);
			try (P provider = opening.open(options.address().toString(), options.limit(), proxy.channel(service))) {
				work.accept(provider);
			}
			catch (MicroException ex) {
				throw core.failure(ex);
			}
		}
	}

	private Failure failure(MicroException ex) {
		if (ex instanceof MicroException.Invalid) {
			return Failure.told(Failure.USAGE, "Micro does not take this: " + ex.getMessage(), ex);
		}
		if (ex instanceof MicroException.Unimplemented) {
			return new Failure(Failure.ENDPOINT, "What runs as '" + this.name
					+ "' does not offer this: it is another service, or one of an older Micro.", ex);
		}
		if (late(ex)) {
			return new Failure(Failure.TIMEOUT,
					this.proxy.silence(this.name) + ": try again, or give it longer with --request_timeout.", ex);
		}
		if (ex instanceof MicroException.OutcomeUnknown && ex.getCause() instanceof MicroException cause) {
			Failure failure = failure(cause);
			return new Failure(failure.code(),
					((late(cause)) ? this.proxy.silence(this.name) + "." : failure.getMessage())
							+ " It may have done all the same what was asked: look before trying again.",
					ex);
		}
		if (ex instanceof MicroException.Unavailable && ex.getCause() instanceof StatusRuntimeException status) {
			return (status.getStatus().getCode() == Status.Code.NOT_FOUND)
					? new Failure(Failure.SERVICE,
							"The service '" + this.name + "' is not running: start it with 'micro server'.", ex)
					: this.proxy.failure(this.name, null, status);
		}
		return this.proxy.failure(this.name, null, ex);
	}

	private static boolean late(MicroException ex) {
		return ex instanceof MicroException.Unavailable && ex.getCause() instanceof StatusRuntimeException status
				&& status.getStatus().getCode() == Status.Code.DEADLINE_EXCEEDED;
	}

	/**
	 * Makes a provider.
	 *
	 * @param <P> the provider
	 */
	@FunctionalInterface
	interface Opening<P> {

		/**
		 * Makes the provider.
		 * @param address where the channel leads, for messages
		 * @param timeout how long a call may take
		 * @param channel the channel, closed by the provider
		 * @return the provider
		 */
		P open(String address, Duration timeout, ManagedChannel channel);

	}

}
