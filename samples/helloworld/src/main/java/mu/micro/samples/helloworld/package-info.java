/**
 * All kinds of calls, contract first.
 */
@NullMarked
package mu.micro.samples.helloworld;

import org.jspecify.annotations.NullMarked;
