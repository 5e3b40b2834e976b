package mu.micro.proxy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.concurrent.atomic.AtomicInteger;

import io.grpc.Detachable;
import io.grpc.Drainable;
import io.grpc.KnownLength;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

class PayloadsTests {

	private static final int LARGE = 100_000;

	private static InputStream parse(Buffers buffers) {
		return Payloads.MARSHALLER.stream(Payloads.MARSHALLER.parse(buffers));
	}

	@Test
	void aSmallMessageLeavesItsBuffers() throws Exception {
		Buffers buffers = new Buffers(100);
		InputStream payload = parse(buffers);
		assertThat(buffers.detached).isFalse();
		ByteArrayOutputStream written = new ByteArrayOutputStream();
		assertThat(payload.available()).isEqualTo(100);
		assertThat(((Drainable) payload).drainTo(written)).isEqualTo(100);
		assertThat(written.toByteArray()).hasSize(100);
	}

	@Test
	void aLargeMessageKeepsItsBuffersUntilItIsWritten() throws Exception {
		Buffers buffers = new Buffers(LARGE);
		InputStream payload = parse(buffers);
		assertThat(buffers.detached).isTrue();
		assertThat(payload.available()).isEqualTo(LARGE);
		assertThat(buffers.closed).hasValue(0);
		ByteArrayOutputStream written = new ByteArrayOutputStream();
		assertThat(((Drainable) payload).drainTo(written)).isEqualTo(LARGE);
		assertThat(written.toByteArray()).hasSize(LARGE);
		payload.close();
		assertThat(buffers.closed).hasValue(1);
	}

	@Test
	void aLargeMessageThatIsNeverWrittenGivesItsBuffersBackOnce() throws Exception {
		Buffers buffers = new Buffers(LARGE);
		InputStream payload = parse(buffers);
		payload.close();
		payload.close();
		assertThat(buffers.closed).hasValue(1);
		assertThatIOException().isThrownBy(() -> ((Drainable) payload).drainTo(new ByteArrayOutputStream()));
		assertThat(buffers.closed).hasValue(1);
	}

	@Test
	void aLargeMessageGivesItsBuffersBackWhenWritingFails() {
		Buffers buffers = new Buffers(LARGE);
		InputStream payload = parse(buffers);
		OutputStream full = new OutputStream() {

			@Override
			public void write(int value) throws IOException {
				throw new IOException("full");
			}

		};
		assertThatIOException().isThrownBy(() -> ((Drainable) payload).drainTo(full)).withMessage("full");
		assertThat(buffers.closed).hasValue(1);
	}

	/**
	 * As gRPC hands a message over.
	 */
	private static final class Buffers extends ByteArrayInputStream implements KnownLength, Detachable {

		private final AtomicInteger closed = new AtomicInteger();

		private boolean detached;

		Buffers(int length) {
			super(new byte[length]);
		}

		@Override
		public InputStream detach() {
			this.detached = true;
			return this;
		}

		@Override
		public void close() {
			this.closed.incrementAndGet();
		}

	}

}
