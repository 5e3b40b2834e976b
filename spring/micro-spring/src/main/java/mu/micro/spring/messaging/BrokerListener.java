package mu.micro.spring.messaging;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Repeatable;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Has a method handle the messages of a broker's topic while the application runs.
 *
 * <pre class="code">
 * &#64;BrokerListener(topic = "prices", queue = "archive")
 * void priced(Price price, &#64;Header("ce-time") Instant time) { … }
 * </pre>
 *
 * Its parameters are the payload, as the message's {@code content-type} says: a record or
 * a class from JSON, a protobuf message from its bytes or from JSON, a {@code String} or
 * {@code byte[]} from whatever it is; headers by
 * {@link org.springframework.messaging.handler.annotation.Header} and
 * {@link org.springframework.messaging.handler.annotation.Headers}; and the
 * {@link mu.micro.Message} itself. It returns nothing. What it throws, and what cannot be
 * converted, is logged, and the next message comes.
 * <p>
 * The bean is a singleton. In all attributes {@code ${…}} and <code>#{…}</code> are
 * resolved.
 *
 * @see mu.micro.broker.Broker#subscribe
 */
@Target({ ElementType.METHOD, ElementType.ANNOTATION_TYPE })
@Retention(RetentionPolicy.RUNTIME)
@Documented
@Repeatable(BrokerListener.List.class)
public @interface BrokerListener {

	/**
	 * The topic.
	 * @return a name within {@link mu.micro.Limits#NAME}
	 */
	String topic();

	/**
	 * With whom to share the messages: of all that name the queue one gets each.
	 * @return a name within {@link mu.micro.Limits#NAME}; when empty, every instance gets
	 * all of them
	 */
	String queue() default "";

	/**
	 * Several on one method.
	 */
	@Target({ ElementType.METHOD, ElementType.ANNOTATION_TYPE })
	@Retention(RetentionPolicy.RUNTIME)
	@Documented
	@interface List {

		/**
		 * Each of them.
		 * @return the listeners
		 */
		BrokerListener[] value();

	}

}
