package mu.micro.local;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;

import mu.micro.core.Audience;
import org.jspecify.annotations.Nullable;

/**
 * The other nodes of a directory, and what they want to be sent, as it is now. That costs
 * one look at the directory's time as long as nothing changes.
 */
final class BrokerNodes {

	/**
	 * Bytes of a lease.
	 */
	static final int MOST = 2 * 1024 * 1024;

	private final NodeFiles files;

	private final Senders senders;

	private final ReentrantLock lock = new ReentrantLock();

	private volatile State state = new State(null, Map.of());

	private boolean closed;

	/**
	 * Reads nothing yet.
	 * @param files the directory's files
	 * @param senders makes a sender for a node that listens at a port
	 */
	BrokerNodes(NodeFiles files, Senders senders) {
		this.files = files;
		this.senders = senders;
	}

	/**
	 * Who wants what is published to a topic.
	 * @param topic the topic
	 * @return the nodes whose leases were there when this was called
	 * @throws IOException if the directory cannot be read
	 */
	List<Listener> listeners(Audience.Topic topic) throws IOException {
		List<Listener> listeners = new ArrayList<>();
		for (Peer peer : peers().values()) {
			BrokerLease.Seats seats = peer.lease.topics().get(topic);
			if (seats != null && peer.sender != null) {
				listeners.add(new Listener(peer.sender, seats));
			}
		}
		return listeners;
	}

	/**
	 * Ends all that waits to be sent.
	 */
	void close() {
		Map<Node, Peer> before;
		this.lock.lock();
		try {
			this.closed = true;
			before = this.state.peers;
			this.state = new State(null, Map.of());
		}
		finally {
			this.lock.unlock();
		}
		before.values().forEach(Peer::close);
	}

	private Map<Node, Peer> peers() throws IOException {
		FileTime modified;
		try {
			modified = this.files.modified();
		}
		catch (NoSuchFileException ex) {
			// Removed: so are all leases.
			return Map.of();
		}
		State state = this.state;
		return modified.equals(state.modified) ? state.peers : read();
	}

	private Map<Node, Peer> read() throws IOException {
		Map<Node, Peer> next = new HashMap<>();
		Map<Node, Peer> before;
		this.lock.lock();
		try {
			// Before the files are read: what changes from now on is to be read again.
			FileTime modified = this.files.modified();
			before = this.state.peers;
			for (Node other : this.files.others()) {
				Peer peer = before.get(other);
				if (peer != null || this.files.lives(other)) {
					next.put(other, load(other, (peer != null) ? peer : Peer.NEW));
				}
			}
			if (this.closed) {
				return Map.of();
			}
			this.state = new State(NodeFiles.isRecent(modified) ? null : modified, next);
		}
		finally {
			this.lock.unlock();
		}
		before.forEach((node, peer) -> {
			Peer after = next.get(node);
			if (after == null || after.sender != peer.sender) {
				peer.close();
			}
		});
		return next;
	}

	private Peer load(Node other, Peer before) {
		NodeFiles.Told told = this.files.read(other, before.told, MOST);
		if (told == before.told) {
			return before;
		}
		BrokerLease lease = BrokerLease.read(told.bytes());
		BrokerSender sender = before.sender;
		if (lease.port() == 0) {
			sender = null;
		}
		else if (sender == null || sender.port() != lease.port()) {
			sender = this.senders.create(other, lease.port());
		}
		return new Peer(told, lease, sender);
	}

	/**
	 * Makes senders.
	 */
	@FunctionalInterface
	interface Senders {

		BrokerSender create(Node node, int port);

	}

	/**
	 * A node that wants what is published to a topic.
	 *
	 * @param sender sends to it
	 * @param seats for whom
	 */
	record Listener(BrokerSender sender, BrokerLease.Seats seats) {
	}

	/**
	 * What was read.
	 *
	 * @param modified the directory's time then; null if it was so recent that a change
	 * may have left it as it is
	 * @param peers the other nodes
	 */
	private record State(@Nullable FileTime modified, Map<Node, Peer> peers) {
	}

	private record Peer(NodeFiles.Told told, BrokerLease lease, @Nullable BrokerSender sender) {

		static final Peer NEW = new Peer(NodeFiles.Told.NOTHING, BrokerLease.NOTHING, null);

		void close() {
			if (this.sender != null) {
				this.sender.close();
			}
		}

	}

}
