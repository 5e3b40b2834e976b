package mu.micro.data;

import java.time.Instant;
import java.util.Set;

import org.jspecify.annotations.Nullable;

import org.springframework.data.annotation.Id;

/**
 * What the tests keep most.
 *
 * @param id the id
 * @param title the title
 * @param done whether it is done
 * @param priority how urgent it is
 * @param created when it was made
 * @param tags what it is about
 * @param text more, without an index
 */
record Note(@Id @Nullable String id, @Indexed @Nullable String title, boolean done, @Indexed int priority,
		@Indexed @Nullable Instant created, @Indexed Set<String> tags, @Nullable String text) {

	static Note of(String id, String title) {
		return new Note(id, title, false, 0, null, Set.of(), null);
	}

}
