/**
 * What providers of every noun are made from: threads, latest-state delivery, leases.
 */
@NullMarked
package mu.micro.core;

import org.jspecify.annotations.NullMarked;
