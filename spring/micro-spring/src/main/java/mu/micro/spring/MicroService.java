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
 * server stops answering. Several beans of one application may share a name; their
 * endpoints are then the service's together.
 */
@Target({ ElementType.TYPE, ElementType.METHOD })
@Retention(RetentionPolicy.RUNTIME)
@Documented
@Component
public @interface MicroService {

	/**
	 * The service's name.
	 * @return a name; {@code spring.application.name} when empty
	 */
	String value() default "";

	/**
	 * The bean's name, where it matters.
	 * @return a bean name; made from the class when empty
	 */
	@AliasFor(annotation = Component.class, attribute = "value")
	String bean() default "";

}
