package mu.micro.data;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;

import org.jspecify.annotations.Nullable;

import org.springframework.dao.InvalidDataAccessApiUsageException;
import org.springframework.data.mapping.PersistentEntity;
import org.springframework.data.mapping.PersistentProperty;
import org.springframework.data.mapping.context.MappingContext;
import org.springframework.util.ClassUtils;
import org.springframework.util.ObjectUtils;

/**
 * A property of an entity, or of an object within it.
 */
final class EntityPath {

	private final String name;

	private final List<PersistentProperty<?>> steps;

	private final Class<?> type;

	private final boolean many;

	private final @Nullable ValueForm form;

	private EntityPath(String name, List<PersistentProperty<?>> steps) {
		PersistentProperty<?> leaf = steps.get(steps.size() - 1);
		this.name = name;
		this.steps = steps;
		this.many = leaf.isCollectionLike();
		this.type = ClassUtils.resolvePrimitiveIfNecessary(this.many ? leaf.getActualType() : leaf.getType());
		this.form = ValueForm.of(this.type);
	}

	/**
	 * Finds a property.
	 * @param context knows the types
	 * @param type the entity's type
	 * @param name the property's name, with dots between those of properties on the way
	 * @return the property
	 * @throws InvalidDataAccessApiUsageException if there is none, or it lies within a
	 * collection
	 */
	static EntityPath of(MappingContext<?, ?> context, Class<?> type, String name) {
		EntityPath path = find(context, type, name);
		if (path == null) {
			throw new InvalidDataAccessApiUsageException("'" + name + "' is not a stored property of " + type.getName()
					+ ", or one within a collection, which queries do not reach");
		}
		return path;
	}

	static @Nullable EntityPath find(MappingContext<?, ?> context, Class<?> type, String name) {
		PersistentEntity<?, ?> entity = context.getPersistentEntity(type);
		List<PersistentProperty<?>> steps = new ArrayList<>();
		for (String step : name.split("\\.")) {
			PersistentProperty<?> property = (entity != null) ? entity.getPersistentProperty(step) : null;
			if (property == null) {
				return null;
			}
			steps.add(property);
			entity = isWithin(property) ? context.getPersistentEntity(property.getTypeInformation()) : null;
		}
		return new EntityPath(name, List.copyOf(steps));
	}

	/**
	 * Whether a property is one object that has properties of its own.
	 * @param property the property
	 * @return whether it is
	 */
	static boolean isWithin(PersistentProperty<?> property) {
		return property.isEntity() && !property.isCollectionLike() && !property.isMap();
	}

	/**
	 * The property's name.
	 * @return names with dots between them
	 */
	String name() {
		return this.name;
	}

	/**
	 * The type of the property, or of its elements.
	 * @return the type, never a primitive one
	 */
	Class<?> type() {
		return this.type;
	}

	/**
	 * Whether it is a collection or an array.
	 * @return whether it is
	 */
	boolean isMany() {
		return this.many;
	}

	/**
	 * The form of the property's values, or of their elements.
	 * @return the form, or null if the type has none
	 */
	@Nullable ValueForm form() {
		return this.form;
	}

	/**
	 * Reads the property.
	 * @param entity the entity
	 * @return the value, or null if it or an object on the way is null
	 */
	@Nullable Object get(Object entity) {
		Object value = entity;
		for (PersistentProperty<?> step : this.steps) {
			if (value == null) {
				return null;
			}
			value = step.getOwner().getPropertyAccessor(value).getProperty(step);
		}
		return value;
	}

	/**
	 * The values of an entity.
	 * @param entity the entity
	 * @return the elements if there may be many, else the value, which may be null
	 */
	Collection<? extends @Nullable Object> values(Object entity) {
		Object value = get(entity);
		if (this.many) {
			return elements(value);
		}
		return Arrays.asList(value);
	}

	/**
	 * The elements of a collection or an array.
	 * @param value either, or null
	 * @return the elements
	 */
	static Collection<? extends @Nullable Object> elements(@Nullable Object value) {
		if (value instanceof Collection<?> collection) {
			return collection;
		}
		return (value != null) ? Arrays.asList(ObjectUtils.toObjectArray(value)) : List.of();
	}

	/**
	 * Whether two values are the same to a query.
	 * @param one a value or an element
	 * @param other another
	 * @return whether they are
	 */
	boolean same(@Nullable Object one, @Nullable Object other) {
		if (one == null || other == null) {
			return one == other;
		}
		return (this.form != null) ? this.form.compare(one, other) == 0 : ObjectUtils.nullSafeEquals(one, other);
	}

	/**
	 * Compares two values.
	 * @param one a value
	 * @param other another
	 * @return less than, equal to or more than zero
	 */
	@SuppressWarnings({ "unchecked", "rawtypes" })
	int compare(Object one, Object other) {
		return (this.form != null) ? this.form.compare(one, other) : ((Comparable) one).compareTo(other);
	}

	/**
	 * Whether values can be compared.
	 * @return whether they can
	 */
	boolean isComparable() {
		return !this.many && (this.form != null || Comparable.class.isAssignableFrom(this.type));
	}

	@Override
	public String toString() {
		return this.name;
	}

}
