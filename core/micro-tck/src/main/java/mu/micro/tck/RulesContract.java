package mu.micro.tck;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;

import mu.micro.MicroException;
import mu.micro.Scoped;
import mu.micro.auth.Access;
import mu.micro.auth.Account;
import mu.micro.auth.Decision;
import mu.micro.auth.Resource;
import mu.micro.auth.Rule;
import mu.micro.auth.Rules;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatNoException;

/**
 * What all {@link Rules} promise. A provider's test fills the hooks and overrides nothing
 * else.
 */
@Timeout(60)
public abstract class RulesContract {

	/**
	 * The promised second, and what a loaded machine may add to it.
	 */
	private static final Duration HEARD = Duration.ofSeconds(1).plusSeconds(4);

	private static final Resource CALLED = service("helloworld", "Helloworld.Call");

	private static final Resource ALL = service(Resource.ANY, Resource.ANY);

	private final String namespace = "ns-" + UUID.randomUUID();

	private final List<Scoped<Rules>> opened = new ArrayList<>();

	private Rules here;

	private Rules there;

	/**
	 * Opens one more view of the rules under test, as another process would.
	 * @return the view, closed by the contract
	 * @throws Exception if it cannot be opened
	 */
	protected abstract Scoped<Rules> open() throws Exception;

	@BeforeEach
	void openTwoViews() throws Exception {
		this.here = view().in(this.namespace);
		this.there = view().in(this.namespace);
	}

	@AfterEach
	void closeViews() {
		this.opened.forEach(Scoped::close);
	}

	private Scoped<Rules> view() throws Exception {
		Scoped<Rules> view = open();
		this.opened.add(view);
		return view;
	}

	@Test
	void withoutRulesEverybodyIsDenied() {
		assertThat(decide(null)).isEqualTo(Access.DENIED);
		assertThat(decide(account())).isEqualTo(Access.DENIED);
		assertThat(this.here.list()).isEmpty();
	}

	@Test
	void aRuleForEverybodyAndAllGrantsWithAndWithoutAnAccount() {
		add(granted(Rule.EVERYBODY, ALL));
		assertThat(decide(null)).isEqualTo(Access.GRANTED);
		assertThat(decide(account())).isEqualTo(Access.GRANTED);
	}

	@Test
	void aRuleForAccountsGrantsWithAnAccountAlone() {
		add(granted(Rule.ANYBODY_OF_THE_NAMESPACE, ALL));
		assertThat(decide(account())).isEqualTo(Access.GRANTED);
		assertThat(decide(null)).isEqualTo(Access.DENIED);
	}

	@Test
	void aRuleForOneServiceIsForNoOther() {
		add(granted(Rule.ANYBODY_OF_THE_NAMESPACE, service("helloworld", Resource.ANY)));
		assertThat(decide(account(), service("helloworld", "Other.Endpoint"))).isEqualTo(Access.GRANTED);
		assertThat(decide(account(), service("helloworld2", "Helloworld.Call"))).isEqualTo(Access.DENIED);
		assertThat(decide(account(), service("Helloworld", "Helloworld.Call"))).isEqualTo(Access.DENIED);
	}

	@Test
	void aRuleForOneTypeIsForNoOther() {
		add(granted(Rule.EVERYBODY, ALL));
		assertThat(decide(null, new Resource(Resource.CORE, "store", "Store.Read"))).isEqualTo(Access.DENIED);
	}

	@Test
	void aScopeLetsThoseInWhoHaveIt() {
		add(granted("greet", CALLED));
		assertThat(decide(account("greet"))).isEqualTo(Access.GRANTED);
		assertThat(decide(account("other", "greet"))).isEqualTo(Access.GRANTED);
		assertThat(decide(account())).isEqualTo(Access.DENIED);
		assertThat(decide(account("greeting"))).isEqualTo(Access.DENIED);
		assertThat(decide(null)).isEqualTo(Access.DENIED);
	}

	@Test
	void aScopeIsTheSameInAnyCase() {
		add(granted("Greet", CALLED));
		assertThat(decide(account("GREET"))).isEqualTo(Access.GRANTED);
	}

	@Test
	void anAdminHasEveryScope() {
		add(granted("greet", CALLED));
		assertThat(decide(account(Account.ADMIN))).isEqualTo(Access.GRANTED);
	}

	@Test
	void aScopeMayBeTheNameOfWhatIsCalled() {
		add(granted(Rule.NAME, new Resource(Resource.CORE, Resource.ANY, Resource.ANY)));
		Resource store = new Resource(Resource.CORE, "store", "Store.Read");
		assertThat(decide(account("store"), store)).isEqualTo(Access.GRANTED);
		assertThat(decide(account("config"), store)).isEqualTo(Access.DENIED);
		assertThat(decide(null, store)).isEqualTo(Access.DENIED);
	}

	@Test
	void aRuleThatDeniesAllDeniesWithAndWithoutAnAccount() {
		add(denied(Rule.EVERYBODY, ALL));
		assertThat(decide(null)).isEqualTo(Access.DENIED);
		assertThat(decide(account())).isEqualTo(Access.DENIED);
	}

