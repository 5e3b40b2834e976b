package mu.micro.remote;

import java.io.IOException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Predicate;

import io.grpc.Attributes;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ClientStreamTracer;
import io.grpc.ConnectivityState;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Deadline;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import mu.micro.MicroException;
import mu.micro.core.Threads;
import mu.micro.grpc.Channels;
import mu.micro.grpc.Errors;
import org.jspecify.annotations.Nullable;

/**
 * Calls to one Micro server. Each call tries the server anew: none fails, or waits,
 * because of one that failed before.
 */
final class Connection {

	private static final System.Logger logger = System.getLogger(Connection.class.getName());

	private static final int MAX_MESSAGE = 64 * 1024 * 1024;

	private static final int MAX_DOUBLINGS = 10;

	/**
	 * How long the answer to a write is listened for when nobody waits for it any more.
	 */
	private static final Duration LATE = Duration.ofMinutes(1);

	private static final Duration FIRST_WAIT = Duration.ofMillis(100);

	/**
	 * How a call ends of which nobody knows whether it was carried out, unless the
	 * service says so itself.
	 */
	private static final Set<Status.Code> UNCLEAR = Set.of(Status.Code.CANCELLED, Status.Code.UNKNOWN,
			Status.Code.DEADLINE_EXCEEDED, Status.Code.UNAVAILABLE, Status.Code.INTERNAL, Status.Code.DATA_LOSS);

	/**
	 * How a call ends that no service answered, unless the service says so itself.
	 */
	private static final Set<Status.Code> AWAY = Set.of(Status.Code.DEADLINE_EXCEEDED, Status.Code.UNAVAILABLE,
			Status.Code.NOT_FOUND);

	private final String address;

	private final Duration timeout;

	private final ManagedChannel channel;

	private final ScheduledThreadPoolExecutor timer = Threads.timer("micro-remote-timer");

	private final ExecutorService executor = Threads.perTask("micro-remote");

	private final AtomicBoolean away = new AtomicBoolean();

	private final ReentrantLock lock = new ReentrantLock();

	private volatile boolean leaving;

	Connection(String address, Duration timeout) {
		this(address, timeout, channel(address));
	}

	Connection(String address, Duration timeout, ManagedChannel channel) {
		this.address = address;
		this.timeout = timeout;
		this.channel = channel;
	}

	private static ManagedChannel channel(String address) {
		try {
			return Grpc.newChannelBuilder(Channels.target(address), InsecureChannelCredentials.create())
				.maxInboundMessageSize(MAX_MESSAGE)
				.disableRetry()
				.build();
		}
		catch (MicroException.Invalid ex) {
			throw new MicroException.Invalid("'" + address + "' is no address of a Micro server; write host:port", ex);
		}
	}

	Duration timeout() {
		return this.timeout;
	}

