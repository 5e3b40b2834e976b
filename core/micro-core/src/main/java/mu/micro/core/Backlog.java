package mu.micro.core;

import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

import mu.micro.Limits;
import mu.micro.Message;
import mu.micro.broker.Broker;
import mu.micro.broker.BrokerSubscription;
import org.jspecify.annotations.Nullable;

/**
 * What waits for the handler of one subscription, and calls it with one message at a
 * time. No more waits than {@link Broker} allows; the rest is dropped and counted. Takes
 * a thread only while there is something to handle.
 */
public final class Backlog implements BrokerSubscription {

	private static final System.Logger logger = System.getLogger(Backlog.class.getName());

	private final String topic;

	private final Executor executor;

	private final Consumer<Message> handler;

	private final Consumer<Backlog> onClose;

	private final ReentrantLock calling = new ReentrantLock();

	private final ReentrantLock lock = new ReentrantLock();

	private final Queue<Message> waiting = new ArrayDeque<>();

	private long bytes;

	private boolean scheduled;

	private long dropped;

	private boolean closed;

	/**
	 * Makes a subscription to which nothing was delivered yet.
	 * @param topic what it is of, for what is logged
	 * @param executor where the handler runs
	 * @param handler who is called
	 * @param onClose gets this with each closing, before a running call is waited for
	 */
	public Backlog(String topic, Executor executor, Consumer<Message> handler, Consumer<Backlog> onClose) {
		this.topic = topic;
		this.executor = executor;
		this.handler = handler;
		this.onClose = onClose;
	}

	/**
	 * Has the handler called with a message if there is room for it. Never blocks on the
	 * handler.
	 * @param message the message
	 * @return whether it was taken: not by a subscription that is full or closed, nor
	 * where there is no thread to be had
	 */
	public boolean offer(Message message) {
		int size = message.size();
		this.lock.lock();
		try {
			if (this.closed || !hasRoom(this.waiting.size(), this.bytes + size)) {
				return false;
			}
			this.waiting.add(message);
			this.bytes += size;
			if (this.scheduled) {
				return true;
			}
			this.scheduled = true;
		}
		finally {
			this.lock.unlock();
		}
		try {
			this.executor.execute(this::deliver);
		}
		catch (RejectedExecutionException ex) {
			logger.log(System.Logger.Level.DEBUG, "not delivered: the provider is closed", ex);
		}
		catch (Error ex) {
			logger.log(System.Logger.Level.WARNING,
					"a message for a subscriber of topic '" + this.topic + "' finds no thread: " + ex);
			giveUp();
			return false;
		}
		return true;
	}

	// What came first was not taken; what was taken since then is dropped.
	private void giveUp() {
		long more;
		this.lock.lock();
		try {
			more = this.waiting.size() - 1;
			this.waiting.clear();
			this.bytes = 0;
			this.scheduled = false;
		}
		finally {
			this.lock.unlock();
		}
		if (more > 0) {
			drop(more);
		}
	}

	/**
	 * Counts messages that were meant for this subscription and found no room, unless it
	 * is closed.
	 * @param count how many
	 */
	public void drop(long count) {
		boolean first;
		this.lock.lock();
		try {
			if (this.closed) {
				return;
			}
			first = this.dropped == 0;
			this.dropped += count;
		}
		finally {
			this.lock.unlock();
		}
		if (first) {
			logger.log(System.Logger.Level.WARNING, "a subscriber of topic '" + this.topic
					+ "' is slower than its messages come: what it has no room for is dropped and counted");
		}
	}

	/**
	 * Whether something more may wait.
	 * @param count how many messages wait before it
	 * @param bytes the bytes of all that wait, with it
	 * @return whether it is within the bounds that {@link Broker} states
	 */
	public static boolean hasRoom(int count, long bytes) {
		return count < Broker.BACKLOG && bytes <= Limits.BATCH_BYTES;
	}

	@Override
	public long dropped() {
		this.lock.lock();
		try {
			return this.dropped;
		}
		finally {
			this.lock.unlock();
		}
	}

	private void deliver() {
		while (hasNext()) {
			this.calling.lock();
			try {
				// Taken within the call, so that what waits is what no call began with.
				Message message = next();
				if (message != null) {
					this.handler.accept(message);
				}
			}
			catch (Throwable ex) {
				// An Error too: the messages that follow are promised all the same.
				logger.log(System.Logger.Level.WARNING,
						"a subscriber of topic '" + this.topic + "' failed; the next message comes all the same", ex);
			}
			finally {
				this.calling.unlock();
			}
		}
	}

	private boolean hasNext() {
		this.lock.lock();
		try {
			this.scheduled = !this.waiting.isEmpty();
			return this.scheduled;
		}
		finally {
			this.lock.unlock();
		}
	}

	private @Nullable Message next() {
		this.lock.lock();
		try {
			Message message = this.waiting.poll();
			if (message != null) {
				this.bytes -= message.size();
			}
			return message;
		}
		finally {
			this.lock.unlock();
		}
	}

	@Override
	public void close() {
		this.lock.lock();
		try {
			this.closed = true;
			this.waiting.clear();
			this.bytes = 0;
		}
		finally {
			this.lock.unlock();
		}
		this.onClose.accept(this);
		this.calling.lock();
		this.calling.unlock();
	}

}