	@Test
	void theHigherPriorityDecides() {
		add(new Rule("low", Rule.ANYBODY_OF_THE_NAMESPACE, CALLED, Access.DENIED, -1));
		add(new Rule("high", Rule.ANYBODY_OF_THE_NAMESPACE, CALLED, Access.GRANTED, 1));
		assertThat(decide(account())).isEqualTo(Access.GRANTED);
	}

	@Test
	void theHigherPriorityDecidesTheOtherWayRound() {
		add(new Rule("low", Rule.ANYBODY_OF_THE_NAMESPACE, CALLED, Access.GRANTED, Integer.MIN_VALUE));
		add(new Rule("high", Rule.ANYBODY_OF_THE_NAMESPACE, CALLED, Access.DENIED, Integer.MAX_VALUE));
		assertThat(decide(account())).isEqualTo(Access.DENIED);
	}

	@Test
	void ofTheSamePriorityTheOneThatDeniesDecides() {
		add(new Rule("a", Rule.EVERYBODY, CALLED, Access.GRANTED, 5));
		add(new Rule("b", Rule.EVERYBODY, ALL, Access.DENIED, 5));
		add(new Rule("c", Rule.EVERYBODY, CALLED, Access.GRANTED, 5));
		assertThat(this.here.decide(null, CALLED).rule()).extracting(Rule::id).isEqualTo("b");
	}

	@Test
	void aRuleForOthersDoesNotDecide() {
		add(new Rule("high", "greet", CALLED, Access.DENIED, 5));
		add(new Rule("low", Rule.EVERYBODY, CALLED, Access.GRANTED, 1));
		assertThat(decide(account("greet"))).isEqualTo(Access.DENIED);
		assertThat(decide(account())).isEqualTo(Access.GRANTED);
		assertThat(decide(null)).isEqualTo(Access.GRANTED);
	}

	@Test
	void aPathIsForItselfAlone() {
		add(granted(Rule.EVERYBODY, web("/foo")));
		assertThat(decide(null, web("/foo"))).isEqualTo(Access.GRANTED);
		for (String other : List.of("/foo/bar", "/foo/", "/fo", "/foobar", "/FOO", "/")) {
			assertThat(decide(null, web(other))).as(other).isEqualTo(Access.DENIED);
		}
	}

	@Test
	void aPathWithAWildcardIsForWhatLiesBelow() {
		add(granted(Rule.EVERYBODY, web("/foo/*")));
		assertThat(decide(null, web("/foo/bar"))).isEqualTo(Access.GRANTED);
		assertThat(decide(null, web("/foo/bar/baz"))).isEqualTo(Access.GRANTED);
		for (String other : List.of("/foo", "/foobar", "/bar/foo/bar", "/Foo/bar")) {
			assertThat(decide(null, web(other))).as(other).isEqualTo(Access.DENIED);
		}
	}

	@Test
	void theWildcardIsForEveryPath() {
		add(granted(Rule.EVERYBODY, web(Resource.ANY)));
		assertThat(decide(null, web("/foo/bar"))).isEqualTo(Access.GRANTED);
	}

	@Test
	void anAccountOfAnotherNamespaceIsNoneOfThis() {
		add(granted(Rule.ANYBODY_OF_THE_NAMESPACE, ALL));
		add(new Rule("scope", "greet", ALL, Access.GRANTED, 1));
		assertThat(decide(Account.user("other", "jane", "greet", Account.ADMIN))).isEqualTo(Access.DENIED);
		assertThat(decide(null)).isEqualTo(Access.DENIED);
	}

	@Test
	void aRuleForEverybodyLetsAccountsOfOtherNamespacesIn() {
		add(granted(Rule.EVERYBODY, ALL));
		assertThat(decide(Account.user("other", "jane"))).isEqualTo(Access.GRANTED);
		assertThat(decide(null)).isEqualTo(Access.GRANTED);
	}

	@Test
	void aRuleForAnyAccountLetsAccountsOfAllNamespacesIn() {
		add(granted(Rule.ANYBODY_WITH_AN_ACCOUNT, ALL));
		assertThat(decide(Account.user("other", "jane"))).isEqualTo(Access.GRANTED);
		assertThat(decide(account())).isEqualTo(Access.GRANTED);
		assertThat(decide(null)).isEqualTo(Access.DENIED);
	}

	@Test
	void aDecisionNamesTheRuleAndSaysWhatToDo() {
		Rule rule = add(granted("greet", CALLED));
		Decision granted = this.here.decide(account("greet"), CALLED);
		assertThat(granted.rule()).isEqualTo(rule);
		assertThat(granted.reason()).contains("'jane'", "may call", CALLED.toString(), "'" + rule.id() + "'");
		assertThatNoException().isThrownBy(granted::check);
		assertThatExceptionOfType(MicroException.Denied.class)
			.isThrownBy(() -> this.here.decide(account(), CALLED).check())
			.withMessageContainingAll("'jane'", "may not", CALLED.toString(), "no rule");
		assertThatExceptionOfType(MicroException.Unauthenticated.class)
			.isThrownBy(() -> this.here.decide(null, CALLED).check())
			.withMessageContainingAll("without an account", CALLED.toString(), "log in");
	}

