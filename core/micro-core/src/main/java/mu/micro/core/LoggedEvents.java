package mu.micro.core;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.ObjLongConsumer;

import mu.micro.Limits;
import mu.micro.Message;
import mu.micro.MicroException;
import mu.micro.Scoped;
import mu.micro.Subscription;
import mu.micro.events.Delivery;
import mu.micro.events.Event;
import mu.micro.events.Events;
import mu.micro.events.Group;
import mu.micro.events.GroupState;
import mu.micro.events.Handler;
import org.jspecify.annotations.Nullable;

/**
 * Events over an {@link EventLog}: checking, calling handlers, interrupting them, trying
 * again and closing are done here.
 * <p>
 * A member of a group has no thread while there is nothing to do. Whoever has handled an
 * event asks the log, in one exchange, to settle what was handled meanwhile and for as
 * many events as there is room for; whoever finds somebody asking leaves what it has to
 * him.
 * <p>
 * What all members together hold is bounded: where there is no room for more, members
 * that handle something already take nothing until there is, and one that handles nothing
 * takes one event.
 */
public final class LoggedEvents implements Scoped<Events> {

	private static final System.Logger logger = System.getLogger(LoggedEvents.class.getName());

	/**
	 * How long nothing is asked where nothing is heard.
	 */
	private static final Duration LOOKS = Duration.ofMillis(900);

	private static final Duration FIRST_PAUSE = Duration.ofMillis(100);

	private static final Duration LONGEST_RETRY = Duration.ofSeconds(1);

	/**
	 * For how long a member with work takes more before it rests, so that others have a
	 * turn, and how long that is. Others may hear late of their chance, as in another
	 * process on a busy machine: each fourth rest is a long one.
	 */
	private static final Duration TURN = Duration.ofMillis(250);

	private static final Duration REST = Duration.ofMillis(5);

	private static final Duration LONG_REST = Duration.ofMillis(50);

	private static final int SHORT_RESTS = 3;

	/**
	 * For how long after its turn a member with nothing to do waits a moment when it
	 * hears of something, so that those who had no turn are first.
	 */
	private static final Duration MODEST = TURN.multipliedBy(4);

	/**
	 * How long a log that is away, and handlers that hang on, are waited for when
	 * closing.
	 */
	private static final Duration CLOSING = Duration.ofSeconds(2);

	private static final int HEAP_SHARE = 8;

	private final Scoped<EventLog> logs;

	private final long mostHeld;

	/**
	 * The bytes of events that were taken and have not returned, and of those that are
	 * being asked for.
	 */
	private final AtomicLong held = new AtomicLong();

	private final ScheduledThreadPoolExecutor timer = Threads.timer("micro-events-timer");

	private final ExecutorService executor = Threads.perTask("micro-events");

	private final ReentrantLock lock = new ReentrantLock();

	private final Set<Member> members = ConcurrentHashMap.newKeySet();

	private volatile boolean closed;

	/**
	 * Events over logs, of which an eighth of the heap is held at most, or 16 MB if that
	 * is more.
	 * @param logs the logs; closed by this
	 */
	public LoggedEvents(Scoped<EventLog> logs) {
		this(logs, Math.max(Runtime.getRuntime().maxMemory() / HEAP_SHARE, Limits.BATCH_BYTES));
	}

	/**
	 * Events over logs.
	 * @param logs the logs; closed by this
	 * @param mostHeld how many bytes of events are held at most, beside one event for
	 * each member
	 */
	public LoggedEvents(Scoped<EventLog> logs, long mostHeld) {
		this.logs = logs;
		this.mostHeld = mostHeld;
	}

	@Override
	public Events in(String namespace) {
		return new View(this.logs.in(Limits.name("namespace", namespace)));
	}

