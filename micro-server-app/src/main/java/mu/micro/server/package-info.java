/**
 * The server: the core services, and locally the other apps.
 */
@NullMarked
package mu.micro.server;

import org.jspecify.annotations.NullMarked;
