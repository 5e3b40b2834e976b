package mu.micro.local;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

import mu.micro.Limits;
import mu.micro.Message;
import mu.micro.MicroException;
import mu.micro.Scoped;
import mu.micro.broker.Broker;
import mu.micro.broker.BrokerSubscription;
import mu.micro.core.Audience;
import mu.micro.core.Backlog;
import mu.micro.core.Threads;
import org.jspecify.annotations.Nullable;

/**
 * A broker between the processes of a user, point to point: nothing runs but those
 * processes. Whoever subscribes listens at a port of the loopback interface and says so
 * in a file; whoever publishes reads the files and sends the message there.
 * <p>
 * What is sent is sealed with the file {@code secret} in the directory, made by whoever
 * opens the broker first: who cannot read that can neither read messages nor send any.
 * The directory must be on a file system with locks, and on one machine.
 * <p>
 * A process that does not answer is waited for once, for a second. What is published
 * meanwhile waits for it, within {@link Broker}'s bounds for what waits for a handler,
 * and what is over them is dropped: once it answers, its subscriptions count that. A
 * message for a queue goes to another process if it surely was not sent. What was sent to
 * a process that died is lost.
 */
public final class LocalBroker implements Scoped<Broker> {

	private static final Duration WAIT = Duration.ofSeconds(1);

	/**
	 * How many bytes may be appended to what was written at once, for each byte of that
	 * and in any case: what others read stays in proportion to what it says.
	 */
	private static final int APPENDED = 4;

	private static final int APPENDED_ANYWAY = 16 * 1024;

	private static final String LEASE = ".lease";

	private static final System.Logger logger = System.getLogger(LocalBroker.class.getName());

	private final Node node = Node.create(UUID.randomUUID());

	private final ExecutorService executor = Threads.perTask("micro-broker");

	private final Audience audience = new Audience();

	private final Set<Backlog> subscriptions = ConcurrentHashMap.newKeySet();

	private final NodeFiles files;

	private final byte[] secret;

	private final BrokerNodes nodes;

	/**
	 * Guards what this process tells others.
	 */
	private final ReentrantLock lock = new ReentrantLock();

	private final Map<Audience.Topic, BrokerLease.Seats> leased = new HashMap<>();

	private int written;

	private int appended;

	private @Nullable BrokerServer server;

	private volatile boolean closed;

	/**
	 * Opens the broker. A port is opened with the first subscription.
	 * @param directory where the files are, for this user's eyes only; made if absent
	 * @throws MicroException.Unavailable if there can be no such directory, with what to
	 * do about it
	 */
	public LocalBroker(Path directory) {
		this.files = new NodeFiles(directory, this.node, LEASE);
		try {
			this.files.makeDirectory();
			this.secret = Secret.of(this.files.directory());
		}
		catch (IOException ex) {
			throw this.files.unavailable("broker", ex);
		}
		this.nodes = new BrokerNodes(this.files,
				(other, port) -> new BrokerSender(other, port, this.secret, this.executor, this.files::lives));
	}

	@Override
	public Broker in(String namespace) {
		return new View(Limits.name("namespace", namespace));
	}

	@Override
	public void close() {
		// An interrupt would close the files' channels; it waits until they are removed.
		boolean interrupted = Thread.interrupted();
		BrokerServer server;
		this.lock.lock();
		try {
			if (this.closed) {
				return;
			}
			this.closed = true;
			server = this.server;
			this.files.remove();
		}
		catch (IOException ex) {
			logger.log(System.Logger.Level.DEBUG, "files are left for others to remove", ex);
			server = this.server;
		}
		finally {
			this.lock.unlock();
			if (interrupted) {
				Thread.currentThread().interrupt();
			}
		}
		this.subscriptions.forEach(Backlog::close);
		if (server != null) {
			server.close();
		}
		this.nodes.close();
		this.executor.shutdown();
	}

	private void checkOpen() {
		if (this.closed) {
			throw new MicroException.Unavailable("the broker is closed");
		}
	}

	private void add(Audience.Topic topic, @Nullable String queue, Backlog subscription) {
		boolean interrupted = Thread.interrupted();
		this.lock.lock();
		try {
			checkOpen();
			this.subscriptions.add(subscription);
			this.audience.add(topic, queue, subscription);
			tell(topic);
		}
		catch (IOException ex) {
			throw this.files.unavailable("broker", ex);
		}
		finally {
			this.lock.unlock();
			if (interrupted) {
				Thread.currentThread().interrupt();
			}
		}
	}