	/**
	 * Ends all subscriptions. Handlers have two seconds to return, and are interrupted
	 * then.
	 */
	@Override
	public void close() {
		this.lock.lock();
		try {
			if (this.closed) {
				return;
			}
			this.closed = true;
		}
		finally {
			this.lock.unlock();
		}
		this.members.forEach(Member::leave);
		await(Member::awaitHandlers);
		this.members.forEach(Member::interrupt);
		await(Member::awaitHandlers);
		await(Member::awaitSettled);
		this.timer.shutdownNow();
		this.executor.shutdownNow();
		this.logs.close();
	}

	private void await(ObjLongConsumer<Member> waiting) {
		long end = System.nanoTime() + CLOSING.toNanos();
		this.members.forEach((member) -> waiting.accept(member, end));
	}

	private void add(Member member) {
		this.lock.lock();
		try {
			checkOpen();
			this.members.add(member);
		}
		finally {
			this.lock.unlock();
		}
	}

	private void checkOpen() {
		if (this.closed) {
			throw closed();
		}
	}

	private static MicroException.Unavailable closed() {
		return new MicroException.Unavailable("the events are closed");
	}

	private static Duration least(Duration one, Duration other) {
		return (one.compareTo(other) < 0) ? one : other;
	}

	/*
	 * From 100 ms on, twice as long each time.
	 */
	private static Duration pause(int failures, Duration most) {
		return (failures > 20) ? most : least(FIRST_PAUSE.multipliedBy(1L << (failures - 1)), most);
	}

	/**
	 * A member of a group.
	 */
	private final class Member implements Subscription {

		private final EventLog log;

		private final String topic;

		private final Group group;

		private final Handler handler;

		private final ReentrantLock lock = new ReentrantLock();

		private final Condition changed = this.lock.newCondition();

		/**
		 * What was taken and has not returned, late ones included: a handler that does
		 * not hear its interruption keeps its place, so that threads do not pile up.
		 */
		private final Set<Call> calls = new HashSet<>();

		private List<EventLog.Outcome> outcomes = new ArrayList<>();

		/**
		 * Whether a thread is asking the log, or about to.
		 */
		private boolean asking;

		private boolean news;

		private boolean leaving;

		/**
		 * Whether there was something to take or in hand the last time, and when that is
		 * to be left to others for once.
		 */
		private boolean busy;

		private long turn;

		private int rests;

		/**
		 * Until when others are first.
		 */
		private long modest = System.nanoTime();

		/**
		 * How long the log took to answer the last time.
		 */
		private long cost;

		/**
		 * Until when nothing is taken, so that others have their turn.
		 */
		private long rest = System.nanoTime();

		/**
		 * Until when the log is left alone, because it failed.
		 */
		private long retry = System.nanoTime();

		private int failures;

		/**
		 * When to ask again without having heard anything.
		 */
		private long due = System.nanoTime();

		private long alarm;

		private @Nullable Future<?> timing;

		private volatile @Nullable Subscription watch;

		Member(EventLog log, String topic, Group group, Handler handler) {
			this.log = log;
			this.topic = topic;
			this.group = group;
			this.handler = handler;
		}

		void start() {
			Subscription watching = this.log.watch(this.topic, this::hear);
			this.watch = watching;
			boolean left;
			this.lock.lock();
			try {
				this.due = System.nanoTime() + LOOKS.toNanos();
				wake(this.due);
				left = this.leaving;
			}
			finally {
				this.lock.unlock();
			}
			if (left) {
				// Without the lock, for which a call of the watch's may be waiting.
				watching.close();
			}
			look();
		}

		/**
		 * Has the log asked because there may be something to take. Does not block.
		 */
		private void hear() {
			this.lock.lock();
			try {
				long now = System.nanoTime();
				if (now - this.modest < 0 && this.calls.isEmpty() && !this.asking) {
					lookAt(now + ThreadLocalRandom.current().nextLong(REST.toNanos(), LONG_REST.toNanos()));
					return;
				}
			}
			finally {
				this.lock.unlock();
			}
			look();
		}

