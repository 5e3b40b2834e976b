package mu.micro.data;

import org.jspecify.annotations.Nullable;

import org.springframework.data.annotation.Id;
import org.springframework.data.annotation.Version;

/**
 * Something that changes, with a version that may be missing, and no index.
 */
class Counted {

	@Id
	@Nullable Integer id;

	@Version
	@Nullable Long version;

	int count;

}
