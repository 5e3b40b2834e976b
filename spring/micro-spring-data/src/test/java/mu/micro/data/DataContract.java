package mu.micro.data;

import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

import mu.micro.store.Database;
import mu.micro.store.Databases;
import mu.micro.store.Entry;
import mu.micro.store.Query;
import mu.micro.store.Store;
import mu.micro.tck.TestClock;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

import org.springframework.data.keyvalue.core.mapping.context.KeyValueMappingContext;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A database, and as many applications over it as a test wants.
 */
abstract class DataContract {

	private final List<AutoCloseable> open = new ArrayList<>();

	final TestClock clock = new TestClock();

	Database database;

	/**
	 * Opens one more view of the test's databases, as another process would.
	 * @param time tells when entries are over
	 * @return the view
	 */
	abstract Databases open(Clock time);

	@BeforeEach
	void openDatabase() {
		this.database = view();
	}

	private Database view() {
		Databases databases = open(this.clock);
		this.open.add(databases);
		return databases.in("data");
	}

	@AfterEach
	void closeAll() throws Exception {
		for (int i = this.open.size() - 1; i >= 0; i--) {
			this.open.get(i).close();
		}
	}

	/**
	 * One more application.
	 * @return its template
	 */
	final DatabaseTemplate application() {
		return application(view());
	}

	final DatabaseTemplate application(Database over) {
		return application(over, Duration.ofHours(1));
	}

	final DatabaseTemplate application(Database over, Duration untilRebuild) {
		DatabaseAdapter adapter = new DatabaseAdapter(over, new KeyValueMappingContext<>(),
				EntityJson.builder().build(), this.clock, untilRebuild);
		DatabaseTemplate template = new DatabaseTemplate(adapter);
		this.open.add(template::destroy);
		return template;
	}

	/**
	 * A database that tells how a table is read and written.
	 * @param real does the work
	 * @param table the table
	 * @param calls gets the name of each call
	 * @return the database
	 */
	static Database counted(Database real, String table, List<String> calls) {
		return proxy(Database.class, (method, args) -> {
			Object result = method.invoke(real, args);
			return (result instanceof Store store && table.equals(args[0])) ? proxy(Store.class, (call, with) -> {
				calls.add(call.getName());
				return call.invoke(store, with);
			}) : result;
		});
	}

	private static <T> T proxy(Class<T> type, Calls calls) {
		return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] { type },
				(proxy, method, args) -> calls.made(method, args)));
	}

	final <R> R repository(Class<R> type) {
		return repository(application(), type);
	}

	static <R> R repository(DatabaseTemplate template, Class<R> type) {
		return new MicroRepositoryFactory(template).getRepository(type);
	}

	/**
	 * Sees to it that each index that is ready has the rows of all entities and no
	 * others, and that nothing else is left.
	 * @param type the type of the entities, as it declares the indexes by now
	 * @return how many rows there are
	 */
	final int assertRowsMatch(Class<?> type) {
		EntityTable table = application().getKeyValueAdapter().table(type);
		EntityTable.Upkeep known = table.use(table.catalog().latest());
		Map<String, Map<String, String>> expected = new TreeMap<>();
		expected.put(table.keyspace(), null);
		expected.put(IndexCatalog.TABLE, null);
		int count = 0;
		for (EntityTable.Kept each : known.kept()) {
			assertThat(each.index().state()).isEqualTo(IndexDefinition.State.READY);
			Map<String, String> rows = new HashMap<>();
			for (Entry entry : entries(table.keyspace())) {
				for (EntityTable.Row row : table.rows(each, table.read(entry), entry.key())) {
					assertThat(rows.put(row.key(), row.unique() ? entry.key() : "")).isNull();
				}
			}
			count += rows.size();
			expected.put(each.index().table(table.keyspace()), rows);
		}
		expected.forEach((name, rows) -> {
			if (rows != null) {
				Map<String, String> found = new HashMap<>();
				entries(name).forEach((entry) -> found.put(entry.key(), new String(entry.value())));
				assertThat(found).as(name).isEqualTo(rows);
			}
		});
		assertThat(expected.keySet()).containsAll(new TreeSet<>(this.database.tables()));
		return count;
	}

	final List<Entry> entries(String table) {
		List<Entry> all = new ArrayList<>();
		Query query = Query.ALL;
		boolean more = true;
		while (more) {
			var page = this.database.table(table).list(query);
			all.addAll(page.entries());
			more = page.more();
			query = more ? query.withAfter(all.get(all.size() - 1).key()) : query;
		}
		return all;
	}

	private interface Calls {

		Object made(Method method, Object[] args) throws Throwable;

	}

}
