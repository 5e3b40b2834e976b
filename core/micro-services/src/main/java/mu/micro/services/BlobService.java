package mu.micro.services;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;

import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.UnsafeByteOperations;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import mu.micro.Limits;
import mu.micro.MicroException;
import mu.micro.Scoped;
import mu.micro.blob.Blob;
import mu.micro.blob.BlobContent;
import mu.micro.blob.Blobs;
import mu.micro.core.Threads;
import mu.micro.grpc.BlobMessages;
import mu.micro.wire.store.BlobDeleteRequest;
import mu.micro.wire.store.BlobDeleteResponse;
import mu.micro.wire.store.BlobListOptions;
import mu.micro.wire.store.BlobListRequest;
import mu.micro.wire.store.BlobListResponse;
import mu.micro.wire.store.BlobOptions;
import mu.micro.wire.store.BlobReadRequest;
import mu.micro.wire.store.BlobReadResponse;
import mu.micro.wire.store.BlobStoreGrpc;
import mu.micro.wire.store.BlobWriteRequest;
import mu.micro.wire.store.BlobWriteResponse;

/**
 * Blobs on the wire, a part of the core service {@value StoreService#NAME}. Of a blob
 * that passes through there are some messages in memory at most, however slow the client
 * or the provider is; a client that keeps either waiting for a minute is given up with
 * {@code RESOURCE_EXHAUSTED}.
 * <p>
 * Handlers block and must not run on an event loop.
 */
public final class BlobService extends BlobStoreGrpc.BlobStoreImplBase implements AutoCloseable {

	/**
	 * How many blobs may be read at a time, and how many written; one more is
	 * {@code RESOURCE_EXHAUSTED}.
	 */
	public static final int MOST_STREAMS = 200;

	/**
	 * How long a client may keep a stream waiting.
	 */
	public static final Duration PATIENCE = Duration.ofMinutes(1);

	private static final String NAME = StoreService.NAME;

	private final Scoped<Blobs> blobs;

	private final String namespace;

	private final Duration patience;

	private final OpenStreams reads;

	private final BlobWrites writes;

	private final ExecutorService executor = Threads.perTask("micro-blob");

	/**
	 * Serves blobs.
	 * @param blobs where they are; not closed by this
	 * @param namespace the namespace of calls that name none
	 */
	public BlobService(Scoped<Blobs> blobs, String namespace) {
		this(blobs, namespace, PATIENCE, MOST_STREAMS);
	}

	BlobService(Scoped<Blobs> blobs, String namespace, Duration patience, int mostStreams) {
		this.blobs = blobs;
		this.namespace = Limits.name("namespace", namespace);
		this.patience = patience;
		this.reads = new OpenStreams(NAME, "reads of blobs", mostStreams);
		this.writes = new BlobWrites(NAME, patience, mostStreams, this.executor, this::put);
	}

	@Override
	public void read(BlobReadRequest request, StreamObserver<BlobReadResponse> observer) {
		ServerCallStreamObserver<BlobReadResponse> call = (ServerCallStreamObserver<BlobReadResponse>) observer;
		if (request.getWithoutContent()) {
			Reply.with(NAME, call, () -> {
				Blob blob = in(request.getOptions()).find(request.getKey());
				if (blob == null) {
					throw missing(request);
				}
				return BlobReadResponse.newBuilder().setKnown(BlobMessages.toMessage(blob)).build();
			});
			return;
		}
		Handover<BlobReadResponse> messages = new Handover<>(this.patience);
		this.reads.open(call, messages::take, (stream) -> {
			stream.add(messages);
			this.executor.execute(() -> send(request, messages, stream));
		});
	}

