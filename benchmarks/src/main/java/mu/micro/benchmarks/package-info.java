/**
 * What things cost, beside the least program that does the same.
 */
@NullMarked
package mu.micro.benchmarks;

import org.jspecify.annotations.NullMarked;
