/**
 * The promises of each noun as tests: extend a contract, fill its hooks, and the provider
 * keeps what the noun's javadoc says.
 */
@NullMarked
package mu.micro.tck;

import org.jspecify.annotations.NullMarked;
