package mu.micro.core;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

import mu.micro.auth.Access;
import mu.micro.auth.Account;
import mu.micro.auth.Decision;
import mu.micro.auth.Resource;
import mu.micro.auth.Rule;
import mu.micro.auth.Rules;
import org.jspecify.annotations.Nullable;

/**
 * The rules of one namespace at one moment: the one place where it is decided what they
 * say, as {@link Rules} promises. What was decided is kept, within a bound.
 */
public final class Rulebook {

	/**
	 * Decisions that are kept. When there are so many all are forgotten.
	 */
	private static final int DECISIONS = 10_000;

	private static final Comparator<Rule> ORDER = Comparator.comparingInt(Rule::priority)
		.reversed()
		.thenComparing((rule) -> rule.access() == Access.GRANTED)
		.thenComparing(Rule::id, KeyOrder.UTF8);

	private final String namespace;

	private final List<Rule> rules;

	private final Map<Call, Decision> decisions = new ConcurrentHashMap<>();

	/**
	 * A book of these rules.
	 * @param namespace whose they are
	 * @param rules the rules, in any order
	 */
	public Rulebook(String namespace, List<Rule> rules) {
		this.namespace = namespace;
		this.rules = rules.stream().sorted(ORDER).toList();
	}

	/**
	 * Decides about a call.
	 * @param account who calls, or null without an account
	 * @param resource what is called, without wildcards
	 * @return the decision
	 */
	public Decision decide(@Nullable Account account, Resource resource) {
		Call call = new Call(account, resource);
		Decision known = this.decisions.get(call);
		if (known != null) {
			return known;
		}
		Decision decision = find(account, resource);
		if (this.decisions.size() >= DECISIONS) {
			this.decisions.clear();
		}
		this.decisions.put(call, decision);
		return decision;
	}

	private Decision find(@Nullable Account account, Resource resource) {
		for (Rule rule : this.rules) {
			if (rule.resource().covers(resource) && rule.isFor(this.namespace, account, resource)) {
				return new Decision(rule.access(), rule, this.namespace, account, resource);
			}
		}
		return new Decision(Access.DENIED, null, this.namespace, account, resource);
	}

	private record Call(@Nullable Account account, Resource resource) {
	}

}
