package mu.micro.local;

import java.util.List;

import mu.micro.MicroException;

/**
 * A way in which the registries of a machine hear of each other.
 */
interface Medium {

	/**
	 * Starts listening. Called once, first.
	 * @param changed runs on a thread of the medium whenever {@link #heard()} changed
	 * @throws MicroException.Unavailable if the medium is not to be had
	 */
	void open(Runnable changed);

	/**
	 * Says what this node announces from now on, instead of what it said before.
	 * @param own all announcements of this node
	 * @throws MicroException.Unavailable if the medium is broken; it goes on trying
	 */
	void announce(List<Announcement> own);

	/**
	 * What the other nodes announce. Does not block.
	 * @return an immutable list of nodes that live, as far as is known
	 */
	List<Announcement> heard();

	/**
	 * Takes back what was announced and frees what is held. Called once, last.
	 */
	void close();

}
