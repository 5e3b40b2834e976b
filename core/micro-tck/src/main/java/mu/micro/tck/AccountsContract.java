package mu.micro.tck;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;

import mu.micro.MicroException;
import mu.micro.Scoped;
import mu.micro.auth.Account;
import mu.micro.auth.Accounts;
import org.assertj.core.api.Assertions;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * What all {@link Accounts} promise. A provider's test fills the hooks and overrides
 * nothing else.
 */
@Timeout(60)
public abstract class AccountsContract {

	private static final String SECRET = "sésame, ouvre-toi";

	private static final String OTHER = "another secret";

	private final String namespace = "ns-" + UUID.randomUUID();

	private final List<Scoped<Accounts>> opened = new ArrayList<>();

	private Accounts here;

	private Accounts there;

	/**
	 * Opens one more view of the accounts under test, as another process would.
	 * @return the view, closed by the contract
	 * @throws Exception if it cannot be opened
	 */
	protected abstract Scoped<Accounts> open() throws Exception;

	@BeforeEach
	void openTwoViews() throws Exception {
		this.here = view().in(this.namespace);
		this.there = view().in(this.namespace);
	}

	@AfterEach
	void closeViews() {
		this.opened.forEach(Scoped::close);
	}

	private Scoped<Accounts> view() throws Exception {
		Scoped<Accounts> view = open();
		this.opened.add(view);
		return view;
	}

	@Test
	void anAccountIsReadAsItWasAdded() {
		Account account = new Account(this.namespace, "ü/j:1", Account.Type.SERVICE, "Jane Doe",
				Set.of("store", "config"), Map.of("team", "blue"));
		this.here.add(account, SECRET);
		assertThat(this.there.get("ü/j:1")).isEqualTo(account);
		assertThat(this.there.list("", 10)).containsExactly(account);
	}

	@Test
	void whatIsNotThereIsNull() {
		assertThat(this.here.get("jane")).isNull();
		assertThat(this.here.list("", 10)).isEmpty();
		assertThat(this.here.remove("jane")).isFalse();
	}

	@Test
	void whoKnowsTheSecretLogsInByIdAndByName() {
		Account account = add(named("jane-1", "jane"));
		assertThat(this.there.login("jane-1", SECRET)).isEqualTo(account);
		assertThat(this.there.login("jane", SECRET)).isEqualTo(account);
	}

	@Test
	void whoDoesNotKnowTheSecretIsNotTold() {
		add(Account.user(this.namespace, "jane"));
		String wrong = refused("jane", OTHER);
		assertThat(refused("nobody", SECRET)).isEqualTo(wrong);
		assertThat(refused("jane", "")).isEqualTo(wrong);
		assertThat(refused("", SECRET)).isEqualTo(wrong);
		assertThat(refused("jane", SECRET + "x")).isEqualTo(wrong);
		assertThat(refused("jane", SECRET.repeat(1000))).isEqualTo(wrong);
		assertThat(refused("Jane", SECRET)).isEqualTo(wrong);
		assertThat(refused("jane" + "x".repeat(2000), SECRET)).isEqualTo(wrong);
		assertThat(refused("jane\ud800", SECRET)).isEqualTo(wrong);
		assertThat(wrong).doesNotContain("jane", SECRET);
	}

	@Test
	void secretsThatDifferLateAreTwo() {
		String longer = "x".repeat(100);
		this.here.add(Account.user(this.namespace, "jane"), longer + "1");
		assertThat(refused("jane", longer + "2")).isNotEmpty();
		assertThat(this.here.login("jane", longer + "1").id()).isEqualTo("jane");
	}

	@Test
	void anIdOrNameThatIsTakenIsAConflict() {
		Account account = add(named("jane-1", "jane"));
		for (Account other : List.of(named("jane-1", "other"), named("other", "jane"), named("jane", "other"),
				named("other", "jane-1"))) {
			assertThatExceptionOfType(MicroException.Conflict.class).as(other.toString())
				.isThrownBy(() -> this.there.add(other, OTHER));
		}
		assertThat(this.here.list("", 10)).containsExactly(account);
		assertThat(this.here.login("jane", SECRET)).isEqualTo(account);
		assertThat(refused("other", OTHER)).isNotEmpty();
	}

	@Test
	void ofThoseWhoAddOneAccountAtOnceOneDoes() throws Exception {
		ExecutorService executor = Executors.newFixedThreadPool(4);
		try {
			List<Future<?>> adding = IntStream.range(0, 4)
				.<Future<?>>mapToObj((i) -> executor
					.submit(() -> ((i % 2 == 0) ? this.here : this.there).add(named("jane-" + i, "jane"), SECRET)))
				.toList();
			int added = 0;
			for (Future<?> one : adding) {
				added += (ends(one)) ? 1 : 0;
			}
			assertThat(added).isEqualTo(1);
			assertThat(this.here.list("", 10)).hasSize(1);
		}
		finally {
			executor.shutdownNow();
		}
	}

	private static boolean ends(Future<?> adding) throws Exception {
		try {
			adding.get();
			return true;
		}
		catch (ExecutionException ex) {
			assertThat(ex).hasCauseInstanceOf(MicroException.Conflict.class);
			return false;
		}
	}

