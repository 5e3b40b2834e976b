package mu.micro.remote;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

import com.google.protobuf.InvalidProtocolBufferException;
import mu.micro.MicroException;
import mu.micro.Subscription;
import mu.micro.core.HandlerFailure;
import mu.micro.events.Delivery;
import mu.micro.events.Group;
import mu.micro.events.Handler;
import mu.micro.grpc.Messages;
import mu.micro.wire.events.AckRequest;
import mu.micro.wire.events.ConsumeRequest;
import mu.micro.wire.events.Event;
import mu.micro.wire.events.StreamGrpc;
import org.jspecify.annotations.Nullable;

/**
 * A member of a group whose place is at the server. What the server sends is handled
 * here, and each delivery is answered. Where the call ends, the server gives back what
 * was not answered, and what runs here is interrupted, for it counts no more.
 */
final class RemoteConsumer implements Subscription {

	private static final System.Logger logger = System.getLogger(RemoteConsumer.class.getName());

	/**
	 * How long handlers have to hear of an interruption.
	 */
	private static final Duration CLOSING = Duration.ofSeconds(2);

	private final Connection server;

	private final String topic;

	private final Group group;

	private final Handler handler;

	private final Consumer<RemoteConsumer> onEnd;

	private final LastingCall<ConsumeRequest, Event> call;

	private final CompletableFuture<Void> live = new CompletableFuture<>();

	private final ReentrantLock lock = new ReentrantLock();

	private final Condition changed = this.lock.newCondition();

	/**
	 * What was sent here and is not answered.
	 */
	private final Set<Work> works = new HashSet<>();

	/**
	 * What no handler has begun with: the server counts what it sent on this call alone,
	 * and handlers of a call before may hang on.
	 */
	private final Queue<Work> waiting = new ArrayDeque<>();

	private int running;

	private boolean leaving;

	/**
	 * A consumer that has not joined.
	 * @param server the server
	 * @param silence how long the server may say nothing
	 * @param request what to ask it for
	 * @param group the group
	 * @param handler handles the events
	 * @param onEnd runs when it has ended
	 */
	RemoteConsumer(Connection server, Duration silence, ConsumeRequest request, Group group, Handler handler,
			Consumer<RemoteConsumer> onEnd) {
		this.server = server;
		this.topic = request.getTopic();
		this.group = group;
		this.handler = handler;
		this.onEnd = onEnd;
		this.call = new LastingCall<>(server, StreamGrpc.getConsumeMethod(), LastingCall.FOR_EVER, silence,
				() -> request, this::take, this::broken);
	}

	/**
	 * Joins the group.
	 * @throws MicroException if it cannot be joined; then this has ended
	 */
	void join() {
		this.call.open();
		try {
			this.server.await(this.live);
		}
		catch (MicroException ex) {
			leave();
			cancel();
			throw ex;
		}
	}

	/*
	 * Called by the call, for which it must not block.
	 */
	private void take(Event answer, Runnable more) {
		if (answer.getStanding()) {
			this.live.complete(null);
		}
		else {
			take(new Work(Messages.delivery(answer), answer.getDelivery()));
		}
		more.run();
	}

	private void take(Work work) {
		boolean begin;
		this.lock.lock();
		try {
			if (this.leaving) {
				begin = false;
			}
			else {
				this.works.add(work);
				work.timing = this.server.after(this.group.ackWait(), () -> late(work));
				begin = this.running < this.group.maxInFlight();
				if (!begin) {
					this.waiting.add(work);
					return;
				}
				this.running++;
			}
		}
		finally {
			this.lock.unlock();
		}
		if (!begin) {
			answer(work, work.ack().setReturned(true));
			return;
		}
		try {
			this.server.executor().execute(() -> run(work));
		}
		catch (RejectedExecutionException | Error ex) {
			// Closed, or no thread to be had.
			release();
			end(work, work.ack()
				.setError(HandlerFailure.log(logger, "an event of topic '" + this.topic + "' is not handled", ex)));
		}
	}

	private void run(Work first) {
		for (Work work = first; work != null; work = next()) {
			if (begin(work)) {
				end(work, handle(work));
			}
			else {
				end(work, work.ack().setReturned(true));
			}
		}
	}

	private @Nullable Work next() {
		this.lock.lock();
		try {
			Work next = this.waiting.poll();
			if (next == null) {
				this.running--;
			}
			return next;
		}
		finally {
			this.lock.unlock();
		}
	}

	private void release() {
		this.lock.lock();
		try {
			this.running--;
		}
		finally {
			this.lock.unlock();
		}
	}

	private boolean begin(Work work) {
		this.lock.lock();
		try {
			if (this.leaving || work.over) {
				return false;
			}
			work.thread = Thread.currentThread();
			return true;
		}
		finally {
			this.lock.unlock();
		}
	}

	private AckRequest.Builder handle(Work work) {
		try {
			this.handler.handle(work.delivery);
			return work.ack().setSuccess(true);
		}
		catch (Throwable ex) {
			// An Error too: the event is to be handled all the same.
			return work.ack()
				.setError(HandlerFailure.log(logger,
						"group '" + this.group.name() + "' failed at event " + work.delivery.event().offset()
								+ " of topic '" + this.topic + "', delivery " + work.delivery.attempt(),
						ex));
		}
	}

