package mu.micro.registry;

import java.util.Map;

import mu.micro.Limits;
import mu.micro.MicroException;

/**
 * One running copy of a service.
 *
 * @param service the service's name, within {@link Limits#NAME}
 * @param version what was deployed; {@code latest} where nobody says
 * @param id distinguishes the copies of one service, within {@link Limits#NAME}
 * @param host where it is reached: an address or a name of at most 255 characters
 * @param port where it is reached, 1 to 65535
 * @param metadata whatever else callers should know, within {@link Limits#METADATA}; see
 * the constants for the keys that are taken
 */
public record Instance(String service, String version, String id, String host, int port, Map<String, String> metadata) {

	/**
	 * Metadata: the hash of what the instance offers, under which its descriptors may be
	 * cached. Two instances with the same hash offer the same.
	 */
	public static final String SCHEMA = "schema";

	/**
	 * Metadata: what the port speaks; {@code grpc} where absent.
	 */
	public static final String PROTOCOL = "protocol";

	/**
	 * Metadata: the zone the instance runs in.
	 */
	public static final String ZONE = "zone";

	/**
	 * Metadata: the region the instance runs in.
	 */
	public static final String REGION = "region";

	/**
	 * Metadata: whether the port wants TLS.
	 */
	public static final String TLS = "tls";

	private static final int MAX_HOST = 255;

	private static final int MAX_PORT = 65535;

	/**
	 * Checks the limits and copies the metadata.
	 * @throws MicroException.Invalid if one is not kept
	 */
	public Instance {
		Limits.name("service's name", service);
		Limits.name("version", version);
		Limits.name("instance's id", id);
		if (host.isBlank() || host.length() > MAX_HOST) {
			throw new MicroException.Invalid("the host is blank or longer than " + MAX_HOST + " characters");
		}
		if (port < 1 || port > MAX_PORT) {
			throw new MicroException.Invalid("the port " + port + " is not between 1 and " + MAX_PORT);
		}
		metadata = Limits.metadata(metadata);
	}

}
