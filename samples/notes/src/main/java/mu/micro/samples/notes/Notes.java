package mu.micro.samples.notes;

import java.util.List;

import org.springframework.data.repository.ListCrudRepository;

/**
 * The notes, in the store of whichever profile.
 */
interface Notes extends ListCrudRepository<Note, String> {

	List<Note> findByTextStartingWithOrderByText(String text);

}
