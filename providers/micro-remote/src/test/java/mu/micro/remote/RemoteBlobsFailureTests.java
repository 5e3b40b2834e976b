package mu.micro.remote;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

import io.grpc.Context;
import mu.micro.MicroException;
import mu.micro.Scoped;
import mu.micro.blob.Blob;
import mu.micro.blob.BlobContent;
import mu.micro.blob.Blobs;
import mu.micro.memory.MemoryBlobs;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowable;

@Timeout(60)
class RemoteBlobsFailureTests {

	/**
	 * What connections and their two ends hold at most, with room to spare.
	 */
	private static final long AHEAD = 8 * 1024 * 1024;

	private final List<AutoCloseable> open = new CopyOnWriteArrayList<>();

	private final ExecutorService threads = Executors.newCachedThreadPool();

	private final MemoryBlobs data = new MemoryBlobs();

	private final Blobs there = this.data.in("micro");

	private TestServer server = new TestServer(0, new MemoryBlobs(this.data));

	@AfterEach
	void close() throws Exception {
		for (AutoCloseable closeable : this.open) {
			closeable.close();
		}
		this.threads.shutdownNow();
		this.server.close();
		this.data.close();
	}

	@Test
	void aServerThatIsAwayIsNamedAtOnceAndNothingIsDone() {
		this.server.close();
		for (ThrowingCallable call : calls(blobs())) {
			assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(call)
				.withMessageContainingAll("127.0.0.1:" + this.server.port(), "start it with 'micro server'");
		}
	}

	@Test
	void aServerThatSaysNothingIsNamedWithinTheTimeoutAndNothingIsDone() throws Exception {
		ServerSocket silent = keep(new ServerSocket(0, 50, InetAddress.getLoopbackAddress()));
		RemoteBlobs provider = keep(new RemoteBlobs("127.0.0.1:" + silent.getLocalPort(), Duration.ofMillis(300)));
		for (ThrowingCallable call : calls(provider.in("micro"))) {
			long start = System.nanoTime();
			assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(call)
				.withMessageContaining("nothing within 300 ms");
			assertThat(Duration.ofNanos(System.nanoTime() - start)).isBetween(Duration.ofMillis(250),
					Duration.ofSeconds(4));
		}
	}

	@Test
	void aPutThatIsCutInTheMiddleIsUnavailableAndLeavesWhatWasThere() throws Exception {
		put(this.there, "before");
		Stream content = new Stream(1_000_000, 3_000_000);
		Future<Blob> putting = this.threads.submit(() -> blobs().put("a", "text/plain", content));
		content.awaitHalt();
		this.server.close();
		content.goOn();
		assertThat(failure(putting)).isInstanceOf(MicroException.Unavailable.class);
		assertThat(text(this.there)).isEqualTo("before");
	}

	@Test
	void aPutWhoseConnectionDiesInSilenceIsUnavailableAndLeavesWhatWasThere() throws Exception {
		put(this.there, "before");
		Relay relay = keep(new Relay(this.server.port()));
		Blobs mine = keep(new RemoteBlobs(relay.address(), Duration.ofSeconds(5), Duration.ofMillis(500))).in("micro");
		Stream content = new Stream(1_000_000, 100_000_000);
		Future<Blob> putting = this.threads.submit(() -> mine.put("a", "text/plain", content));
		content.awaitHalt();
		relay.fallSilent();
		content.goOn();
		assertThat(failure(putting)).isInstanceOf(MicroException.Unavailable.class)
			.hasMessageContaining("nothing within 500 ms");
		assertThat(content.read.get()).isLessThan(AHEAD);
		assertThat(text(this.there)).isEqualTo("before");
	}

	@Test
	void aPutThatIsWholeAndNotAnsweredIsUnknown() throws Exception {
		this.server.pause();
		Future<Blob> putting = this.threads.submit(() -> put(blobs(), "after"));
		Awaitility.await().until(() -> this.server.kept() == 1);
		this.server.close();
		assertThat(failure(putting)).isInstanceOf(MicroException.OutcomeUnknown.class)
			.hasMessageContaining("look before trying again");
		assertThat(text(this.there)).isEqualTo("after");
	}

	@Test
	void aDeleteThatIsNotAnsweredIsUnknown() throws Exception {
		put(this.there, "before");
		this.server.pause();
		Future<Boolean> deleting = this.threads.submit(() -> blobs().delete("a"));
		Awaitility.await().until(() -> this.server.kept() == 1);
		this.server.close();
		assertThat(failure(deleting)).isInstanceOf(MicroException.OutcomeUnknown.class);
	}

