/**
 * What is too large for a store.
 */
@NullMarked
package mu.micro.blob;

import org.jspecify.annotations.NullMarked;