	/**
	 * Has nothing more begun with, and leaves what there is as it is.
	 * @return whether this was the first time
	 */
	boolean leave() {
		this.lock.lock();
		try {
			boolean first = !this.leaving;
			this.leaving = true;
			return first;
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * Notes what is to be ended by whoever {@link #leave() leaves}.
	 * @param all what there is
	 * @param one one more
	 * @param <T> what they are
	 * @throws MicroException.Unavailable if that has been done already
	 */
	<T> void keep(Set<T> all, T one) {
		this.lock.lock();
		try {
			checkOpen();
			all.add(one);
		}
		finally {
			this.lock.unlock();
		}
	}

	private void checkOpen() {
		if (this.leaving) {
			throw closed();
		}
	}

	/**
	 * What is said to who comes too late.
	 * @return the failure
	 */
	MicroException.Unavailable closed() {
		return new MicroException.Unavailable("the connection to the Micro server at " + this.address + " is closed");
	}

	/**
	 * Where users' code runs.
	 * @return an executor, until this is closed
	 */
	Executor executor() {
		return this.executor;
	}

	/**
	 * Does something later, unless this is closed by then.
	 * @param wait how much later
	 * @param task what to do, which must not block
	 * @return what to give to {@link #cancel}
	 */
	@Nullable Future<?> after(Duration wait, Runnable task) {
		try {
			return this.timer.schedule(task, wait.toNanos(), TimeUnit.NANOSECONDS);
		}
		catch (RejectedExecutionException ex) {
			// Closed meanwhile, which ends all there is to do.
			return null;
		}
	}

	static void cancel(@Nullable Future<?> scheduled) {
		if (scheduled != null) {
			scheduled.cancel(false);
		}
	}

	/**
	 * Asks and waits for the answer.
	 * @param method the method
	 * @param request the question
	 * @param <Q> the question's type
	 * @param <A> the answer's type
	 * @return the answer
	 * @throws MicroException if the call failed or the thread was interrupted
	 */
	<Q, A> A read(MethodDescriptor<Q, A> method, Q request) {
		checkOpen();
		return await(ask(method, request));
	}

	/**
	 * Asks without waiting, also while leaving.
	 * @param method the method
	 * @param request the question
	 * @param <Q> the question's type
	 * @param <A> the answer's type
	 * @return the answer, or a {@link MicroException}, within the timeout
	 */
	<Q, A> CompletableFuture<A> ask(MethodDescriptor<Q, A> method, Q request) {
		return ask(method, request, this.timeout);
	}

	/**
	 * Asks without waiting.
	 * @param method the method
	 * @param request the question
	 * @param time how long the answer may take
	 * @param <Q> the question's type
	 * @param <A> the answer's type
	 * @return the answer, or a {@link MicroException}, within that time
	 */
	<Q, A> CompletableFuture<A> ask(MethodDescriptor<Q, A> method, Q request, Duration time) {
		return ask(method, request, call(method, time), time, (failure) -> false);
	}

	private <Q, A> CompletableFuture<A> ask(MethodDescriptor<Q, A> method, Q request, ClientCall<Q, A> call,
			Duration time, Predicate<Throwable> unclear) {
		Context caller = Context.current();
		CompletableFuture<A> answer = new CompletableFuture<>();
		ClientCalls.asyncUnaryCall(call, request, new StreamObserver<A>() {

			@Override
			public void onNext(A message) {
				answered();
				answer.complete(message);
			}

			@Override
			public void onError(Throwable failure) {
				MicroException ex = failed(method, failure, caller, time);
				answer.completeExceptionally((unclear.test(failure)) ? unknown(ex) : ex);
			}

			@Override
			public void onCompleted() {
				answer.completeExceptionally(new MicroException.Internal(
						"the Micro server at " + Connection.this.address + " gave no answer", null));
			}

		});
		return answer;
	}

	/**
	 * Asks for something to be done, and waits for the answer.
	 * @param method the method
	 * @param request what to do
	 * @param late gets the answer that came when this had given up waiting, and so has to
	 * undo what was done; it runs within a minute, or never
	 * @param <Q> the request's type
	 * @param <A> the answer's type
	 * @return the answer
	 * @throws MicroException.OutcomeUnknown if the server has not answered within the
	 * timeout
	 * @throws MicroException if the call failed, its caller gave up or the thread was
	 * interrupted
	 */
	<Q, A> A write(MethodDescriptor<Q, A> method, Q request, Consumer<A> late) {
		Context caller = Context.current();
		if (caller.isCancelled()) {
			throw Errors.toException(Contexts.statusFromCancelled(caller).asRuntimeException());
		}
		// Apart from the caller's context, whose end would make the answer unheard.
		Context apart = caller.fork();
		Context previous = apart.attach();
		CompletableFuture<A> answer;
		try {
			answer = ask(method, request, this.timeout.plus(LATE));
		}
		finally {
			apart.detach(previous);
		}
		CompletableFuture<A> waiting = answer.copy();
		Context.CancellationListener givenUp = (context) -> waiting
			.completeExceptionally(Contexts.statusFromCancelled(context).asRuntimeException());
		caller.addListener(givenUp, Runnable::run);
		try {
			return await(waiting.orTimeout(this.timeout.toNanos(), TimeUnit.NANOSECONDS));
		}
		catch (MicroException ex) {
			answer.thenAccept(late);
			throw ex;
		}
		finally {
			caller.removeListener(givenUp);
		}
	}

	/**
	 * Asks for something to be done that cannot be undone, and waits for the answer.
	 * @param method the method
	 * @param request what to do
	 * @param <Q> the request's type
	 * @param <A> the answer's type
	 * @return the answer
	 * @throws MicroException.OutcomeUnknown if the request was under way when the server
	 * went away, the timeout or the caller's deadline passed, its caller gave up or the
	 * thread was interrupted
	 * @throws MicroException if the call failed otherwise, and nothing was done
	 */
	<Q, A> A write(MethodDescriptor<Q, A> method, Q request) {
		checkOpen();
		if (Thread.currentThread().isInterrupted()) {
			throw interrupted(null);
		}
		Departure departure = new Departure();
		ClientCall<Q, A> call = call(method, options(this.timeout).withStreamTracerFactory(departure));
		CompletableFuture<A> answer = ask(method, request, call, this.timeout,
				(failure) -> departure.sent && UNCLEAR.contains(code(failure)) && !said(method, failure));
		try {
			return answer.get();
		}
		catch (InterruptedException ex) {
			// What departs afterwards is dropped.
			call.cancel("interrupted", ex);
			Thread.currentThread().interrupt();
			MicroException.Cancelled cancelled = interrupted(ex);
			throw (departure.sent) ? unknown(cancelled) : cancelled;
		}
		catch (ExecutionException ex) {
			throw Errors.toException((ex.getCause() != null) ? ex.getCause() : ex);
		}
	}

	private static MicroException.OutcomeUnknown unknown(MicroException cause) {
		return new MicroException.OutcomeUnknown(
				cause.getMessage() + "; it may do yet what it was asked to, look before trying again", cause);
	}

	/**
	 * Asks for many answers, and waits for each.
	 * @param method the method
	 * @param request the question
	 * @param sink gets each answer; one more is held at most meanwhile. What it throws
	 * ends the call and comes out of this
	 * @param <Q> the question's type
	 * @param <A> the answers' type
	 * @throws MicroException if the call failed, one answer took longer than the timeout,
	 * or the thread was interrupted
	 */
	<Q, A> void each(MethodDescriptor<Q, A> method, Q request, Consumer<A> sink) {
		try (Answers<Q, A> answers = open(method, request)) {
			for (A answer = answers.next(); answer != null; answer = answers.next()) {
				sink.accept(answer);
			}
		}
	}

	/**
	 * Asks for many answers, to be taken one by one.
	 * @param method the method
	 * @param request the question
	 * @param <Q> the question's type
	 * @param <A> the answers' type
	 * @return the answers, to be closed
	 */
	<Q, A> Answers<Q, A> open(MethodDescriptor<Q, A> method, Q request) {
		checkOpen();
		Answers<Q, A> answers = new Answers<>(this, method, call(method, CallOptions.DEFAULT));
		answers.start(request);
		return answers;
	}

	/**
	 * Asks for something to be done that takes many messages to say, and waits for the
	 * answer. The server does nothing before it has them all. Each is made when the
	 * connection takes it.
	 * @param method the method
	 * @param messages makes the messages; what it throws ends the call and comes out of
	 * this
	 * @param patience how long the server may take no message, or give no answer once it
	 * has them all; the first has to be taken within the timeout
	 * @param <Q> the messages' type
	 * @param <A> the answer's type
	 * @return the answer
	 * @throws IOException if the messages cannot be made
	 * @throws MicroException.OutcomeUnknown if the server had all messages when it went
	 * away, the time passed, the caller gave up or the thread was interrupted
	 * @throws MicroException if the call failed otherwise, and nothing was done
	 */
	<Q, A> A write(MethodDescriptor<Q, A> method, Messages<Q> messages, Duration patience) throws IOException {
		checkOpen();
		if (Thread.currentThread().isInterrupted()) {
			throw interrupted(null);
		}
		Context caller = Context.current();
		ClientCall<Q, A> call = call(method, CallOptions.DEFAULT);
		Outgoing<A> outgoing = new Outgoing<>();
		Duration time = this.timeout;
		boolean whole = false;
		call.start(outgoing, new Metadata());
		// An answer and a second one that must not be, as gRPC's own stubs do.
		call.request(2);
		try {
			for (Q message = messages.next(); message != null; message = messages.next()) {
				outgoing.awaitReady(call, time);
				call.sendMessage(message);
				time = patience;
			}
			// Has what failed meanwhile come out before the end is said.
			outgoing.awaitReady(call, time);
			whole = true;
			call.halfClose();
			A answer = outgoing.awaitAnswer(time);
			answered();
			return answer;
		}
		catch (StatusRuntimeException ex) {
			MicroException failed = failed(method, ex, caller, time);
			throw (whole && UNCLEAR.contains(code(ex)) && !said(method, ex)) ? unknown(failed) : failed;
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			MicroException.Cancelled cancelled = interrupted(ex);
			throw (whole) ? unknown(cancelled) : cancelled;
		}
		finally {
			call.cancel("over", null);
		}
	}

	/**
	 * Makes a call, over a new connection where the last attempt failed.
	 * @param method the method
	 * @param time when the call ends at the latest
	 * @param <Q> the question's type
	 * @param <A> the answer's type
	 * @return the call, not started
	 */
	<Q, A> ClientCall<Q, A> call(MethodDescriptor<Q, A> method, Duration time) {
		return call(method, options(time));
	}

	private <Q, A> ClientCall<Q, A> call(MethodDescriptor<Q, A> method, CallOptions options) {
		if (this.channel.getState(false) == ConnectivityState.TRANSIENT_FAILURE) {
			this.channel.enterIdle();
		}
		return this.channel.newCall(method, options);
	}

	private static CallOptions options(Duration time) {
		return CallOptions.DEFAULT.withDeadlineAfter(time.toNanos(), TimeUnit.NANOSECONDS);
	}

	/**
	 * Waits for an answer.
	 * @param answer the answer, from {@link #ask}
	 * @param <A> the answer's type
	 * @return the answer
	 * @throws MicroException if the call failed or the thread was interrupted
	 */
	<A> A await(CompletableFuture<A> answer) {
		try {
			return answer.get();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw interrupted(ex);
		}
		catch (ExecutionException ex) {
			if (ex.getCause() instanceof TimeoutException silence) {
				throw unknown(away(Status.Code.DEADLINE_EXCEEDED, silence, this.timeout));
			}
			throw Errors.toException((ex.getCause() != null) ? ex.getCause() : ex);
		}
	}

	/**
	 * Waits until the server has heard of an end, and not for a failure: of what it has
	 * not heard of then it hears when the connection is closed, or no renewal comes.
	 * @param end what is waited for
	 * @param most how long at most
	 */
	static void awaitEnd(Future<?> end, Duration most) {
		try {
			end.get(most.toNanos(), TimeUnit.NANOSECONDS);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
		catch (ExecutionException | TimeoutException ex) {
			logger.log(System.Logger.Level.DEBUG, "the server did not say that it had heard of an end", ex);
		}
	}

	private MicroException.Cancelled interrupted(@Nullable InterruptedException cause) {
		return new MicroException.Cancelled("interrupted while asking the Micro server at " + this.address, cause);
	}

	/**
	 * Notes that the server answers.
	 */
	void answered() {
		if (this.away.compareAndSet(true, false)) {
			logger.log(System.Logger.Level.INFO, "the Micro server at " + this.address + " answers again");
		}
	}

	/**
	 * Notes that a call failed.
	 * @param method what was called
	 * @param failure what it ended with
	 * @param caller in which context the call was made
	 * @return what that means
	 */
	MicroException failed(MethodDescriptor<?, ?> method, Throwable failure, Context caller) {
		return failed(method, failure, caller, this.timeout);
	}

	private MicroException failed(MethodDescriptor<?, ?> method, Throwable failure, Context caller, Duration time) {
		Status.Code code = code(failure);
		Deadline limit = caller.getDeadline();
		if (caller.isCancelled() || limit != null && limit.isExpired()) {
			return Errors.toException(failure);
		}
		boolean said = said(method, failure);
		if (code == Status.Code.UNIMPLEMENTED && !said) {
			return new MicroException.Unimplemented("what answers at " + this.address + " is no Micro server with a "
					+ noun(method) + "; set micro.remote.address to one");
		}
		// A server that stops cancels the calls it has. A proxy says that it finds no
		// service.
		boolean away = code == Status.Code.CANCELLED || !said && AWAY.contains(code);
		return (away) ? away(code, failure, time) : Errors.toException(failure);
	}

	private MicroException.Unavailable away(Status.Code code, Throwable failure, Duration time) {
		if (code == Status.Code.DEADLINE_EXCEEDED) {
			// The connection may be dead without having been closed.
			this.channel.enterIdle();
		}
		String reason = (code == Status.Code.DEADLINE_EXCEEDED) ? "nothing within " + time.toMillis() + " ms"
				: Errors.reason(failure);
		String message = "no answer from the Micro server at " + this.address + " (" + reason
				+ "); start it with 'micro server', or set micro.remote.address to where it runs";
		if (!this.away.getAndSet(true)) {
			logger.log(System.Logger.Level.WARNING, message);
		}
		return new MicroException.Unavailable(message, failure);
	}

	private static Status.Code code(Throwable failure) {
		return (failure instanceof StatusRuntimeException ex) ? ex.getStatus().getCode() : Status.Code.UNKNOWN;
	}

	/*
	 * Whether it is the service's own word, and not that of the connection or of
	 * something on the way.
	 */
	private static boolean said(MethodDescriptor<?, ?> method, Throwable failure) {
		return failure instanceof StatusRuntimeException ex
				&& Errors.read("", ex.getStatus(), ex.getTrailers()).getId().equals(noun(method));
	}

	private static String noun(MethodDescriptor<?, ?> method) {
		String service = String.valueOf(method.getServiceName());
		return service.substring(0, Math.max(0, service.lastIndexOf('.')));
	}

	/**
	 * How long to wait after some attempts failed: longer each time, and by chance, so
	 * that not all clients come back at once.
	 * @param failures how many failed, at least one
	 * @param most the longest wait
	 * @return half of the wait or more
	 */
	static Duration backOff(int failures, Duration most) {
		long wait = Math.min(FIRST_WAIT.toMillis() << Math.min(failures - 1, MAX_DOUBLINGS), most.toMillis());
		return Duration.ofMillis(wait / 2 + ThreadLocalRandom.current().nextLong(wait / 2 + 1));
	}

	void close() {
		leave();
		this.timer.shutdownNow();
		this.executor.shutdownNow();
		this.channel.shutdownNow();
	}

	/**
	 * Whether a request may have reached the server.
	 */
	private static final class Departure extends ClientStreamTracer.Factory {

		private volatile boolean sent;

		@Override
		public ClientStreamTracer newClientStreamTracer(ClientStreamTracer.StreamInfo info, Metadata headers) {
			return new ClientStreamTracer() {

				@Override
				public void streamCreated(Attributes transport, Metadata headers) {
					Departure.this.sent = true;
				}

			};
		}

	}

	/**
	 * Makes messages.
	 *
	 * @param <Q> the messages' type
	 */
	@FunctionalInterface
	interface Messages<Q> {

		/**
		 * Makes the next message.
		 * @return the message, or null at the end
		 * @throws IOException if it cannot be made
		 */
		@Nullable Q next() throws IOException;

	}

	/**
	 * The answers of one call, for a thread that waits: one at most, and the end.
	 *
	 * @param <Q> the question's type
	 * @param <A> the answers' type
	 */
	static final class Answers<Q, A> extends ClientCall.Listener<A> implements AutoCloseable {

		private final Connection server;

		private final MethodDescriptor<Q, A> method;

		private final ClientCall<Q, A> call;

		private final Context caller = Context.current();

		private final BlockingQueue<Told<A>> told = new ArrayBlockingQueue<>(2);

		private Answers(Connection server, MethodDescriptor<Q, A> method, ClientCall<Q, A> call) {
			this.server = server;
			this.method = method;
			this.call = call;
		}

		private void start(Q request) {
			this.call.start(this, new Metadata());
			this.call.request(1);
			this.call.sendMessage(request);
			this.call.halfClose();
		}

		@Override
		public void onMessage(A message) {
			this.told.add(new Told<>(message, null));
		}

		@Override
		public void onClose(Status status, Metadata trailers) {
			this.told.add(new Told<>(null, (status.isOk()) ? null : status.asRuntimeException(trailers)));
		}

		/**
		 * Waits for the next answer, and has the server send one more.
		 * @return the answer, or null once at the end
		 * @throws MicroException if the call failed, the answer took longer than the
		 * timeout, or the thread was interrupted
		 */
		@Nullable A next() {
			Told<A> next;
			try {
				next = this.told.poll(this.server.timeout.toNanos(), TimeUnit.NANOSECONDS);
			}
			catch (InterruptedException ex) {
				Thread.currentThread().interrupt();
				throw this.server.interrupted(ex);
			}
			if (next == null) {
				throw failed(Status.DEADLINE_EXCEEDED.asRuntimeException());
			}
			if (next.failure != null) {
				throw failed(next.failure);
			}
			this.server.answered();
			if (next.message != null) {
				this.call.request(1);
			}
			return next.message;
		}

		private MicroException failed(StatusRuntimeException failure) {
			return this.server.failed(this.method, failure, this.caller);
		}

		/**
		 * Ends the call. Who waits is told.
		 */
		@Override
		public void close() {
			this.call.cancel("over", null);
		}

		/**
		 * A message, a failure, or neither at the end.
		 */
		private record Told<A>(@Nullable A message, @Nullable StatusRuntimeException failure) {
		}

	}

	/**
	 * How a call goes whose messages are sent by a thread that waits.
	 *
	 * @param <A> the answer's type
	 */
	private static final class Outgoing<A> extends ClientCall.Listener<A> {

		private final ReentrantLock lock = new ReentrantLock();

		private final Condition changed = this.lock.newCondition();

		private @Nullable A answer;

		private @Nullable StatusRuntimeException failure;

		private boolean over;

		@Override
		public void onReady() {
			change(() -> {
			});
		}

		@Override
		public void onMessage(A message) {
			change(() -> this.answer = message);
		}

		@Override
		public void onClose(Status status, Metadata trailers) {
			change(() -> {
				this.over = true;
				this.failure = (status.isOk()) ? null : status.asRuntimeException(trailers);
			});
		}

		private void change(Runnable change) {
			this.lock.lock();
			try {
				change.run();
				this.changed.signalAll();
			}
			finally {
				this.lock.unlock();
			}
		}

		void awaitReady(ClientCall<?, ?> call, Duration time) throws InterruptedException {
			await(call::isReady, time);
			if (this.over) {
				throw Status.INTERNAL.withDescription("answered before it had all").asRuntimeException();
			}
		}

		A awaitAnswer(Duration time) throws InterruptedException {
			await(() -> false, time);
			if (this.answer == null) {
				throw Status.INTERNAL.withDescription("no answer").asRuntimeException();
			}
			return this.answer;
		}

		/*
		 * Until something holds or the call is over.
		 */
		private void await(BooleanSupplier condition, Duration time) throws InterruptedException {
			this.lock.lockInterruptibly();
			try {
				long left = time.toNanos();
				while (!this.over && !condition.getAsBoolean()) {
					if (left <= 0) {
						throw Status.DEADLINE_EXCEEDED.asRuntimeException();
					}
					left = this.changed.awaitNanos(left);
				}
				if (this.failure != null) {
					throw this.failure;
				}
			}
			finally {
				this.lock.unlock();
			}
		}

	}

}