		/**
		 * Has the log asked, once more if it is being asked now. Does not block.
		 */
		private void look() {
			this.lock.lock();
			try {
				this.news = true;
				if (this.asking) {
					return;
				}
				this.asking = true;
			}
			finally {
				this.lock.unlock();
			}
			if (!execute(() -> work(ask()))) {
				leaveOff();
			}
		}

		private boolean execute(Runnable task) {
			try {
				LoggedEvents.this.executor.execute(task);
				return true;
			}
			catch (RejectedExecutionException ex) {
				logger.log(System.Logger.Level.DEBUG, "not done: the events are closed", ex);
			}
			catch (Error ex) {
				// The next look is to try again.
				logger.log(System.Logger.Level.WARNING, "no thread for topic '" + this.topic + "'", ex);
			}
			return false;
		}

		private void work(List<Call> taken) {
			List<Call> next = taken;
			while (!next.isEmpty()) {
				handle(next);
				next = mayAsk() ? ask() : List.of();
			}
		}

		/*
		 * Handles the first, and leaves the others to threads of their own: one starts
		 * the next, so that they begin in order.
		 */
		private void handle(List<Call> taken) {
			Call call = taken.get(0);
			boolean begun = begin(call);
			if (taken.size() > 1) {
				hand(taken.subList(1, taken.size()));
			}
			end(call, begun ? outcome(call) : call.returned());
		}

		private void hand(List<Call> taken) {
			if (!execute(() -> work(taken))) {
				taken.forEach((call) -> end(call, call.returned()));
			}
		}

		private EventLog.Outcome outcome(Call call) {
			Delivery delivery = call.delivery;
			long offset = delivery.event().offset();
			try {
				this.handler.handle(delivery);
				return new EventLog.Handled(offset, call.token);
			}
			catch (NotBegun ex) {
				return call.returned();
			}
			catch (Throwable ex) {
				// An Error too: the event is to be handled all the same.
				String error = HandlerFailure.log(logger, "group '" + this.group.name() + "' failed at event " + offset
						+ " of topic '" + this.topic + "', delivery " + delivery.attempt(), ex);
				return new EventLog.Failed(offset, call.token, error, pause(delivery.attempt(), this.group.ackWait()));
			}
		}

		private boolean begin(Call call) {
			this.lock.lock();
			try {
				if (this.leaving || call.late) {
					return false;
				}
				call.thread = Thread.currentThread();
				return true;
			}
			finally {
				this.lock.unlock();
			}
		}

		private void end(Call call, EventLog.Outcome outcome) {
			this.lock.lock();
			try {
				call.thread = null;
				this.calls.remove(call);
				LoggedEvents.this.held.addAndGet(-call.bytes);
				if (call.late) {
					this.news = true;
				}
				else {
					this.outcomes.add(outcome);
				}
				this.changed.signalAll();
			}
			finally {
				this.lock.unlock();
			}
			// What was meant for the handler.
			Thread.interrupted();
		}

		private boolean mayAsk() {
			this.lock.lock();
			try {
				if (this.asking) {
					return false;
				}
				this.asking = true;
				return true;
			}
			finally {
				this.lock.unlock();
			}
		}

		private void leaveOff() {
			this.lock.lock();
			try {
				this.asking = false;
				if (this.leaving && done()) {
					LoggedEvents.this.members.remove(this);
				}
				this.changed.signalAll();
			}
			finally {
				this.lock.unlock();
			}
		}

		/*
		 * Settles and takes until there is nothing more to ask, or something for this
		 * thread to do.
		 */
		private List<Call> ask() {
			try {
				for (Question question = question(); question != null; question = question()) {
					List<Call> taken = answer(question);
					if (!taken.isEmpty() && mayLeaveOff()) {
						return taken;
					}
					if (!taken.isEmpty()) {
						hand(taken);
					}
				}
				return List.of();
			}
			catch (Error ex) {
				// So that another thread can ask.
				leaveOff();
				throw ex;
			}
		}

