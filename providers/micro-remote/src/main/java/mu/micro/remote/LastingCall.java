package mu.micro.remote;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiConsumer;
import java.util.function.Predicate;
import java.util.function.Supplier;

import io.grpc.ClientCall;
import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import mu.micro.MicroException;
import org.jspecify.annotations.Nullable;

/**
 * A call whose answers go on for ever: it is made again whenever it ends, until this is
 * closed. Where its method takes many requests, the others may follow the first one.
 *
 * @param <Q> the request's type
 * @param <A> the answers' type
 */
final class LastingCall<Q, A> implements AutoCloseable {

	private static final System.Logger logger = System.getLogger(LastingCall.class.getName());

	/**
	 * How long a call may last that must not be made anew while it stands.
	 */
	static final Duration FOR_EVER = Duration.ofDays(36_500);

	/**
	 * How long a call may be silent whose server says now and then that it stands.
	 */
	static final Duration SILENCE = Duration.ofMinutes(1);

	private static final Duration LONGEST_WAIT = Duration.ofSeconds(5);

	/**
	 * The server may end a call so much before its time as its clock is ahead.
	 */
	private static final Duration GRACE = Duration.ofSeconds(1);

	private final Connection server;

	private final MethodDescriptor<Q, A> method;

	private final Duration longest;

	private final Duration silence;

	private final Supplier<Q> request;

	private final BiConsumer<A, Runnable> answers;

	private final Predicate<MicroException> broken;

	private final CompletableFuture<Void> finished = new CompletableFuture<>();

	private final ReentrantLock lock = new ReentrantLock();

	private @Nullable Stream stream;

	private @Nullable Future<?> next;

	private int failures;

	private boolean finishing;

	private boolean over;

	/**
	 * A call that is not made before {@link #open()}.
	 * @param server who is called; the first answer is expected within its timeout
	 * @param method the method
	 * @param longest how long one call may last
	 * @param silence how long nothing may be answered before the call is made again, for
	 * its connection may be dead
	 * @param request makes the request, each time the call is made
	 * @param answers gets each answer, and what to run to get the next one; must not
	 * block. It hears nothing of a call once the next request was made
	 */
	LastingCall(Connection server, MethodDescriptor<Q, A> method, Duration longest, Duration silence,
			Supplier<Q> request, BiConsumer<A, Runnable> answers) {
		this(server, method, longest, silence, request, answers, (failure) -> true);
	}

	/**
	 * A call that is not made before {@link #open()}.
	 * @param server who is called; the first answer is expected within its timeout
	 * @param method the method
	 * @param longest how long one call may last
	 * @param silence how long nothing may be answered before the call is made again, for
	 * its connection may be dead
	 * @param request makes the request, each time the call is made
	 * @param answers gets each answer, and what to run to get the next one; must not
	 * block. It hears nothing of a call once the next request was made
	 * @param broken hears why a call ended, and says whether to make it again; must not
	 * block
	 */
	LastingCall(Connection server, MethodDescriptor<Q, A> method, Duration longest, Duration silence,
			Supplier<Q> request, BiConsumer<A, Runnable> answers, Predicate<MicroException> broken) {
		this.server = server;
		this.method = method;
		this.longest = longest;
		this.silence = silence;
		this.request = request;
		this.answers = answers;
		this.broken = broken;
	}

