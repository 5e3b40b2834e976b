package mu.micro.services;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

import com.google.protobuf.ByteString;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import mu.micro.MicroException;
import mu.micro.wire.store.BlobWriteRequest;
import mu.micro.wire.store.BlobWriteResponse;
import org.jspecify.annotations.Nullable;

/**
 * The calls that write blobs. Each is put by a thread of its own, which asks for a
 * message when it has dealt with the one before, so that one waits at most.
 */
final class BlobWrites {

	private final String id;

	private final Duration patience;

	private final int most;

	private final Semaphore free;

	private final Executor executor;

	private final Put put;

	/**
	 * None yet.
	 * @param id who answers, for errors
	 * @param patience how long a client may send nothing
	 * @param most how many there may be at a time; one more is {@code RESOURCE_EXHAUSTED}
	 * @param executor where blobs are put
	 * @param put puts one
	 */
	BlobWrites(String id, Duration patience, int most, Executor executor, Put put) {
		this.id = id;
		this.patience = patience;
		this.most = most;
		this.free = new Semaphore(most);
		this.executor = executor;
		this.put = put;
	}

	/**
	 * How many there are.
	 * @return the number now
	 */
	int count() {
		return this.most - this.free.availablePermits();
	}

	/**
	 * Takes a call.
	 * @param call the call
	 * @return what hears the client's messages
	 */
	StreamObserver<BlobWriteRequest> open(ServerCallStreamObserver<BlobWriteResponse> call) {
		call.disableAutoRequest();
		call.setOnCancelHandler(() -> {
			// The content is told, if it is still wanted.
		});
		call.request(1);
		return new Write(call);
	}

	/**
	 * Puts a blob.
	 */
	@FunctionalInterface
	interface Put {

		/**
		 * Puts the blob.
		 * @param first says what it is
		 * @param content its bytes
		 * @return the answer
		 * @throws IOException never, because the content throws none
		 */
		BlobWriteResponse put(BlobWriteRequest first, Content content) throws IOException;

	}

	private final class Write implements StreamObserver<BlobWriteRequest> {

		private final ServerCallStreamObserver<BlobWriteResponse> call;

		private @Nullable Content content;

		private boolean refused;

		Write(ServerCallStreamObserver<BlobWriteResponse> call) {
			this.call = call;
		}

		@Override
		public void onNext(BlobWriteRequest message) {
			if (this.content != null) {
				this.content.add(new Part(message, null));
			}
			else if (!BlobWrites.this.free.tryAcquire()) {
				this.refused = true;
				fail(new MicroException.Exhausted("there are " + BlobWrites.this.most
						+ " writes of blobs already, the limit; try again when some have ended"));
			}
			else {
				begin(message);
			}
		}

		private void begin(BlobWriteRequest first) {
			Content begun = new Content(this.call, BlobWrites.this.patience, first);
			this.content = begun;
			try {
				BlobWrites.this.executor.execute(() -> put(first, begun));
			}
			catch (RejectedExecutionException ex) {
				BlobWrites.this.free.release();
				fail(new MicroException.Unavailable("the server is shutting down; try again", ex));
			}
			catch (Error ex) {
				BlobWrites.this.free.release();
				fail(new MicroException.Unavailable("the server has no thread for this now; try again", ex));
			}
		}

		private void put(BlobWriteRequest first, Content begun) {
			try {
				this.call.request(1);
				BlobWriteResponse answer = BlobWrites.this.put.put(first, begun);
				this.call.onNext(answer);
				this.call.onCompleted();
			}
			catch (IOException ex) {
				fail(new MicroException.Internal("the content cannot be read", ex));
			}
			catch (RuntimeException ex) {
				fail(ex);
			}
			catch (Error ex) {
				fail(new MicroException.Internal("the writing failed: " + ex, ex));
				throw ex;
			}
			finally {
				BlobWrites.this.free.release();
			}
		}

		private void fail(RuntimeException ex) {
			Reply.error(BlobWrites.this.id, this.call, ex);
		}

		@Override
		public void onError(Throwable failure) {
			if (this.content != null) {
				this.content.add(new Part(null, new MicroException.Cancelled("the client has gone", failure)));
			}
		}

		@Override
		public void onCompleted() {
			if (this.content != null) {
				this.content.add(new Part(null, null));
			}
			else if (!this.refused) {
				fail(new MicroException.Invalid("there is no message; send one with at least the key"));
			}
		}

	}

	/**
	 * The bytes that a client sends. What goes wrong comes out of reading as a
	 * {@link MicroException}, so that nothing is put.
	 */
	static final class Content extends InputStream {

		private final ServerCallStreamObserver<?> call;

		private final Duration patience;

		private final BlobWriteRequest first;

		/**
		 * One message, as no more are asked for, and the end.
		 */
		private final BlockingQueue<Part> parts = new ArrayBlockingQueue<>(2);

		private ByteString bytes;

		private int position;

		private boolean ended;

		Content(ServerCallStreamObserver<?> call, Duration patience, BlobWriteRequest first) {
			this.call = call;
			this.patience = patience;
			this.first = first;
			this.bytes = first.getBlob();
		}

		private void add(Part part) {
			// Full only where nobody reads any more.
			this.parts.offer(part);
		}

		@Override
		public int read() {
			byte[] one = new byte[1];
			return (read(one, 0, 1) < 0) ? -1 : one[0] & 0xff;
		}

		@Override
		public int read(byte[] target, int offset, int length) {
			Objects.checkFromIndexSize(offset, length, target.length);
			while (length > 0 && this.position == this.bytes.size()) {
				if (!next()) {
					return -1;
				}
			}
			int count = Math.min(length, this.bytes.size() - this.position);
			this.bytes.copyTo(target, this.position, offset, count);
			this.position += count;
			return count;
		}

		private boolean next() {
			if (this.ended) {
				return false;
			}
			Part part = take();
			if (part.failure != null) {
				throw part.failure;
			}
			if (part.message == null) {
				this.ended = true;
				return false;
			}
			if (!part.message.getKey().isEmpty() && !part.message.getKey().equals(this.first.getKey())) {
				throw new MicroException.Invalid("the stream began with the key '" + this.first.getKey()
						+ "' and goes on with '" + part.message.getKey() + "'; write one blob in a stream");
			}
			this.bytes = part.message.getBlob();
			this.position = 0;
			this.call.request(1);
			return true;
		}

		private Part take() {
			try {
				Part part = this.parts.poll(this.patience.toNanos(), TimeUnit.NANOSECONDS);
				if (part == null) {
					throw new MicroException.Exhausted("nothing was sent on this stream for " + this.patience.toMillis()
							+ " ms, the limit; nothing was put");
				}
				return part;
			}
			catch (InterruptedException ex) {
				Thread.currentThread().interrupt();
				throw new MicroException.Unavailable("the server is shutting down; nothing was put, try again", ex);
			}
		}

	}

	/**
	 * A message, a failure, or neither at the end.
	 */
	private record Part(@Nullable BlobWriteRequest message, @Nullable MicroException failure) {
	}

}
