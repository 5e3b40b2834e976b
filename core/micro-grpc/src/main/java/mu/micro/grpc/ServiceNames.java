package mu.micro.grpc;

/**
 * Services' names, and what they are called where a name must be an identifier.
 */
public final class ServiceNames {

	private ServiceNames() {
	}

	/**
	 * The proto package of a service's own contract: the name, with each character
	 * outside {@code A-Z a-z 0-9 _ .} as an underscore.
	 * @param service the service's name, such as {@code order-service}
	 * @return the package, such as {@code order_service}
	 */
	public static String toPackage(String service) {
		return service.replaceAll("[^A-Za-z0-9_.]", "_");
	}

}
