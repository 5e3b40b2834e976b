package mu.micro.jdbc;

import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

import mu.micro.Limits;
import mu.micro.core.ChangeFeed;
import mu.micro.store.Change;
import mu.micro.store.Entry;
import mu.micro.store.Page;
import mu.micro.store.Query;
import org.jspecify.annotations.Nullable;

/**
 * A connection that reads. Every row's checksum is compared: what is not as it was
 * written is an error.
 */
final class Reader implements AutoCloseable {

	/**
	 * How many changes are held for a listener, and how large their values may be.
	 */
	private static final int HELD = 256;

	private static final int HELD_BYTES = 1024 * 1024;

	/**
	 * How many entries, of whichever table, are looked at for a listener in one go.
	 */
	private static final int LOOKED_AT = 1_000;

	private static final byte[] FIRST = {};

	/**
	 * Behind all UTF-8.
	 */
	private static final byte[] LAST = { (byte) 0xff };

	private static final String KEY = "SELECT key, revision, expires, checksum";

	private static final String ENTRY = KEY + ", metadata, value";

	private static final String VISIBLE = "(expires IS NULL OR expires > ?)";

	private static final String GET = ENTRY + " FROM entries WHERE namespace = ? AND table_name = ? AND key = ?";

	private static final String RANGE = " FROM entries WHERE namespace = ? AND table_name = ? AND key >= ? AND key < ? AND "
			+ VISIBLE;

	private static final String UP = " ORDER BY key LIMIT ? OFFSET ?";

	private static final String DOWN = " ORDER BY key DESC LIMIT ? OFFSET ?";

	private static final String NEXT_TABLE = KEY + ", namespace, table_name FROM entries "
			+ "WHERE namespace = ? AND table_name > ? AND " + VISIBLE + " ORDER BY table_name LIMIT 1";

	private static final String NEXT_NAMESPACE = KEY + ", namespace, table_name FROM entries WHERE namespace > ? AND "
			+ VISIBLE + " ORDER BY namespace LIMIT 1";

	private static final String ALL = ENTRY + ", table_name FROM entries WHERE namespace = ? AND " + VISIBLE
			+ " ORDER BY table_name, key";

	private static final String DELETES = "SELECT key, revision, way, checksum FROM gone "
			+ "WHERE revision > ? AND namespace = ? AND table_name = ? AND key >= ? AND key < ? "
			+ "ORDER BY revision LIMIT ?";

	private static final String NEW_DELETES = "SELECT namespace, table_name, key FROM gone "
			+ "WHERE revision > ? ORDER BY revision LIMIT ?";

	private final Dialect dialect;

	private final Statements statements;

	private final String step;

	private final EventReader events;

	private final String puts;

	private final String newPuts;

	private volatile BooleanSupplier over = () -> false;

	Reader(Dialect dialect, BooleanSupplier patient) throws SQLException {
		this.dialect = dialect;
		this.step = "SELECT revision FROM entries" + dialect.byRevision()
				+ " WHERE revision > ? ORDER BY revision LIMIT 1 OFFSET " + (LOOKED_AT - 1);
		this.puts = ENTRY + " FROM entries" + dialect.byRevision()
				+ " WHERE revision > ? AND revision <= ? AND namespace = ? AND table_name = ? AND key >= ? AND key < ? AND "
				+ VISIBLE + " ORDER BY revision LIMIT ?";
		this.newPuts = "SELECT namespace, table_name, key FROM entries" + dialect.byRevision()
				+ " WHERE revision > ? ORDER BY revision LIMIT ?";
		this.statements = dialect.connect(true, patient);
		this.events = new EventReader(dialect, this.statements);
		try {
			dialect.giveUpWhen(this.statements.connection(), () -> this.over.getAsBoolean());
		}
		catch (SQLException ex) {
			close();
			throw ex;
		}
	}

	/**
	 * Whether it leads where it shall.
	 * @return whether
	 */
	boolean isCurrent() {
		return this.dialect.isCurrent(this.statements);
	}

	/**
	 * Has what follows given up on a condition.
	 * @param condition whether to give up
	 */
	void giveUpWhen(BooleanSupplier condition) {
		this.over = condition;
	}