	@Test
	void aRemovedAccountIsGoneAndItsNamesAreFree() {
		add(named("jane-1", "jane"));
		assertThat(this.there.remove("jane-1")).isTrue();
		assertThat(this.here.get("jane-1")).isNull();
		assertThat(refused("jane", SECRET)).isNotEmpty();
		Account other = named("jane", "jane-1");
		this.here.add(other, OTHER);
		assertThat(this.there.login("jane-1", OTHER)).isEqualTo(other);
	}

	@Test
	void anAccountIsRemovedByItsIdAlone() {
		Account account = add(named("jane-1", "jane"));
		assertThat(this.here.remove("jane")).isFalse();
		assertThat(this.here.get("jane")).isNull();
		assertThat(this.here.login("jane", SECRET)).isEqualTo(account);
	}

	@Test
	void aChangedSecretIsTheOnlyOne() {
		Account account = add(named("jane-1", "jane"));
		this.there.setSecret("jane-1", OTHER);
		assertThat(refused("jane", SECRET)).isNotEmpty();
		assertThat(this.here.login("jane", OTHER)).isEqualTo(account);
		assertThat(this.here.get("jane-1")).isEqualTo(account);
	}

	@Test
	void theSecretOfNobodyCannotBeChanged() {
		add(named("jane-1", "jane"));
		assertThatExceptionOfType(MicroException.NotFound.class).isThrownBy(() -> this.here.setSecret("jane", OTHER))
			.withMessageContaining("'jane'");
	}

	@Test
	void accountsAreListedInOrderAndFromAnyId() {
		List<String> ids = List.of("a", "b", "c", "z", "\ufffd", "\ud83d\ude00");
		for (String id : List.of("z", "\ud83d\ude00", "b", "\ufffd", "a", "c")) {
			add(Account.user(this.namespace, id));
		}
		assertThat(this.there.list("", 100)).extracting(Account::id).isEqualTo(ids);
		assertThat(this.there.list("b", 2)).extracting(Account::id).containsExactly("c", "z");
		assertThat(this.there.list("bb", 1)).extracting(Account::id).containsExactly("c");
		assertThat(this.there.list("\ud83d\ude00", 1)).isEmpty();
	}

	@Test
	void accountsOfOneNamespaceAreNotThoseOfAnother() throws Exception {
		Account account = add(Account.user(this.namespace, "jane"));
		String neighbour = this.namespace + "x";
		Accounts other = view().in(neighbour);
		assertThat(other.get("jane")).isNull();
		assertThat(other.list("", 10)).isEmpty();
		assertThat(other.remove("jane")).isFalse();
		assertThatExceptionOfType(MicroException.Unauthenticated.class).isThrownBy(() -> other.login("jane", SECRET));
		other.add(Account.user(neighbour, "jane"), OTHER);
		assertThat(this.here.login("jane", SECRET)).isEqualTo(account);
		assertThat(refused("jane", OTHER)).isNotEmpty();
	}

	@Test
	void anAccountOfAnotherNamespaceIsNotAdded() {
		assertThatExceptionOfType(MicroException.Invalid.class)
			.isThrownBy(() -> this.here.add(Account.user("other", "jane"), SECRET))
			.withMessageContaining("'other'");
	}

	@Test
	void whatIsOverALimitIsRefusedWithoutTheSecret() {
		add(Account.user(this.namespace, "jane"));
		Account other = Account.user(this.namespace, "other");
		String longer = SECRET.repeat(100);
		List<ThrowingCallable> calls = List.of(() -> this.here.add(other, "7 chars"),
				() -> this.here.add(other, longer), () -> this.here.setSecret("jane", "7 chars"),
				() -> this.here.setSecret("jane", longer), () -> this.here.list("", 0), () -> this.here.list("", 1001),
				() -> this.here.get("x".repeat(201)), () -> this.here.remove(" "));
		assertThat(calls).allSatisfy((call) -> assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(call)
			.satisfies((ex) -> assertThat(ex.getMessage()).doesNotContain("7 chars", SECRET)));
		assertThat(this.here.get("other")).isNull();
	}

	@Test
	void nothingIsDoneAfterClosing() throws Exception {
		Scoped<Accounts> view = open();
		Accounts accounts = view.in(this.namespace);
		view.close();
		view.close();
		List<ThrowingCallable> calls = List.of(() -> accounts.get("jane"), () -> accounts.list("", 1),
				() -> accounts.add(Account.user(this.namespace, "jane"), SECRET), () -> accounts.remove("jane"),
				() -> accounts.setSecret("jane", SECRET), () -> accounts.login("jane", SECRET));
		assertThat(calls)
			.allSatisfy((call) -> assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(call));
	}

	private Account add(Account account) {
		this.here.add(account, SECRET);
		return account;
	}

	private Account named(String id, String name) {
		return new Account(this.namespace, id, Account.Type.USER, name, Set.of("greet"), Map.of());
	}

	private String refused(String idOrName, String secret) {
		return String.valueOf(Assertions
			.catchThrowableOfType(MicroException.Unauthenticated.class, () -> this.here.login(idOrName, secret))
			.getMessage());
	}

}
