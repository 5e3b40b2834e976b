package mu.micro.store;

import java.util.Set;

import mu.micro.MicroException;
import mu.micro.Scoped;

/**
 * The databases of all namespaces. {@link #in} gives one of them, and makes nothing: a
 * database is there while it has an entry.
 * <p>
 * Once this is closed every call to it, to its databases and to their tables is
 * {@link MicroException.Unavailable}.
 */
public interface Databases extends Scoped<Database> {

	/**
	 * The namespaces that have an entry.
	 * @return the names, sorted by their UTF-8
	 * @throws MicroException.Unavailable if the data cannot be reached
	 */
	Set<String> names();

}
