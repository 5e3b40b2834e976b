package mu.micro.data;

import java.time.Clock;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.function.Predicate;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

import mu.micro.data.EntityTable.Mode;
import mu.micro.data.EntityTable.Saving;
import mu.micro.store.Database;
import org.jspecify.annotations.Nullable;

import org.springframework.context.ApplicationEventPublisher;
import org.springframework.dao.InvalidDataAccessApiUsageException;
import org.springframework.data.core.TypeInformation;
import org.springframework.data.keyvalue.core.IdentifierGenerator;
import org.springframework.data.keyvalue.core.KeyValueTemplate;
import org.springframework.data.keyvalue.core.event.KeyValueEvent;
import org.springframework.data.keyvalue.core.mapping.context.KeyValueMappingContext;
import org.springframework.data.keyvalue.core.query.KeyValueQuery;
import org.springframework.data.mapping.PersistentProperty;
import org.springframework.lang.Contract;
import org.springframework.util.ClassUtils;

/**
 * The operations of Spring Data KeyValue over a {@link Database}.
 * <p>
 * Each save and each delete is one step, with the indexes. An entity without an id gets
 * one. One with a {@code @Version}, a {@code long}, is written or deleted only if it is
 * as it was read, or not there if it is new, and else it is an
 * {@link org.springframework.dao.OptimisticLockingFailureException}; the version is the
 * entry's revision. What is returned is the entity with its id and version, a copy if it
 * cannot change.
 * <p>
 * Of the events of Spring Data KeyValue the one after an update does not tell what was
 * there before.
 */
public class DatabaseTemplate extends KeyValueTemplate {

	private final DatabaseAdapter adapter;

	private final IdentifierGenerator ids;

	private @Nullable ApplicationEventPublisher publisher;

	@SuppressWarnings("rawtypes")
	private @Nullable Set<Class<? extends KeyValueEvent>> published;

	/**
	 * Operations with JSON as {@link EntityJson} has it, the system's time and random
	 * ids.
	 * @param database where the tables are
	 * @param context knows the types
	 */
	public DatabaseTemplate(Database database, KeyValueMappingContext<?, ?> context) {
		this(new DatabaseAdapter(database, context, EntityJson.builder().build(), Clock.systemUTC()));
	}

	/**
	 * Operations with random ids.
	 * @param adapter reads and writes; is destroyed with this
	 */
	public DatabaseTemplate(DatabaseAdapter adapter) {
		this(adapter, new RandomIds());
	}

	/**
	 * Operations.
	 * @param adapter reads and writes; is destroyed with this
	 * @param ids makes ids for entities without
	 */
	public DatabaseTemplate(DatabaseAdapter adapter, IdentifierGenerator ids) {
		super(adapter, adapter.context(), ids);
		this.adapter = adapter;
		this.ids = ids;
		setExceptionTranslator(new MicroExceptionTranslator());
	}

	@Override
	public void setApplicationEventPublisher(ApplicationEventPublisher applicationEventPublisher) {
		super.setApplicationEventPublisher(applicationEventPublisher);
		this.publisher = applicationEventPublisher;
	}

	@Override
	@SuppressWarnings("rawtypes")
	public void setEventTypesToPublish(Set<Class<? extends KeyValueEvent>> types) {
		super.setEventTypesToPublish(types);
		this.published = Set.copyOf(types);
	}

	private void publish(KeyValueEvent<?> event) {
		ApplicationEventPublisher to = this.publisher;
		if (to != null && (this.published == null || this.published.contains(event.getClass()))) {
			to.publishEvent(event);
		}
	}

	/**
	 * The adapter.
	 * @return what reads and writes
	 */
	@Override
	public DatabaseAdapter getKeyValueAdapter() {
		return this.adapter;
	}

	@Override
	public <T> T insert(T objectToInsert) {
		return save(List.of(objectToInsert), true).get(0);
	}

	@Override
	public <T> T insert(Object id, T objectToInsert) {
		return save(List.of(new Given<>(id, withId(objectToInsert, id), true))).get(0);
	}

	@Override
	public <T> T update(T objectToUpdate) {
		return save(List.of(objectToUpdate), false).get(0);
	}

	@Override
	public <T> T update(Object id, T objectToUpdate) {
		return save(List.of(new Given<>(id, withId(objectToUpdate, id), false))).get(0);
	}

