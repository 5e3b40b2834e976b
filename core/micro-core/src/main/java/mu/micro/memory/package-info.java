/**
 * The nouns in one JVM.
 */
@NullMarked
package mu.micro.memory;

import org.jspecify.annotations.NullMarked;
