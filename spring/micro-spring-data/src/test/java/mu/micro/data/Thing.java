package mu.micro.data;

import java.math.BigDecimal;
import java.time.Instant;
import java.time.LocalDate;
import java.util.List;
import java.util.UUID;

import org.jspecify.annotations.Nullable;

import org.springframework.data.annotation.Id;

/**
 * Something with properties of many types, all but a few with an index.
 *
 * @param id a number
 * @param text any text
 * @param label an enum
 * @param count a number, perhaps none
 * @param size a number
 * @param price a number with digits
 * @param weight a floating one
 * @param day a date
 * @param moment an instant
 * @param key a UUID
 * @param flag yes or no
 * @param tags some texts
 * @param place where it is
 * @param plain text without an index
 */
record Thing(@Id long id, @Indexed @Nullable String text, @Indexed @Nullable Label label,
		@Indexed @Nullable Integer count, @Indexed long size, @Indexed @Nullable BigDecimal price,
		@Indexed @Nullable Double weight, @Indexed @Nullable LocalDate day, @Indexed @Nullable Instant moment,
		@Indexed @Nullable UUID key, @Indexed boolean flag, @Indexed List<String> tags, @Nullable Place place,
		@Nullable String plain) {

	/**
	 * Whose order is not that of their names.
	 */
	enum Label {

		SMALL, BIG, EMPTY

	}

	/**
	 * A place.
	 *
	 * @param city a text with an index
	 * @param street one without
	 */
	record Place(@Indexed @Nullable String city, @Nullable String street) {
	}

}
