package mu.micro.data;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Says when an entity is gone by itself: at an {@link java.time.Instant}, or a
 * {@link java.time.Duration} after each save. Null is never, a time that is over is at
 * once, and more than a hundred years is a hundred years.
 */
@Target({ ElementType.FIELD, ElementType.ANNOTATION_TYPE })
@Retention(RetentionPolicy.RUNTIME)
@Documented
public @interface Expires {

}
