package mu.micro.auth;

import java.util.List;

import mu.micro.Limits;
import mu.micro.MicroException;
import org.jspecify.annotations.Nullable;

/**
 * The accounts of one namespace, each with a secret that nobody can read.
 * <p>
 * <strong>Secrets</strong> have {@link #SHORTEST_SECRET} code points at least, and
 * {@link #LONGEST_SECRET} bytes of UTF-8 at most. They are kept as salted hashes that are
 * slow to make, which is where the time goes that adding, changing and logging in take.
 * <p>
 * <strong>Limits.</strong> What is over a limit is {@link MicroException.Invalid}.
 * <p>
 * <strong>Failures.</strong> Every call ends within the caller's deadline, else within
 * the provider's timeout. What could not be done is {@link MicroException.Unavailable}
 * and has changed nothing; a change of which that is not certain is
 * {@link MicroException.OutcomeUnknown}. No message holds a secret.
 */
public interface Accounts {

	/**
	 * Code points of a secret at least, as in NIST SP 800-63B.
	 */
	int SHORTEST_SECRET = 8;

	/**
	 * Bytes of UTF-8 of a secret at most.
	 */
	int LONGEST_SECRET = 1024;

	/**
	 * Checks a secret, for providers.
	 * @param secret the secret
	 * @return the secret
	 * @throws MicroException.Invalid if it is too short, too long or no Unicode; the
	 * message does not hold it
	 */
	static String secret(String secret) {
		Limits.text("secret", secret, LONGEST_SECRET);
		if (secret.codePointCount(0, secret.length()) < SHORTEST_SECRET) {
			throw new MicroException.Invalid("the secret is shorter than " + SHORTEST_SECRET + " characters");
		}
		return secret;
	}

	/**
	 * Reads an account.
	 * @param id its id
	 * @return the account, or null if there is none
	 */
	@Nullable Account get(String id);

	/**
	 * Lists accounts.
	 * @param after the id after which to begin; empty for the first
	 * @param limit how many at most, 1 to {@link Limits#PAGE}
	 * @return the accounts, sorted by the bytes of their ids; fewer than the limit at the
	 * end alone
	 */
	List<Account> list(String after, int limit);

	/**
	 * Adds an account.
	 * @param account the account, of this namespace
	 * @param secret its secret
	 * @throws MicroException.Conflict if its id or its name is the id or the name of
	 * another
	 */
	void add(Account account, String secret);

	/**
	 * Removes an account. Whoever is logged in with it is no more.
	 * @param id its id
	 * @return whether there was one
	 */
	boolean remove(String id);

	/**
	 * Changes an account's secret. Whoever is logged in with it is no more.
	 * @param id its id
	 * @param secret the new secret
	 * @throws MicroException.NotFound if there is no such account
	 */
	void setSecret(String id, String secret);

	/**
	 * Finds the account of who knows its secret. Takes as long, and says the same,
	 * whether there is no such account or the secret is another.
	 * @param idOrName the account's id or name
	 * @param secret the secret, which may be any text here
	 * @return the account
	 * @throws MicroException.Unauthenticated if there is no such account, or the secret
	 * is another
	 */
	Account login(String idOrName, String secret);

}
