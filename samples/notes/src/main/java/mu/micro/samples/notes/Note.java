package mu.micro.samples.notes;

import mu.micro.data.Indexed;
import org.jspecify.annotations.Nullable;

import org.springframework.data.annotation.Id;

/**
 * A note.
 *
 * @param id made when it is saved
 * @param text what it says
 */
record Note(@Id @Nullable String id, @Indexed String text) {
}
