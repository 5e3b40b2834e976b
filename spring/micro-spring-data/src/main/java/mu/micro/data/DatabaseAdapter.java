package mu.micro.data;

import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;

import mu.micro.core.Threads;
import mu.micro.data.EntityTable.Mode;
import mu.micro.data.EntityTable.Saving;
import mu.micro.store.Database;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.dao.DataAccessException;
import org.springframework.dao.InvalidDataAccessApiUsageException;
import org.springframework.dao.RecoverableDataAccessException;
import org.springframework.dao.TransientDataAccessException;
import org.springframework.data.domain.Sort;
import org.springframework.data.keyvalue.core.KeyValueAdapter;
import org.springframework.data.keyvalue.core.mapping.context.KeyValueMappingContext;
import org.springframework.data.keyvalue.core.query.KeyValueQuery;
import org.springframework.data.util.CloseableIterator;
import org.springframework.util.ClassUtils;

/**
 * Objects in the tables of a {@link Database}.
 * <p>
 * A keyspace is a table, an id a key, and a value the object as JSON, as
 * {@link EntityJson} says. The rows of an {@link Indexed} property are in the table
 * {@code keyspace:property:n}; which indexes there are is recorded in {@code :indexes}.
 * What is written to a table of entities by other means is not in its indexes.
 * <p>
 * All failures are {@link DataAccessException}s, as {@link MicroExceptionTranslator} has
 * them. {@link #clear} and {@link #destroy} delete nothing: what is stored belongs to the
 * database and not to the application.
 */
public final class DatabaseAdapter implements KeyValueAdapter {

	private static final Log logger = LogFactory.getLog(DatabaseAdapter.class);

	/**
	 * Tables that are known at once; of keyspaces that are worked out for each call there
	 * may be many.
	 */
	private static final int TABLES = 1000;

	private static final Duration UNTIL_REBUILD = Duration.ofMinutes(1);

	private final Database database;

	private final KeyValueMappingContext<?, ?> context;

	private final JsonMapper mapper;

	private final Clock clock;

	private final Duration untilRebuild;

	private final ReentrantLock lock = new ReentrantLock();

	private final Map<Class<?>, EntityType> types = new ConcurrentHashMap<>();

	private final Map<String, EntityTable> tables = new LinkedHashMap<>(16, 0.75f, true) {

		@Override
		protected boolean removeEldestEntry(Map.Entry<String, EntityTable> eldest) {
			return size() > TABLES;
		}

	};

	private final ScheduledExecutorService timer = Threads.timer("micro-indexes");

	private final Set<String> rebuilds = ConcurrentHashMap.newKeySet();

	/**
	 * Reads and writes nothing yet.
	 * @param database where the tables are
	 * @param context knows the types
	 * @param mapper makes JSON of entities
	 * @param clock tells when entities {@link Expires expire}
	 */
	public DatabaseAdapter(Database database, KeyValueMappingContext<?, ?> context, JsonMapper mapper, Clock clock) {
		this(database, context, mapper, clock, UNTIL_REBUILD);
	}

	DatabaseAdapter(Database database, KeyValueMappingContext<?, ?> context, JsonMapper mapper, Clock clock,
			Duration untilRebuild) {
		this.database = database;
		this.context = context;
		this.mapper = EntityJson.entities(mapper);
		this.clock = clock;
		this.untilRebuild = untilRebuild;
	}

	/**
	 * Makes sure that the indexes of a type are as it declares them, which may take a
	 * while. If the database cannot be reached this is put off to the first use. If it
	 * fails otherwise, so does every write and query until this is called again.
	 * @param type the type
	 * @throws org.springframework.dao.DuplicateKeyException if values are to be unique
	 * and are not
	 * @throws org.springframework.dao.NonTransientDataAccessException if there is an
	 * entity that cannot have an index
	 * @throws org.springframework.data.mapping.MappingException if the type cannot be
	 * stored as it is declared
	 */
	public void prepare(Class<?> type) {
		try {
			translated(() -> {
				table(type).rebuild();
				return null;
			});
		}
		catch (TransientDataAccessException | RecoverableDataAccessException ex) {
			logger.warn(
					"The indexes of " + type.getName() + " are not looked at before its first use: " + ex.getMessage());
		}
	}

