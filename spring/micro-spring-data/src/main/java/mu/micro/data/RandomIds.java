package mu.micro.data;

import java.security.SecureRandom;
import java.util.UUID;

import org.springframework.dao.InvalidDataAccessApiUsageException;
import org.springframework.data.core.TypeInformation;
import org.springframework.data.keyvalue.core.IdentifierGenerator;
import org.springframework.util.ClassUtils;

/**
 * Ids by chance, positive if they are numbers.
 */
final class RandomIds implements IdentifierGenerator {

	private final SecureRandom random = new SecureRandom();

	@Override
	@SuppressWarnings("unchecked")
	public <T> T generateIdentifierOfType(TypeInformation<T> information) {
		Class<?> type = ClassUtils.resolvePrimitiveIfNecessary(information.getType());
		if (type == String.class) {
			return (T) UUID.randomUUID().toString();
		}
		if (type == UUID.class) {
			return (T) UUID.randomUUID();
		}
		if (type == Long.class) {
			return (T) Long.valueOf(this.random.nextLong(1, Long.MAX_VALUE));
		}
		if (type == Integer.class) {
			return (T) Integer.valueOf(this.random.nextInt(1, Integer.MAX_VALUE));
		}
		throw new InvalidDataAccessApiUsageException("an id of " + type
				+ " cannot be made up; give the entity one before it is saved (String, UUID, Long and Integer are)");
	}

}
