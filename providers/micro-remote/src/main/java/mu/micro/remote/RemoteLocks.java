package mu.micro.remote;

import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

import io.grpc.Context;
import io.grpc.Contexts;
import mu.micro.MicroException;
import mu.micro.core.Locks;
import mu.micro.grpc.Errors;
import mu.micro.wire.sync.AcquireRequest;
import mu.micro.wire.sync.AcquireResponse;
import mu.micro.wire.sync.ReleaseRequest;
import mu.micro.wire.sync.ReleaseResponse;
import mu.micro.wire.sync.RenewRequest;
import mu.micro.wire.sync.SyncGrpc;
import org.jspecify.annotations.Nullable;

/**
 * The locks of a Micro server. Who waits asks the server again and again to wait, each
 * time for no longer than the ttl, so that a connection that died in silence keeps a
 * waiter for twice the ttl at most.
 */
final class RemoteLocks implements Locks {

	private static final System.Logger logger = System.getLogger(RemoteLocks.class.getName());

	private static final Duration LONGEST_WAIT = Duration.ofSeconds(30);

	private static final Duration LONGEST_PAUSE = Duration.ofSeconds(5);

	private static final Duration CLOSING = Duration.ofSeconds(1);

	private final Connection server;

	private final Set<Waiter> waiters = ConcurrentHashMap.newKeySet();

	private final Set<Future<?>> releases = ConcurrentHashMap.newKeySet();

	private volatile boolean closed;

	RemoteLocks(Connection server) {
		this.server = server;
	}

	@Override
	public CompletableFuture<@Nullable Grant> acquire(Claim claim, Duration wait) {
		if (wait.isNegative()) {
			throw new MicroException.Invalid("the wait " + wait + " is negative");
		}
		if (this.closed) {
			throw closed();
		}
		Waiter waiter = new Waiter(claim, wait);
		waiter.tryOnce();
		if (!waiter.answer.isDone()) {
			waiter.begin();
		}
		return waiter.answer;
	}

	@Override
	public void renew(Claim claim, long token) {
		RenewRequest request = RenewRequest.newBuilder()
			.setNamespace(claim.namespace())
			.setName(claim.name())
			.setHolder(claim.holder())
			.setToken(token)
			.setTtlMs(claim.ttl().toMillis())
			.build();
		// There is time for another attempt, over another connection.
		Duration time = least(claim.ttl().dividedBy(3), this.server.timeout());
		this.server.await(apart(() -> this.server.ask(SyncGrpc.getRenewMethod(), request, time)));
	}

	@Override
	public void release(Claim claim) {
		this.server.await(releasing(claim));
	}

	private CompletableFuture<ReleaseResponse> releasing(Claim claim) {
		ReleaseRequest request = ReleaseRequest.newBuilder()
			.setNamespace(claim.namespace())
			.setName(claim.name())
			.setHolder(claim.holder())
			.build();
		return apart(() -> this.server.ask(SyncGrpc.getReleaseMethod(), request));
	}

	// Apart from the caller's context, whose end would end the call.
	private static <T> T apart(Supplier<T> call) {
		Context previous = Context.ROOT.attach();
		try {
			return call.get();
		}
		finally {
			Context.ROOT.detach(previous);
		}
	}

	@Override
	public void close() {
		if (this.closed) {
			return;
		}
		this.closed = true;
		List.copyOf(this.waiters).forEach((waiter) -> waiter.answer.completeExceptionally(closed()));
		awaitReleases();
		this.server.close();
	}