	@Nullable Entry get(Place place, String key, long now) throws SQLException {
		PreparedStatement statement = this.statements.of(GET);
		byte[] bytes = Place.utf8(key);
		statement.setBytes(1, place.namespace());
		statement.setBytes(2, place.table());
		statement.setBytes(3, bytes);
		try (ResultSet result = statement.executeQuery()) {
			if (!result.next()) {
				return null;
			}
			Checksum.Row row = new Checksum.Row(place, bytes, result.getLong(2), result.getLong(3));
			Entry entry = entry(row, key, result);
			// Null reads as zero, which no entry has.
			return (row.tail() == 0 || row.tail() > now) ? entry : null;
		}
	}

	Page get(Place place, Set<String> keys, long now) throws SQLException {
		return moment(() -> {
			List<Entry> entries = new ArrayList<>();
			long revision = Revisions.last(this.statements);
			long size = 0;
			for (String key : keys) {
				Entry entry = get(place, key, now);
				if (entry == null) {
					continue;
				}
				size += entry.value().length;
				if (size > Limits.BATCH_BYTES) {
					return new Page(entries, revision, true);
				}
				entries.add(entry);
			}
			return new Page(entries, revision, false);
		});
	}

	Page list(Place place, Query query, long now) throws SQLException {
		byte[] from = from(query);
		byte[] to = to(query);
		return moment(() -> {
			List<Entry> entries = new ArrayList<>();
			long revision = Revisions.last(this.statements);
			boolean more = Arrays.compareUnsigned(from, to) < 0 && list(place, query, from, to, now, entries);
			return new Page(entries, revision, more);
		});
	}

	private boolean list(Place place, Query query, byte[] from, byte[] to, long now, List<Entry> entries)
			throws SQLException {
		boolean suffix = !query.suffix().isEmpty();
		PreparedStatement statement = this.statements.of((query.keysOnly() ? KEY : ENTRY) + RANGE
				+ (suffix ? " AND " + this.dialect.endsWith() : "") + (query.descending() ? DOWN : UP));
		int last = set(statement, 1, place, from, to);
		statement.setLong(++last, now);
		if (suffix) {
			byte[] end = Place.utf8(query.suffix());
			statement.setInt(++last, end.length);
			statement.setBytes(++last, end);
		}
		statement.setInt(++last, query.limit() + 1);
		statement.setInt(++last, query.offset());
		long size = 0;
		try (ResultSet result = statement.executeQuery()) {
			while (result.next()) {
				if (entries.size() == query.limit()) {
					return true;
				}
				Entry entry = query.keysOnly() ? key(place, result) : entry(place, result);
				size += entry.value().length;
				if (size > Limits.BATCH_BYTES) {
					return true;
				}
				entries.add(entry);
			}
		}
		return false;
	}

	Set<String> tables(byte[] namespace, long now) throws SQLException {
		return moment(() -> {
			Set<String> names = new LinkedHashSet<>();
			PreparedStatement statement = this.statements.of(NEXT_TABLE);
			for (Place last = new Place(namespace, FIRST); last != null; last = next(statement)) {
				if (last.table().length > 0) {
					names.add(Place.text(last.table()));
				}
				statement.setBytes(1, namespace);
				statement.setBytes(2, last.table());
				statement.setLong(3, now);
			}
			return names;
		});
	}

	Set<String> names(long now) throws SQLException {
		return moment(() -> {
			Set<String> names = new LinkedHashSet<>();
			PreparedStatement statement = this.statements.of(NEXT_NAMESPACE);
			for (Place last = new Place(FIRST, FIRST); last != null; last = next(statement)) {
				if (last.namespace().length > 0) {
					names.add(Place.text(last.namespace()));
				}
				statement.setBytes(1, last.namespace());
				statement.setLong(2, now);
			}
			return names;
		});
	}

	private @Nullable Place next(PreparedStatement statement) throws SQLException {
		try (ResultSet result = statement.executeQuery()) {
			if (!result.next()) {
				return null;
			}
			Place place = new Place(result.getBytes(5), result.getBytes(6));
			key(place, result);
			return place;
		}
	}

