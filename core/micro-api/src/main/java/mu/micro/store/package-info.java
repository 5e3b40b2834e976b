/**
 * What services keep.
 */
@NullMarked
package mu.micro.store;

import org.jspecify.annotations.NullMarked;
