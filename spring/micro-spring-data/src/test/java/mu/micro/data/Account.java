package mu.micro.data;

import org.jspecify.annotations.Nullable;

import org.springframework.data.annotation.Id;
import org.springframework.data.annotation.Version;

/**
 * Something with a version and a unique index.
 *
 * @param id the id
 * @param version the version; 0 for a new one
 * @param email unique
 * @param balance a number with an index
 */
record Account(@Id @Nullable String id, @Version long version, @Indexed(unique = true) @Nullable String email,
		@Indexed int balance) {

	Account withBalance(int amount) {
		return new Account(this.id, this.version, this.email, amount);
	}

	Account withEmail(@Nullable String other) {
		return new Account(this.id, this.version, other, this.balance);
	}

}
