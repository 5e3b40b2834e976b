package mu.micro.proxy;

import java.io.IOException;
import java.io.InputStream;
import java.util.concurrent.atomic.AtomicBoolean;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientStreamTracer;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.Status;
import mu.micro.MicroException;
import mu.micro.grpc.Errors;
import org.jspecify.annotations.Nullable;

/**
 * One call, passed between the caller in front and the service at the back. Each side is
 * asked for its next message only when the other is ready to take one, so that at most
 * one message of each direction waits here.
 * <p>
 * What the caller does arrives on one thread and what the service does on another; only
 * the service's side closes the call in front.
 */
final class Relay extends ServerCall.Listener<InputStream> {

	private static final System.Logger logger = System.getLogger(Relay.class.getName());

	private final ServerCall<InputStream, InputStream> front;

	private final ClientCall<InputStream, InputStream> back;

	private final String service;

	private final AtomicBoolean frontWaits = new AtomicBoolean();

	private final AtomicBoolean backWaits = new AtomicBoolean();

	private volatile @Nullable InputStream last;

	private volatile boolean answered;

	private volatile boolean closed;

	private Relay(ServerCall<InputStream, InputStream> front, MethodDescriptor<InputStream, InputStream> method,
			Channel channel, CallOptions options, String service) {
		this.front = front;
		this.back = channel.newCall(method, options.withStreamTracerFactory(new End()));
		this.service = service;
	}

	/**
	 * Starts the call at the back and asks both sides for their first message.
	 * @param front the caller's call
	 * @param headers the headers to pass on
	 * @param method what is called
	 * @param channel reaches the service
	 * @param options the options of the call to the service
	 * @param service the service's name, for messages
	 * @return hears what the caller does
	 */
	static Relay start(ServerCall<InputStream, InputStream> front, Metadata headers,
			MethodDescriptor<InputStream, InputStream> method, Channel channel, CallOptions options, String service) {
		Relay relay = new Relay(front, method, channel, options, service);
		relay.back.start(relay.new Answers(), headers);
		relay.back.request(1);
		front.request(1);
		return relay;
	}

	@Override
	public void onMessage(InputStream message) {
		this.last = message;
		try {
			this.back.sendMessage(message);
		}
		catch (RuntimeException ex) {
			drop(message);
			this.back.cancel("a message could not be passed on", ex);
			return;
		}
		if (this.closed) {
			// It may have come after the end had dropped what was there.
			drop(message);
			return;
		}
		this.frontWaits.set(true);
		if (this.back.isReady()) {
			askFront();
		}
	}

	@Override
	public void onHalfClose() {
		try {
			this.back.halfClose();
		}
		catch (IllegalStateException ex) {
			logger.log(System.Logger.Level.DEBUG, "half-closed after the end", ex);
		}
	}

	@Override
	public void onCancel() {
		this.back.cancel("the caller cancelled", null);
	}

	@Override
	public void onReady() {
		askBack();
	}

	private void askFront() {
		if (this.frontWaits.compareAndSet(true, false)) {
			this.front.request(1);
		}
	}

	private void askBack() {
		if (this.backWaits.compareAndSet(true, false)) {
			this.back.request(1);
		}
	}

	private static void drop(@Nullable InputStream message) {
		try {
			if (message != null) {
				message.close();
			}
		}
		catch (IOException ex) {
			logger.log(System.Logger.Level.DEBUG, "not closed", ex);
		}
	}

	/**
	 * What the service does.
	 */
	private final class Answers extends ClientCall.Listener<InputStream> {

		@Override
		public void onHeaders(Metadata headers) {
			Relay.this.front.sendHeaders(headers);
		}

		@Override
		public void onMessage(InputStream message) {
			try {
				Relay.this.front.sendMessage(message);
			}
			catch (RuntimeException ex) {
				drop(message);
				throw ex;
			}
			Relay.this.backWaits.set(true);
			if (Relay.this.front.isReady()) {
				askBack();
			}
		}

		@Override
		public void onReady() {
			askFront();
		}

		@Override
		public void onClose(Status status, Metadata trailers) {
			Relay.this.closed = true;
			// gRPC does not close what waits for a connection that never comes.
			drop(Relay.this.last);
			if (Relay.this.front.isCancelled()) {
				// gRPC tells the caller why, where it can: the deadline, or a message
				// over
				// the limit.
				return;
			}
			MicroException ours = (Relay.this.answered) ? null : ours(status);
			if (ours != null) {
				Refusal.of(ours).end(Relay.this.front);
			}
			else {
				Relay.this.front.close(status, trailers);
			}
		}

		// A service that ends resets its streams, which looks as if somebody cancelled.
		private @Nullable MicroException ours(Status status) {
			Throwable cause = status.getCause();
			String reason = (cause != null) ? Errors.reason(cause) : String.valueOf(status.getDescription());
			if (status.getCode() == Status.Code.CANCELLED && cause != null) {
				return new MicroException.Internal("a message could not be passed on: " + reason, cause);
			}
			if (status.getCode() == Status.Code.UNAVAILABLE || status.getCode() == Status.Code.CANCELLED) {
				return new MicroException.Unavailable("'" + Relay.this.service
						+ "' did not answer, or ended in mid-call: " + reason + "; see 'micro services' for what runs");
			}
			return null;
		}

	}

	/**
	 * Learns whether it is the service that ended the call: a status looks the same when
	 * it was made here.
	 */
	private final class End extends ClientStreamTracer.Factory {

		@Override
		public ClientStreamTracer newClientStreamTracer(ClientStreamTracer.StreamInfo info, Metadata headers) {
			return new ClientStreamTracer() {

				@Override
				public void inboundTrailers(Metadata trailers) {
					Relay.this.answered = true;
				}

			};
		}

	}

}
