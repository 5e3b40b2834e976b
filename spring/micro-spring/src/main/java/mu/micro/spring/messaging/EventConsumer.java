package mu.micro.spring.messaging;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Repeatable;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Has a method handle the events of a topic, for a group, while the application runs.
 *
 * <pre class="code">
 * &#64;EventConsumer(topic = "orders", group = "billing")
 * void bill(OrderPlaced order) { … }
 * </pre>
 *
 * To return acknowledges the event. To throw has it delivered again, and after the last
 * time put among the dead letters, where a payload that cannot be converted goes at once.
 * The headers {@link #ATTEMPT} and {@link #ERROR} tell of earlier deliveries. An event
 * may come twice: what it does should be harmless when repeated.
 * <p>
 * Parameters are those of a {@link BrokerListener}, and the
 * {@link mu.micro.events.Delivery} and {@link mu.micro.events.Event} besides. The method
 * returns nothing, and is done when it returns. The bean is a singleton. In all
 * attributes {@code ${…}} and <code>#{…}</code> are resolved; those that are left empty
 * are as {@link mu.micro.events.Group#of} has them.
 *
 * @see mu.micro.events.Events#consume
 */
@Target({ ElementType.METHOD, ElementType.ANNOTATION_TYPE })
@Retention(RetentionPolicy.RUNTIME)
@Documented
@Repeatable(EventConsumer.List.class)
public @interface EventConsumer {

	/**
	 * A header for the handler: how often the event was delivered, this time included.
	 */
	String ATTEMPT = "micro-attempt";

	/**
	 * A header for the handler: what went wrong the last time; not there the first time.
	 */
	String ERROR = "micro-error";

	/**
	 * The topic.
	 * @return a name within {@link mu.micro.Limits#NAME}
	 */
	String topic();

	/**
	 * The group, of whose members one handles each event.
	 * @return a name within {@link mu.micro.Limits#NAME}; when empty,
	 * {@code spring.application.name}
	 */
	String group() default "";

	/**
	 * Where the group begins if it is not there yet.
	 * @return {@code start}, {@code now}, an offset, or a time such as
	 * {@code 2026-01-31T12:00:00Z}
	 */
	String from() default "";

	/**
	 * How long a call may take before it is interrupted and the event delivered again.
	 * @return a duration such as {@code 30s}, {@code 2m} or {@code PT30S}
	 */
	String ackWait() default "";

	/**
	 * How often an event is delivered at most.
	 * @return a number
	 */
	String maxDeliveries() default "";

	/**
	 * How many events are being handled at once, by all members together.
	 * @return a number; with more than one the method is called by several threads
	 */
	String maxInFlight() default "";

	/**
	 * Several on one method.
	 */
	@Target({ ElementType.METHOD, ElementType.ANNOTATION_TYPE })
	@Retention(RetentionPolicy.RUNTIME)
	@Documented
	@interface List {

		/**
		 * Each of them.
		 * @return the consumers
		 */
		EventConsumer[] value();

	}

}