	/**
	 * Makes the call.
	 */
	void open() {
		this.lock.lock();
		try {
			if (this.over) {
				return;
			}
			// Apart from the caller's context, whose end would end the call.
			Context previous = Context.ROOT.attach();
			try {
				Stream opened = new Stream();
				this.stream = opened;
				opened.start(this.request.get());
			}
			finally {
				Context.ROOT.detach(previous);
			}
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * Sends one more request, unless there is no call right now.
	 * @param message makes the request, or null where it is not to be sent on this call;
	 * asked while no call ends and none is made
	 */
	void send(Supplier<? extends @Nullable Q> message) {
		this.lock.lock();
		try {
			if (this.stream != null && !this.over) {
				Q made = message.get();
				if (made != null) {
					this.stream.call.sendMessage(made);
				}
			}
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * Has the call not made again when it ends, which it does because the server was
	 * asked to end it. Until then answers are heard.
	 * @return done when the call has ended, or there is none
	 */
	CompletableFuture<Void> finish() {
		this.lock.lock();
		try {
			this.finishing = true;
			if (this.stream == null) {
				close();
			}
			return this.finished;
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * Ends the call for good. Idempotent.
	 */
	@Override
	public void close() {
		this.lock.lock();
		try {
			this.over = true;
			Connection.cancel(this.next);
			if (this.stream != null) {
				this.stream.cancel("closed");
			}
			this.finished.complete(null);
		}
		finally {
			this.lock.unlock();
		}
	}

	/*
	 * Called under the lock.
	 */
	private void ended(Stream ended, @Nullable Throwable failure) {
		if (ended != this.stream) {
			return;
		}
		this.stream = null;
		if (this.over) {
			this.finished.complete(null);
			return;
		}
		if (failure == null || ended.told && ended.due()) {
			again(new MicroException.Unavailable("it was time to call again"), Duration.ZERO);
			return;
		}
		MicroException ex = this.server.failed(this.method, failure, Context.ROOT);
		if (again(ex, Connection.backOff(++this.failures, LONGEST_WAIT))
				&& !(ex instanceof MicroException.Unavailable)) {
			logger.log(System.Logger.Level.WARNING,
					this.method.getFullMethodName() + " ended: " + ex.getMessage() + "; it is called again");
		}
	}

	private boolean again(MicroException why, Duration wait) {
		if (!this.broken.test(why) || this.finishing) {
			this.over = true;
			this.finished.complete(null);
			return false;
		}
		this.next = this.server.after(wait, this::open);
		return true;
	}

	/**
	 * One call. Its state is guarded by the lock.
	 */
	private final class Stream extends ClientCall.Listener<A> {

		private final ClientCall<Q, A> call = LastingCall.this.server.call(LastingCall.this.method,
				LastingCall.this.longest);

		private final long end = System.nanoTime() + LastingCall.this.longest.toNanos();

		private boolean told;

		private boolean asked;

		private long since;

		private @Nullable Future<?> check;

		void start(Q message) {
			this.call.start(this, new Metadata());
			ask();
			this.call.sendMessage(message);
			if (LastingCall.this.method.getType().clientSendsOneMessage()) {
				this.call.halfClose();
			}
			this.check = LastingCall.this.server.after(LastingCall.this.server.timeout(), this::check);
		}

		private void ask() {
			this.asked = true;
			this.since = System.nanoTime();
			this.call.request(1);
		}

		private void more() {
			LastingCall.this.lock.lock();
			try {
				ask();
			}
			finally {
				LastingCall.this.lock.unlock();
			}
		}

		private void check() {
			LastingCall.this.lock.lock();
			try {
				if (!this.told) {
					ended(this, Status.DEADLINE_EXCEEDED.asRuntimeException());
					cancel("nothing was told in time");
					return;
				}
				Duration left = LastingCall.this.silence;
				if (this.asked) {
					left = left.minusNanos(System.nanoTime() - this.since);
				}
				if (left.compareTo(Duration.ZERO) > 0) {
					this.check = LastingCall.this.server.after(left, this::check);
					return;
				}
				ended(this, null);
				cancel("nothing was told for too long");
			}
			finally {
				LastingCall.this.lock.unlock();
			}
		}

		boolean due() {
			return System.nanoTime() - this.end > -GRACE.toNanos();
		}

		void cancel(String why) {
			Connection.cancel(this.check);
			this.call.cancel(why, null);
		}

		@Override
		public void onMessage(A answer) {
			LastingCall.this.lock.lock();
			try {
				if (LastingCall.this.over || LastingCall.this.stream != this) {
					return;
				}
				if (!this.told) {
					this.told = true;
					LastingCall.this.failures = 0;
					LastingCall.this.server.answered();
				}
				this.asked = false;
				LastingCall.this.answers.accept(answer, this::more);
			}
			finally {
				LastingCall.this.lock.unlock();
			}
		}

		@Override
		public void onClose(Status status, Metadata trailers) {
			Status reason = (status.isOk()) ? Status.UNAVAILABLE.withDescription("the answers ended") : status;
			LastingCall.this.lock.lock();
			try {
				Connection.cancel(this.check);
				boolean asked = LastingCall.this.finishing && status.isOk();
				ended(this, (asked) ? null : reason.asRuntimeException(trailers));
			}
			finally {
				LastingCall.this.lock.unlock();
			}
		}

	}

}
