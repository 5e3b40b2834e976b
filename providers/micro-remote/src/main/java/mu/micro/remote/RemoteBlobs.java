package mu.micro.remote;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.List;

import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import mu.micro.Limits;
import mu.micro.MicroException;
import mu.micro.Scoped;
import mu.micro.blob.Blob;
import mu.micro.blob.BlobContent;
import mu.micro.blob.Blobs;
import mu.micro.core.BlobBytes;
import mu.micro.grpc.BlobMessages;
import mu.micro.store.Query;
import mu.micro.wire.store.BlobDeleteRequest;
import mu.micro.wire.store.BlobListOptions;
import mu.micro.wire.store.BlobListRequest;
import mu.micro.wire.store.BlobOptions;
import mu.micro.wire.store.BlobReadRequest;
import mu.micro.wire.store.BlobReadResponse;
import mu.micro.wire.store.BlobStoreGrpc;
import mu.micro.wire.store.BlobWriteRequest;
import mu.micro.wire.store.BlobWriteResponse;
import org.jspecify.annotations.Nullable;

/**
 * The blobs of a Micro server.
 * <p>
 * <strong>Puts</strong> last as long as their content does. One that broke off is
 * {@link MicroException.Unavailable}, and nothing was put; one that the server had whole,
 * and did not answer, is {@link MicroException.OutcomeUnknown}. A server that takes
 * nothing for a minute is given up, and gives up a content that yields nothing for a
 * minute with {@link MicroException.Exhausted}.
 * <p>
 * <strong>Reading</strong> goes as fast as the bytes are taken. Each part has to come
 * within the timeout, and what breaks off is an {@link IOException}; so is a blob of
 * which nothing was taken for more than a minute. All other calls end within the timeout.
 */
public final class RemoteBlobs implements Scoped<Blobs> {

	/**
	 * How long the server may take nothing, or write what it has to its disk.
	 */
	private static final Duration PATIENCE = Duration.ofMinutes(1);

	private final String address;

	private final Connection server;

	private final Duration patience;

	/**
	 * The blobs of the server at an address. Nothing is asked before the first call.
	 * @param address the server's {@code host:port}; a host of several addresses is tried
	 * at each
	 * @param timeout how long one call, or a part of a blob, may take
	 * @throws MicroException.Invalid if the address is none
	 */
	public RemoteBlobs(String address, Duration timeout) {
		this(address, timeout, PATIENCE);
	}

	RemoteBlobs(String address, Duration timeout, Duration patience) {
		this.address = address;
		this.server = new Connection(address, timeout);
		this.patience = patience;
	}

	/**
	 * The blobs of the server behind a channel.
	 * @param address where the channel leads, for messages
	 * @param timeout how long one call, or a part of a blob, may take
	 * @param channel the channel, closed by this
	 */
	public RemoteBlobs(String address, Duration timeout, ManagedChannel channel) {
		this.address = address;
		this.server = new Connection(address, timeout, channel);
		this.patience = PATIENCE;
	}

	@Override
	public Blobs in(String namespace) {
		return new View(Limits.name("namespace", namespace));
	}

	@Override
	public void close() {
		this.server.close();
	}

	private final class View implements Blobs {

		private final String namespace;

		View(String namespace) {
			this.namespace = namespace;
		}

		private BlobOptions.Builder options() {
			return BlobOptions.newBuilder().setNamespace(this.namespace);
		}

		@Override
		public Blob put(String key, String contentType, InputStream content) throws IOException {
			BlobWriteRequest first = BlobWriteRequest.newBuilder()
				.setKey(Limits.key(key))
				.setOptions(options().setContentType(Limits.name("content type", contentType)))
				.build();
			BlobWriteResponse answer = RemoteBlobs.this.server.write(BlobStoreGrpc.getWriteMethod(),
					new Chunks(first, content), RemoteBlobs.this.patience);
			return BlobMessages.fromMessage(answer.getKnown());
		}

		@Override
		public @Nullable Blob find(String key) {
			Content content = open(key, true);
			if (content == null) {
				return null;
			}
			content.close();
			return content.blob();
		}

		@Override
		public @Nullable BlobContent get(String key) {
			return open(key, false);
		}

