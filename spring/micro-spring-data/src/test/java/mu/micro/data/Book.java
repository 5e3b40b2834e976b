package mu.micro.data;

import org.springframework.data.annotation.Id;

/**
 * Something without an index.
 *
 * @param id a number; 0 for none yet
 * @param title the title
 */
record Book(@Id long id, String title) {
}
