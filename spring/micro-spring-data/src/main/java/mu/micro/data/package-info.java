/**
 * Spring Data repositories over a {@link mu.micro.store.Database}.
 */
@NullMarked
package mu.micro.data;

import org.jspecify.annotations.NullMarked;
