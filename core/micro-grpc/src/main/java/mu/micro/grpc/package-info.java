/**
 * The wire: calls as bytes, schemas read by reflection, JSON, errors, and
 * {@code micro:///name} targets.
 */
@NullMarked
package mu.micro.grpc;

import org.jspecify.annotations.NullMarked;
