package mu.micro.services;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.TimeUnit;

import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import mu.micro.Limits;
import mu.micro.MicroException;
import mu.micro.core.Locks;
import mu.micro.core.Locks.Claim;
import mu.micro.core.Locks.Grant;
import mu.micro.wire.sync.AcquireRequest;
import mu.micro.wire.sync.AcquireResponse;
import mu.micro.wire.sync.ReleaseRequest;
import mu.micro.wire.sync.ReleaseResponse;
import mu.micro.wire.sync.RenewRequest;
import mu.micro.wire.sync.RenewResponse;
import mu.micro.wire.sync.SyncGrpc;
import org.jspecify.annotations.Nullable;

/**
 * Locks on the wire. This holds no lock and renews none: what is locked is known to the
 * provider alone, so that locks outlive a restart of the server, and any server of the
 * same provider can be asked.
 * <p>
 * Handlers block and must not run on an event loop. Who waits for a lock takes no thread.
 */
public final class SyncService extends SyncGrpc.SyncImplBase implements AutoCloseable {

	/**
	 * The name of the core service.
	 */
	public static final String NAME = "sync";

	/**
	 * The longest that one call waits; who wants to wait longer asks again.
	 */
	public static final Duration LONGEST_WAIT = Duration.ofMinutes(1);

	private static final System.Logger logger = System.getLogger(SyncService.class.getName());

	private final Locks locks;

	private final String namespace;

	private final Duration longestWait;

	private final ConcurrentMap<Key, CompletableFuture<@Nullable Grant>> waits = new ConcurrentHashMap<>();

	private volatile boolean draining;

	private volatile boolean closed;

	/**
	 * Serves locks.
	 * @param locks where the locks are; not closed by this
	 * @param namespace the namespace of calls that name none
	 */
	public SyncService(Locks locks, String namespace) {
		this(locks, namespace, LONGEST_WAIT);
	}

	SyncService(Locks locks, String namespace, Duration longestWait) {
		this.locks = locks;
		this.namespace = Limits.name("namespace", namespace);
		this.longestWait = longestWait;
	}

	@Override
	public void acquire(AcquireRequest request, StreamObserver<AcquireResponse> observer) {
		ServerCallStreamObserver<AcquireResponse> call = (ServerCallStreamObserver<AcquireResponse>) observer;
		try {
			Claim claim = new Claim(namespace(request.getNamespace()), request.getName(), request.getHolder(),
					request.getOwner(), Duration.ofMillis(request.getTtlMs()));
			CompletableFuture<@Nullable Grant> answer = this.locks.acquire(claim, wait(request));
			call.setOnCancelHandler(() -> answer.cancel(true));
			Key key = Key.of(claim);
			withdraw(this.waits.put(key, answer));
			if (this.draining || this.closed) {
				answer.completeExceptionally(shuttingDown());
			}
			answer.whenComplete((grant, failure) -> {
				this.waits.remove(key, answer);
				answer(call, claim, grant, failure);
			});
		}
		catch (RuntimeException ex) {
			Reply.error(NAME, call, ex);
		}
	}

	private static void withdraw(@Nullable CompletableFuture<@Nullable Grant> wait) {
		if (wait != null) {
			wait.completeExceptionally(new MicroException.Cancelled("the holder asked again, or waits no more", null));
		}
	}

	private void answer(ServerCallStreamObserver<AcquireResponse> call, Claim claim, @Nullable Grant grant,
			@Nullable Throwable failure) {
		if (call.isCancelled()) {
			if (grant != null) {
				release(claim);
			}
			return;
		}
		Reply.with(NAME, call, () -> {
			if (failure != null) {
				throw thrown(failure);
			}
			return (grant != null) ? AcquireResponse.newBuilder()
				.setToken(grant.token())
				.setWaitedUs(TimeUnit.MICROSECONDS.convert(grant.waited()))
				.build() : AcquireResponse.getDefaultInstance();
		});
	}

	/*
	 * Who asked for it is not there any more.
	 */
	private void release(Claim claim) {
		try {
			this.locks.release(claim);
		}
		catch (MicroException ex) {
			logger.log(System.Logger.Level.DEBUG, "lock '" + claim.name() + "' stays taken until its ttl is over", ex);
		}
	}

	private static RuntimeException thrown(Throwable failure) {
		Throwable cause = (failure instanceof CompletionException && failure.getCause() != null) ? failure.getCause()
				: failure;
		return (cause instanceof RuntimeException ex) ? ex : new CompletionException(cause);
	}

	private Duration wait(AcquireRequest request) {
		Duration wait = Duration.ofMillis(request.getWaitMs());
		return (wait.compareTo(this.longestWait) < 0) ? wait : this.longestWait;
	}

	@Override
	public void renew(RenewRequest request, StreamObserver<RenewResponse> call) {
		Reply.with(NAME, call, () -> {
			this.locks.renew(new Claim(namespace(request.getNamespace()), request.getName(), request.getHolder(), "",
					Duration.ofMillis(request.getTtlMs())), request.getToken());
			return RenewResponse.getDefaultInstance();
		});
	}

	@Override
	public void release(ReleaseRequest request, StreamObserver<ReleaseResponse> call) {
		Reply.with(NAME, call, () -> {
			Claim claim = new Claim(namespace(request.getNamespace()), request.getName(), request.getHolder(), "",
					Claim.SHORTEST_TTL);
			withdraw(this.waits.remove(Key.of(claim)));
			this.locks.release(claim);
			return ReleaseResponse.getDefaultInstance();
		});
	}

	private String namespace(String named) {
		return (named.isEmpty()) ? this.namespace : named;
	}

	private static MicroException.Unavailable shuttingDown() {
		return new MicroException.Unavailable("the sync is shutting down; try again");
	}

	/**
	 * Ends all waits with {@code UNAVAILABLE} and has nobody wait until
	 * {@link #resumeWaits()}, so that a graceful shutdown of the server need not wait for
	 * them; their clients ask again where the service is up. All else is answered still.
	 * Idempotent.
	 */
	public void endWaits() {
		this.draining = true;
		this.waits.values().forEach((wait) -> wait.completeExceptionally(shuttingDown()));
	}

	/**
	 * Lets clients wait again, for a server that has been started again. Idempotent; does
	 * nothing once this is closed.
	 */
	public void resumeWaits() {
		this.draining = false;
	}

	/**
	 * Ends all waits for good. Locks stay as they are.
	 */
	@Override
	public void close() {
		this.closed = true;
		endWaits();
	}

	private record Key(String namespace, String name, String holder) {

		static Key of(Claim claim) {
			return new Key(claim.namespace(), claim.name(), claim.holder());
		}

	}

}
