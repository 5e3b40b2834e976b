package mu.micro.data;

import java.util.List;
import java.util.Locale;
import java.util.Map;

import mu.micro.MicroException;
import mu.micro.store.Database;
import mu.micro.store.Entry;
import mu.micro.store.Query;
import mu.micro.store.Store;
import mu.micro.store.TableWrite;
import mu.micro.store.When;
import mu.micro.store.Write;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.dao.DataRetrievalFailureException;

/**
 * Which indexes a table has, recorded so that all processes agree. The record is a list
 * of generations, of which the last one counts and none is ever changed or deleted. Every
 * write to the table asks in its batch that there is no generation after the one it was
 * made by, so that nobody writes without knowing of an index.
 */
final class IndexCatalog {

	/**
	 * The table of all records. No table of entities or rows begins with a colon.
	 */
	static final String TABLE = ":indexes";

	private static final JsonMapper JSON = EntityJson.builder().build();

	private final Store store;

	private final String keyspace;

	IndexCatalog(Database database, String keyspace) {
		this.store = database.table(TABLE);
		this.keyspace = keyspace;
	}

	/**
	 * The last generation.
	 * @return the indexes
	 */
	Indexes latest() {
		List<Entry> last = this.store.list(Query.prefix(this.keyspace + ":").withDescending().withLimit(1)).entries();
		return last.isEmpty() ? new Indexes(0, 0, List.of()) : read(last.get(0));
	}

	/**
	 * Whether there is a generation after one.
	 * @param indexes the one
	 * @return whether there is
	 */
	boolean isOver(Indexes indexes) {
		return this.store.get(key(indexes.generation() + 1)) != null;
	}

	/**
	 * What holds in a batch as long as a generation is the last one.
	 * @param indexes the generation
	 * @return a delete that changes nothing
	 */
	TableWrite fence(Indexes indexes) {
		return new TableWrite(TABLE, Write.delete(key(indexes.generation() + 1)).withWhen(When.ABSENT));
	}

	/**
	 * Records the next generation.
	 * @param last the last one
	 * @param definitions its definitions
	 * @return the new last one
	 * @throws MicroException.Conflict if there is a later one already
	 */
	Indexes append(Indexes last, List<IndexDefinition> definitions) {
		long generation = last.generation() + 1;
		long revision = this.store.put(Write.put(key(generation), JSON.writeValueAsBytes(definitions))
			.withWhen(When.ABSENT)
			.withMetadata(Map.of(EntityType.CONTENT_TYPE, EntityType.JSON)));
		return new Indexes(generation, revision, definitions);
	}

	private Indexes read(Entry entry) {
		try {
			long generation = Long.parseLong(entry.key().substring(this.keyspace.length() + 1));
			return new Indexes(generation, entry.revision(),
					List.of(JSON.readValue(entry.value(), IndexDefinition[].class)));
		}
		catch (NumberFormatException | JacksonException ex) {
			throw new DataRetrievalFailureException("the entry '" + entry.key() + "' of table '" + TABLE
					+ "' is no record of indexes, or one of a newer version of micro-spring-data", ex);
		}
	}

	private String key(long generation) {
		return this.keyspace + ":" + String.format(Locale.ROOT, "%010d", generation);
	}

}
