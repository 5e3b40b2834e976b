package mu.micro.data;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

import org.springframework.dao.InvalidDataAccessApiUsageException;
import org.springframework.data.domain.Page;
import org.springframework.data.domain.PageImpl;
import org.springframework.data.domain.Pageable;
import org.springframework.data.domain.Sort;
import org.springframework.data.keyvalue.core.KeyValueOperations;
import org.springframework.data.keyvalue.core.query.KeyValueQuery;
import org.springframework.data.repository.CrudRepository;
import org.springframework.data.repository.PagingAndSortingRepository;
import org.springframework.data.repository.core.EntityInformation;
import org.springframework.data.support.PageableExecutionUtils;

/**
 * What the repositories over a {@link mu.micro.store.Database} do. {@link #findAll()} is
 * read in pages each time the result is iterated; {@link ListDatabaseRepository} reads it
 * at once. All other results are complete when they are returned.
 *
 * @param <T> the type of the entities
 * @param <ID> the type of their ids
 */
public class DatabaseRepository<T, ID> implements CrudRepository<T, ID>, PagingAndSortingRepository<T, ID> {

	private final EntityInformation<T, ID> information;

	private final DatabaseTemplate template;

	/**
	 * A repository.
	 * @param information tells the type of the entities and which are new
	 * @param operations a {@link DatabaseTemplate}
	 */
	public DatabaseRepository(EntityInformation<T, ID> information, KeyValueOperations operations) {
		this.information = information;
		this.template = (DatabaseTemplate) operations;
	}

	/**
	 * The type of the entities.
	 * @return their type
	 */
	protected Class<T> type() {
		return this.information.getJavaType();
	}

	@Override
	public <S extends T> S save(S entity) {
		return saveAll(List.of(entity)).get(0);
	}

	/**
	 * Saves entities in as few steps as their number allows. If one cannot be saved,
	 * those before it are.
	 */
	@Override
	public <S extends T> List<S> saveAll(Iterable<S> entities) {
		List<S> all = new ArrayList<>();
		for (S entity : entities) {
			if (!this.template.isOneTable(entity.getClass(), type())) {
				throw new InvalidDataAccessApiUsageException(
						entity.getClass().getName() + " has a keyspace of its own, in which a repository of "
								+ type().getName() + " does not look; put @KeySpace on " + type().getName());
			}
			all.add(entity);
		}
		return this.template.saveAll(all, this.information::isNew);
	}

	@Override
	public Optional<T> findById(ID id) {
		return this.template.findById(id, type());
	}

	@Override
	public boolean existsById(ID id) {
		return this.template.exists(id, type());
	}

	@Override
	public Iterable<T> findAll() {
		return this.template.findAll(type());
	}

	@Override
	public List<T> findAllById(Iterable<ID> ids) {
		List<T> found = new ArrayList<>();
		ids.forEach((id) -> findById(id).ifPresent(found::add));
		return found;
	}

	@Override
	public List<T> findAll(Sort sort) {
		return list(this.template.findAll(sort, type()));
	}

	@Override
	public Page<T> findAll(Pageable pageable) {
		if (pageable.isUnpaged()) {
			return new PageImpl<>(findAll(pageable.getSort()));
		}
		KeyValueQuery<?> query = new KeyValueQuery<>(pageable.getSort()).skip(pageable.getOffset())
			.limit(pageable.getPageSize());
		return PageableExecutionUtils.getPage(list(this.template.find(query, type())), pageable, this::count);
	}

	static <T> List<T> list(Iterable<T> iterable) {
		List<T> list = new ArrayList<>();
		iterable.forEach(list::add);
		return list;
	}

	@Override
	public long count() {
		return this.template.count(type());
	}

	@Override
	public void deleteById(ID id) {
		this.template.delete(id, type());
	}

	@Override
	public void delete(T entity) {
		this.template.delete(entity);
	}

	@Override
	public void deleteAllById(Iterable<? extends ID> ids) {
		ids.forEach(this::deleteById);
	}

	@Override
	public void deleteAll(Iterable<? extends T> entities) {
		entities.forEach(this::delete);
	}

	/**
	 * Deletes all entities that are there when this begins, in batches.
	 */
	@Override
	public void deleteAll() {
		this.template.delete(type());
	}

}
