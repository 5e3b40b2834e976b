package mu.micro.auth;

import java.util.stream.IntStream;

import mu.micro.MicroException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class AccountTests {

	@Test
	void scopesAreTheSameInAnyCase() {
		Account account = Account.user("here", "jane", "Greet");
		assertThat(account.scopes()).containsExactly("greet");
		assertThat(account.has("GREET")).isTrue();
		assertThat(account.has("greeting")).isFalse();
	}

	@Test
	void anAdminHasEveryScope() {
		assertThat(Account.user("here", "jane", "ADMIN").has("greet")).isTrue();
	}

	@ParameterizedTest
	@ValueSource(strings = { "*", "+", "", " ", "two words" })
	void whatIsNoScopeIsRefused(String scope) {
		assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(() -> Account.user("here", "jane", scope));
	}

	@Test
	void aNamespaceOfMicroItselfIsRefused() {
		assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(() -> Account.user("auth/here", "jane"));
	}

	@Test
	void oneScopeTooManyIsRefused() {
		String[] scopes = IntStream.rangeClosed(0, Account.SCOPES).mapToObj(Integer::toString).toArray(String[]::new);
		assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(() -> Account.user("here", "jane", scopes))
			.withMessageContaining("100");
	}

}