	private void remove(Audience.Topic topic, @Nullable String queue, Backlog subscription) {
		boolean interrupted = Thread.interrupted();
		this.lock.lock();
		try {
			this.subscriptions.remove(subscription);
			this.audience.remove(topic, queue, subscription);
			if (!this.closed) {
				tell(topic);
			}
		}
		catch (IOException ex) {
			logger.log(System.Logger.Level.DEBUG, "others send what nobody here wants any more", ex);
		}
		finally {
			this.lock.unlock();
			if (interrupted) {
				Thread.currentThread().interrupt();
			}
		}
	}

	// Others care who listens to a topic, not how many there are without a queue.
	private void tell(Audience.Topic topic) throws IOException {
		BrokerLease.Seats before = this.leased.getOrDefault(topic, BrokerLease.Seats.NONE);
		BrokerLease.Seats seats = BrokerLease.Seats.of(this.audience, topic);
		if (seats.equals(before)) {
			return;
		}
		put(topic, seats);
		byte[] change = BrokerLease.write(topic, seats);
		try {
			this.appended += change.length;
			if (this.files.held() && this.files.areWhole() && this.written + this.appended <= BrokerNodes.MOST
					&& this.appended <= APPENDED * this.written + APPENDED_ANYWAY) {
				this.files.append(change);
			}
			else {
				tellAll();
			}
		}
		catch (IOException | RuntimeException ex) {
			put(topic, before);
			// It may be there in part, after which nothing more could be read.
			this.appended = BrokerNodes.MOST;
			throw ex;
		}
	}

	private void tellAll() throws IOException {
		BrokerServer server = this.server;
		if (server == null) {
			server = new BrokerServer(this.node, this.secret, BrokerServer.MOST_PROVEN, this.executor, this::take);
			this.server = server;
		}
		byte[] lease = new BrokerLease(server.port(), this.leased).write();
		if (lease.length > BrokerNodes.MOST) {
			throw new MicroException.Exhausted("what this process subscribes to takes " + lease.length
					+ " bytes to tell, more than the limit of " + BrokerNodes.MOST + ": subscribe to less per process");
		}
		// Also if somebody removed it.
		this.files.makeDirectory();
		this.files.write(lease);
		this.written = lease.length;
		this.appended = 0;
	}

	private void put(Audience.Topic topic, BrokerLease.Seats seats) {
		if (seats.equals(BrokerLease.Seats.NONE)) {
			this.leased.remove(topic);
		}
		else {
			this.leased.put(topic, seats);
		}
	}

	private byte[] take(byte[] request) throws IOException {
		Batch batch = Batch.read(request);
		for (Batch.Missed missed : batch.missed()) {
			if (missed.queue() == null) {
				this.audience.dropForAll(missed.topic(), missed.count());
			}
			else {
				this.audience.dropForOne(missed.topic(), missed.queue(), missed.count());
			}
		}
		List<List<String>> refused = new ArrayList<>();
		for (Batch.Delivery delivery : batch.deliveries()) {
			refused.add(delivery.to(this.audience));
		}
		return Batch.writeAnswer(refused);
	}

	private void publish(Audience.Topic topic, Message message) {
		boolean interrupted = Thread.interrupted();
		try {
			new Publication(topic, message, this.nodes.listeners(topic)).run();
		}
		catch (IOException ex) {
			throw this.files.unavailable("broker", ex);
		}
		finally {
			if (interrupted) {
				Thread.currentThread().interrupt();
			}
		}
	}

	private final class View implements Broker {

		private final String namespace;

		View(String namespace) {
			this.namespace = namespace;
		}

		@Override
		public void publish(String topic, Message message) {
			Audience.Topic to = topic(topic);
			checkOpen();
			LocalBroker.this.publish(to, message);
		}

		@Override
		public BrokerSubscription subscribe(String topic, @Nullable String queue, Consumer<Message> handler) {
			Audience.Topic to = topic(topic);
			if (queue != null) {
				Limits.name("queue", queue);
			}
			Backlog subscription = new Backlog(topic, LocalBroker.this.executor, handler,
					(closing) -> remove(to, queue, closing));
			try {
				add(to, queue, subscription);
			}
			catch (RuntimeException ex) {
				subscription.close();
				throw ex;
			}
			return subscription;
		}

		private Audience.Topic topic(String name) {
			return new Audience.Topic(this.namespace, Limits.name("topic", name));
		}

	}

	/**
	 * One message on its way to all who are to get it. Each round gives it to the nodes
	 * at once and then asks, for each queue that did not take it there, the next one:
	 * first those who have room, then those who would have to drop it.
	 */
	private final class Publication {

