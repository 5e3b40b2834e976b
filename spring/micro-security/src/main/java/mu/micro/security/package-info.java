/**
 * Accounts, on Spring Security.
 */
@NullMarked
package mu.micro.security;

import org.jspecify.annotations.NullMarked;
