package mu.micro.local;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;

import mu.micro.core.Backlog;
import org.jspecify.annotations.Nullable;

/**
 * Sends what is published to one node, in order, over one connection that is kept. What
 * waits while a request is on its way goes with the next one. Takes a thread only while
 * there is something to send.
 * <p>
 * A node that was stopped answers when it goes on, so its answer is waited for as long as
 * the connection stands, and a connection as long as the node lives; what waits meanwhile
 * is bounded as what waits for a handler is. What was sent to nobody yet can still go
 * elsewhere.
 */
final class BrokerSender {

	private static final Duration CONNECTING = Duration.ofSeconds(5);

	/**
	 * After how long it is tried again to connect.
	 */
	private static final Duration AGAIN = Duration.ofMillis(200);

	/**
	 * Bytes of messages in one request, unless one alone has more.
	 */
	private static final int BATCH = 1024 * 1024;

	private static final System.Logger logger = System.getLogger(BrokerSender.class.getName());

	private final Node node;

	private final int port;

	private final byte[] secret;

	private final Executor executor;

	private final Predicate<Node> lives;

	private final ReentrantLock lock = new ReentrantLock();

	private final Deque<Sending> waiting = new ArrayDeque<>();

	private long bytes;

	private final Map<Batch.Missed, Long> missed = new HashMap<>();

	private boolean scheduled;

	private boolean closed;

	private boolean warned;

	private volatile boolean behind;

	private @Nullable SealedConnection connection;

	/**
	 * Connects to nobody yet.
	 * @param node to whom to send
	 * @param port its port
	 * @param secret the directory's secret
	 * @param executor where it is sent
	 * @param lives asked when the node may be dead
	 */
	BrokerSender(Node node, int port, byte[] secret, Executor executor, Predicate<Node> lives) {
		this.node = node;
		this.port = port;
		this.secret = secret;
		this.executor = executor;
		this.lives = lives;
	}

	int port() {
		return this.port;
	}

	/**
	 * Whether the node has not answered for longer than anybody waits.
	 * @return whether it is not worth waiting for
	 */
	boolean isBehind() {
		return this.behind;
	}

	/**
	 * Sends a delivery after those before it, without waiting. If too much waits it is
	 * dropped, and the node's subscriptions count it once the node answers.
	 * @param delivery the delivery
	 * @return ends with the queues that did not take it
	 */
	Sending send(Batch.Delivery delivery) {
		Sending sending = new Sending(delivery);
		int size = delivery.message().size();
		this.lock.lock();
		try {
			if (this.closed) {
				sending.refused.complete(List.copyOf(delivery.queues().keySet()));
				return sending;
			}
			if (!Backlog.hasRoom(this.waiting.size(), this.bytes + size)) {
				drop(sending);
				warn("does not take them", null);
				return sending;
			}
			this.waiting.add(sending);
			this.bytes += size;
			if (this.scheduled) {
				return sending;
			}
			this.scheduled = true;
		}
		finally {
			this.lock.unlock();
		}
		try {
			this.executor.execute(this::run);
		}
		catch (RejectedExecutionException ex) {
			close();
		}
		catch (Error ex) {
			dropAll(ex);
		}
		return sending;
	}

