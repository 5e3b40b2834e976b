/**
 * Settings that change while services run.
 */
@NullMarked
package mu.micro.config;

import org.jspecify.annotations.NullMarked;