	private <T> List<T> save(List<T> objects, boolean isNew) {
		return saveAll(objects, (object) -> isNew);
	}

	/**
	 * Saves entities of one keyspace, in as few steps as their number allows. If one
	 * cannot be saved, those before it are.
	 * @param <T> the type of the entities
	 * @param objects the entities
	 * @param isNew whether one is to be inserted; the others are updated
	 * @return them, in order, with ids and versions
	 */
	<T> List<T> saveAll(List<T> objects, Predicate<? super T> isNew) {
		List<Given<T>> all = new ArrayList<>();
		for (T object : objects) {
			boolean insert = isNew.test(object);
			all.add(insert ? identified(object) : new Given<>(requiredId(object), object, false));
		}
		return all.isEmpty() ? new ArrayList<>() : save(all);
	}

	private <T> List<T> save(List<Given<T>> all) {
		EntityType type = this.adapter.type(all.get(0).object.getClass());
		String keyspace = this.adapter.keyspace(type);
		List<Saving> savings = new ArrayList<>();
		for (Given<T> each : all) {
			Class<?> own = each.object.getClass();
			publish(each.isNew ? KeyValueEvent.beforeInsert(each.id, keyspace, own, each.object)
					: KeyValueEvent.beforeUpdate(each.id, keyspace, own, each.object));
			savings.add(saving(type, each));
		}
		List<Long> revisions = this.adapter.save(type.type(), savings);
		List<T> saved = new ArrayList<>(all.size());
		for (int i = 0; i < all.size(); i++) {
			Given<T> each = all.get(i);
			T object = same(type.withVersion(each.object, revisions.get(i)));
			saved.add(object);
			publish(each.isNew ? KeyValueEvent.afterInsert(each.id, keyspace, object.getClass(), object)
					: KeyValueEvent.afterUpdate(each.id, keyspace, object.getClass(), object, null));
		}
		return saved;
	}

	private static Saving saving(EntityType type, Given<?> given) {
		String key = EntityKey.of(given.id);
		if (given.isNew) {
			return new Saving(key, given.object, Mode.INSERT, 0);
		}
		if (!type.hasVersion(given.object)) {
			return new Saving(key, given.object, Mode.UPSERT, 0);
		}
		long version = type.version(given.object);
		if (version <= 0) {
			throw new InvalidDataAccessApiUsageException("the entity with the id '" + key
					+ "' cannot be updated because it has no version; read it first, or insert it");
		}
		return new Saving(key, given.object, Mode.UPDATE, version);
	}

	private <T> Given<T> identified(T object) {
		EntityType type = this.adapter.type(object.getClass());
		Object id = type.id(object);
		PersistentProperty<?> property = type.idProperty(object);
		if (property == null) {
			throw withoutId(object);
		}
		if (!isMissing(id, property)) {
			return new Given<>(id, object, true);
		}
		Object made = this.ids.generateIdentifierOfType(TypeInformation.of(property.getType()));
		return new Given<>(made, same(type.withId(object, made)), true);
	}

	private <T> T withId(T object, Object id) {
		EntityType type = this.adapter.type(object.getClass());
		PersistentProperty<?> property = type.idProperty(object);
		Object known = type.id(object);
		if (property == null || id.equals(known)) {
			return object;
		}
		if (!isMissing(known, property)) {
			throw new InvalidDataAccessApiUsageException(
					"the entity with the id '" + known + "' cannot be stored under another, '" + id + "'");
		}
		return same(type.withId(object, id));
	}

	@Contract("null, _ -> true")
	private static boolean isMissing(@Nullable Object id, PersistentProperty<?> property) {
		return id == null
				|| (property.getType().isPrimitive() && id instanceof Number number && number.longValue() == 0);
	}

	private Object requiredId(Object object) {
		Object id = this.adapter.type(object.getClass()).id(object);
		if (id == null) {
			throw withoutId(object);
		}
		return id;
	}

	private static InvalidDataAccessApiUsageException withoutId(Object object) {
		return new InvalidDataAccessApiUsageException(object.getClass().getName()
				+ " has no id: annotate the property that is it with org.springframework.data.annotation.Id");
	}

