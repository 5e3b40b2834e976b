package mu.micro.local;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;

import mu.micro.core.Threads;

/**
 * The port at which a node takes what others publish, on the loopback interface. Only who
 * knows the directory's secret is listened to, and few who have not shown yet that they
 * do.
 */
final class BrokerServer implements AutoCloseable {

	/**
	 * How many publishers a node serves.
	 */
	static final int MOST_PROVEN = 1000;

	/**
	 * How many may be connected who have not shown yet that they know the secret.
	 */
	static final int MOST_UNPROVEN = 64;

	private static final System.Logger logger = System.getLogger(BrokerServer.class.getName());

	private static final Duration PROVING = Duration.ofSeconds(5);

	/**
	 * How long those who are connected are still answered, after the port was closed.
	 */
	private static final Duration LEAVING = Duration.ofMillis(100);

	private static final Duration PAUSE = Duration.ofMillis(100);

	private final Node node;

	private final byte[] secret;

	private final int most;

	private final Executor executor;

	private final Answering answering;

	private final ServerSocketChannel server;

	private final int port;

	private final Semaphore unproven = new Semaphore(MOST_UNPROVEN);

	private final Semaphore proven;

	private final AtomicBoolean tooMany = new AtomicBoolean();

	private final Set<SocketChannel> channels = ConcurrentHashMap.newKeySet();

	/**
	 * Opens a port that nobody uses.
	 * @param node the node
	 * @param secret the directory's secret
	 * @param most how many publishers it serves
	 * @param executor where connections are served, one thread for each
	 * @param answering called with each request
	 * @throws IOException if there is no port
	 */
	BrokerServer(Node node, byte[] secret, int most, Executor executor, Answering answering) throws IOException {
		this.node = node;
		this.secret = secret;
		this.most = most;
		this.proven = new Semaphore(most);
		this.executor = executor;
		this.answering = answering;
		this.server = ServerSocketChannel.open();
		this.server.bind(new InetSocketAddress(SealedConnection.loopback(), 0), MOST_UNPROVEN);
		this.port = this.server.socket().getLocalPort();
		Threads.daemons("micro-broker-accept").newThread(this::run).start();
	}

	int port() {
		return this.port;
	}

	/**
	 * Closes the port. What those who are connected have just sent is answered still, so
	 * that they hear who did not take it.
	 */
	@Override
	public void close() {
		try {
			this.server.close();
		}
		catch (IOException ex) {
			logger.log(System.Logger.Level.DEBUG, "the broker's port did not close well", ex);
		}
		try {
			if (!this.channels.isEmpty()) {
				Thread.sleep(LEAVING.toMillis());
			}
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
		this.channels.forEach(BrokerServer::close);
	}

	private void run() {
		while (this.server.isOpen()) {
			try {
				accept(this.server.accept());
			}
			catch (ClosedChannelException | RejectedExecutionException ex) {
				return;
			}
			catch (IOException | Error ex) {
				warn(ex);
				// As when there are too many open files or threads: others need time to
				// end.
				LockSupport.parkNanos(PAUSE.toNanos());
			}
		}
	}

	private static void warn(Throwable cause) {
		try {
			logger.log(System.Logger.Level.WARNING, "a process could not connect to publish messages", cause);
		}
		catch (Error ex) {
			// The log may lack the same files and threads.
		}
	}

	private void accept(SocketChannel channel) {
		if (!this.unproven.tryAcquire()) {
			close(channel);
			return;
		}
		this.channels.add(channel);
		if (!this.server.isOpen()) {
			// The closing may have come before it was there to be closed.
			close(channel);
		}
		try {
			this.executor.execute(() -> {
				try {
					serve(channel);
				}
				finally {
					close(channel);
					this.channels.remove(channel);
				}
			});
		}
		catch (RejectedExecutionException | Error ex) {
			this.unproven.release();
			close(channel);
			this.channels.remove(channel);
			throw ex;
		}
	}

	private void serve(SocketChannel channel) {
		SealedConnection connection;
		try {
			connection = SealedConnection.accept(channel, this.node, this.secret, PROVING);
		}
		catch (IOException ex) {
			logger.log(System.Logger.Level.DEBUG, "somebody connected who is no publisher", ex);
			return;
		}
		finally {
			this.unproven.release();
		}
		if (!this.proven.tryAcquire()) {
			warnOfTooMany();
			return;
		}
		try {
			// Not before there is a place for it: who reads this believes that it is
			// heard.
			connection.welcome();
			while (true) {
				connection.write(this.answering.answer(connection.read()));
			}
		}
		catch (IOException ex) {
			logger.log(System.Logger.Level.DEBUG, "a publisher is gone", ex);
		}
		finally {
			this.proven.release();
		}
	}

	// Once: they try it again and again.
	private void warnOfTooMany() {
		if (this.tooMany.compareAndSet(false, true)) {
			logger.log(System.Logger.Level.WARNING,
					"a process cannot publish to this one: " + this.most + " are connected already");
		}
	}

	private static void close(SocketChannel channel) {
		try {
			channel.close();
		}
		catch (IOException ex) {
			logger.log(System.Logger.Level.DEBUG, "a connection did not close well", ex);
		}
	}

	/**
	 * What is done with a request.
	 */
	@FunctionalInterface
	interface Answering {

		/**
		 * Answers a request.
		 * @param request what was sent
		 * @return what to send back
		 * @throws IOException if it is none
		 */
		byte[] answer(byte[] request) throws IOException;

	}

}
