package mu.micro.remote;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ConnectivityState;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Deadline;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import mu.micro.MicroException;
import mu.micro.grpc.Channels;
import mu.micro.grpc.Errors;

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

	private final String address;

	private final Duration timeout;

	private final ManagedChannel channel;

	private final AtomicBoolean away = new AtomicBoolean();

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
	 * Asks without waiting.
	 * @param method the method
	 * @param request the question
	 * @param <Q> the question's type
	 * @param <A> the answer's type
	 * @return the answer, or a {@link MicroException}, within the timeout
	 */
	<Q, A> CompletableFuture<A> ask(MethodDescriptor<Q, A> method, Q request) {
		return ask(method, request, this.timeout);
	}

	private <Q, A> CompletableFuture<A> ask(MethodDescriptor<Q, A> method, Q request, Duration time) {
		Context caller = Context.current();
		CompletableFuture<A> answer = new CompletableFuture<>();
		ClientCalls.asyncUnaryCall(call(method, time), request, new StreamObserver<A>() {

			@Override
			public void onNext(A message) {
				answered();
				answer.complete(message);
			}

			@Override
			public void onError(Throwable failure) {
				answer.completeExceptionally(failed(failure, caller));
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

	private MicroException.OutcomeUnknown unknown(TimeoutException cause) {
		MicroException silent = failed(Status.DEADLINE_EXCEEDED.withCause(cause).asRuntimeException(), Context.ROOT);
		return new MicroException.OutcomeUnknown(
				silent.getMessage() + "; it may do yet what it was asked to, look before trying again", silent);
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
		if (this.channel.getState(false) == ConnectivityState.TRANSIENT_FAILURE) {
			this.channel.enterIdle();
		}
		return this.channel.newCall(method,
				CallOptions.DEFAULT.withDeadlineAfter(time.toNanos(), TimeUnit.NANOSECONDS));
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
			throw new MicroException.Cancelled("interrupted while asking the Micro server at " + this.address, ex);
		}
		catch (ExecutionException ex) {
			if (ex.getCause() instanceof TimeoutException silence) {
				throw unknown(silence);
			}
			throw Errors.toException((ex.getCause() != null) ? ex.getCause() : ex);
		}
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
	 * @param failure what it ended with
	 * @param caller in which context the call was made
	 * @return what that means
	 */
	MicroException failed(Throwable failure, Context caller) {
		Status.Code code = (failure instanceof StatusRuntimeException ex) ? ex.getStatus().getCode()
				: Status.Code.UNKNOWN;
		Deadline limit = caller.getDeadline();
		if (caller.isCancelled() || limit != null && limit.isExpired()) {
			return Errors.toException(failure);
		}
		if (code == Status.Code.UNIMPLEMENTED) {
			return new MicroException.Unimplemented("what answers at " + this.address
					+ " is no Micro server with a registry; set micro.remote.address to one");
		}
		// A server that stops cancels the calls it has.
		if (code != Status.Code.DEADLINE_EXCEEDED && code != Status.Code.UNAVAILABLE && code != Status.Code.CANCELLED) {
			return Errors.toException(failure);
		}
		if (code == Status.Code.DEADLINE_EXCEEDED) {
			// The connection may be dead without having been closed.
			this.channel.enterIdle();
		}
		String reason = (code == Status.Code.DEADLINE_EXCEEDED) ? "nothing within " + this.timeout.toMillis() + " ms"
				: reason(failure);
		String message = "no answer from the Micro server at " + this.address + " (" + reason
				+ "); start it with 'micro server', or set micro.remote.address to where it runs";
		if (!this.away.getAndSet(true)) {
			logger.log(System.Logger.Level.WARNING, message);
		}
		return new MicroException.Unavailable(message, failure);
	}

	private static String reason(Throwable failure) {
		Throwable cause = failure;
		while (cause.getCause() != null && cause.getCause() != cause) {
			cause = cause.getCause();
		}
		if (cause instanceof StatusRuntimeException ex && ex.getStatus().getDescription() != null) {
			return ex.getStatus().getDescription();
		}
		return (cause.getMessage() != null) ? cause.getMessage() : cause.getClass().getSimpleName();
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
		this.channel.shutdownNow();
	}

}