		private boolean mayLeaveOff() {
			this.lock.lock();
			try {
				if (!this.outcomes.isEmpty() || this.news && this.calls.size() < this.group.maxInFlight()) {
					return false;
				}
				leaveOff();
				return true;
			}
			finally {
				this.lock.unlock();
			}
		}

		/*
		 * What to ask. If there is nothing this leaves off, so that nothing that comes
		 * after the look is overlooked.
		 */
		private @Nullable Question question() {
			this.lock.lock();
			try {
				long now = System.nanoTime();
				boolean may = now - this.retry >= 0;
				int room = (may && (this.news || !this.outcomes.isEmpty())) ? room(now) : 0;
				this.news = false;
				long bytes = reserve(room);
				int wanted = (bytes > 0) ? room : Math.min(room, (this.calls.isEmpty()) ? 1 : 0);
				if (!may || wanted == 0 && this.outcomes.isEmpty()) {
					leaveOff();
					return null;
				}
				Question question = new Question(this.outcomes, wanted, bytes, now);
				this.outcomes = new ArrayList<>();
				return question;
			}
			finally {
				this.lock.unlock();
			}
		}

		private int room(long now) {
			if (this.busy && now - this.turn >= 0) {
				this.busy = false;
				this.rests = (this.rests + 1) % (SHORT_RESTS + 1);
				long rest = ((this.rests == 0) ? LONG_REST : REST).toNanos();
				// Long enough for others to ask, however slow the log is.
				this.rest = now + Math.min(TURN.toNanos(), Math.max(rest, 4 * this.cost));
				this.modest = now + MODEST.toNanos();
				lookAt(this.rest);
			}
			return (this.leaving || now - this.rest < 0) ? 0
					: Math.max(0, this.group.maxInFlight() - this.calls.size());
		}

		/*
		 * Has room held for what the log may answer. Where there is none the next look is
		 * to try again.
		 */
		private long reserve(int room) {
			long bytes = Math.min((long) room * Limits.BODY, Limits.BATCH_BYTES);
			if (LoggedEvents.this.held.addAndGet(bytes) <= LoggedEvents.this.mostHeld) {
				return bytes;
			}
			LoggedEvents.this.held.addAndGet(-bytes);
			return 0;
		}

		private List<Call> answer(Question question) {
			try {
				return taken(question, this.log.exchange(this.topic, this.group, question.outcomes, question.wanted));
			}
			catch (Throwable ex) {
				// An Error too: events are promised to go on.
				unanswered(question, ex);
				return List.of();
			}
			finally {
				LoggedEvents.this.held.addAndGet(-question.reserved);
			}
		}

		private List<Call> taken(Question question, EventLog.Taken taken) {
			// From before it was asked: the log counts from later on.
			long deadline = question.time + this.group.ackWait().toNanos();
			List<Call> begun = taken.deliveries()
				.stream()
				.map((delivery) -> new Call(delivery, taken.token(), deadline))
				.toList();
			this.lock.lock();
			try {
				this.failures = 0;
				if (this.leaving) {
					begun.forEach((call) -> this.outcomes.add(call.returned()));
					return List.of();
				}
				long now = System.nanoTime();
				this.cost = now - question.time;
				if (question.wanted > 0) {
					this.turn = this.busy ? this.turn : now + TURN.toNanos();
					// Also with nothing new, where others take their share of what there
					// is.
					this.busy = !begun.isEmpty() || !this.calls.isEmpty();
				}
				Duration wait = taken.due();
				if (begun.isEmpty() && wait == null) {
					// Nobody has anything: all are equal.
					this.modest = now;
				}
				// Where there is more than there is room for, whoever returns asks.
				boolean more = wait != null && wait.isZero();
				this.news |= more && begun.size() < question.wanted;
				this.due = now + ((wait != null && !more) ? least(wait, LOOKS) : LOOKS).toNanos();
				wake(this.due);
				if (now - this.rest < 0) {
					lookAt(this.rest);
				}
				this.calls.addAll(begun);
				begun.forEach((call) -> LoggedEvents.this.held.addAndGet(call.bytes));
				if (!begun.isEmpty()) {
					wake(deadline);
				}
			}
			finally {
				this.lock.unlock();
			}
			return begun;
		}

