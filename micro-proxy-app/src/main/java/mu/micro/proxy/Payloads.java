package mu.micro.proxy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.concurrent.atomic.AtomicBoolean;

import io.grpc.Detachable;
import io.grpc.Drainable;
import io.grpc.KnownLength;
import io.grpc.MethodDescriptor;

/**
 * Messages as the bytes they are. Small ones are copied to an array; large ones stay in
 * the buffers that they arrived in, until they are written or closed.
 */
final class Payloads implements MethodDescriptor.Marshaller<InputStream> {

	static final Payloads MARSHALLER = new Payloads();

	private static final int SMALL = 16 * 1024;

	private Payloads() {
	}

	/**
	 * Copies a payload, and gives its buffers back.
	 * @param payload what was parsed here
	 * @return the same bytes, to be read as any stream is
	 */
	static InputStream copy(InputStream payload) {
		try (payload) {
			ByteArrayOutputStream bytes = new ByteArrayOutputStream(payload.available());
			((Drainable) payload).drainTo(bytes);
			return new Copied(bytes.toByteArray());
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	@Override
	public InputStream stream(InputStream payload) {
		return payload;
	}

	@Override
	public InputStream parse(InputStream stream) {
		try {
			if (stream instanceof KnownLength && stream instanceof Detachable large && stream.available() > SMALL) {
				return new Held(large.detach());
			}
			return new Copied(stream.readAllBytes());
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	/**
	 * Lets gRPC write the array in one go.
	 */
	private static final class Copied extends ByteArrayInputStream implements KnownLength, Drainable {

		Copied(byte[] bytes) {
			super(bytes);
		}

		@Override
		public int drainTo(OutputStream target) throws IOException {
			int length = available();
			target.write(this.buf, this.pos, length);
			this.pos += length;
			return length;
		}

	}

	/**
	 * Holds counted buffers, which either the writer gives back or the call's end,
	 * whichever comes first. They may be two threads.
	 */
	private static final class Held extends InputStream implements KnownLength, Drainable {

		private final InputStream source;

		private final int length;

		private final AtomicBoolean taken = new AtomicBoolean();

		Held(InputStream source) throws IOException {
			this.source = source;
			this.length = source.available();
		}

		@Override
		public int available() {
			return this.length;
		}

		@Override
		public int drainTo(OutputStream target) throws IOException {
			if (!this.taken.compareAndSet(false, true)) {
				throw new IOException("the message was written or dropped before");
			}
			try (this.source) {
				byte[] chunk = new byte[SMALL];
				for (int read = this.source.read(chunk); read > 0; read = this.source.read(chunk)) {
					target.write(chunk, 0, read);
				}
				return this.length;
			}
		}

		@Override
		public int read() {
			throw new UnsupportedOperationException("drain it");
		}

		@Override
		public void close() throws IOException {
			if (this.taken.compareAndSet(false, true)) {
				this.source.close();
			}
		}

	}

}
