package mu.micro.auth;

import java.util.Locale;

import mu.micro.Limits;
import mu.micro.MicroException;
import org.jspecify.annotations.Nullable;

/**
 * Says of some callers that they may do something, or may not.
 *
 * @param id what it is known by in its namespace, within {@link Limits#NAME}
 * @param scope who it is for: {@link #EVERYBODY}, {@link #ANYBODY_OF_THE_NAMESPACE},
 * {@link #ANYBODY_WITH_AN_ACCOUNT}, or those accounts of the namespace that have this
 * scope, in any case; {@link #NAME} in it stands for the name of what is called
 * @param resource what it is about
 * @param access what it says
 * @param priority of the rules that are about a call and for its caller the one with the
 * highest priority decides; of several with the same one that denies
 */
public record Rule(String id, String scope, Resource resource, Access access, int priority) {

	/**
	 * The scope of rules for everybody, also without an account.
	 */
	public static final String EVERYBODY = "";

	/**
	 * The scope of rules for every account of the namespace.
	 */
	public static final String ANYBODY_OF_THE_NAMESPACE = "*";

	/**
	 * The scope of rules for every account, of whatever namespace.
	 */
	public static final String ANYBODY_WITH_AN_ACCOUNT = "+";

	/**
	 * In a scope, the name of the service that is called: a rule with this scope for all
	 * core services lets an account with the scope {@code store} call the store.
	 */
	public static final String NAME = "{name}";

	/**
	 * Checks.
	 * @throws MicroException.Invalid if the id or the scope is over its limit
	 */
	public Rule {
		Limits.name("rule's id", id);
		if (!scope.equals(EVERYBODY)) {
			Limits.name("rule's scope", scope);
		}
		scope = scope.toLowerCase(Locale.ROOT);
	}

	/**
	 * Whether this is for a caller.
	 * @param namespace the namespace of the rule
	 * @param account the caller's account, or null without one
	 * @param called what is called
	 * @return whether it is
	 */
	public boolean isFor(String namespace, @Nullable Account account, Resource called) {
		if (this.scope.equals(EVERYBODY)) {
			return true;
		}
		if (account == null) {
			return false;
		}
		if (this.scope.equals(ANYBODY_WITH_AN_ACCOUNT)) {
			return true;
		}
		return account.namespace().equals(namespace) && (this.scope.equals(ANYBODY_OF_THE_NAMESPACE)
				|| account.has(this.scope.replace(NAME, called.name())));
	}

}
