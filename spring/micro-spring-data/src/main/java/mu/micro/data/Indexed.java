package mu.micro.data;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Keeps an index on a property, so that queries by it read what they find and not the
 * whole table. For fields and record components whose type is text, a number, a boolean,
 * an enum, a UUID or a date, time or duration of {@code java.time}, and for collections
 * and arrays of these, of up to 400 different elements, each of which is found by
 * {@code Containing}. A property of an object within an entity is indexed for the entity.
 * <p>
 * An index is used for equality, {@code In}, {@code IsNull}, {@code Containing} of a
 * collection, and, but for enums, for ranges, {@code StartingWith}, and the first
 * property of an order. Text is compared by code points.
 * <p>
 * Rows of an index are written in one step with the entity, and never stale. When an
 * application starts that declares an index which is not there, or not like this, it is
 * built from all entities while others go on reading and writing; until it is complete,
 * queries scan. What nobody declares any more is dropped by the next start.
 */
@Target({ ElementType.FIELD, ElementType.ANNOTATION_TYPE })
@Retention(RetentionPolicy.RUNTIME)
@Documented
public @interface Indexed {

	/**
	 * Whether two entities may not have the same value. A save that would make it so is a
	 * {@link org.springframework.dao.DuplicateKeyException}. Any number of entities may
	 * have none.
	 * @return whether values are unique
	 */
	boolean unique() default false;

}
