/**
 * The nouns, spoken over gRPC to a Micro server.
 */
@NullMarked
package mu.micro.remote;

import org.jspecify.annotations.NullMarked;
