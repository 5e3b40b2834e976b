package mu.micro.auth;

import java.util.List;

import mu.micro.MicroException;
import org.jspecify.annotations.Nullable;

/**
 * The rules of one namespace: who may call what. The {@link #decide decision} is the same
 * wherever it is asked for.
 * <p>
 * <strong>Who decides.</strong> Of the rules that are about a call and for its caller,
 * the one with the highest priority; of several with the same one that denies, of those
 * the one whose id is first. Where there is no such rule the call is denied.
 * <p>
 * <strong>Limits.</strong> A namespace has {@link #RULES} at most, but for those that are
 * added at the same time: another one is {@link MicroException.Exhausted}.
 * <p>
 * <strong>Failures.</strong> Every call ends within the caller's deadline, else within
 * the provider's timeout. What could not be done is {@link MicroException.Unavailable}
 * and has changed nothing; a change of which that is not certain is
 * {@link MicroException.OutcomeUnknown}.
 */
public interface Rules {

	/**
	 * Rules of one namespace.
	 */
	int RULES = 10_000;

	/**
	 * For how many seconds decisions go on while the provider cannot be reached.
	 */
	int STALE_SECONDS = 60;

	/**
	 * Reads all rules.
	 * @return the rules, sorted by the bytes of their ids
	 */
	List<Rule> list();

	/**
	 * Adds a rule.
	 * @param rule the rule
	 * @throws MicroException.Conflict if there is one with its id
	 * @throws MicroException.Exhausted if there are {@link #RULES}
	 */
	void add(Rule rule);

	/**
	 * Removes a rule.
	 * @param id its id
	 * @return whether there was one
	 */
	boolean remove(String id);

	/**
	 * Decides about a call, by rules as they were at most a second ago, or ten where a
	 * change was not told; while the provider cannot be reached, by those it knows, for
	 * {@link #STALE_SECONDS}.
	 * @param account who calls, or null without an account
	 * @param resource what is called, without wildcards
	 * @return the decision
	 * @throws MicroException.Unavailable if the rules are not known, or for too long no
	 * longer
	 */
	Decision decide(@Nullable Account account, Resource resource);

}