	@Test
	void aPutOfAnInterruptedThreadThatIsNotWholeIsCancelled() throws Exception {
		put(this.there, "before");
		Stream content = new Stream(1_000_000, 3_000_000);
		AtomicLong interrupted = new AtomicLong();
		Future<Blob> putting = this.threads.submit(() -> {
			try {
				return blobs().put("a", "text/plain", content);
			}
			finally {
				interrupted.set((Thread.interrupted()) ? 1 : 0);
			}
		});
		content.awaitHalt();
		content.interruptReader();
		content.goOn();
		assertThat(failure(putting)).isInstanceOf(MicroException.Cancelled.class);
		assertThat(interrupted).hasValue(1);
		assertThat(text(this.there)).isEqualTo("before");
	}

	@Test
	void aPutWhoseCallerGivesUpLeavesWhatWasThere() throws Exception {
		put(this.there, "before");
		Stream content = new Stream(1_000_000, 3_000_000);
		Context.CancellableContext context = Context.current().withCancellation();
		Blobs mine = blobs();
		Future<Blob> putting = this.threads.submit(context.wrap(() -> mine.put("a", "text/plain", content)));
		content.awaitHalt();
		context.cancel(null);
		content.goOn();
		assertThat(failure(putting)).isInstanceOf(MicroException.Cancelled.class);
		assertThat(text(this.there)).isEqualTo("before");
	}

	@Test
	void aContentThatIsCutInTheMiddleIsSaidBeforeItsEnd() throws Exception {
		this.there.put("a", "text/plain", new Stream(0, 30_000_000));
		try (BlobContent content = Objects.requireNonNull(blobs().get("a"))) {
			assertThat(content.stream().readNBytes(100_000)).hasSize(100_000);
			this.server.close();
			assertThatExceptionOfType(IOException.class).isThrownBy(() -> content.stream().readAllBytes())
				.withCauseInstanceOf(MicroException.Unavailable.class);
		}
	}

	@Test
	void aContentWhoseConnectionDiesInSilenceIsSaidWithinTheTimeout() throws Exception {
		this.there.put("a", "text/plain", new Stream(0, 30_000_000));
		Relay relay = keep(new Relay(this.server.port()));
		Blobs mine = keep(new RemoteBlobs(relay.address(), Duration.ofMillis(500))).in("micro");
		try (BlobContent content = Objects.requireNonNull(mine.get("a"))) {
			assertThat(content.stream().readNBytes(100_000)).hasSize(100_000);
			relay.fallSilent();
			assertThatExceptionOfType(IOException.class).isThrownBy(() -> content.stream().readAllBytes())
				.withMessageContaining("nothing within 500 ms");
		}
	}

	@Test
	void aContentThatIsClosedWhileItIsReadEndsTheReading() throws Exception {
		this.there.put("a", "text/plain", new Stream(0, 30_000_000));
		Blobs mine = blobs();
		BlobContent content = Objects.requireNonNull(mine.get("a"));
		this.server.pause();
		Future<byte[]> reading = this.threads.submit(() -> content.stream().readAllBytes());
		content.close();
		assertThat(failure(reading)).isInstanceOf(IOException.class).hasMessage("the blob 'a' is closed");
		this.server.resume();
	}

	@Test
	void aContentIsNoFurtherAheadThanItsServer() throws Exception {
		CountDownLatch going = new CountDownLatch(1);
		serve(new Waiting(going));
		Stream content = new Stream(0, 200_000_000);
		Future<Blob> putting = this.threads.submit(() -> blobs().put("a", "text/plain", content));
		// It stands still once nothing more is taken.
		Awaitility.await()
			.during(Duration.ofSeconds(1))
			.atMost(Duration.ofSeconds(20))
			.until(content.read::get, (read) -> read > 0 && read < AHEAD);
		assertThat(putting).isNotDone();
		going.countDown();
		assertThat(putting.get(30, TimeUnit.SECONDS).size()).isEqualTo(200_000_000);
	}

	@Test
	void aServerIsNoFurtherAheadThanItsReader() throws Exception {
		Waiting provider = new Waiting(new CountDownLatch(0));
		serve(provider);
		try (BlobContent content = Objects.requireNonNull(blobs().get("a"))) {
			Awaitility.await()
				.during(Duration.ofSeconds(1))
				.atMost(Duration.ofSeconds(20))
				.until(provider.content.read::get, (read) -> read > 0 && read < AHEAD);
			content.stream().readNBytes(20_000_000);
			assertThat(provider.content.read.get()).isBetween(20_000_000L, 20_000_000 + AHEAD);
		}
	}

	@Test
	void aContentThatBreaksAtTheServerIsSaidBeforeItsEnd() throws Exception {
		Waiting provider = new Waiting(new CountDownLatch(0));
		serve(provider);
		provider.content.failure = new IOException("the file x.blob is damaged");
		try (BlobContent content = Objects.requireNonNull(blobs().get("a"))) {
			assertThatExceptionOfType(IOException.class).isThrownBy(() -> content.stream().readAllBytes())
				.withMessageContaining("the file x.blob is damaged");
		}
	}

