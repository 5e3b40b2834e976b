package mu.micro.spring;

import java.util.List;

/**
 * Two gRPC services of one application have the same simple name, and not each of them is
 * in the package of a service that it offers, so that an endpoint name such as
 * {@code Foo.Bar} means both.
 */
public final class TwinServicesException extends RuntimeException {

	/**
	 * Names them.
	 * @param name the simple name
	 * @param twins the full names
	 */
	public TwinServicesException(String name, List<String> twins) {
		super("The gRPC services " + String.join(" and ", twins) + " are both called as '" + name + "'");
	}

}
