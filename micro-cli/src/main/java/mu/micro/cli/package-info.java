/**
 * The {@code micro} command line: what it knows itself, and every running service as a
 * command.
 */
@NullMarked
package mu.micro.cli;

import org.jspecify.annotations.NullMarked;
