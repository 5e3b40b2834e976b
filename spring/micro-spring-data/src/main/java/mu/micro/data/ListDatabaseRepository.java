package mu.micro.data;

import java.util.List;

import org.springframework.data.domain.Sort;
import org.springframework.data.keyvalue.core.KeyValueOperations;
import org.springframework.data.keyvalue.repository.KeyValueRepository;
import org.springframework.data.repository.core.EntityInformation;

/**
 * A {@link DatabaseRepository} for interfaces whose {@code findAll()} is more than an
 * {@link Iterable}.
 *
 * @param <T> the type of the entities
 * @param <ID> the type of their ids
 */
public class ListDatabaseRepository<T, ID> extends DatabaseRepository<T, ID> implements KeyValueRepository<T, ID> {

	/**
	 * A repository.
	 * @param information tells the type of the entities and which are new
	 * @param operations a {@link DatabaseTemplate}
	 */
	public ListDatabaseRepository(EntityInformation<T, ID> information, KeyValueOperations operations) {
		super(information, operations);
	}

	@Override
	public List<T> findAll() {
		return list(super.findAll());
	}

	@Override
	public List<T> findAll(Sort sort) {
		return super.findAll(sort);
	}

}