		private @Nullable Content open(String key, boolean withoutContent) {
			BlobReadRequest request = BlobReadRequest.newBuilder()
				.setKey(Limits.key(key))
				.setOptions(options())
				.setWithoutContent(withoutContent)
				.build();
			Connection.Answers<?, BlobReadResponse> answers = RemoteBlobs.this.server
				.open(BlobStoreGrpc.getReadMethod(), request);
			try {
				BlobReadResponse first = answers.next();
				if (first == null || !first.hasKnown()) {
					throw new MicroException.Internal("the server sent a blob without saying what is known of it",
							null);
				}
				return new Content(BlobMessages.fromMessage(first.getKnown()), first.getBlob(), answers);
			}
			catch (MicroException.NotFound ex) {
				return null;
			}
			catch (MicroException ex) {
				answers.close();
				throw ex;
			}
		}

		@Override
		public boolean delete(String key) {
			BlobDeleteRequest request = BlobDeleteRequest.newBuilder()
				.setKey(Limits.key(key))
				.setOptions(options())
				.build();
			return RemoteBlobs.this.server.write(BlobStoreGrpc.getDeleteMethod(), request).getFound();
		}

		@Override
		public List<Blob> list(String prefix, String after, int limit) {
			// Checks what a store's listing has to keep to as well.
			Query query = Query.prefix(prefix).withAfter(after).withLimit(limit);
			BlobListOptions options = BlobListOptions.newBuilder()
				.setNamespace(this.namespace)
				.setPrefix(query.prefix())
				.setAfter(query.after())
				.setLimit(query.limit())
				.build();
			return RemoteBlobs.this.server
				.read(BlobStoreGrpc.getListMethod(), BlobListRequest.newBuilder().setOptions(options).build())
				.getKnownList()
				.stream()
				.map(BlobMessages::fromMessage)
				.toList();
		}

	}

	/**
	 * A content in messages.
	 */
	private static final class Chunks implements Connection.Messages<BlobWriteRequest> {

		private final byte[] buffer = new byte[BlobMessages.CHUNK];

		private final InputStream content;

		private @Nullable BlobWriteRequest first;

		Chunks(BlobWriteRequest first, InputStream content) {
			this.first = first;
			this.content = content;
		}

		@Override
		public @Nullable BlobWriteRequest next() throws IOException {
			BlobWriteRequest begin = this.first;
			if (begin != null) {
				this.first = null;
				return begin;
			}
			int read = this.content.read(this.buffer);
			return (read < 0) ? null
					: BlobWriteRequest.newBuilder().setBlob(ByteString.copyFrom(this.buffer, 0, read)).build();
		}

	}

	/**
	 * A blob that comes as it is read.
	 */
	private final class Content implements BlobContent {

		private final Blob blob;

		private final BlobBytes bytes;

		Content(Blob blob, ByteString begin, Connection.Answers<?, BlobReadResponse> answers) {
			this.blob = blob;
			this.bytes = new BlobBytes(new Parts(begin, answers), blob,
					"the Micro server at " + RemoteBlobs.this.address);
		}

		@Override
		public Blob blob() {
			return this.blob;
		}

		@Override
		public InputStream stream() {
			return this.bytes;
		}

		@Override
		public void close() {
			try {
				this.bytes.close();
			}
			catch (IOException ex) {
				throw new IllegalStateException("the end of a call cannot fail", ex);
			}
		}

	}

	/**
	 * The bytes of many messages.
	 */
	private static final class Parts extends InputStream {

		private final Connection.Answers<?, BlobReadResponse> answers;

		private ByteString part;

		private int position;

		Parts(ByteString begin, Connection.Answers<?, BlobReadResponse> answers) {
			this.part = begin;
			this.answers = answers;
		}

		@Override
		public int read() throws IOException {
			byte[] one = new byte[1];
			return (read(one, 0, 1) < 0) ? -1 : one[0] & 0xff;
		}

		@Override
		public int read(byte[] target, int offset, int length) throws IOException {
			while (this.position == this.part.size()) {
				BlobReadResponse next;
				try {
					next = this.answers.next();
				}
				catch (MicroException ex) {
					throw new IOException(ex.getMessage(), ex);
				}
				if (next == null) {
					return -1;
				}
				this.part = next.getBlob();
				this.position = 0;
			}
			int count = Math.min(length, this.part.size() - this.position);
			this.part.copyTo(target, this.position, offset, count);
			this.position += count;
			return count;
		}

		@Override
		public void close() {
			this.answers.close();
		}

	}

}
