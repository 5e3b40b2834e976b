/**
 * The programming model: what a service writes, without Boot.
 */
@NullMarked
package mu.micro.spring;

import org.jspecify.annotations.NullMarked;