	@SuppressWarnings("unchecked")
	private static <T> T same(Object object) {
		return (T) object;
	}

	/**
	 * Deletes an entity. One with a version is deleted only if it is as it was read; one
	 * that was never saved is not there to be deleted.
	 */
	@Override
	public <T> @Nullable T delete(T objectToDelete) {
		EntityType type = this.adapter.type(objectToDelete.getClass());
		long version = type.version(objectToDelete);
		if (type.hasVersion(objectToDelete) && version <= 0) {
			return null;
		}
		String keyspace = this.adapter.keyspace(type);
		Object id = requiredId(objectToDelete);
		Class<?> own = ClassUtils.getUserClass(objectToDelete);
		publish(KeyValueEvent.beforeDelete(id, keyspace, own));
		Object deleted = this.adapter.delete(type.type(), id, version, EntityQuery.Whatever.ENTITY);
		publish(KeyValueEvent.afterDelete(id, keyspace, own, deleted));
		return (deleted != null) ? same(deleted) : null;
	}

	/**
	 * Deletes all entities of a type that are there when this begins, in batches.
	 */
	@Override
	public void delete(Class<?> type) {
		String keyspace = keyspace(type);
		publish(KeyValueEvent.beforeDropKeySpace(keyspace, type));
		if (this.adapter.type(type).type().equals(ClassUtils.getUserClass(type))) {
			this.adapter.deleteAllOf(keyspace);
		}
		else {
			this.adapter.delete(this.adapter.query(new KeyValueQuery<>(), type), (entity) -> true, (deleted) -> {
			});
		}
		publish(KeyValueEvent.afterDropKeySpace(keyspace, type));
	}

	/**
	 * Whether there is an entity, without reading it if it can be told from its key.
	 * @param id the id
	 * @param type the type
	 * @return whether there is
	 */
	boolean exists(Object id, Class<?> type) {
		if (this.adapter.type(type).type().equals(ClassUtils.getUserClass(type))) {
			return this.adapter.contains(id, keyspace(type));
		}
		return findById(id, type).isPresent();
	}

	@Override
	public long count(Class<?> type) {
		return this.adapter.count(this.adapter.query(new KeyValueQuery<>(), type));
	}

	@Override
	public long count(KeyValueQuery<?> query, Class<?> type) {
		return this.adapter.count(this.adapter.query(new KeyValueQuery<>(query.getCriteria()), type));
	}

	@Override
	public boolean exists(KeyValueQuery<?> query, Class<?> type) {
		return this.adapter.count(this.adapter.query(new KeyValueQuery<>(query.getCriteria()).limit(1), type)) > 0;
	}

	/**
	 * All entities of a type, read in pages each time they are asked for. What fails
	 * meanwhile comes out of the iterator.
	 */
	@Override
	public <T> Iterable<T> findAll(Class<T> type) {
		return this.adapter.find(new KeyValueQuery<>(), keyspace(type), type);
	}

	@Override
	public <T> Iterable<T> find(KeyValueQuery<?> query, Class<T> type) {
		return same(this.adapter.list(this.adapter.query(query, type)));
	}

	/**
	 * Results that are read in pages as they are asked for.
	 * @param <T> the type of the results
	 * @param query the question, whose criteria are none or a {@link Predicate}
	 * @param type the type of the results
	 * @return the results; nothing needs to be closed
	 */
	public <T> Stream<T> stream(KeyValueQuery<?> query, Class<T> type) {
		return stream(this.adapter.find(query, keyspace(type), type).iterator());
	}

	static <T> Stream<T> stream(Iterator<T> results) {
		return StreamSupport.stream(Spliterators.spliteratorUnknownSize(results, Spliterator.ORDERED), false);
	}

	/**
	 * Whether two types share a table.
	 * @param one a type
	 * @param other another
	 * @return whether they do
	 */
	boolean isOneTable(Class<?> one, Class<?> other) {
		return this.adapter.type(one) == this.adapter.type(other);
	}

	private String keyspace(Class<?> type) {
		return this.adapter.keyspace(this.adapter.type(type));
	}

	/**
	 * Destroys the adapter. Deletes nothing. Idempotent.
	 */
	@Override
	public void destroy() {
		this.adapter.destroy();
	}

	private record Given<T>(Object id, T object, boolean isNew) {
	}

}