	long snapshot(byte[] namespace, long now, BiConsumer<String, Entry> sink) throws SQLException {
		return moment(() -> {
			long revision = Revisions.last(this.statements);
			PreparedStatement statement = this.statements.of(ALL);
			statement.setBytes(1, namespace);
			statement.setLong(2, now);
			try (ResultSet result = statement.executeQuery()) {
				while (result.next()) {
					byte[] table = result.getBytes(7);
					sink.accept(Place.text(table), entry(new Place(namespace, table), result));
				}
			}
			return revision;
		});
	}

	/**
	 * What changed in a table.
	 * @param place the table
	 * @param prefix what the keys begin with
	 * @param after a revision
	 * @param now the time
	 * @return the next changes
	 * @throws SQLException if they cannot be read
	 */
	ChangeFeed.Step changes(Place place, byte[] prefix, long after, long now) throws SQLException {
		byte[] end = end(prefix);
		return moment(() -> {
			long last = Revisions.last(this.statements);
			// Who begins with nothing has missed no delete. A revision that is still to
			// come is of other data than this.
			if (after > last || (after > 0 && after < Revisions.known(this.statements))) {
				return new ChangeFeed.Step(List.of(new Change.Lagged(last)), last, false);
			}
			List<Change> deletes = new ArrayList<>();
			List<Change> puts = new ArrayList<>();
			long most = step(after, last);
			long until = Math.min(deletes(place, prefix, end, after, deletes),
					puts(place, prefix, end, after, most, now, puts));
			List<Change> changes = Stream.concat(deletes.stream(), puts.stream())
				.filter((change) -> change.revision() <= until)
				.sorted(Comparator.comparingLong(Change::revision))
				.toList();
			return new ChangeFeed.Step(changes, until, until < last);
		});
	}

	/*
	 * Up to where to look: there may be millions of entries of other tables.
	 */
	private long step(long after, long last) throws SQLException {
		if (last - after <= LOOKED_AT) {
			return last;
		}
		PreparedStatement statement = this.statements.of(this.step);
		statement.setLong(1, after);
		try (ResultSet result = statement.executeQuery()) {
			return result.next() ? result.getLong(1) : last;
		}
	}

	// Both say up to where there are no others.

	private long deletes(Place place, byte[] from, byte[] to, long after, List<Change> changes) throws SQLException {
		PreparedStatement statement = this.statements.of(DELETES);
		statement.setLong(1, after);
		statement.setInt(set(statement, 2, place, from, to) + 1, HELD);
		try (ResultSet result = statement.executeQuery()) {
			while (result.next()) {
				Checksum.Row row = row(place, result);
				String key = Place.text(row.key());
				changes.add((row.tail() == Revisions.EXPIRED) ? new Change.Expired(key, row.revision())
						: new Change.Deleted(key, row.revision()));
			}
		}
		return (changes.size() == HELD) ? changes.get(HELD - 1).revision() : Long.MAX_VALUE;
	}

	private long puts(Place place, byte[] from, byte[] to, long after, long most, long now, List<Change> changes)
			throws SQLException {
		PreparedStatement statement = this.statements.of(this.puts);
		statement.setLong(1, after);
		statement.setLong(2, most);
		int last = set(statement, 3, place, from, to);
		statement.setLong(++last, now);
		statement.setInt(++last, HELD);
		long size = 0;
		try (ResultSet result = statement.executeQuery()) {
			while (result.next()) {
				Entry entry = entry(place, result);
				changes.add(new Change.Put(entry));
				size += entry.value().length;
				if (changes.size() == HELD || size >= HELD_BYTES) {
					return entry.revision();
				}
			}
		}
		return most;
	}

	long last() throws SQLException {
		return moment(() -> Revisions.last(this.statements));
	}

	/**
	 * What changed anywhere. Only a hint: nothing is checked.
	 * @param after a revision
	 * @param most how many to tell
	 * @return the changes
	 * @throws SQLException if they cannot be read
	 */
	News news(long after, int most) throws SQLException {
		return moment(() -> {
			List<News.Touched> touched = new ArrayList<>();
			for (String sql : List.of(this.newPuts, NEW_DELETES)) {
				PreparedStatement statement = this.statements.of(sql);
				statement.setLong(1, after);
				statement.setInt(2, most);
				try (ResultSet result = statement.executeQuery()) {
					while (result.next()) {
						touched.add(new News.Touched(
								new Watchers.Table(Place.text(result.getBytes(1)), Place.text(result.getBytes(2))),
								Place.text(result.getBytes(3))));
					}
				}
			}
			return new News(touched, Revisions.last(this.statements), touched.size() < most);
		});
	}