	@Test
	void aContentThatIsAnotherIsNotTakenForIt() throws Exception {
		serve(new Waiting(new CountDownLatch(0)));
		try (BlobContent content = Objects.requireNonNull(blobs().get("a"))) {
			InputStream stream = content.stream();
			stream.skipNBytes(Waiting.SIZE - 1);
			assertThatExceptionOfType(IOException.class).isThrownBy(stream::read)
				.withMessageContainingAll("127.0.0.1:" + this.server.port(), "damaged");
		}
	}

	private void serve(Scoped<Blobs> provider) {
		this.server.close();
		this.server = new TestServer(0, provider);
	}

	private Blobs blobs() {
		return keep(new RemoteBlobs(this.server.address(), Duration.ofSeconds(5))).in("micro");
	}

	private <T extends AutoCloseable> T keep(T closeable) {
		this.open.add(closeable);
		return closeable;
	}

	private static List<ThrowingCallable> calls(Blobs blobs) {
		return List.of(() -> put(blobs, "1"), () -> blobs.find("a"), () -> blobs.get("a"), () -> blobs.delete("a"),
				() -> blobs.list("", "", 1));
	}

	private static Blob put(Blobs blobs, String content) throws IOException {
		return blobs.put("a", "text/plain", new ByteArrayInputStream(content.getBytes(StandardCharsets.UTF_8)));
	}

	private static String text(Blobs blobs) throws IOException {
		try (BlobContent content = Objects.requireNonNull(blobs.get("a"))) {
			return new String(content.stream().readAllBytes(), StandardCharsets.UTF_8);
		}
	}

	private static Throwable failure(Future<?> future) {
		return catchThrowable(() -> future.get(30, TimeUnit.SECONDS)).getCause();
	}

	/**
	 * Zeros, of which it is known how many were read. Halts after some, or fails at the
	 * end.
	 */
	private static final class Stream extends InputStream {

		private final AtomicLong read = new AtomicLong();

		private final CountDownLatch halted = new CountDownLatch(1);

		private final CountDownLatch goingOn = new CountDownLatch(1);

		private final long halt;

		private final long size;

		private volatile @Nullable Thread reader;

		private volatile @Nullable IOException failure;

		Stream(long halt, long size) {
			this.halt = halt;
			this.size = size;
		}

		void awaitHalt() throws InterruptedException {
			assertThat(this.halted.await(20, TimeUnit.SECONDS)).isTrue();
		}

		void goOn() {
			this.goingOn.countDown();
		}

		void interruptReader() {
			Objects.requireNonNull(this.reader).interrupt();
		}

		@Override
		public int read() throws IOException {
			byte[] one = new byte[1];
			return (read(one, 0, 1) < 0) ? -1 : 0;
		}

		@Override
		public int read(byte[] target, int offset, int length) throws IOException {
			long before = this.read.get();
			if (this.halt > 0 && before == this.halt) {
				awaitGoingOn();
			}
			if (before == this.size) {
				if (this.failure != null) {
					throw this.failure;
				}
				return -1;
			}
			long end = (before < this.halt) ? this.halt : this.size;
			int count = (int) Math.min(length, end - before);
			this.read.addAndGet(count);
			return count;
		}

		private void awaitGoingOn() {
			this.reader = Thread.currentThread();
			this.halted.countDown();
			boolean interrupted = false;
			while (this.goingOn.getCount() > 0) {
				try {
					this.goingOn.await();
				}
				catch (InterruptedException ex) {
					interrupted = true;
				}
			}
			if (interrupted) {
				Thread.currentThread().interrupt();
			}
		}

	}

	/**
	 * Reads what is put when it is allowed to. Has one blob, of zeros, of which another
	 * hash is known.
	 */
	private static final class Waiting implements Scoped<Blobs>, Blobs {

		static final long SIZE = 100_000_000;

		private final CountDownLatch going;

		private final Stream content = new Stream(0, SIZE);

		Waiting(CountDownLatch going) {
			this.going = going;
		}

		@Override
		public Blobs in(String namespace) {
			return this;
		}

		@Override
		public Blob put(String key, String contentType, InputStream content) throws IOException {
			try {
				this.going.await();
			}
			catch (InterruptedException ex) {
				throw new MicroException.Unavailable("interrupted", ex);
			}
			return blob(key, content.skip(Long.MAX_VALUE));
		}

		@Override
		public Blob find(String key) {
			return blob(key, SIZE);
		}

		private static Blob blob(String key, long size) {
			return new Blob(key, "text/plain", size, Instant.EPOCH, "another");
		}

		@Override
		public BlobContent get(String key) {
			return new BlobContent() {

				@Override
				public Blob blob() {
					return find(key);
				}

				@Override
				public InputStream stream() {
					return Waiting.this.content;
				}

				@Override
				public void close() {
					// There is nothing to close.
				}

			};
		}

		@Override
		public boolean delete(String key) {
			return false;
		}

		@Override
		public List<Blob> list(String prefix, String after, int limit) {
			return List.of();
		}

		@Override
		public void close() {
			this.going.countDown();
		}

	}

}
