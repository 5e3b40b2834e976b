/**
 * Events that are kept and handled once, and messages for whoever listens.
 */
@NullMarked
package mu.micro.samples.orders;

import org.jspecify.annotations.NullMarked;