	private void end(Work work, AckRequest.Builder ack) {
		boolean handled;
		this.lock.lock();
		try {
			handled = work.thread != null;
			work.thread = null;
			Connection.cancel(work.timing);
		}
		finally {
			this.lock.unlock();
		}
		if (handled) {
			// What was meant for the handler.
			Thread.interrupted();
		}
		answer(work, ack);
		this.lock.lock();
		try {
			this.works.remove(work);
			this.changed.signalAll();
		}
		finally {
			this.lock.unlock();
		}
	}

	private void answer(Work work, AckRequest.Builder ack) {
		this.call.send(() -> (work.lost) ? null : request(ack.build()));
	}

	/*
	 * The server reads it as what it is.
	 */
	private static ConsumeRequest request(AckRequest ack) {
		try {
			return ConsumeRequest.parseFrom(ack.toByteString());
		}
		catch (InvalidProtocolBufferException ex) {
			throw new IllegalStateException("an AckRequest is no ConsumeRequest", ex);
		}
	}

	private void late(Work work) {
		this.lock.lock();
		try {
			if (work.thread != null && !work.over) {
				logger.log(System.Logger.Level.WARNING,
						"group '" + this.group.name() + "' took longer than " + this.group.ackWait() + " for event "
								+ work.delivery.event().offset() + " of topic '" + this.topic
								+ "', which is delivered again");
				work.thread.interrupt();
			}
			work.over = true;
		}
		finally {
			this.lock.unlock();
		}
	}

	/*
	 * Called by the call, which is made again if it once stood.
	 */
	private boolean broken(MicroException failure) {
		this.lock.lock();
		try {
			for (Work work : this.works) {
				if (work.thread != null && !work.over) {
					work.thread.interrupt();
				}
				work.over = true;
				work.lost = true;
			}
			this.works.removeAll(this.waiting);
			this.waiting.forEach((work) -> Connection.cancel(work.timing));
			this.waiting.clear();
		}
		finally {
			this.lock.unlock();
		}
		return !this.live.completeExceptionally(failure);
	}

	/**
	 * Has no more events begun with, and does not wait for those that run.
	 * @return done when the server knows what came of all that it sent, or is not there
	 */
	CompletableFuture<Void> leave() {
		List<Work> returned;
		boolean first;
		this.lock.lock();
		try {
			first = !this.leaving;
			this.leaving = true;
			returned = new ArrayList<>(this.waiting);
			this.waiting.clear();
		}
		finally {
			this.lock.unlock();
		}
		if (first) {
			this.live.completeExceptionally(this.server.closed());
			this.call.send(() -> request(AckRequest.newBuilder().setLeaving(true).build()));
			returned.forEach((work) -> end(work, work.ack().setReturned(true)));
			this.call.finish().thenRun(() -> this.onEnd.accept(this));
		}
		return this.call.finish();
	}

	/**
	 * Interrupts the handlers; what comes of that counts.
	 */
	void interrupt() {
		this.lock.lock();
		try {
			for (Work work : this.works) {
				if (work.thread != null && work.thread != Thread.currentThread()) {
					work.thread.interrupt();
				}
			}
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * Waits until the handlers have returned; not at all where one of them calls this.
	 * @param end until when at most
	 */
	void awaitHandlers(long end) {
		boolean interrupted = false;
		this.lock.lock();
		try {
			long left = end - System.nanoTime();
			while (!within() && !this.works.isEmpty() && left > 0) {
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

	private boolean within() {
		return this.works.stream().anyMatch((work) -> work.thread == Thread.currentThread());
	}

	/**
	 * Ends the call, whatever the server knows.
	 */
	void cancel() {
		this.call.close();
	}

	/**
	 * Waits for handlers no longer than they may take, and a moment for them to hear of
	 * that; and for the server, for the timeout at most.
	 */
	@Override
	public void close() {
		CompletableFuture<Void> left = leave();
		awaitHandlers(latest() + CLOSING.toNanos());
		this.lock.lock();
		try {
			if (within()) {
				// The server hears what comes of it, and ends the call.
				return;
			}
		}
		finally {
			this.lock.unlock();
		}
		Connection.awaitEnd(left, this.server.timeout());
		cancel();
	}

	private long latest() {
		this.lock.lock();
		try {
			long latest = System.nanoTime();
			for (Work work : this.works) {
				latest = (work.deadline - latest > 0) ? work.deadline : latest;
			}
			return latest;
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * A delivery. Guarded by the lock, but for whether it is lost, which is the call's.
	 */
	private final class Work {

		private final Delivery delivery;

		private final long number;

		private final long deadline = System.nanoTime() + RemoteConsumer.this.group.ackWait().toNanos();

		private @Nullable Future<?> timing;

		private @Nullable Thread thread;

		/**
		 * Whether what comes of it counts no more.
		 */
		private boolean over;

		/**
		 * Whether it came with a call that has ended.
		 */
		private boolean lost;

		Work(Delivery delivery, long number) {
			this.delivery = delivery;
			this.number = number;
		}

		AckRequest.Builder ack() {
			return AckRequest.newBuilder()
				.setId(this.delivery.event().message().id())
				.setOffset(this.delivery.event().offset())
				.setAttempt(this.delivery.attempt())
				.setDelivery(this.number);
		}

	}

}
