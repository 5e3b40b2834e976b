/**
 * The proxy: a door for gRPC calls of every kind, passed on as bytes to the service that
 * they name.
 */
@NullMarked
package mu.micro.proxy;

import org.jspecify.annotations.NullMarked;
