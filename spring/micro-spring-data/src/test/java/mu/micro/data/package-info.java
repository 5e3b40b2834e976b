@NullMarked
package mu.micro.data;

import org.jspecify.annotations.NullMarked;
