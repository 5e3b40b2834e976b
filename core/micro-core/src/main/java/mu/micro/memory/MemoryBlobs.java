package mu.micro.memory;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Clock;
import java.time.temporal.ChronoUnit;
import java.util.HexFormat;
import java.util.List;
import java.util.NavigableMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ConcurrentNavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;

import mu.micro.Limits;
import mu.micro.MicroException;
import mu.micro.Scoped;
import mu.micro.blob.Blob;
import mu.micro.blob.BlobContent;
import mu.micro.blob.Blobs;
import mu.micro.core.BlobBytes;
import mu.micro.core.KeyOrder;
import mu.micro.store.Query;
import org.jspecify.annotations.Nullable;

/**
 * Blobs within one JVM, that end with it. Not durable, and in memory as a whole, each up
 * to {@value #LARGEST} bytes; otherwise all that blobs promise.
 */
public final class MemoryBlobs implements Scoped<Blobs> {

	/**
	 * How many bytes a blob has at most: 256 MB. Putting a larger one is
	 * {@link MicroException.Unavailable}.
	 */
	public static final int LARGEST = 256 * 1024 * 1024;

	private final ConcurrentMap<String, ConcurrentNavigableMap<String, Stored>> shared;

	private final Clock clock;

	private volatile boolean closed;

	/**
	 * No blobs, with the system's time.
	 */
	public MemoryBlobs() {
		this(Clock.systemUTC());
	}

	/**
	 * No blobs.
	 * @param clock tells when blobs are put
	 */
	public MemoryBlobs(Clock clock) {
		this(new ConcurrentHashMap<>(), clock);
	}

	/**
	 * One more view of the same blobs.
	 * @param other a view of the blobs
	 */
	public MemoryBlobs(MemoryBlobs other) {
		this(other.shared, other.clock);
	}

	private MemoryBlobs(ConcurrentMap<String, ConcurrentNavigableMap<String, Stored>> shared, Clock clock) {
		this.shared = shared;
		this.clock = clock;
	}

	@Override
	public Blobs in(String namespace) {
		return new View(Limits.name("namespace", namespace));
	}

	@Override
	public void close() {
		this.closed = true;
	}

	private void checkOpen() {
		if (this.closed) {
			throw new MicroException.Unavailable("the blobs are closed");
		}
	}

	private final class View implements Blobs {

		private final String namespace;

		View(String namespace) {
			this.namespace = namespace;
		}

		@Override
		public Blob put(String key, String contentType, InputStream content) throws IOException {
			Limits.key(key);
			Limits.name("content type", contentType);
			checkOpen();
			byte[] bytes = content.readNBytes(LARGEST + 1);
			if (bytes.length > LARGEST) {
				throw new MicroException.Unavailable("the blob '" + key + "' is more than " + LARGEST
						+ " bytes, the limit of blobs in memory; set micro.blob.type to another provider");
			}
			String sha256 = HexFormat.of().formatHex(BlobBytes.sha256().digest(bytes));
			Blob blob = new Blob(key, contentType, bytes.length,
					MemoryBlobs.this.clock.instant().truncatedTo(ChronoUnit.MILLIS), sha256);
			checkOpen();
			MemoryBlobs.this.shared
				.computeIfAbsent(this.namespace, (name) -> new ConcurrentSkipListMap<>(KeyOrder.UTF8))
				.put(key, new Stored(blob, bytes));
			return blob;
		}

		@Override
		public @Nullable Blob find(String key) {
			Stored stored = stored(key);
			return (stored != null) ? stored.blob : null;
		}

		@Override
		public @Nullable BlobContent get(String key) {
			Stored stored = stored(key);
			return (stored != null) ? new Content(stored.blob, new ByteArrayInputStream(stored.bytes)) : null;
		}

		private @Nullable Stored stored(String key) {
			Limits.key(key);
			checkOpen();
			return blobs().get(key);
		}

		@Override
		public boolean delete(String key) {
			Limits.key(key);
			checkOpen();
			return blobs().remove(key) != null;
		}

		@Override
		public List<Blob> list(String prefix, String after, int limit) {
			// Checks what a store's listing has to keep to as well.
			Query query = Query.prefix(prefix).withAfter(after).withLimit(limit);
			checkOpen();
			boolean begun = KeyOrder.UTF8.compare(after, prefix) >= 0;
			return blobs().tailMap((begun) ? query.after() : query.prefix(), !begun || after.isEmpty())
				.values()
				.stream()
				.map(Stored::blob)
				.takeWhile((blob) -> blob.key().startsWith(prefix))
				.limit(limit)
				.toList();
		}

		private NavigableMap<String, Stored> blobs() {
			ConcurrentNavigableMap<String, Stored> blobs = MemoryBlobs.this.shared.get(this.namespace);
			return (blobs != null) ? blobs : new ConcurrentSkipListMap<>(KeyOrder.UTF8);
		}

	}

	private record Stored(Blob blob, byte[] bytes) {
	}

	private record Content(Blob blob, InputStream stream) implements BlobContent {

		@Override
		public void close() {
			// Nothing is held but memory.
		}

	}

}
