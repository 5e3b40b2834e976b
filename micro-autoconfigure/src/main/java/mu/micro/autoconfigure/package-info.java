/**
 * Boot wiring: what the starter does for an application.
 */
@NullMarked
package mu.micro.autoconfigure;

import org.jspecify.annotations.NullMarked;
