package mu.micro.spring;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

import org.springframework.core.annotation.AliasFor;
import org.springframework.stereotype.Component;

/**
 * Makes a bean a service that others find by name: a class that extends a generated gRPC
 * base class, or a bean method that makes one.
 *
 * <pre class="code">
 * &#64;MicroService
 * class Helloworld extends HelloworldGrpc.HelloworldImplBase { … }
 * </pre>
 *
 * The service is registered once the gRPC server has started, and taken back before that
 * server stops answering. All gRPC services of an application are reached under each of
 * its names.
 */
@Target({ ElementType.TYPE, ElementType.METHOD })
@Retention(RetentionPolicy.RUNTIME)
@Documented
@Component
public @interface MicroService {

	/**
	 * The same as {@link #name()}.
	 * @return a name, or empty
	 */
	@AliasFor("name")
	String value() default "";

	/**
	 * The service's name. The bean's is made from the class, so that a service, a
	 * repository and other services of one name go together.
	 * @return a name; when empty, {@code spring.application.name}
	 */
	@AliasFor("value")
	String name() default "";

}
