package mu.micro.benchmarks;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.util.List;

import mu.micro.jdbc.JdbcDatabases;
import mu.micro.store.Database;
import mu.micro.store.Entry;
import mu.micro.store.Query;
import mu.micro.store.Store;
import mu.micro.store.TableWrite;
import mu.micro.store.Write;
import org.jspecify.annotations.Nullable;

/**
 * What is compared: durable values under keys, in a file.
 */
interface KeyValues extends AutoCloseable {

	void put(String key, byte[] value) throws SQLException;

	void putAll(List<String> keys, byte[] value) throws SQLException;

	byte @Nullable [] get(String key) throws SQLException;

	/**
	 * Lists keys and values behind a key.
	 * @param after the key
	 * @param limit how many at most
	 * @return how many there are
	 * @throws SQLException if that failed
	 */
	int list(String after, int limit) throws SQLException;

	@Override
	void close() throws SQLException;

	private static byte[] bytes(String key) {
		return key.getBytes(StandardCharsets.UTF_8);
	}

	/**
	 * Opens what is measured.
	 * @param target "micro", "same file" or "bare"
	 * @param file where
	 * @return it
	 * @throws SQLException if that failed
	 */
	static KeyValues open(String target, Path file) throws SQLException {
		return switch (target) {
			case "micro" -> new Micro(file);
			case "same file" -> new SameFile(file);
			default -> new Bare(file);
		};
	}

	/**
	 * Micro's store.
	 */
	final class Micro implements KeyValues {

		private final JdbcDatabases databases;

		private final Database database;

		private final Store store;

		Micro(Path file) {
			this.databases = JdbcDatabases.sqlite(file, Duration.ofSeconds(30), Clock.systemUTC());
			this.database = this.databases.in("micro");
			this.store = this.database.table("bench");
		}

		@Override
		public void put(String key, byte[] value) {
			this.store.put(key, value);
		}

		@Override
		public void putAll(List<String> keys, byte[] value) {
			this.database.apply(keys.stream().map((key) -> new TableWrite("bench", Write.put(key, value))).toList());
		}

		@Override
		public byte @Nullable [] get(String key) {
			Entry entry = this.store.get(key);
			return (entry != null) ? entry.value() : null;
		}

		@Override
		public int list(String after, int limit) {
			return this.store.list(Query.ALL.withAfter(after).withLimit(limit)).entries().size();
		}

		@Override
		public void close() {
			this.databases.close();
		}

	}

	/**
	 * Bare JDBC on the file of Micro's store, which reads and writes all of an entry but
	 * the checksum: one connection, one caller at a time, nobody who watches.
	 */
	final class SameFile implements KeyValues {

		private static final byte[] NAMESPACE = bytes("micro");

		private static final byte[] TABLE = bytes("bench");

		private final Connection connection;

		private final PreparedStatement put;

		private final PreparedStatement get;

		private long revision;

		SameFile(Path file) throws SQLException {
			new Micro(file).close();
			this.connection = DriverManager.getConnection("jdbc:sqlite:" + file);
			try (Statement statement = this.connection.createStatement()) {
				statement.execute("pragma synchronous=full");
				try (ResultSet rows = statement.executeQuery("select max(revision) from gone")) {
					this.revision = rows.getLong(1);
				}
			}
			this.put = this.connection.prepareStatement("insert into entries "
					+ "(revision, namespace, table_name, key, expires, checksum, metadata, value) "
					+ "values (?, ?, ?, ?, null, 0, null, ?) on conflict (namespace, table_name, key) do update "
					+ "set revision = excluded.revision, expires = null, metadata = null, value = excluded.value");
			this.get = this.connection.prepareStatement("select revision, expires, metadata, value from entries "
					+ "where namespace = ? and table_name = ? and key = ?");
		}

		@Override
		public void put(String key, byte[] value) throws SQLException {
			this.put.setLong(1, ++this.revision);
			this.put.setBytes(2, NAMESPACE);
			this.put.setBytes(3, TABLE);
			this.put.setBytes(4, bytes(key));
			this.put.setBytes(5, value);
			this.put.executeUpdate();
		}

		@Override
		public void putAll(List<String> keys, byte[] value) throws SQLException {
			this.connection.setAutoCommit(false);
			for (String key : keys) {
				put(key, value);
			}
			this.connection.setAutoCommit(true);
		}

		@Override
		public byte @Nullable [] get(String key) throws SQLException {
			this.get.setBytes(1, NAMESPACE);
			this.get.setBytes(2, TABLE);
			this.get.setBytes(3, bytes(key));
			try (ResultSet rows = this.get.executeQuery()) {
				boolean there = rows.next() && rows.getLong(1) > 0 && rows.getLong(2) == 0 && rows.getBytes(3) == null;
				return there ? rows.getBytes(4) : null;
			}
		}

		@Override
		public int list(String after, int limit) {
			throw new UnsupportedOperationException("not measured");
		}

		@Override
		public void close() throws SQLException {
			this.connection.close();
		}

	}

	/**
	 * The least that does the same: one table, one connection, one caller at a time.
	 */
	final class Bare implements KeyValues {

		private final Connection connection;

		private final PreparedStatement put;

		private final PreparedStatement get;

		private final PreparedStatement list;

		Bare(Path file) throws SQLException {
			this.connection = DriverManager.getConnection("jdbc:sqlite:" + file);
			try (Statement statement = this.connection.createStatement()) {
				statement.execute("pragma journal_mode=wal");
				statement.execute("pragma synchronous=full");
				statement.execute("create table if not exists entry (key blob primary key, value blob not null)");
			}
			this.put = this.connection.prepareStatement("insert or replace into entry (key, value) values (?, ?)");
			this.get = this.connection.prepareStatement("select value from entry where key = ?");
			this.list = this.connection
				.prepareStatement("select key, value from entry where key > ? order by key limit ?");
		}

		@Override
		public void put(String key, byte[] value) throws SQLException {
			this.put.setBytes(1, bytes(key));
			this.put.setBytes(2, value);
			this.put.executeUpdate();
		}

		@Override
		public void putAll(List<String> keys, byte[] value) throws SQLException {
			this.connection.setAutoCommit(false);
			for (String key : keys) {
				put(key, value);
			}
			this.connection.setAutoCommit(true);
		}

		@Override
		public byte @Nullable [] get(String key) throws SQLException {
			this.get.setBytes(1, bytes(key));
			try (ResultSet rows = this.get.executeQuery()) {
				return (rows.next()) ? rows.getBytes(1) : null;
			}
		}

		@Override
		public int list(String after, int limit) throws SQLException {
			this.list.setBytes(1, bytes(after));
			this.list.setInt(2, limit);
			int count = 0;
			try (ResultSet rows = this.list.executeQuery()) {
				while (rows.next()) {
					count += (rows.getBytes(1).length > 0 && rows.getBytes(2) != null) ? 1 : 0;
				}
			}
			return count;
		}

		@Override
		public void close() throws SQLException {
			this.connection.close();
		}

	}

}
