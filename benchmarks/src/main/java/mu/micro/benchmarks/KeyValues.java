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

	int list(String prefix, int limit) throws SQLException;

	@Override
	void close() throws SQLException;

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
		public int list(String prefix, int limit) {
			return this.store.list(Query.prefix(prefix).withLimit(limit)).entries().size();
		}

		@Override
		public void close() {
			this.databases.close();
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
				.prepareStatement("select key, value from entry where key >= ? order by key limit ?");
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
		public int list(String prefix, int limit) throws SQLException {
			this.list.setBytes(1, bytes(prefix));
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

		private static byte[] bytes(String key) {
			return key.getBytes(StandardCharsets.UTF_8);
		}

	}

}
