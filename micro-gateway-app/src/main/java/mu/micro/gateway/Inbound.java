package mu.micro.gateway;

import java.io.ByteArrayOutputStream;
import java.time.Duration;

import io.netty.buffer.ByteBuf;
import org.reactivestreams.Subscription;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.netty.http.server.HttpServerRequest;

/**
 * A request's body, of which no more than a limit is held. What a client still sends
 * after it was refused is taken and thrown away for a while, for it would not read the
 * answer before it has sent.
 */
final class Inbound extends BaseSubscriber<ByteBuf> {

	private static final int MOST_DISCARDED = 64 * 1024 * 1024;

	private static final Duration LONGEST = Duration.ofSeconds(5);

	private final HttpServerRequest request;

	private final int most;

	private final Sinks.One<byte[]> body = Sinks.one();

	private final Sinks.Empty<Void> end = Sinks.empty();

	private final ByteArrayOutputStream held = new ByteArrayOutputStream();

	private long received;

	private boolean begun;

	private boolean refused;

	private boolean ended;

	Inbound(HttpServerRequest request, int most) {
		this.request = request;
		this.most = most;
	}

	/**
	 * The whole body.
	 * @return the body, or a {@link Refusal} if it is larger than the limit
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
			this.refused = true;
			this.held.reset();
			this.body.tryEmitError(tooLarge(this.most));
			return;
		}
		byte[] bytes = new byte[part.readableBytes()];
		part.readBytes(bytes);
		this.held.writeBytes(bytes);
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
