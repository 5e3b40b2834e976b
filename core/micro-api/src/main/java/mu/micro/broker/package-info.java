/**
 * Messages that nobody keeps.
 */
@NullMarked
package mu.micro.broker;

import org.jspecify.annotations.NullMarked;