	/**
	 * What is known of a type.
	 * @param type the type
	 * @return the type that stands for its keyspace
	 */
	EntityType type(Class<?> type) {
		Class<?> user = ClassUtils.getUserClass(type);
		EntityType known = this.types.get(user);
		if (known != null) {
			return known;
		}
		Class<?> domain = EntityType.domain(user);
		EntityType described = this.types.computeIfAbsent(domain,
				(key) -> new EntityType(this.context, key, this.mapper, this.clock));
		if (domain != user) {
			described.admit(user);
			this.types.put(user, described);
		}
		return described;
	}

	/**
	 * The table of a type.
	 * @param type the type
	 * @return its table, which is that of all types that share a keyspace
	 */
	EntityTable table(Class<?> type) {
		EntityType described = type(type);
		return table(keyspace(described), described);
	}

	/**
	 * The name of a type's table at this moment.
	 * @param type the type
	 * @return the name
	 */
	String keyspace(EntityType type) {
		return this.context.getRequiredPersistentEntity(type.type()).getRequiredKeySpace();
	}

	private EntityTable table(String keyspace, EntityType type) {
		this.lock.lock();
		try {
			EntityTable known = this.tables.get(keyspace);
			if (known == null) {
				if (keyspace.contains(":")) {
					throw new InvalidDataAccessApiUsageException("the keyspace '" + keyspace
							+ "' holds a colon, which begins the names of tables of indexes; choose another");
				}
				known = new EntityTable(this.database, keyspace, type, () -> rebuild(keyspace));
				this.tables.put(keyspace, known);
			}
			if (known.type() != type) {
				throw new InvalidDataAccessApiUsageException(
						type.type().getName() + " and " + known.type().type().getName() + " have the same keyspace '"
								+ keyspace + "'; give one of them another, or both a common type that has it");
			}
			return known;
		}
		finally {
			this.lock.unlock();
		}
	}

	private EntityTable table(String keyspace) {
		this.lock.lock();
		try {
			EntityTable known = this.tables.get(keyspace);
			if (known != null) {
				return known;
			}
		}
		finally {
			this.lock.unlock();
		}
		return this.context.getPersistentEntities()
			.stream()
			.filter((each) -> keyspace.equals(each.getKeySpace()))
			.findFirst()
			.map((each) -> table(each.getType()))
			.orElseThrow(() -> new InvalidDataAccessApiUsageException(
					"no type is known whose keyspace is '" + keyspace + "'"));
	}

	/*
	 * An instance of another version dropped an index that this one declares. While such
	 * instances run they will drop it again, so that this does not hurry.
	 */
	private void rebuild(String keyspace) {
		if (!this.rebuilds.add(keyspace)) {
			return;
		}
		logger.warn("An index of '" + keyspace + "' is not there or not complete, and queries scan; it is built again "
				+ "in " + this.untilRebuild.toSeconds() + " s");
		try {
			this.timer.schedule(() -> {
				this.rebuilds.remove(keyspace);
				try {
					table(keyspace).rebuild();
				}
				catch (RuntimeException ex) {
					if (!this.timer.isShutdown()) {
						logger.warn("The indexes of '" + keyspace + "' could not be built", ex);
					}
				}
			}, this.untilRebuild.toMillis(), TimeUnit.MILLISECONDS);
		}
		catch (RejectedExecutionException ex) {
			logger.debug("Closed; the indexes of '" + keyspace + "' are not built", ex);
		}
	}

	private static <T extends @Nullable Object> T translated(Supplier<T> action) {
		return MicroExceptionTranslator.translated(action);
	}

