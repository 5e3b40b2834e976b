package mu.micro.auth;

import java.util.Collections;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

import mu.micro.Limits;
import mu.micro.MicroException;

/**
 * Somebody who calls: a person, or a service. Holds no secret.
 *
 * @param namespace whose it is, without a slash
 * @param id what it is known by in its namespace, within {@link Limits#NAME}; never
 * changes
 * @param type what it is
 * @param name another id it may log in with, which is unique in the namespace too
 * @param scopes what it may do, in lower case, each within {@link Limits#NAME} and
 * without spaces; {@link #SCOPES} at most
 * @param metadata what else is known of it, within {@link Limits#METADATA}
 */
public record Account(String namespace, String id, Type type, String name, Set<String> scopes,
		Map<String, String> metadata) {

	/**
	 * The scope of those who look after a namespace: it stands for every scope in it.
	 */
	public static final String ADMIN = "admin";

	/**
	 * Scopes of one account.
	 */
	public static final int SCOPES = 100;

	/**
	 * Checks, and copies scopes and metadata.
	 * @throws MicroException.Invalid if something is over its limit, or a scope is
	 * {@link Rule#ANYBODY_OF_THE_NAMESPACE} or {@link Rule#ANYBODY_WITH_AN_ACCOUNT}
	 */
	public Account {
		Limits.name("namespace", namespace);
		if (namespace.indexOf('/') >= 0) {
			throw new MicroException.Invalid("no account can be of namespace '" + namespace
					+ "': names with a slash are for what Micro itself keeps");
		}
		Limits.name("account's id", id);
		Limits.name("account's name", name);
		scopes = scopes(scopes);
		metadata = Limits.metadata(metadata);
	}

	/**
	 * A person's account, whose name is its id.
	 * @param namespace whose it is
	 * @param id what it is known by
	 * @param scopes what it may do
	 * @return the account
	 */
	public static Account user(String namespace, String id, String... scopes) {
		return new Account(namespace, id, Type.USER, id, Set.of(scopes), Map.of());
	}

	/**
	 * A service's account, whose name is its id, the service's name.
	 * @param namespace whose it is
	 * @param id the service's name
	 * @param scopes what it may do
	 * @return the account
	 */
	public static Account service(String namespace, String id, String... scopes) {
		return new Account(namespace, id, Type.SERVICE, id, Set.of(scopes), Map.of());
	}

	private static Set<String> scopes(Set<String> scopes) {
		if (scopes.size() > SCOPES) {
			throw new MicroException.Invalid(scopes.size() + " scopes are more than the limit of " + SCOPES);
		}
		Set<String> copy = new TreeSet<>();
		for (String scope : scopes) {
			Limits.name("scope", scope);
			if (scope.chars().anyMatch(Character::isWhitespace)) {
				throw new MicroException.Invalid("the scope '" + scope + "' holds a space");
			}
			if (scope.equals(Rule.ANYBODY_OF_THE_NAMESPACE) || scope.equals(Rule.ANYBODY_WITH_AN_ACCOUNT)) {
				throw new MicroException.Invalid("'" + scope + "' is for rules, no account can have it as a scope");
			}
			copy.add(scope.toLowerCase(Locale.ROOT));
		}
		return Collections.unmodifiableSet(copy);
	}

	/**
	 * Whether this may do what a scope allows, in its own namespace.
	 * @param scope the scope, in any case
	 * @return whether it has it, or is an {@link #ADMIN}
	 */
	public boolean has(String scope) {
		return this.scopes.contains(scope.toLowerCase(Locale.ROOT)) || this.scopes.contains(ADMIN);
	}

	/**
	 * What an account is.
	 */
	public enum Type {

		/**
		 * A person, or a program that acts for one.
		 */
		USER,

		/**
		 * A service.
		 */
		SERVICE

	}

}
