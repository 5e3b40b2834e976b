package mu.micro.security;

import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;

import mu.micro.MicroException;
import mu.micro.auth.Account;
import mu.micro.core.StoreRules;
import mu.micro.memory.MemoryDatabases;
import mu.micro.store.Entry;
import mu.micro.store.Query;
import mu.micro.store.Store;
import mu.micro.store.Write;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import org.springframework.security.crypto.bcrypt.BCryptPasswordEncoder;
import org.springframework.security.crypto.password.PasswordEncoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class StoreAccountsSecretTests {

	private static final String SECRET = "sésame, ouvre-toi";

	private static final Account JANE = Account.user("here", "jane", "greet");

	private final MemoryDatabases databases = new MemoryDatabases();

	private final Store table = this.databases.in(StoreRules.DATABASE + "here").table("accounts");

	private final StoreAccounts accounts = new StoreAccounts(this.databases);

	@AfterEach
	void close() {
		this.accounts.close();
		this.databases.close();
	}

	@Test
	void theStoreHasASaltedHashByArgon2id() {
		this.accounts.in("here").add(JANE, SECRET);
		this.accounts.in("here").add(Account.user("here", "joe"), SECRET);
		String jane = kept("jane");
		assertThat(jane).contains("{argon2}$argon2id$").doesNotContain(SECRET);
		assertThat(jane.substring(jane.lastIndexOf('$'))).doesNotContain(SECRET)
			.isNotEqualTo(kept("joe").substring(kept("joe").lastIndexOf('$')));
	}

	@Test
	void aNamespaceHasNoTableOfItsAccounts() {
		this.accounts.in("here").add(JANE, SECRET);
		assertThat(this.databases.in("here").tables()).isEmpty();
	}

	@Test
	void aHashByBcryptIsMadeAnewAtTheNextLogin() {
		this.accounts.in("here").add(JANE, SECRET);
		String bcrypt = "{bcrypt}" + new BCryptPasswordEncoder(4).encode(SECRET);
		String old = kept("jane").replaceFirst("\\{argon2}[^\"]*", Matcher.quoteReplacement(bcrypt));
		this.table.put(Write.put("jane", old.getBytes(StandardCharsets.UTF_8)));
		assertThat(this.accounts.in("here").login("jane", SECRET)).isEqualTo(JANE);
		assertThat(kept("jane")).contains("{argon2}").doesNotContain("bcrypt");
		assertThat(this.accounts.in("here").login("jane", SECRET)).isEqualTo(JANE);
	}

	@Test
	void whoIsNobodyCostsAHashToo() {
		Counting encoder = new Counting();
		try (StoreAccounts counted = new StoreAccounts(this.databases, encoder)) {
			counted.in("here").add(JANE, SECRET);
			for (String login : new String[] { "jane", "nobody", "x".repeat(2000) }) {
				int before = encoder.compared.get();
				assertThatExceptionOfType(MicroException.Unauthenticated.class)
					.isThrownBy(() -> counted.in("here").login(login, "another secret"));
				assertThat(encoder.compared).as(login).hasValue(before + 1);
			}
		}
	}

	@Test
	void aDamagedAccountIsNamedWithoutWhatStandsThere() {
		this.accounts.in("here").add(JANE, SECRET);
		this.table.put(Write.put("jane", "{\"hash\":\"marker\"}".getBytes(StandardCharsets.UTF_8)));
		assertThatExceptionOfType(MicroException.Internal.class)
			.isThrownBy(() -> this.accounts.in("here").login("jane", SECRET))
			.withMessageContaining("'jane'")
			.satisfies((ex) -> assertThat(ex).hasNoCause().hasMessageNotContaining("marker"));
	}

	private String kept(String id) {
		Entry entry = this.table.get(id);
		assertThat(entry).as(() -> this.table.list(Query.ALL).toString()).isNotNull();
		return new String(entry.value(), StandardCharsets.UTF_8);
	}

	private static final class Counting implements PasswordEncoder {

		private final PasswordEncoder encoder = new BCryptPasswordEncoder(4);

		private final AtomicInteger compared = new AtomicInteger();

		@Override
		public @Nullable String encode(@Nullable CharSequence secret) {
			return this.encoder.encode(secret);
		}

		@Override
		public boolean matches(@Nullable CharSequence secret, @Nullable String hash) {
			this.compared.incrementAndGet();
			return this.encoder.matches(secret, hash);
		}

	}

}