	/**
	 * Gives up waiting for a delivery, and for those that follow until the node answers.
	 * @param sending the delivery
	 * @return the queues that surely did not take it and will not, except those that have
	 * nobody else: for them it goes on waiting
	 */
	Collection<String> fallBehind(Sending sending) {
		this.lock.lock();
		try {
			if (sending.refused.isDone()) {
				return sending.refused.join();
			}
			this.behind = true;
			sending.left = true;
			if (!this.waiting.contains(sending)) {
				return List.of();
			}
			Batch.Delivery before = sending.delivery;
			sending.delivery = before.toLast();
			return before.queues()
				.keySet()
				.stream()
				.filter((queue) -> !sending.delivery.queues().containsKey(queue))
				.toList();
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * Ends all that waits.
	 */
	void close() {
		List<Sending> ended;
		SealedConnection connection;
		this.lock.lock();
		try {
			this.closed = true;
			connection = this.connection;
			ended = List.copyOf(this.waiting);
			this.waiting.clear();
			this.bytes = 0;
			this.missed.clear();
		}
		finally {
			this.lock.unlock();
		}
		if (connection != null) {
			connection.close();
		}
		ended.forEach(Sending::refuse);
	}

	private void run() {
		while (hasNext()) {
			// Before anything is taken: what waits for a connection can go elsewhere.
			SealedConnection connection = connect();
			if (connection != null) {
				send(connection, next());
			}
		}
	}

	private boolean hasNext() {
		this.lock.lock();
		try {
			this.scheduled = !this.closed && !(this.waiting.isEmpty() && this.missed.isEmpty());
			return this.scheduled;
		}
		finally {
			this.lock.unlock();
		}
	}

	private @Nullable SealedConnection connect() {
		try {
			return connected();
		}
		catch (Throwable ex) {
			// An Error too: there may be threads and memory again.
			if (this.lives.test(this.node)) {
				warn("is not to be reached", ex);
				LockSupport.parkNanos(AGAIN.toNanos());
			}
			else {
				refuseAll();
			}
			return null;
		}
	}

	private List<Sending> next() {
		this.lock.lock();
		try {
			List<Sending> batch = new ArrayList<>();
			long size = 0;
			for (Sending next = this.waiting.peek(); next != null; next = this.waiting.peek()) {
				int more = next.delivery.message().size();
				if (!batch.isEmpty() && size + more > BATCH) {
					break;
				}
				batch.add(this.waiting.remove());
				size += more;
			}
			this.bytes -= size;
			return batch;
		}
		finally {
			this.lock.unlock();
		}
	}

	private void send(SealedConnection connection, List<Sending> sendings) {
		Batch batch = new Batch(takeMissed(), sendings.stream().map(Sending::delivery).toList());
		boolean sent = false;
		try {
			connection.write(batch.write());
			sent = true;
			answered(sendings, batch.readAnswer(connection.read()));
		}
		catch (Throwable ex) {
			// An Error too: what follows is to be sent all the same.
			disconnect();
			boolean lives = this.lives.test(this.node);
			if (lives) {
				warn("is not to be reached", ex);
			}
			if (sent) {
				// It may have been taken: another one would be one too many.
				answered(sendings, Collections.nCopies(sendings.size(), List.of()));
			}
			else {
				notSent(sendings, batch.missed(), lives);
			}
		}
	}

	private void answered(List<Sending> sendings, List<List<String>> refused) {
		this.lock.lock();
		try {
			for (int i = 0; i < sendings.size(); i++) {
				refuse(sendings.get(i), refused.get(i));
			}
			this.behind = false;
		}
		finally {
			this.lock.unlock();
		}
	}

	private void notSent(List<Sending> sendings, List<Batch.Missed> missed, boolean lives) {
		this.lock.lock();
		try {
			if (lives) {
				missed.forEach(this::miss);
				sendings.forEach(this::drop);
			}
			else {
				sendings.forEach(Sending::refuse);
			}
			this.behind = false;
		}
		finally {
			this.lock.unlock();
		}
	}

	private SealedConnection connected() throws IOException {
		SealedConnection connection = this.connection;
		if (connection != null && !connection.isBroken()) {
			return connection;
		}
		disconnect();
		connection = SealedConnection.connect(this.node, this.port, this.secret, CONNECTING);
		this.lock.lock();
		try {
			if (!this.closed) {
				this.connection = connection;
				return connection;
			}
		}
		finally {
			this.lock.unlock();
		}
		connection.close();
		throw new IOException("closed meanwhile");
	}

	private void disconnect() {
		this.lock.lock();
		try {
			if (this.connection != null) {
				this.connection.close();
				this.connection = null;
			}
		}
		finally {
			this.lock.unlock();
		}
	}

	private List<Batch.Missed> takeMissed() {
		this.lock.lock();
		try {
			List<Batch.Missed> taken = new ArrayList<>();
			this.missed.forEach((of, count) -> taken.add(new Batch.Missed(of.topic(), of.queue(), count)));
			this.missed.clear();
			return taken;
		}
		finally {
			this.lock.unlock();
		}
	}

	private void refuseAll() {
		this.lock.lock();
		try {
			this.waiting.forEach(Sending::refuse);
			this.waiting.clear();
			this.bytes = 0;
			this.missed.clear();
			this.behind = false;
		}
		finally {
			this.lock.unlock();
		}
	}

	private void dropAll(Throwable cause) {
		this.lock.lock();
		try {
			this.waiting.forEach(this::drop);
			this.waiting.clear();
			this.bytes = 0;
			this.behind = false;
			this.scheduled = false;
		}
		finally {
			this.lock.unlock();
		}
		warn("could not be given a thread", cause);
	}

	// It surely was not sent: those without a queue miss it, for a queue there may be
	// another node.
	private void drop(Sending sending) {
		Batch.Delivery delivery = sending.delivery;
		if (delivery.all()) {
			miss(new Batch.Missed(delivery.topic(), null, 1));
		}
		List<String> refused = new ArrayList<>();
		delivery.queues().forEach((queue, last) -> {
			if (last) {
				miss(new Batch.Missed(delivery.topic(), queue, 1));
			}
			else {
				refused.add(queue);
			}
		});
		refuse(sending, refused);
	}

	// Where nobody asks any more who did not take it, it is missed.
	private void refuse(Sending sending, List<String> queues) {
		if (sending.left) {
			queues.forEach((queue) -> miss(new Batch.Missed(sending.delivery.topic(), queue, 1)));
		}
		sending.refused.complete(queues);
	}

	private void miss(Batch.Missed missed) {
		this.lock.lock();
		try {
			this.missed.merge(new Batch.Missed(missed.topic(), missed.queue(), 0), missed.count(), Long::sum);
		}
		finally {
			this.lock.unlock();
		}
	}

	private void warn(String problem, @Nullable Throwable cause) {
		this.lock.lock();
		try {
			if (this.closed || this.warned) {
				return;
			}
			this.warned = true;
		}
		finally {
			this.lock.unlock();
		}
		logger.log(System.Logger.Level.WARNING, "messages for process " + this.node.pid()
				+ " wait, and are dropped where too many do, because it " + problem, cause);
	}

	/**
	 * A delivery on its way.
	 */
	static final class Sending {

		private volatile Batch.Delivery delivery;

		/**
		 * Whether nobody waits for its end any more.
		 */
		private boolean left;

		private final CompletableFuture<List<String>> refused = new CompletableFuture<>();

		private Sending(Batch.Delivery delivery) {
			this.delivery = delivery;
		}

		private Batch.Delivery delivery() {
			return this.delivery;
		}

		private void refuse() {
			this.refused.complete(List.copyOf(this.delivery.queues().keySet()));
		}

		/**
		 * The queues that did not take it.
		 * @return ends once that is known
		 */
		CompletableFuture<List<String>> refused() {
			return this.refused;
		}

	}

}