	private static int set(PreparedStatement statement, int first, Place place, byte[] from, byte[] to)
			throws SQLException {
		statement.setBytes(first, place.namespace());
		statement.setBytes(first + 1, place.table());
		statement.setBytes(first + 2, from);
		statement.setBytes(first + 3, to);
		return first + 3;
	}

	private Entry key(Place place, ResultSet result) throws SQLException {
		Checksum.Row row = row(place, result);
		return new Entry(Place.text(row.key()), FIRST, row.revision(), Map.of(), expires(row));
	}

	private Entry entry(Place place, ResultSet result) throws SQLException {
		byte[] key = result.getBytes(1);
		return entry(new Checksum.Row(place, key, result.getLong(2), result.getLong(3)), Place.text(key), result);
	}

	private Entry entry(Checksum.Row row, String key, ResultSet result) throws SQLException {
		byte[] metadata = result.getBytes(5);
		byte[] value = result.getBytes(6);
		if (value == null || result.getLong(4) != Checksum.of(row, Checksum.of(metadata, value))) {
			throw row.damaged(this.dialect);
		}
		return new Entry(key, value, row.revision(), Metadata.read(metadata), expires(row));
	}

	private Checksum.Row row(Place place, ResultSet result) throws SQLException {
		Checksum.Row row = new Checksum.Row(place, result.getBytes(1), result.getLong(2), result.getLong(3));
		if (!Checksum.matches(result.getLong(4), row)) {
			throw row.damaged(this.dialect);
		}
		return row;
	}

	private static @Nullable Instant expires(Checksum.Row row) {
		return (row.tail() != 0) ? Instant.ofEpochMilli(row.tail()) : null;
	}

	private static byte[] from(Query query) {
		byte[] prefix = Place.utf8(query.prefix());
		if (query.after().isEmpty() || query.descending()) {
			return prefix;
		}
		// The next key there can be.
		byte[] after = Place.utf8(query.after());
		byte[] next = Arrays.copyOf(after, after.length + 1);
		return (Arrays.compareUnsigned(next, prefix) > 0) ? next : prefix;
	}

	private static byte[] to(Query query) {
		byte[] end = end(Place.utf8(query.prefix()));
		if (query.after().isEmpty() || !query.descending()) {
			return end;
		}
		byte[] after = Place.utf8(query.after());
		return (Arrays.compareUnsigned(after, end) < 0) ? after : end;
	}

	/*
	 * The first bytes behind all that begin with the prefix. UTF-8 has no byte 0xff.
	 */
	private static byte[] end(byte[] prefix) {
		if (prefix.length == 0) {
			return LAST;
		}
		byte[] end = prefix.clone();
		end[end.length - 1]++;
		return end;
	}

	/**
	 * Reads events.
	 * @param <T> what is read
	 * @param reading reads, as things are at one moment
	 * @return what was read
	 * @throws SQLException if it cannot be read
	 */
	<T extends @Nullable Object> T events(EventReading<T> reading) throws SQLException {
		return moment(() -> reading.read(this.events));
	}

	private <T extends @Nullable Object> T moment(Moment<T> moment) throws SQLException {
		this.statements.run(this.dialect.beginRead());
		T result = moment.read();
		this.statements.run("COMMIT");
		return result;
	}

	/**
	 * Ends what was begun and did not end well.
	 * @return whether this can be used again
	 */
	boolean reset() {
		return this.statements.rollback();
	}

	@Override
	public void close() {
		this.statements.close();
	}

	@FunctionalInterface
	private interface Moment<T extends @Nullable Object> {

		T read() throws SQLException;

	}

	/**
	 * A reading of events.
	 *
	 * @param <T> what is read
	 */
	@FunctionalInterface
	interface EventReading<T extends @Nullable Object> {

		T read(EventReader events) throws SQLException;

	}

	/**
	 * What changed.
	 *
	 * @param touched whose
	 * @param revision up to where
	 * @param all whether these are all
	 */
	record News(List<Touched> touched, long revision, boolean all) {

		/**
		 * A key that changed.
		 *
		 * @param table its table
		 * @param key the key
		 */
		record Touched(Watchers.Table table, String key) {

		}

	}

}
