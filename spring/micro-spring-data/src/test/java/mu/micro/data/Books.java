package mu.micro.data;

import java.util.List;

import org.springframework.data.repository.CrudRepository;

/**
 * A repository whose {@code findAll} is no list.
 */
interface Books extends CrudRepository<Book, Long> {

	List<Book> findAllByOrderByIdDesc();

}
