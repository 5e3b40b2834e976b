/**
 * Messages that are kept, in order.
 */
@NullMarked
package mu.micro.events;

import org.jspecify.annotations.NullMarked;