	private void send(BlobReadRequest request, Handover<BlobReadResponse> messages,
			ResultStream<BlobReadResponse> stream) {
		try (BlobContent content = in(request.getOptions()).get(request.getKey())) {
			if (content == null) {
				throw missing(request);
			}
			boolean taken = messages.offer(stream,
					BlobReadResponse.newBuilder().setKnown(BlobMessages.toMessage(content.blob())).build());
			byte[] chunk = content.stream().readNBytes(BlobMessages.CHUNK);
			while (taken && chunk.length > 0) {
				// Not copied: each chunk is an array of its own.
				taken = messages.offer(stream,
						BlobReadResponse.newBuilder().setBlob(UnsafeByteOperations.unsafeWrap(chunk)).build());
				chunk = content.stream().readNBytes(BlobMessages.CHUNK);
			}
			if (taken && messages.awaitTaken(stream)) {
				stream.complete();
			}
		}
		catch (IOException ex) {
			stream.end(new MicroException.Unavailable(String.valueOf(ex.getMessage()), ex));
		}
		catch (RuntimeException ex) {
			stream.end(ex);
		}
		catch (Error ex) {
			stream.end(new MicroException.Internal("the reading failed: " + ex, ex));
			throw ex;
		}
	}

	private MicroException.NotFound missing(BlobReadRequest request) {
		return new MicroException.NotFound("there is no blob '" + request.getKey() + "' in '"
				+ namespace(request.getOptions().getNamespace()) + "'");
	}

	@Override
	public StreamObserver<BlobWriteRequest> write(StreamObserver<BlobWriteResponse> call) {
		return this.writes.open((ServerCallStreamObserver<BlobWriteResponse>) call);
	}

	private BlobWriteResponse put(BlobWriteRequest first, BlobWrites.Content content) throws IOException {
		BlobOptions options = first.getOptions();
		String contentType = (options.getContentType().isEmpty()) ? Blobs.OCTET_STREAM : options.getContentType();
		Blob blob = in(options).put(first.getKey(), contentType, content);
		return BlobWriteResponse.newBuilder().setKnown(BlobMessages.toMessage(blob)).build();
	}

	@Override
	public void delete(BlobDeleteRequest request, StreamObserver<BlobDeleteResponse> call) {
		Reply.with(NAME, call,
				() -> BlobDeleteResponse.newBuilder()
					.setFound(in(request.getOptions()).delete(request.getKey()))
					.build());
	}

	@Override
	public void list(BlobListRequest request, StreamObserver<BlobListResponse> call) {
		Reply.with(NAME, call, () -> {
			BlobListOptions options = request.getOptions();
			Blobs blobs = this.blobs.in(namespace(options.getNamespace()));
			BlobListResponse.Builder answer = BlobListResponse.newBuilder();
			// Unsigned: what is negative here is more than there can be.
			long left = (options.getLimit() > 0) ? options.getLimit() : Long.MAX_VALUE;
			String after = options.getAfter();
			long bytes = 0;
			while (left > 0) {
				int wanted = (int) Math.min(left, Limits.PAGE);
				List<Blob> page = blobs.list(options.getPrefix(), after, wanted);
				for (Blob blob : page) {
					mu.micro.wire.store.Blob known = BlobMessages.toMessage(blob);
					bytes += CodedOutputStream.computeStringSize(BlobListResponse.KEYS_FIELD_NUMBER, blob.key())
							+ CodedOutputStream.computeMessageSize(BlobListResponse.KNOWN_FIELD_NUMBER, known);
					if (bytes > StoreService.MOST_BYTES || answer.getKeysCount() == StoreService.MOST_RECORDS) {
						throw new MicroException.Invalid("the blobs are more than " + StoreService.MOST_RECORDS
								+ ", or make a list of more than " + StoreService.MOST_BYTES + " bytes, the limits of"
								+ " one answer; set options.limit and go on with options.after as the last key");
					}
					answer.addKeys(blob.key()).addKnown(known);
					after = blob.key();
				}
				left = (page.size() < wanted) ? 0 : left - wanted;
			}
			return answer.build();
		});
	}

	/**
	 * How many blobs are being read.
	 * @return the number now
	 */
	int reads() {
		return this.reads.count();
	}

	/**
	 * How many blobs are being written.
	 * @return the number now
	 */
	int writes() {
		return this.writes.count();
	}

	private Blobs in(BlobOptions options) {
		if (options.getPublic()) {
			throw new MicroException.Unimplemented("no blob is for everybody; leave out options.public");
		}
		return this.blobs.in(namespace(options.getNamespace()));
	}

	private String namespace(String name) {
		return (name.isEmpty()) ? this.namespace : name;
	}

	/**
	 * Ends all streams for good; what was not whole is not put.
	 */
	@Override
	public void close() {
		this.reads.close();
		this.executor.shutdownNow();
	}

}
