package mu.micro.jdbc;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;

/**
 * A connection with its prepared statements, for one thread at a time. There are as many
 * as there are texts in this package.
 */
final class Statements implements AutoCloseable {

	private static final System.Logger logger = System.getLogger(Statements.class.getName());

	private final Connection connection;

	private final int generation;

	private final Map<String, PreparedStatement> prepared = new HashMap<>();

	/**
	 * Without statements so far.
	 * @param connection the connection
	 * @param generation grows when connections from before are of no use any more
	 */
	Statements(Connection connection, int generation) {
		this.connection = connection;
		this.generation = generation;
	}

	Connection connection() {
		return this.connection;
	}

	int generation() {
		return this.generation;
	}

	/**
	 * A statement, prepared once.
	 * @param sql its text
	 * @return the statement
	 * @throws SQLException if it cannot be prepared
	 */
	PreparedStatement of(String sql) throws SQLException {
		PreparedStatement statement = this.prepared.get(sql);
		if (statement == null) {
			statement = this.connection.prepareStatement(sql);
			this.prepared.put(sql, statement);
		}
		return statement;
	}

	/**
	 * Runs a statement without parameters and results.
	 * @param sql its text
	 * @throws SQLException if it fails
	 */
	void run(String sql) throws SQLException {
		of(sql).execute();
	}

	/**
	 * Asks for a number.
	 * @param sql a query of one row with one number
	 * @return the number
	 * @throws SQLException if it fails
	 */
	long number(String sql) throws SQLException {
		try (ResultSet result = of(sql).executeQuery()) {
			result.next();
			return result.getLong(1);
		}
	}

	/**
	 * Asks for a text.
	 * @param sql a query of one row with one text
	 * @return the text
	 * @throws SQLException if it fails
	 */
	String text(String sql) throws SQLException {
		try (ResultSet result = of(sql).executeQuery()) {
			result.next();
			return result.getString(1);
		}
	}

	/**
	 * Ends the transaction and keeps nothing of it.
	 * @return whether that succeeded; otherwise the connection is of no use any more
	 */
	boolean rollback() {
		try {
			run("ROLLBACK");
			return true;
		}
		catch (SQLException ex) {
			logger.log(System.Logger.Level.DEBUG, "not rolled back", ex);
			return false;
		}
	}

	@Override
	public void close() {
		try {
			this.connection.close();
		}
		catch (SQLException ex) {
			logger.log(System.Logger.Level.DEBUG, "a connection did not close well", ex);
		}
	}

}
