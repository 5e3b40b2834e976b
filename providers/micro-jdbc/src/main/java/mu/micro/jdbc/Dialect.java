package mu.micro.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.function.BooleanSupplier;

import mu.micro.MicroException;

/**
 * What differs between SQL databases: how they are reached, how one waits for others,
 * what went wrong, and what care they need. The rest of this package is written once.
 */
interface Dialect {

	/**
	 * What messages call the database.
	 * @return the words, such as "the file /home/me/store.db"
	 */
	String name();

	/**
	 * Opens a connection on which transactions are begun and ended by their statements
	 * alone, and no statement waits for others, unless {@link #waitWhile} says so.
	 * @param readOnly whether it is only read from
	 * @param patient waits a little where others are in the way, or says that it is
	 * enough
	 * @return the connection
	 * @throws SQLException if there is none now
	 */
	Statements connect(boolean readOnly, BooleanSupplier patient) throws SQLException;

	/**
	 * Whether a connection still leads to where one would that is opened now, as far as
	 * that is known. Costs nothing.
	 * @param connection the connection
	 * @return whether; otherwise it is of no use any more
	 */
	boolean isCurrent(Statements connection);

	/**
	 * Has a connection ask whether to go on, from time to time while a statement runs.
	 * @param connection the connection
	 * @param over whether to give up
	 * @throws SQLException if it cannot be asked to
	 */
	void giveUpWhen(Connection connection, BooleanSupplier over) throws SQLException;

	/**
	 * Has a connection ask, each time somebody else is in the way of a statement, whether
	 * to try again at once.
	 * @param connection the connection
	 * @param patient waits a little, or says that it is enough
	 * @throws SQLException if it cannot be asked to
	 */
	void waitWhile(Connection connection, BooleanSupplier patient) throws SQLException;

	/**
	 * Begins a transaction that sees one moment.
	 * @return the statement
	 */
	String beginRead();

	/**
	 * Begins a transaction that can write, and that nobody else can while it lasts.
	 * @return the statement
	 */
	String beginWrite();

	/**
	 * Waits until it is this process's turn to write, where processes take turns. A
	 * courtesy that spares them from looking again and again: they are safe from each
	 * other without it. Only the thread that writes calls this.
	 */
	void takeTurn();

	/**
	 * Lets the next process write, if it was this one's turn.
	 */
	void endTurn();

	/**
	 * A condition on the end of a key.
	 * @return the text, with two parameters: how many bytes, and which
	 */
	String endsWith();

	/**
	 * What stands behind a table's name where its rows shall be read in the order of
	 * their revisions.
	 * @return the text, empty where that is found out without it
	 */
	String byRevision();

	/**
	 * What a statement did that failed.
	 * @param failure how it failed
	 * @return what that means
	 */
	Outcome outcome(SQLException failure);

	/**
	 * What to tell the caller.
	 * @param failure how a statement failed
	 * @return the exception, which says what happened and what to do
	 */
	MicroException.Unavailable unavailable(SQLException failure);

	/**
	 * Told after each commit, before it is acknowledged.
	 * @param writer the connection that committed
	 * @param revision the last one it gave
	 * @throws MicroException.Unavailable if it is certain that nobody will find what was
	 * committed
	 * @throws MicroException.OutcomeUnknown if it is not certain that somebody will
	 */
	void committed(Statements writer, long revision);

	/**
	 * Closes a connection that writes, but where that would harm others.
	 * @param writer the connection
	 */
	void disconnect(Statements writer);

	/**
	 * Takes care of the database: a short step, in no transaction.
	 * @param writer the connection that writes
	 * @return whether more steps are due now
	 * @throws SQLException if that failed; it can be tried again later
	 */
	boolean tidy(Statements writer) throws SQLException;

	/**
	 * A way to notice what others write.
	 * @param patient waits a little where others are in the way, or says that it is
	 * enough
	 * @return it, for one thread
	 * @throws SQLException if there is none now
	 */
	Commits commits(BooleanSupplier patient) throws SQLException;

	/**
	 * How a failed statement leaves things.
	 */
	enum Outcome {

		/**
		 * Somebody else is at it, and it is worth trying again very soon.
		 */
		BUSY,

		/**
		 * It was given up, as asked for.
		 */
		GIVEN_UP,

		/**
		 * It did nothing, and trying again would be the same.
		 */
		UNDONE,

		/**
		 * A commit that failed like this may have happened.
		 */
		UNKNOWN

	}

	/**
	 * What others write.
	 */
	interface Commits extends AutoCloseable {

		/**
		 * Whether somebody committed since this was asked last; the first time it is so.
		 * @return whether
		 * @throws SQLException if that is not known
		 */
		boolean any() throws SQLException;

		/**
		 * Waits until somebody may have committed, until the thread is unparked, or until
		 * a time is over.
		 * @param time how long at most
		 * @throws SQLException if that is not known
		 * @throws InterruptedException if interrupted
		 */
		void await(Duration time) throws SQLException, InterruptedException;

		@Override
		void close();

	}

}
