package mu.micro.config;

import java.util.List;
import java.util.function.Consumer;

import mu.micro.Limits;
import mu.micro.MicroException;
import mu.micro.Subscription;
import org.jspecify.annotations.Nullable;

/**
 * The settings of one namespace: one JSON object, read and changed by path while services
 * run.
 * <p>
 * <strong>Paths</strong> are names with dots between them, as in {@code db.pool.size};
 * the empty path is the whole object. Each name is within {@link Limits#NAME}, the path
 * within {@link Limits#KEY}. A path leads through objects, not into arrays, so it never
 * contains an index. Names of objects that are set follow the same rules: a dot in one is
 * refused, for {@code {"a.b": 1}} and {@code {"a": {"b": 1}}} would be two values under
 * one path. Inside an array names are free.
 * <p>
 * <strong>Leaves</strong> are what is set as a whole: texts, numbers, truth values, null,
 * arrays and objects without members. They are read as they were set, with every digit.
 * <p>
 * <strong>Secrets</strong> are leaves that are encrypted where they are kept, their names
 * are not. Who does not ask for them to be revealed reads the text {@link #HIDDEN}
 * instead.
 * <p>
 * <strong>Limits.</strong> A change after which the object would be over
 * {@link #DOCUMENT}, {@link #LEAVES} or {@link #DEPTH} is {@link MicroException.Invalid}.
 * <p>
 * <strong>Failures.</strong> Every call ends within the caller's deadline, else within
 * the provider's timeout. What could not be done is {@link MicroException.Unavailable}
 * and has changed nothing; a change of which that is not certain is
 * {@link MicroException.OutcomeUnknown}: setting and removing may be repeated. No message
 * holds a value.
 */
public interface Config {

	/**
	 * What is read in place of a secret.
	 */
	Json.Text HIDDEN = Json.of("[secret]");

	/**
	 * Bytes of UTF-8 in the whole object as JSON, as it is kept: 1 MB. A secret takes
	 * four thirds of its JSON and about a hundred bytes.
	 */
	int DOCUMENT = 1024 * 1024;

	/**
	 * Leaves in the whole object.
	 */
	int LEAVES = 10_000;

	/**
	 * Levels of objects and arrays in each other, the whole object being the first.
	 */
	int DEPTH = 64;

	/**
	 * Checks a path and takes it apart, for providers.
	 * @param path the path
	 * @return its names, none for the empty path
	 * @throws MicroException.Invalid if it is no path, or has more than {@link #DEPTH}
	 * names
	 */
	static List<String> names(String path) {
		Limits.text("path", path, Limits.KEY);
		if (path.isEmpty()) {
			return List.of();
		}
		List<String> names = List.of(path.split("\\.", -1));
		if (names.size() > DEPTH) {
			throw new MicroException.Invalid(
					"the path has " + names.size() + " names, more than the limit of " + DEPTH);
		}
		names.forEach((name) -> Limits.name("name in the path", name));
		return names;
	}

	/**
	 * Reads what is at a path.
	 * @param path the path; empty for everything
	 * @param reveal whether to read secrets as they are
	 * @return a leaf or an object, or null where there is nothing
	 * @throws MicroException.Internal if a secret cannot be revealed, because its key is
	 * missing or it was tampered with
	 */
	@Nullable Json get(String path, boolean reveal);

	/**
	 * Sets what is at a path, as one step: changes of others at the same time, at other
	 * paths, are kept.
	 * <p>
	 * An object is merged into the one that is there, leaf by leaf and at every level; an
	 * object without members therefore changes no object. All else replaces what is
	 * there: a leaf an object, an object a leaf. What stands in the way of the path and
	 * is no object is replaced by one.
	 * <p>
	 * {@link #HIDDEN} set where a secret is leaves it as it is, so that what was read
	 * without revealing can be set again. Any other leaf that is set without
	 * {@code secret} is none from then on.
	 * @param path the path; empty for the whole, which is an object always
	 * @param value what to set
	 * @param secret whether each leaf in it is a secret
	 */
	void set(String path, Json value, boolean secret);

	/**
	 * Removes the leaf or the object at a path and nothing else, but for the objects
	 * around it that have no member left.
	 * @param path the path; empty for everything
	 * @return whether there was something
	 */
	boolean remove(String path);

	/**
	 * Hears what is at a path: now, and within a second of each change of what
	 * {@link #get} returns, be it at the path, below or above it. A slow listener misses
	 * states in between, never the last one.
	 * @param path the path, at which there may be nothing yet; empty for everything
	 * @param reveal whether to hear secrets as they are; without it a change of a secret
	 * is not heard
	 * @param listener gets what {@link #get} returns, also null
	 * @return ends the calls when closed
	 */
	Subscription watch(String path, boolean reveal, Consumer<@Nullable Json> listener);

}