	@Test
	void rulesAreReadAsTheyWereAdded() {
		Rule one = add(new Rule("ü.b:c/d", "some scope", web("/a/b:c/*"), Access.DENIED, Integer.MIN_VALUE));
		Rule other = add(new Rule("a", Rule.EVERYBODY, ALL, Access.GRANTED, Integer.MAX_VALUE));
		assertThat(this.there.list()).containsExactly(other, one);
	}

	@Test
	void thousandsOfRulesAreListedInOrder() {
		List<String> ids = IntStream.range(0, 2500).mapToObj("rule-%05d"::formatted).toList();
		ids.forEach((id) -> this.here.add(new Rule(id, id, CALLED, Access.GRANTED, 0)));
		assertThat(this.there.list()).extracting(Rule::id).isEqualTo(ids);
		assertThat(this.there.decide(account("rule-02499"), CALLED).rule()).extracting(Rule::id)
			.isEqualTo("rule-02499");
	}

	@Test
	void twoRulesWithOneIdAreAConflict() {
		Rule rule = add(granted("greet", CALLED));
		assertThatExceptionOfType(MicroException.Conflict.class)
			.isThrownBy(() -> this.there.add(new Rule(rule.id(), Rule.EVERYBODY, ALL, Access.GRANTED, 9)))
			.withMessageContaining("'" + rule.id() + "'");
		assertThat(this.here.list()).containsExactly(rule);
	}

	@Test
	void aRemovedRuleDecidesNoMore() {
		Rule rule = add(granted(Rule.EVERYBODY, ALL));
		assertThat(decide(null)).isEqualTo(Access.GRANTED);
		assertThat(this.here.remove(rule.id())).isTrue();
		assertThat(this.here.remove(rule.id())).isFalse();
		await(() -> decide(null) == Access.DENIED);
		assertThat(this.there.list()).isEmpty();
	}

	@Test
	void othersHearOfChangesWithinASecond() {
		assertThat(this.there.decide(null, CALLED).granted()).isFalse();
		Rule rule = granted(Rule.EVERYBODY, ALL);
		this.here.add(rule);
		await(() -> this.there.decide(null, CALLED).granted());
		this.here.remove(rule.id());
		await(() -> !this.there.decide(null, CALLED).granted());
	}

	@Test
	void rulesOfOneNamespaceAreNotThoseOfAnother() throws Exception {
		Rules other = view().in(this.namespace + "-other");
		add(granted(Rule.EVERYBODY, ALL));
		assertThat(other.list()).isEmpty();
		assertThat(other.decide(null, CALLED).granted()).isFalse();
		assertThat(other.remove("rule")).isFalse();
	}

	@Test
	void whatIsOverALimitIsRefused() {
		String longer = "x".repeat(201);
		Map<String, Callable<?>> cases = Map.of("id", () -> granted(longer, CALLED), "scope",
				() -> new Rule("id", longer, CALLED, Access.GRANTED, 0), "removed", () -> this.here.remove(longer),
				"blank", () -> this.here.remove(" "));
		cases.forEach((name, call) -> assertThatExceptionOfType(MicroException.Invalid.class).as(name)
			.isThrownBy(call::call));
	}

	@Test
	void nothingIsDoneAfterClosing() throws Exception {
		Scoped<Rules> view = open();
		Rules rules = view.in(this.namespace);
		rules.decide(null, CALLED);
		view.close();
		view.close();
		List<ThrowingCallable> calls = List.of(() -> rules.decide(null, CALLED), rules::list,
				() -> rules.add(granted("greet", CALLED)), () -> rules.remove("rule"));
		assertThat(calls)
			.allSatisfy((call) -> assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(call));
	}

	private Rule add(Rule rule) {
		this.here.add(rule);
		return rule;
	}

	private Access decide(@Nullable Account account) {
		return decide(account, CALLED);
	}

	private Access decide(@Nullable Account account, Resource resource) {
		return this.here.decide(account, resource).access();
	}

	private Account account(String... scopes) {
		return Account.user(this.namespace, "jane", scopes);
	}

	private static Rule granted(String scope, Resource resource) {
		return new Rule("rule " + scope, scope, resource, Access.GRANTED, 0);
	}

	private static Rule denied(String scope, Resource resource) {
		return new Rule("rule " + scope, scope, resource, Access.DENIED, 0);
	}

	private static Resource service(String name, String endpoint) {
		return new Resource(Resource.SERVICE, name, endpoint);
	}

	private static Resource web(String path) {
		return new Resource("web", "site", path);
	}

	private static void await(Callable<Boolean> condition) {
		Awaitility.await().atMost(HEARD).pollInterval(Duration.ofMillis(10)).until(condition);
	}

}
