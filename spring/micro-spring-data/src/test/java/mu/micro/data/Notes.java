package mu.micro.data;

import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;

import org.springframework.data.domain.Limit;
import org.springframework.data.domain.Page;
import org.springframework.data.domain.Pageable;
import org.springframework.data.domain.Slice;
import org.springframework.data.domain.Sort;
import org.springframework.data.repository.ListCrudRepository;
import org.springframework.data.repository.PagingAndSortingRepository;

/**
 * A repository with a query of each kind.
 */
interface Notes extends ListCrudRepository<Note, String>, PagingAndSortingRepository<Note, String> {

	List<Note> findByTitle(@Nullable String title);

	Optional<Note> findOneByTitle(String title);

	@Nullable Note findFirstByTitleOrderByPriorityDesc(String title);

	List<Note> findByTitleAndDone(String title, boolean done);

	List<Note> findByTitleOrTextOrderById(String title, String text);

	List<Note> findByTitleStartingWith(String prefix);

	List<Note> findByTitleIn(Collection<String> titles);

	List<Note> findByTitleIn(Iterable<String> titles);

	List<Note> findByTitleIn(String... titles);

	List<Note> findByTitleIgnoreCase(String title);

	List<Note> findByCreatedBetween(Instant from, Instant to);

	List<Note> findByCreatedAfter(Instant time);

	List<Note> findByCreatedIsNull();

	List<Note> findByTagsContaining(String tag);

	List<Note> findTop3ByOrderByPriorityDescTitleAsc();

	List<Note> findByTextContaining(String part);

	List<Note> findByDoneTrue();

	List<Note> findByIdIn(Collection<String> ids);

	Page<Note> findByPriorityGreaterThanEqual(int priority, Pageable pageable);

	Slice<Note> findSliceByPriorityLessThan(int priority, Pageable pageable);

	List<Note> findByPriority(int priority, Sort sort, Limit limit);

	Stream<Note> streamByPriorityGreaterThan(int priority);

	List<TitleOnly> findProjectedByTitle(String title);

	<T> List<T> findByPriority(int priority, Class<T> type);

	long countByTitle(String title);

	long countByText(String text);

	boolean existsByTitle(String title);

	long deleteByTitle(String title);

	List<Note> removeByPriority(int priority);

	void deleteByText(String text);

	/**
	 * A part of a note.
	 */
	interface TitleOnly {

		String getTitle();

	}

}
