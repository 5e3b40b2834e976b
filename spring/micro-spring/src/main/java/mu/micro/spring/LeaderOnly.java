package mu.micro.spring;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Has a method run only where this application's instance leads a name: of all instances
 * that use the same locks one does the work, and another takes over when that one ends.
 *
 * <pre class="code">
 * &#64;Scheduled(fixedDelay = 60_000)
 * &#64;LeaderOnly("cleanup")
 * void cleanUp() { … }
 * </pre>
 *
 * Where another instance leads, a call does nothing and asks nobody. The instance stands
 * for leader from its start on; a call in its first second waits for the election, so
 * that a job's first run is not lost. A run that comes while nobody leads, because a
 * leader has just died, is left out by all.
 * <p>
 * When leadership is lost, or the application stops, the thread of a call that runs is
 * interrupted: what blocks ends, and what computes can see it with
 * {@link Thread#interrupted()}. The job has a tenth of the lock's ttl to end before
 * another instance can begin. One that must not write too late passes on the token of
 * {@link Leadership#lock}.
 * <p>
 * Calls within the bean are not seen, as with all proxies. The method returns nothing.
 */
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@Documented
public @interface LeaderOnly {

	/**
	 * The name to lead. Methods with the same name run on the same instance.
	 * @return a name within {@link mu.micro.Limits#NAME}; {@code ${…}} is resolved
	 */
	String value();

}