		private void unanswered(Question question, Throwable ex) {
			this.lock.lock();
			try {
				this.failures++;
				logger.log(
						(this.failures > 1 || this.leaving) ? System.Logger.Level.DEBUG : System.Logger.Level.WARNING,
						"topic '" + this.topic + "' cannot be reached; trying on", ex);
				List<EventLog.Outcome> all = new ArrayList<>(question.outcomes);
				all.addAll(this.outcomes);
				this.outcomes = all;
				long most = pause(this.failures, LONGEST_RETRY).toNanos();
				this.retry = System.nanoTime() + ThreadLocalRandom.current().nextLong(most / 2, most);
				this.due = this.retry;
				wake(this.retry);
			}
			finally {
				this.lock.unlock();
			}
		}

		private void lookAt(long time) {
			if (time - this.due < 0) {
				this.due = time;
			}
			wake(this.due);
		}

		/*
		 * Has the clock looked at then, or earlier.
		 */
		private void wake(long time) {
			if (this.timing != null && this.alarm - time <= 0) {
				return;
			}
			if (this.timing != null) {
				this.timing.cancel(false);
			}
			this.alarm = time;
			try {
				this.timing = LoggedEvents.this.timer.schedule(this::tick, time - System.nanoTime(),
						TimeUnit.NANOSECONDS);
			}
			catch (RejectedExecutionException ex) {
				// Closed meanwhile, which ends all subscriptions.
				this.timing = null;
			}
		}

		private void tick() {
			boolean look;
			this.lock.lock();
			try {
				this.timing = null;
				if (this.leaving && done()) {
					return;
				}
				long now = System.nanoTime();
				look = now - this.due >= 0;
				this.due = look ? now + LOOKS.toNanos() : this.due;
				wake(this.due);
				for (Call call : this.calls) {
					if (now - call.deadline >= 0) {
						interrupt(call);
					}
					else {
						wake(call.deadline);
					}
				}
			}
			finally {
				this.lock.unlock();
			}
			if (look) {
				look();
			}
		}

		private void interrupt(Call call) {
			if (!call.late && call.thread != null) {
				logger.log(System.Logger.Level.WARNING,
						"group '" + this.group.name() + "' took longer than " + this.group.ackWait() + " for event "
								+ call.delivery.event().offset() + " of topic '" + this.topic
								+ "', which is delivered again");
				call.thread.interrupt();
			}
			call.late = true;
		}

		private boolean done() {
			return this.calls.isEmpty() && this.outcomes.isEmpty() && !this.asking;
		}

		/**
		 * Has it end, and does not wait for that.
		 */
		void leave() {
			this.lock.lock();
			try {
				this.leaving = true;
			}
			finally {
				this.lock.unlock();
			}
			Subscription watching = this.watch;
			if (watching != null) {
				watching.close();
			}
			look();
		}

		/**
		 * Interrupts the handlers; what comes of that counts.
		 */
		void interrupt() {
			this.lock.lock();
			try {
				for (Call call : this.calls) {
					if (call.thread != null && call.thread != Thread.currentThread()) {
						call.thread.interrupt();
					}
				}
			}
			finally {
				this.lock.unlock();
			}
		}

		/**
		 * Waits until the handlers have returned.
		 * @param end until when at most
		 */
		void awaitHandlers(long end) {
			await(this.calls::isEmpty, end);
		}

		/**
		 * Waits until what the handlers did is settled.
		 * @param end until when at most
		 */
		void awaitSettled(long end) {
			await(this::done, end);
		}

