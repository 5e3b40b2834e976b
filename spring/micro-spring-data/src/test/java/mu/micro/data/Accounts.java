package mu.micro.data;

import java.util.List;
import java.util.Optional;

import org.springframework.data.repository.ListCrudRepository;

/**
 * Accounts, by what they are found.
 */
interface Accounts extends ListCrudRepository<Account, String> {

	Optional<Account> findByEmail(String email);

	List<Account> findByBalanceLessThan(int amount);

	long countByEmailIsNotNull();

}
