/**
 * Who calls, and what they may do.
 */
@NullMarked
package mu.micro.auth;

import org.jspecify.annotations.NullMarked;