	/**
	 * Writes entities of one type.
	 * @param type the type
	 * @param savings the entities
	 * @return their revisions
	 */
	List<Long> save(Class<?> type, List<Saving> savings) {
		return translated(() -> {
			EntityTable table = table(type);
			return (savings.size() == 1) ? List.of(table.save(savings.get(0))) : table.save(savings);
		});
	}

	/**
	 * Deletes an entity.
	 * @param type its type
	 * @param id its id
	 * @param version the version that it must have; 0 for any
	 * @param which whether to delete it as it is
	 * @return what was deleted, or null
	 */
	@Nullable Object delete(Class<?> type, Object id, long version, Predicate<Object> which) {
		return translated(() -> entity(table(type).delete(EntityKey.of(id), version, which)));
	}

	/**
	 * Deletes what a query finds, as far as it still meets the condition then.
	 * @param query the question
	 * @param which the condition
	 * @param deleted is told what was deleted
	 */
	void delete(EntityQuery query, Predicate<Object> which, Consumer<Object> deleted) {
		translated(() -> {
			EntityTable table = table(query.type());
			Iterator<Stored> found = query.in(table);
			while (found.hasNext()) {
				Stored gone = table.delete(found.next().key(), 0,
						(entity) -> query.type().isInstance(entity) && which.test(entity));
				if (gone != null) {
					deleted.accept(gone.entity());
				}
			}
			return null;
		});
	}

	/**
	 * Results that are read as they are asked for.
	 * @param query the question
	 * @return the results
	 */
	Iterator<Stored> find(EntityQuery query) {
		return translated(() -> find(table(query.type()), query));
	}

	/**
	 * Results that are complete.
	 * @param query the question
	 * @return the entities
	 */
	List<Object> list(EntityQuery query) {
		List<Object> entities = new ArrayList<>();
		translated(() -> query.all(table(query.type()))).forEach((each) -> entities.add(each.entity()));
		return entities;
	}

	private static Iterator<Stored> find(EntityTable table, EntityQuery query) {
		Iterator<Stored> results = translated(() -> query.in(table));
		return new Iterator<>() {

			@Override
			public boolean hasNext() {
				return translated(results::hasNext);
			}

			@Override
			public Stored next() {
				return translated(results::next);
			}

		};
	}

	long count(EntityQuery query) {
		return translated(() -> query.count(table(query.type())));
	}

	/**
	 * Understands a query.
	 * @param query the query, whose criteria are none, a predicate or a condition
	 * @param type what the results are
	 * @return the question
	 */
	@SuppressWarnings("unchecked")
	EntityQuery query(KeyValueQuery<?> query, Class<?> type) {
		Object criteria = query.getCriteria();
		if (criteria != null && !(criteria instanceof Predicate)) {
			throw new InvalidDataAccessApiUsageException(
					"a query's criteria are a Predicate, and not a " + criteria.getClass().getName());
		}
		Condition condition = (criteria instanceof Condition known) ? known : Condition.ALL;
		Predicate<Object> filter = (criteria == null || criteria == condition) ? EntityQuery.Whatever.ENTITY
				: (Predicate<Object>) criteria;
		return new EntityQuery(type, condition, filter, order(query.getSort(), type), Math.max(0, query.getOffset()),
				(query.getRows() > 0) ? query.getRows() : -1, (plan) -> {
				});
	}

	EntityOrder order(Sort sort, Class<?> type) {
		return new EntityOrder(sort, this.context, type);
	}

	KeyValueMappingContext<?, ?> context() {
		return this.context;
	}

	private static @Nullable Object entity(@Nullable Stored stored) {
		return (stored != null) ? stored.entity() : null;
	}

	/**
	 * Writes an object, whatever was there.
	 */
	@Override
	public @Nullable Object put(Object id, Object item, String keyspace) {
		return translated(() -> {
			EntityTable table = table(keyspace);
			String key = EntityKey.of(id);
			Object before = entity(table.get(key));
			table.save(new Saving(key, item, Mode.UPSERT, 0));
			return before;
		});
	}

