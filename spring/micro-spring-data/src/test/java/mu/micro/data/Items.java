package mu.micro.data;

import java.util.List;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;

import org.springframework.data.annotation.Id;
import org.springframework.data.keyvalue.annotation.KeySpace;
import org.springframework.data.repository.ListCrudRepository;
import org.springframework.data.repository.NoRepositoryBean;

/**
 * A type as it changes from version to version of an application.
 *
 * @param <T> the version
 */
@NoRepositoryBean
interface Items<T> extends ListCrudRepository<T, String> {

	/**
	 * Without an index.
	 *
	 * @param id the id
	 * @param title the title
	 * @param size a number
	 */
	@KeySpace("items")
	record Plain(@Id String id, @Nullable String title, int size) {
	}

	/**
	 * With an index on the title.
	 *
	 * @param id the id
	 * @param title the title
	 * @param size a number
	 */
	@KeySpace("items")
	record Titled(@Id String id, @Indexed @Nullable String title, int size) {
	}

	/**
	 * With a unique title.
	 *
	 * @param id the id
	 * @param title the title
	 * @param size a number
	 */
	@KeySpace("items")
	record Unique(@Id String id, @Indexed(unique = true) @Nullable String title, int size) {
	}

	/**
	 * With one more property, whose value is something where it is missing.
	 *
	 * @param id the id
	 * @param title the title
	 * @param size a number
	 * @param status a new property
	 */
	@KeySpace("items")
	record Extended(@Id String id, @Indexed @Nullable String title, int size, @Indexed @Nullable String status) {

		public Extended {
			status = (status != null) ? status : "open";
		}

	}

	/**
	 * With one more property, which is unique.
	 *
	 * @param id the id
	 * @param title the title
	 * @param size a number
	 * @param code a new property
	 */
	@KeySpace("items")
	record Coded(@Id String id, @Nullable String title, int size, @Indexed(unique = true) @Nullable String code) {
	}

	/**
	 * With a property of another type.
	 *
	 * @param id the id
	 * @param title the title
	 * @param size a number with digits
	 */
	@KeySpace("items")
	record Retyped(@Id String id, @Nullable String title, @Indexed double size) {
	}

	/**
	 * With an index that is kept otherwise by others.
	 *
	 * @param id the id
	 * @param title the title
	 * @param size a number
	 */
	@KeySpace("items")
	record Sized(@Id String id, @Nullable String title, @Indexed int size) {
	}

	/**
	 * Of the first version.
	 */
	interface OfPlain extends Items<Plain> {

		List<Plain> findByTitle(String title);

	}

	/**
	 * Of the version with titles.
	 */
	interface OfTitled extends Items<Titled> {

		List<Titled> findByTitle(String title);

		long countByTitle(String title);

		Stream<Titled> streamByTitleNotNull();

	}

	/**
	 * Of the version with unique titles.
	 */
	interface OfUnique extends Items<Unique> {

		List<Unique> findByTitle(String title);

	}

	/**
	 * Of the version with one more property.
	 */
	interface OfExtended extends Items<Extended> {

		List<Extended> findByStatus(String status);

		List<Extended> findByTitle(String title);

	}

	/**
	 * Of the version with unique codes.
	 */
	interface OfCoded extends Items<Coded> {

	}

	/**
	 * Of the version with another type.
	 */
	interface OfRetyped extends Items<Retyped> {

		List<Retyped> findBySizeGreaterThan(double size);

	}

	/**
	 * Of the version with sizes.
	 */
	interface OfSized extends Items<Sized> {

		List<Sized> findBySizeGreaterThan(int size);

	}

}
