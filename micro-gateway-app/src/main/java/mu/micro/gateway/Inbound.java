package mu.micro.gateway;

import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import org.reactivestreams.Subscription;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.netty.http.server.HttpServerRequest;

/**
 * A request's body, of which no more than a limit is held, as of all bodies together.
 * What a client still sends after it was refused is taken and thrown away for a while,
 * for it would not read the answer before it has sent.
 */
final class Inbound extends BaseSubscriber<ByteBuf> {

	private static final int MOST_DISCARDED = 64 * 1024 * 1024;

	private static final Duration LONGEST = Duration.ofSeconds(5);

	private final HttpServerRequest request;

	private final int most;

	private final AtomicLong heldByAll;

	private final long mostByAll;

	private final AtomicInteger counted = new AtomicInteger();

	private final Sinks.One<byte[]> body = Sinks.one();

	private final Sinks.Empty<Void> end = Sinks.empty();

	private final ByteArrayOutputStream held = new ByteArrayOutputStream();

	private long received;

	private boolean begun;

	private boolean refused;

	private boolean ended;

	/**
	 * Reads nothing yet.
	 * @param request the request
	 * @param most how many bytes the body may have
	 * @param heldByAll counts the bytes held of all bodies
	 * @param mostByAll how many those may be
	 */
	Inbound(HttpServerRequest request, int most, AtomicLong heldByAll, long mostByAll) {
		this.request = request;
		this.most = most;
		this.heldByAll = heldByAll;
		this.mostByAll = mostByAll;
	}

	/**
	 * The whole body.
	 * @return the body, or a {@link Refusal} if it is larger than the limit, or there is
	 * no room for it now
	 */
	Mono<byte[]> body() {
		this.begun = true;
		this.request.receive().subscribe(this);
		return this.body.asMono();
	}

	/**
	 * Whether the client may still be sending.
	 * @return false once the end was seen
	 */
	boolean isOpen() {
		return !this.ended;
	}

	/**
	 * Whether the client waits to be asked for the body.
	 * @return true if nothing comes unless it is read
	 */
	boolean isAwaited() {
		return !this.begun
				&& this.request.requestHeaders().contains(HttpHeaderNames.EXPECT, HttpHeaderValues.CONTINUE, true);
	}

	/**
	 * Throws the rest of the body away.
	 * @return completes at its end, or when the client has sent too much or for too long
	 */
	Mono<Void> discard() {
		this.refused = true;
		if (!this.begun) {
			body();
		}
		return this.end.asMono().timeout(LONGEST, Mono.empty()).doFinally((signal) -> cancel());
	}

	@Override
	protected void hookOnSubscribe(Subscription subscription) {
		subscription.request(Long.MAX_VALUE);
	}

	@Override
	protected void hookOnNext(ByteBuf part) {
		this.received += part.readableBytes();
		if (this.refused) {
			if (this.received > (long) this.most + MOST_DISCARDED) {
				cancel();
				this.end.tryEmitEmpty();
			}
			return;
		}
		if (this.received > this.most) {
			refuse(tooLarge(this.most));
			return;
		}
		if (!count(part.readableBytes())) {
			refuse(new Refusal(503, "the gateway holds as many bytes of bodies as it may; try again", "Retry-After",
					"1"));
			return;
		}
		byte[] bytes = new byte[part.readableBytes()];
		part.readBytes(bytes);
		this.held.writeBytes(bytes);
	}

	private void refuse(Refusal refusal) {
		this.refused = true;
		this.held.reset();
		this.body.tryEmitError(refusal);
	}

	private boolean count(int bytes) {
		if (this.counted.getAndUpdate((before) -> (before < 0) ? before : before + bytes) < 0) {
			return false;
		}
		return this.heldByAll.addAndGet(bytes) <= this.mostByAll;
	}

	/**
	 * Counts the body as held no more.
	 */
	void release() {
		this.heldByAll.addAndGet(-Math.max(0, this.counted.getAndSet(-1)));
	}

	@Override
	protected void hookOnComplete() {
		this.ended = true;
		this.end.tryEmitEmpty();
		this.body.tryEmitValue(this.held.toByteArray());
	}

	@Override
	protected void hookOnError(Throwable ex) {
		this.ended = true;
		this.end.tryEmitEmpty();
		this.body.tryEmitError(ex);
	}

	static Refusal tooLarge(int most) {
		return new Refusal(413, "the body is larger than the " + most
				+ " bytes this gateway takes; send less, or raise micro.gateway.max-body");
	}

}
