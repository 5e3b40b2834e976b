/**
 * A service that calls another by name.
 */
@NullMarked
package mu.micro.samples.greeting;

import org.jspecify.annotations.NullMarked;
