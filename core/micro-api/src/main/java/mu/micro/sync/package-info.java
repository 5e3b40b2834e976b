/**
 * Who may do what only one may do.
 */
@NullMarked
package mu.micro.sync;

import org.jspecify.annotations.NullMarked;
