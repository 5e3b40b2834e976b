/**
 * Registries with nothing to install: small files that the processes of a user share, and
 * multicast DNS on the loopback interface; and a broker by such files and sockets.
 */
@NullMarked
package mu.micro.local;

import org.jspecify.annotations.NullMarked;