	/*
	 * So that the server does not give a lock to one who has just left.
	 */
	private void awaitReleases() {
		long end = System.nanoTime() + CLOSING.toNanos();
		try {
			for (Future<?> release : List.copyOf(this.releases)) {
				release.get(Math.max(0, end - System.nanoTime()), TimeUnit.NANOSECONDS);
			}
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
		catch (ExecutionException | TimeoutException ex) {
			logger.log(System.Logger.Level.DEBUG, "the server has not heard of an end, which comes with the ttl", ex);
		}
	}

	private static Duration least(Duration one, Duration other) {
		return (one.compareTo(other) < 0) ? one : other;
	}

	private static MicroException.Unavailable closed() {
		return new MicroException.Unavailable("the locks are closed");
	}

	/**
	 * One who wants a lock.
	 */
	private final class Waiter {

		private final Claim claim;

		private final Duration wait;

		private final CompletableFuture<@Nullable Grant> answer = new CompletableFuture<>();

		private final long start = System.nanoTime();

		private final Context caller = Context.current();

		private final Context.CancellationListener givenUp = (context) -> this.answer
			.completeExceptionally(Errors.toException(Contexts.statusFromCancelled(context).asRuntimeException()));

		private final Context.CancellableContext calls = Context.ROOT.withCancellation();

		private volatile @Nullable Future<?> next;

		private int failures;

		/**
		 * Whether the server may have given the lock, or may yet, without saying so.
		 */
		private volatile boolean unsure;

		Waiter(Claim claim, Duration wait) {
			this.claim = claim;
			this.wait = wait;
		}

		void tryOnce() {
			long asked = elapsed();
			try {
				AcquireResponse response = RemoteLocks.this.server.write(SyncGrpc.getAcquireMethod(),
						request(Duration.ZERO));
				if (response.getToken() != 0 || this.wait.isZero()) {
					this.answer.complete(grant(response, asked));
				}
			}
			catch (MicroException.OutcomeUnknown ex) {
				abandon();
				throw ex;
			}
		}

		void begin() {
			RemoteLocks.this.waiters.add(this);
			this.answer.whenComplete((grant, failure) -> end(grant));
			this.caller.addListener(this.givenUp, Runnable::run);
			if (RemoteLocks.this.closed) {
				this.answer.completeExceptionally(closed());
			}
			ask(null);
		}

		private void ask(@Nullable MicroException failure) {
			if (this.answer.isDone()) {
				return;
			}
			long asked = elapsed();
			Duration left = this.wait.minusNanos(asked);
			if (left.isNegative() || left.isZero()) {
				if (failure != null) {
					this.answer.completeExceptionally(failure);
				}
				else {
					this.answer.complete(null);
				}
				return;
			}
			Duration time = least(left, least(this.claim.ttl(), LONGEST_WAIT));
			Duration most = time.plus(least(this.claim.ttl(), RemoteLocks.this.server.timeout()));
			this.unsure = true;
			Context previous = this.calls.attach();
			try {
				RemoteLocks.this.server.ask(SyncGrpc.getAcquireMethod(), request(time), most)
					.whenComplete((response, failed) -> {
						if (failed != null) {
							failed(Errors.toException(failed));
						}
						else {
							answered(response, asked);
						}
					});
			}
			finally {
				this.calls.detach(previous);
			}
		}

		private void answered(AcquireResponse response, long asked) {
			this.failures = 0;
			if (response.getToken() != 0) {
				this.answer.complete(grant(response, asked));
			}
			else {
				this.unsure = false;
				ask(null);
			}
		}

		private void failed(MicroException ex) {
			if (ex instanceof MicroException.Unavailable || ex instanceof MicroException.OutcomeUnknown
					|| ex instanceof MicroException.TimedOut || ex instanceof MicroException.Exhausted) {
				Duration pause = Connection.backOff(++this.failures,
						least(this.claim.ttl().dividedBy(3), LONGEST_PAUSE));
				this.next = RemoteLocks.this.server.after(least(this.wait.minusNanos(elapsed()), pause), () -> ask(ex));
			}
			else {
				this.answer.completeExceptionally(ex);
			}
		}

		private void end(@Nullable Grant grant) {
			RemoteLocks.this.waiters.remove(this);
			this.caller.removeListener(this.givenUp);
			Connection.cancel(this.next);
			this.calls.cancel(null);
			if (grant == null && this.unsure) {
				abandon();
			}
		}

		/**
		 * Gives back what nobody waits for any more.
		 */
		private void abandon() {
			CompletableFuture<ReleaseResponse> release = releasing(this.claim);
			RemoteLocks.this.releases.add(release);
			release.whenComplete((response, failure) -> {
				RemoteLocks.this.releases.remove(release);
				if (failure != null) {
					logger.log(System.Logger.Level.DEBUG,
							"lock '" + this.claim.name() + "' may stay taken until its ttl is over", failure);
				}
			});
		}

		private AcquireRequest request(Duration time) {
			return AcquireRequest.newBuilder()
				.setNamespace(this.claim.namespace())
				.setName(this.claim.name())
				.setHolder(this.claim.holder())
				.setTtlMs(this.claim.ttl().toMillis())
				.setWaitMs(time.toMillis())
				.setOwner(this.claim.owner())
				.build();
		}

		private long elapsed() {
			return System.nanoTime() - this.start;
		}

		private static @Nullable Grant grant(AcquireResponse response, long asked) {
			return (response.getToken() != 0) ? new Grant(response.getToken(),
					Duration.ofNanos(asked + TimeUnit.MICROSECONDS.toNanos(response.getWaitedUs()))) : null;
		}

	}

}