	@Override
	public boolean contains(Object id, String keyspace) {
		return translated(() -> table(keyspace).contains(EntityKey.of(id)));
	}

	@Override
	public @Nullable Object get(Object id, String keyspace) {
		return translated(() -> entity(table(keyspace).get(EntityKey.of(id))));
	}

	@Override
	public <T> @Nullable T get(Object id, String keyspace, Class<T> type) {
		Object found = get(id, keyspace);
		return type.isInstance(found) ? type.cast(found) : null;
	}

	@Override
	public @Nullable Object delete(Object id, String keyspace) {
		return translated(() -> entity(table(keyspace).delete(EntityKey.of(id), 0, EntityQuery.Whatever.ENTITY)));
	}

	@Override
	public <T> @Nullable T delete(Object id, String keyspace, Class<T> type) {
		Object deleted = translated(() -> entity(table(keyspace).delete(EntityKey.of(id), 0, type::isInstance)));
		return type.cast(deleted);
	}

	/**
	 * All objects of a keyspace, read in pages each time they are asked for.
	 */
	@Override
	public Iterable<Object> getAllOf(String keyspace) {
		return getAllOf(keyspace, Object.class);
	}

	/**
	 * All objects of a keyspace and a type, read in pages each time they are asked for.
	 */
	@Override
	public <T> Iterable<T> getAllOf(String keyspace, Class<T> type) {
		return find(new KeyValueQuery<>(), keyspace, type);
	}

	@Override
	public CloseableIterator<Map.Entry<Object, Object>> entries(String keyspace) {
		EntityTable table = translated(() -> table(keyspace));
		Iterator<Stored> all = find(table, query(new KeyValueQuery<>(), table.type().type()));
		return new CloseableIterator<>() {

			@Override
			public boolean hasNext() {
				return all.hasNext();
			}

			@Override
			public Map.Entry<Object, Object> next() {
				Stored stored = all.next();
				Object id = table.type().id(stored.entity());
				return Map.entry((id != null) ? id : stored.key(), stored.entity());
			}

			@Override
			public void close() {
				// There is nothing that would have to be closed.
			}

		};
	}

	@Override
	public void deleteAllOf(String keyspace) {
		translated(() -> {
			table(keyspace).clear();
			return null;
		});
	}

	/**
	 * Results that are read in pages each time they are asked for.
	 */
	@Override
	public <T> Iterable<T> find(KeyValueQuery<?> query, String keyspace, Class<T> type) {
		EntityTable table = translated(() -> table(keyspace));
		EntityQuery asked = query(query, (type != Object.class) ? type : table.type().type());
		return () -> {
			Iterator<Stored> results = find(table, asked);
			return new Lookahead<>() {

				@Override
				@Nullable T find() {
					return results.hasNext() ? type.cast(results.next().entity()) : null;
				}

			};
		};
	}

	@Override
	public long count(String keyspace) {
		return count(new KeyValueQuery<>(), keyspace);
	}

	@Override
	public long count(KeyValueQuery<?> query, String keyspace) {
		return translated(() -> {
			EntityTable table = table(keyspace);
			return query(new KeyValueQuery<>(query.getCriteria()), table.type().type()).count(table);
		});
	}

	@Override
	public boolean exists(KeyValueQuery<?> query, String keyspace) {
		return translated(() -> {
			EntityTable table = table(keyspace);
			return query(new KeyValueQuery<>(query.getCriteria()).limit(1), table.type().type()).count(table) > 0;
		});
	}

	@Override
	public void clear() {
		// What is stored outlives the application.
	}

	/**
	 * Ends the building of indexes in the background. Idempotent.
	 */
	@Override
	public void destroy() {
		this.timer.shutdownNow();
	}

}
