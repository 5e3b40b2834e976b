package mu.micro.data;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.ObjectReader;
import tools.jackson.databind.ObjectWriter;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.core.annotation.MergedAnnotation;
import org.springframework.core.annotation.MergedAnnotations;
import org.springframework.dao.InvalidDataAccessApiUsageException;
import org.springframework.data.keyvalue.annotation.KeySpace;
import org.springframework.data.keyvalue.core.mapping.KeyValuePersistentEntity;
import org.springframework.data.mapping.MappingException;
import org.springframework.data.mapping.PersistentEntity;
import org.springframework.data.mapping.PersistentProperty;
import org.springframework.data.mapping.PersistentPropertyAccessor;
import org.springframework.data.mapping.context.MappingContext;
import org.springframework.util.ClassUtils;

/**
 * What the entities of a table are: the type that has the keyspace, and its subtypes.
 */
final class EntityType {

	static final String CONTENT_TYPE = "content-type";

	static final String JSON = "application/json";

	private static final Duration SHORTEST = Duration.ofMillis(1);

	private static final Duration LONGEST = Duration.ofDays(36_500);

	private final MappingContext<? extends KeyValuePersistentEntity<?, ?>, ?> context;

	private final KeyValuePersistentEntity<?, ?> entity;

	private final ObjectReader reader;

	private final ObjectWriter writer;

	private final Clock clock;

	private final Map<String, IndexDefinition> declared = new LinkedHashMap<>();

	/**
	 * Describes a type.
	 * @param context knows it
	 * @param type the type, as {@link #domain} gives it
	 * @param mapper writes and reads entities
	 * @param clock tells how long an instant is ahead
	 * @throws MappingException if it cannot be stored as it is declared
	 */
	EntityType(MappingContext<? extends KeyValuePersistentEntity<?, ?>, ?> context, Class<?> type, JsonMapper mapper,
			Clock clock) {
		this.context = context;
		this.entity = context.getRequiredPersistentEntity(type);
		this.reader = mapper.readerFor(type);
		this.writer = mapper.writerFor(type);
		this.clock = clock;
		PersistentProperty<?> id = this.entity.getIdProperty();
		if (id != null && !EntityKey.canBeOf(id.getType())) {
			throw new MappingException("The id " + id + " cannot be a key: its type needs a toString, and a "
					+ "public static of(String) that reverses it");
		}
		check(this.entity);
		findIndexes(this.entity, "", new HashSet<>(Set.of(type)), this.declared);
	}

	private static void check(PersistentEntity<?, ?> entity) {
		PersistentProperty<?> version = entity.getVersionProperty();
		if (version != null && ClassUtils.resolvePrimitiveIfNecessary(version.getType()) != Long.class) {
			throw new MappingException("The version " + version + " is not a long, as revisions are");
		}
		PersistentProperty<?> expires = entity.getPersistentProperty(Expires.class);
		if (expires != null && expires.getType() != Instant.class && expires.getType() != Duration.class) {
			throw new MappingException("@Expires stands on " + expires + ", which is no Instant and no Duration");
		}
	}

	/**
	 * Checks a type that shares the keyspace.
	 * @param type a subtype
	 * @throws MappingException if it cannot be stored as it is declared
	 */
	void admit(Class<?> type) {
		KeyValuePersistentEntity<?, ?> subtype = this.context.getRequiredPersistentEntity(type);
		check(subtype);
		Map<String, IndexDefinition> own = new LinkedHashMap<>();
		findIndexes(subtype, "", new HashSet<>(Set.of(type)), own);
		for (IndexDefinition each : own.values()) {
			if (!each.equals(this.declared.get(each.path()))) {
				throw new MappingException("@Indexed on '" + each.path() + "' of " + type.getName()
						+ " has no effect: its table is that of " + type().getName()
						+ ", where the property should be");
			}
		}
	}

	/**
	 * The type that stands for all that share a keyspace: the one that declares it.
	 * @param type the type of an entity
	 * @return the type itself, or the one whose keyspace it inherits
	 */
	static Class<?> domain(Class<?> type) {
		Class<?> user = ClassUtils.getUserClass(type);
		MergedAnnotation<KeySpace> keyspace = MergedAnnotations
			.from(user, MergedAnnotations.SearchStrategy.TYPE_HIERARCHY)
			.get(KeySpace.class);
		return (keyspace.isPresent() && keyspace.getRoot().getSource() instanceof Class<?> owner) ? owner : user;
	}

	private void findIndexes(PersistentEntity<?, ?> owner, String prefix, Set<Class<?>> within,
			Map<String, IndexDefinition> found) {
		for (PersistentProperty<?> property : properties(owner)) {
			Indexed indexed = property.findAnnotation(Indexed.class);
			String name = prefix + property.getName();
			if (indexed != null) {
				boolean many = property.isCollectionLike();
				Class<?> type = many ? property.getActualType() : property.getType();
				ValueForm form = ValueForm.of(type);
				if (form == null) {
					throw new MappingException("@Indexed stands on " + property + ", but of " + type.getName()
							+ " there is no index; it may be of text, numbers, booleans, enums, UUIDs and times");
				}
				found.put(name,
						new IndexDefinition(name, form, indexed.unique(), many, 0, IndexDefinition.State.BUILDING));
			}
			if (EntityPath.isWithin(property) && within.add(property.getType())) {
				findIndexes(this.context.getRequiredPersistentEntity(property.getTypeInformation()), name + ".", within,
						found);
				within.remove(property.getType());
			}
		}
	}

	private static List<PersistentProperty<?>> properties(PersistentEntity<?, ?> owner) {
		List<PersistentProperty<?>> properties = new ArrayList<>();
		owner.doWithProperties((PersistentProperty<?> property) -> properties.add(property));
		return properties;
	}