		private final Audience.Topic topic;

		private final Message message;

		private final List<Target> targets = new ArrayList<>();

		private final Map<String, Queue<Attempt>> open = new HashMap<>();

		Publication(Audience.Topic topic, Message message, List<BrokerNodes.Listener> listeners) {
			this.topic = topic;
			this.message = message;
			BrokerLease.Seats own = BrokerLease.Seats.of(LocalBroker.this.audience, topic);
			if (!own.equals(BrokerLease.Seats.NONE)) {
				this.targets.add(new Target(null, own));
			}
			listeners.forEach((listener) -> this.targets.add(new Target(listener.sender(), listener.seats())));
			for (Target target : this.targets) {
				target.seats.queues().keySet().forEach((queue) -> this.open.computeIfAbsent(queue, this::attempts));
			}
		}

		void run() {
			for (boolean all = true; all || !this.open.isEmpty(); all = false) {
				Map<Target, Map<String, Boolean>> parts = new IdentityHashMap<>();
				if (all) {
					this.targets.stream()
						.filter((target) -> target.seats.all())
						.forEach((target) -> parts.put(target, new HashMap<>()));
				}
				this.open.values().removeIf(Collection::isEmpty);
				this.open.forEach((queue, attempts) -> {
					Attempt attempt = attempts.remove();
					parts.computeIfAbsent(attempt.target, (target) -> new HashMap<>()).put(queue, attempt.last);
				});
				this.open.keySet().retainAll(deliver(all, parts));
			}
		}

		private List<String> deliver(boolean all, Map<Target, Map<String, Boolean>> parts) {
			List<String> refused = new ArrayList<>();
			Map<BrokerSender.Sending, BrokerSender> sendings = new LinkedHashMap<>();
			parts.forEach((target, queues) -> {
				Batch.Delivery delivery = new Batch.Delivery(this.topic, all && target.seats.all(), queues,
						this.message);
				if (target.sender != null) {
					sendings.put(target.sender.send(delivery), target.sender);
				}
			});
			parts.forEach((target, queues) -> {
				if (target.sender == null) {
					refused.addAll(new Batch.Delivery(this.topic, all && target.seats.all(), queues, this.message)
						.to(LocalBroker.this.audience));
				}
			});
			long deadline = System.nanoTime() + WAIT.toNanos();
			sendings.forEach((sending, sender) -> refused.addAll(refused(sending, sender, deadline)));
			return refused;
		}

		private static Collection<String> refused(BrokerSender.Sending sending, BrokerSender sender, long deadline) {
			if (sender.isBehind()) {
				return sender.fallBehind(sending);
			}
			boolean interrupted = false;
			try {
				while (true) {
					try {
						return sending.refused().get(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
					}
					catch (InterruptedException ex) {
						// It takes no longer than a second.
						interrupted = true;
					}
				}
			}
			catch (TimeoutException ex) {
				return sender.fallBehind(sending);
			}
			catch (ExecutionException ex) {
				throw new IllegalStateException(ex);
			}
			finally {
				if (interrupted) {
					Thread.currentThread().interrupt();
				}
			}
		}

		// At random, so that each member has its share, and those who do not answer last.
		private Queue<Attempt> attempts(String queue) {
			List<Target> targets = new ArrayList<>();
			Map<Target, Double> keys = new IdentityHashMap<>();
			for (Target target : this.targets) {
				int members = target.seats.queues().getOrDefault(queue, 0);
				if (members > 0) {
					targets.add(target);
					// The smallest of as many random numbers as there are members.
					keys.put(target, -Math.log(1 - ThreadLocalRandom.current().nextDouble()) / members);
				}
			}
			targets.sort(Comparator.comparing(Target::isBehind).thenComparing(keys::get));
			Queue<Attempt> attempts = new ArrayDeque<>();
			if (targets.size() > 1) {
				targets.stream()
					.filter((target) -> !target.isBehind())
					.forEach((target) -> attempts.add(new Attempt(target, false)));
			}
			targets.forEach((target) -> attempts.add(new Attempt(target, true)));
			return attempts;
		}

	}

	private record Attempt(Target target, boolean last) {
	}

	/**
	 * A node that listens to a topic.
	 *
	 * @param sender sends to it; null if it is this one
	 * @param seats who listens there
	 */
	private record Target(@Nullable BrokerSender sender, BrokerLease.Seats seats) {

		boolean isBehind() {
			return this.sender != null && this.sender.isBehind();
		}

	}

}
