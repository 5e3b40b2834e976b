/**
 * What every noun shares: scopes, subscriptions, leases, limits and the exceptions.
 */
@NullMarked
package mu.micro;

import org.jspecify.annotations.NullMarked;
