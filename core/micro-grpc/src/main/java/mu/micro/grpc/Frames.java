package mu.micro.grpc;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;

import io.grpc.Drainable;
import io.grpc.KnownLength;
import io.grpc.MethodDescriptor;

/**
 * Calls whose messages are passed as the bytes they are on the wire.
 */
public final class Frames {

	private static final MethodDescriptor.Marshaller<byte[]> BYTES = new Bytes();

	private Frames() {
	}

	/**
	 * Describes a method by its name alone.
	 * @param name {@code package.Service/Method}
	 * @param type what kind of call it is
	 * @return the method
	 */
	public static MethodDescriptor<byte[], byte[]> method(String name, MethodDescriptor.MethodType type) {
		return MethodDescriptor.newBuilder(BYTES, BYTES).setFullMethodName(name).setType(type).build();
	}

	private static final class Bytes implements MethodDescriptor.Marshaller<byte[]> {

		@Override
		public InputStream stream(byte[] bytes) {
			return new Frame(bytes);
		}

		@Override
		public byte[] parse(InputStream stream) {
			try (stream) {
				return stream.readAllBytes();
			}
			catch (IOException ex) {
				throw new UncheckedIOException(ex);
			}
		}

	}

	/**
	 * Lets gRPC write the array in one go.
	 */
	private static final class Frame extends ByteArrayInputStream implements KnownLength, Drainable {

		Frame(byte[] bytes) {
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

}
