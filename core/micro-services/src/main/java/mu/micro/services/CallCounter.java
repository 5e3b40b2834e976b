package mu.micro.services;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;

import io.grpc.ForwardingServerCall;
import io.grpc.ForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import mu.micro.grpc.Schema;

/**
 * Counts a server's calls once they have ended. What every instance answers about itself
 * (health, reflection, debug) does not count.
 */
public final class CallCounter implements ServerInterceptor {

	private final LongAdder requests = new LongAdder();

	private final LongAdder errors = new LongAdder();

	/**
	 * How many calls have ended.
	 * @return the number since the start
	 */
	public long requests() {
		return this.requests.sum();
	}

	/**
	 * How many calls this server ended with another status than OK. A call that its
	 * caller gave up, for want of time or of interest, is none of them: from here the two
	 * look the same.
	 * @return the number since the start
	 */
	public long errors() {
		return this.errors.sum();
	}

	@Override
	public <Q, R> ServerCall.Listener<Q> interceptCall(ServerCall<Q, R> call, Metadata headers,
			ServerCallHandler<Q, R> next) {
		String service = call.getMethodDescriptor().getServiceName();
		if (service != null && Schema.everywhere(service)) {
			return next.startCall(call, headers);
		}
		AtomicBoolean counted = new AtomicBoolean();
		ServerCall<Q, R> watched = new ForwardingServerCall.SimpleForwardingServerCall<>(call) {

			@Override
			public void close(Status status, Metadata trailers) {
				count(counted, !status.isOk());
				super.close(status, trailers);
			}

		};
		return new ForwardingServerCallListener.SimpleForwardingServerCallListener<>(next.startCall(watched, headers)) {

			@Override
			public void onCancel() {
				count(counted, false);
				super.onCancel();
			}

		};
	}

	private void count(AtomicBoolean counted, boolean error) {
		if (!counted.getAndSet(true)) {
			if (error) {
				this.errors.increment();
			}
			this.requests.increment();
		}
	}

}
