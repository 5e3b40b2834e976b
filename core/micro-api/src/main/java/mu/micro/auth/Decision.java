package mu.micro.auth;

import mu.micro.MicroException;
import org.jspecify.annotations.Nullable;

/**
 * What the rules of a namespace say of one call.
 *
 * @param access whether it is granted
 * @param rule the rule that decided; null if none did, which denies
 * @param namespace whose rules were asked
 * @param account who calls, or null without an account
 * @param resource what is called
 */
public record Decision(Access access, @Nullable Rule rule, String namespace, @Nullable Account account,
		Resource resource) {

	/**
	 * Whether the call is granted.
	 * @return whether it is
	 */
	public boolean granted() {
		return this.access == Access.GRANTED;
	}

	/**
	 * Fails unless the call is granted.
	 * @throws MicroException.Unauthenticated if it is denied to a caller without account
	 * @throws MicroException.Denied if it is denied to the account
	 */
	public void check() {
		if (granted()) {
			return;
		}
		if (this.account == null) {
			throw new MicroException.Unauthenticated(reason() + "; log in, or send a token");
		}
		throw new MicroException.Denied(reason());
	}

	/**
	 * Says in a sentence why, for people.
	 * @return the sentence, without a full stop
	 */
	public String reason() {
		String who = (this.account != null)
				? "account '" + this.account.id() + "' of namespace '" + this.account.namespace() + "'"
				: "a caller without an account";
		String what = who + ((granted()) ? " may" : " may not") + " call " + this.resource + " in namespace '"
				+ this.namespace + "'";
		return (this.rule != null) ? what + ": rule '" + this.rule.id() + "' says so" : what + ": no rule grants it";
	}

}