		/*
		 * Not at all where a handler calls this, which would wait for itself.
		 */
		private void await(BooleanSupplier condition, long end) {
			boolean interrupted = false;
			this.lock.lock();
			try {
				boolean within = this.calls.stream().anyMatch((call) -> call.thread == Thread.currentThread());
				long left = end - System.nanoTime();
				while (!within && !condition.getAsBoolean() && left > 0) {
					try {
						left = this.changed.awaitNanos(left);
					}
					catch (InterruptedException ex) {
						// What runs is waited for all the same.
						interrupted = true;
						left = end - System.nanoTime();
					}
				}
			}
			finally {
				this.lock.unlock();
			}
			if (interrupted) {
				Thread.currentThread().interrupt();
			}
		}

		/**
		 * Waits for handlers no longer than they may take, and a moment for them to hear
		 * of that.
		 */
		@Override
		public void close() {
			leave();
			awaitHandlers(latest() + CLOSING.toNanos());
			awaitSettled(System.nanoTime() + CLOSING.toNanos());
		}

		private long latest() {
			this.lock.lock();
			try {
				long latest = System.nanoTime();
				for (Call call : this.calls) {
					latest = (call.deadline - latest > 0) ? call.deadline : latest;
				}
				return latest;
			}
			finally {
				this.lock.unlock();
			}
		}

	}

	/**
	 * What to ask the log, and for how many bytes of an answer there is room.
	 */
	private record Question(List<EventLog.Outcome> outcomes, int wanted, long reserved, long time) {
	}

	/**
	 * A delivery that is being handled, or about to be.
	 */
	private static final class Call {

		private final Delivery delivery;

		private final long bytes;

		private final long token;

		private final long deadline;

		private @Nullable Thread thread;

		private boolean late;

		Call(Delivery delivery, long token, long deadline) {
			this.delivery = delivery;
			this.bytes = delivery.event().message().size();
			this.token = token;
			this.deadline = deadline;
		}

		EventLog.Outcome returned() {
			return new EventLog.Returned(this.delivery.event().offset(), this.token);
		}

	}

	private final class View implements Events {

		private final EventLog log;

		View(EventLog log) {
			this.log = log;
		}

		@Override
		public Event append(String topic, Message message) {
			checkOpen();
			return this.log.append(topic(topic), message);
		}

		@Override
		public List<Event> read(String topic, long from, int limit) {
			checkOpen();
			topic(topic);
			if (from < 0) {
				throw new MicroException.Invalid("the offset " + from + " to read from is negative");
			}
			if (limit < 1 || limit > Limits.PAGE) {
				throw new MicroException.Invalid(
						"the number " + limit + " of events to read is not between 1 and " + Limits.PAGE);
			}
			return this.log.read(topic, from, limit);
		}

		@Override
		public long offsetAt(String topic, Instant time) {
			checkOpen();
			return this.log.offsetAt(topic(topic), time);
		}

		@Override
		public Set<String> topics() {
			checkOpen();
			return this.log.topics();
		}

		@Override
		public List<GroupState> groups(String topic) {
			checkOpen();
			return this.log.groups(topic(topic));
		}

		@Override
		public boolean removeGroup(String topic, String group) {
			checkOpen();
			return this.log.removeGroup(topic(topic), Limits.name("group's name", group));
		}

		@Override
		public Subscription consume(String topic, Group group, Handler handler) {
			checkOpen();
			topic(topic);
			if (!topic.endsWith(DEAD)) {
				Limits.name("topic for dead letters", topic + DEAD);
			}
			this.log.join(topic, group);
			Member member = new Member(this.log, topic, group, handler);
			add(member);
			try {
				member.start();
			}
			catch (RuntimeException ex) {
				LoggedEvents.this.members.remove(member);
				throw ex;
			}
			return member;
		}

		private static String topic(String topic) {
			return Limits.name("topic", topic);
		}

	}

}
