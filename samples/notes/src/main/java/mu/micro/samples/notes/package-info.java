/**
 * Data, settings that change, and work that one instance does.
 */
@NullMarked
package mu.micro.samples.notes;

import org.jspecify.annotations.NullMarked;
