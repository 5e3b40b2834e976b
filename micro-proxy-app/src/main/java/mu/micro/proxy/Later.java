package mu.micro.proxy;

import java.io.InputStream;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.Supplier;

import io.grpc.Channel;
import io.grpc.ServerCall;
import mu.micro.grpc.Errors;
import org.jspecify.annotations.Nullable;

/**
 * A call that is passed on once it is known where to. Until then its caller is asked for
 * nothing, and may only half-close or cancel.
 */
final class Later extends ServerCall.Listener<InputStream> {

	private final ServerCall<InputStream, InputStream> call;

	private final ReentrantLock lock = new ReentrantLock();

	private @Nullable Relay relay;

	private boolean halfClosed;

	private boolean over;

	Later(ServerCall<InputStream, InputStream> call) {
		this.call = call;
	}

	/**
	 * Passes the call on.
	 * @param find finds where to, or throws why it cannot; may block
	 * @param start starts the call at the back
	 */
	void start(Supplier<Channel> find, Function<Channel, Relay> start) {
		Channel channel;
		try {
			channel = find.get();
		}
		catch (RuntimeException ex) {
			end(ex);
			return;
		}
		this.lock.lock();
		try {
			if (this.over) {
				return;
			}
			this.relay = start.apply(channel);
			if (this.halfClosed) {
				this.relay.onHalfClose();
			}
		}
		catch (RuntimeException ex) {
			end(ex);
		}
		finally {
			this.lock.unlock();
		}
	}

	private void end(RuntimeException ex) {
		this.lock.lock();
		try {
			if (!this.over) {
				this.over = true;
				Refusal.of(Errors.toException(ex)).end(this.call);
			}
		}
		finally {
			this.lock.unlock();
		}
	}

	private @Nullable Relay relay() {
		this.lock.lock();
		try {
			return this.relay;
		}
		finally {
			this.lock.unlock();
		}
	}

	@Override
	public void onMessage(InputStream message) {
		Relay started = relay();
		if (started != null) {
			started.onMessage(message);
		}
	}

	@Override
	public void onReady() {
		Relay started = relay();
		if (started != null) {
			started.onReady();
		}
	}

	@Override
	public void onHalfClose() {
		this.lock.lock();
		try {
			this.halfClosed = true;
			if (this.relay != null) {
				this.relay.onHalfClose();
			}
		}
		finally {
			this.lock.unlock();
		}
	}

	@Override
	public void onCancel() {
		this.lock.lock();
		try {
			this.over = true;
			if (this.relay != null) {
				this.relay.onCancel();
			}
		}
		finally {
			this.lock.unlock();
		}
	}

}
