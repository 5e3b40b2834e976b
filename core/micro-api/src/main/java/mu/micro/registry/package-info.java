/**
 * Who runs where.
 */
@NullMarked
package mu.micro.registry;

import org.jspecify.annotations.NullMarked;
