package mu.micro.proxy;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import io.grpc.Attributes;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.Status;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class RelayTests {

	private static final MethodDescriptor<InputStream, InputStream> METHOD = MethodDescriptor
		.newBuilder(Payloads.MARSHALLER, Payloads.MARSHALLER)
		.setFullMethodName("trial.Trial/Unary")
		.setType(MethodDescriptor.MethodType.UNKNOWN)
		.build();

	private final Front front = new Front();

	private final Back back = new Back();

	private Relay relay() {
		return Relay.start(this.front, new Metadata(), METHOD, this.back, CallOptions.DEFAULT, "trial");
	}

	@Test
	void aMessageThatComesAfterTheEndIsGivenBack() {
		Relay relay = relay();
		this.back.listener.onClose(Status.UNAVAILABLE, new Metadata());
		AtomicInteger closed = new AtomicInteger();
		relay.onMessage(new ByteArrayInputStream(new byte[1]) {

			@Override
			public void close() {
				closed.incrementAndGet();
			}

		});
		assertThat(closed).hasValue(1);
		assertThat(this.front.status.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
	}

	@Test
	void aCallerWaitsForNoLookUp() throws Exception {
		Later later = new Later(this.front);
		CountDownLatch found = new CountDownLatch(1);
		CompletableFuture<Void> start = CompletableFuture.runAsync(() -> later.start(() -> {
			await(found);
			return this.back;
		}, (channel) -> relay()));
		CompletableFuture.runAsync(later::onHalfClose).get(5, TimeUnit.SECONDS);
		CompletableFuture.runAsync(later::onCancel).get(5, TimeUnit.SECONDS);
		found.countDown();
		start.get(5, TimeUnit.SECONDS);
		assertThat(this.back.listener).isNull();
	}

	private static void await(CountDownLatch latch) {
		try {
			assertThat(latch.await(20, TimeUnit.SECONDS)).isTrue();
		}
		catch (InterruptedException ex) {
			throw new IllegalStateException(ex);
		}
	}

	/**
	 * A caller.
	 */
	private static final class Front extends ServerCall<InputStream, InputStream> {

		private Status status;

		@Override
		public void request(int messages) {
		}

		@Override
		public void sendHeaders(Metadata headers) {
		}

		@Override
		public void sendMessage(InputStream message) {
		}

		@Override
		public void close(Status status, Metadata trailers) {
			this.status = status;
		}

		@Override
		public boolean isCancelled() {
			return false;
		}

		@Override
		public Attributes getAttributes() {
			return Attributes.EMPTY;
		}

		@Override
		public MethodDescriptor<InputStream, InputStream> getMethodDescriptor() {
			return METHOD;
		}

	}

	/**
	 * A service that takes what it is sent and forgets it.
	 */
	private static final class Back extends Channel {

		private ClientCall.Listener<?> listener;

		@Override
		public <Q, A> ClientCall<Q, A> newCall(MethodDescriptor<Q, A> method, CallOptions options) {
			return new ClientCall<>() {

				@Override
				public void start(Listener<A> listener, Metadata headers) {
					Back.this.listener = listener;
				}

				@Override
				public void request(int messages) {
				}

				@Override
				public void cancel(String message, Throwable cause) {
				}

				@Override
				public void halfClose() {
				}

				@Override
				public void sendMessage(Q message) {
				}

			};
		}

		@Override
		public String authority() {
			return "trial";
		}

	}

}
