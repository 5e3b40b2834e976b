/**
 * The gateway: HTTP with JSON in front, gRPC behind.
 */
@NullMarked
package mu.micro.gateway;

import org.jspecify.annotations.NullMarked;
