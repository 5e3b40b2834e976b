package mu.micro.spring;

import java.util.Map;

/**
 * Adds to what the registry tells about this application's instances. Beans of this type
 * are asked once, when the gRPC server has started.
 */
@FunctionalInterface
public interface InstanceMetadata {

	/**
	 * What to add.
	 * @return keys and values, within {@link mu.micro.Limits#METADATA} together with all
	 * others
	 */
	Map<String, String> get();

}
