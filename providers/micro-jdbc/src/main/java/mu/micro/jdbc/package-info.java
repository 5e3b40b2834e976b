/**
 * What services keep, in an SQL database.
 */
@NullMarked
package mu.micro.jdbc;

import org.jspecify.annotations.NullMarked;
