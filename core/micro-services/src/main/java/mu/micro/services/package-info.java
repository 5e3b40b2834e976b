/**
 * The server half of every noun: what answers its calls on the wire.
 */
@NullMarked
package mu.micro.services;

import org.jspecify.annotations.NullMarked;
