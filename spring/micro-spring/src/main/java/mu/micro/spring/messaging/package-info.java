/**
 * Methods that handle messages and events, and beans that send them.
 */
@NullMarked
package mu.micro.spring.messaging;

import org.jspecify.annotations.NullMarked;