	Class<?> type() {
		return this.entity.getType();
	}

	/**
	 * The indexes that the type declares.
	 * @return their definitions
	 */
	Collection<IndexDefinition> declared() {
		return this.declared.values();
	}

	boolean declares(EntityPath path) {
		return this.declared.containsKey(path.name());
	}

	MappingContext<?, ?> context() {
		return this.context;
	}

	/**
	 * The property that is the key.
	 * @return the property, or null if entities do not know their ids
	 */
	@Nullable PersistentProperty<?> idProperty() {
		return this.entity.getIdProperty();
	}

	@Nullable PersistentProperty<?> idProperty(Object bean) {
		return entity(bean).getIdProperty();
	}

	boolean hasVersion(Object bean) {
		return entity(bean).hasVersionProperty();
	}

	/**
	 * The version of an entity that was read or saved.
	 * @param bean the entity
	 * @return the version; 0 for none
	 */
	long version(Object bean) {
		PersistentProperty<?> version = entity(bean).getVersionProperty();
		Object value = (version != null) ? accessor(bean).getProperty(version) : null;
		return (value != null) ? (Long) value : 0;
	}

	/**
	 * An entity with the revision of its entry as its version.
	 * @param bean the entity
	 * @param revision the revision
	 * @return the same, or a copy if it cannot change
	 */
	Object withVersion(Object bean, long revision) {
		PersistentProperty<?> version = entity(bean).getVersionProperty();
		return (version != null) ? with(bean, version, revision) : bean;
	}

	@Nullable Object id(Object bean) {
		PersistentProperty<?> id = entity(bean).getIdProperty();
		return (id != null) ? accessor(bean).getProperty(id) : null;
	}

	Object withId(Object bean, Object id) {
		PersistentProperty<?> property = entity(bean).getIdProperty();
		return (property != null) ? with(bean, property, id) : bean;
	}

	private Object with(Object bean, PersistentProperty<?> property, Object value) {
		PersistentPropertyAccessor<Object> accessor = accessor(bean);
		accessor.setProperty(property, value);
		return accessor.getBean();
	}

	private PersistentPropertyAccessor<Object> accessor(Object bean) {
		return entity(bean).getPropertyAccessor(bean);
	}

	private KeyValuePersistentEntity<?, ?> entity(Object bean) {
		return this.context.getRequiredPersistentEntity(ClassUtils.getUserClass(bean));
	}

	/**
	 * How long an entity stays.
	 * @param bean the entity
	 * @return the time from now; null for ever
	 */
	@Nullable Duration ttl(Object bean) {
		PersistentProperty<?> expires = entity(bean).getPersistentProperty(Expires.class);
		Object value = (expires != null) ? accessor(bean).getProperty(expires) : null;
		if (value == null) {
			return null;
		}
		Instant now = this.clock.instant();
		if (value instanceof Instant end && end.isAfter(now.plus(LONGEST))) {
			return LONGEST;
		}
		Duration ttl = (value instanceof Instant end) ? Duration.between(now, end) : (Duration) value;
		return within(ttl);
	}

	/**
	 * How long rows stay that are written for an entity which is there already.
	 * @param end when the entity is over; null for never
	 * @param more how much longer
	 * @return the time from now; null for ever
	 */
	@Nullable Duration until(@Nullable Instant end, Duration more) {
		return (end != null) ? within(Duration.between(this.clock.instant(), end).plus(more)) : null;
	}

	static Duration within(Duration ttl) {
		if (ttl.compareTo(SHORTEST) < 0) {
			return SHORTEST;
		}
		return (ttl.compareTo(LONGEST) > 0) ? LONGEST : ttl;
	}

	/**
	 * Writes an entity, and makes sure that it is read as it was written.
	 * @param bean the entity
	 * @return the JSON, and the entity that is read from it
	 * @throws InvalidDataAccessApiUsageException if it is not
	 */
	Content write(Object bean) {
		byte[] json;
		Object read;
		try {
			json = this.writer.writeValueAsBytes(bean);
			read = this.reader.readValue(json);
		}
		catch (JacksonException ex) {
			throw new InvalidDataAccessApiUsageException(unreadable(bean) + ex.getOriginalMessage(), ex);
		}
		if (read == null || read.getClass() != ClassUtils.getUserClass(bean)) {
			throw new InvalidDataAccessApiUsageException(
					unreadable(bean) + "it would become " + ((read != null) ? read.getClass().getName() : null));
		}
		Object id = id(bean);
		if (id != null && !id.equals(id(read))) {
			throw new InvalidDataAccessApiUsageException("the id of " + bean.getClass().getName()
					+ " is not part of its JSON, or not read as it was: '" + id + "' became '" + id(read) + "'");
		}
		return new Content(json, read);
	}

	private String unreadable(Object bean) {
		Class<?> own = ClassUtils.getUserClass(bean);
		String kinds = (own != type()) ? "; as one of several kinds of " + type().getName()
				+ " it needs @JsonTypeInfo(use = Id.NAME) and @JsonSubTypes there" : "";
		return own.getName() + " cannot be stored, because it cannot be written as JSON and read again" + kinds + ": ";
	}

	/**
	 * Reads an entity, without its version.
	 * @param json the JSON
	 * @return the entity
	 * @throws JacksonException if it is not one
	 */
	Object read(byte[] json) {
		return this.reader.readValue(json);
	}

	/**
	 * An entity as it will be stored.
	 *
	 * @param json the JSON
	 * @param read what is read from it
	 */
	record Content(byte[] json, Object read) {
	}

}
