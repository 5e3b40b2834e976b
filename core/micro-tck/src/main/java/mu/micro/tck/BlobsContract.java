package mu.micro.tck;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

import mu.micro.Limits;
import mu.micro.MicroException;
import mu.micro.Scoped;
import mu.micro.blob.Blob;
import mu.micro.blob.BlobContent;
import mu.micro.blob.Blobs;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * What every provider of {@link Blobs} promises. A provider's test fills the hook and
 * overrides nothing else.
 */
@Timeout(120)
public abstract class BlobsContract {

	private static final Duration PATIENCE = Duration.ofSeconds(60);

	private static final int LARGE = 64 * 1024 * 1024;

	/**
	 * More than is read ahead, or on its way, anywhere.
	 */
	private static final int LONG = 8 * 1024 * 1024;

	private static final String TEXT = "text/plain";

	/**
	 * How {@code String.compareTo} orders the last of these is not how their bytes do.
	 * Some differ only in case, some are names of files that mean something, some end
	 * where others go on with a slash.
	 */
	private static final List<String> KEYS = List.of("\0", "\0\0", "\0a", "\n", " ", "  ", "%", "%2f", "%2F", "%a", "'",
			"*", "-", ".", "..", "../a", "../../a", "./a", "...", "/", "//", "/a", "?", "A", "A/b", "Z", "\\", "..\\a",
			"_", "a", "a ", "a\0", "a\0b", "a%", "a%b", "a.", "a.b", "a.blob", "a.tmp", "a/", "a//b", "a/b", "a/b/",
			"a/B", "a:b", "a\"b", "a\\b", "aA", "aa", "ab", "aux", "b", "con", "nul.txt", "~", "~a", "\u007f", "\u0080",
			"é", "e\u0301", "É", "ÿ", "߿", "ࠀ", "\ud7ff", "\ue000", "\ufffd", "\uffff", "\uffffa", "a\uffff",
			"a\ud83d\ude00", "\ud800\udc00", "\ud83d\ude00", "\ud83d\ude00a", "\udbff\udfff");

	private final String namespace = "ns-" + UUID.randomUUID();

	private final List<Scoped<Blobs>> opened = new ArrayList<>();

	private final ExecutorService threads = Executors.newCachedThreadPool();

	private Scoped<Blobs> view;

	private Scoped<Blobs> otherView;

	private Blobs here;

	private Blobs there;

	/**
	 * Opens one more view of the data under test, as another process would.
	 * @return the view, closed by the contract
	 * @throws Exception if it cannot be opened
	 */
	protected abstract Scoped<Blobs> open() throws Exception;

	@BeforeEach
	void openTwoViews() throws Exception {
		this.view = view();
		this.otherView = view();
		this.here = this.view.in(this.namespace);
		this.there = this.otherView.in(this.namespace);
	}

	@AfterEach
	void closeViews() {
		this.threads.shutdownNow();
		this.opened.forEach(Scoped::close);
	}

	private Scoped<Blobs> view() throws Exception {
		Scoped<Blobs> one = open();
		this.opened.add(one);
		return one;
	}

	// Putting and reading.

	@Test
	void whatIsNotThereIsNull() throws Exception {
		assertThat(this.here.find("a")).isNull();
		assertThat(this.here.get("a")).isNull();
		put(this.here, "a", "1");
		assertThat(this.here.find("b")).isNull();
		assertThat(this.here.get("b")).isNull();
		assertThat(this.here.get("a/")).isNull();
		assertThat(this.here.find("A")).isNull();
	}

	@Test
	void aBlobIsSeenWholeByOthersAtOnce() throws Exception {
		byte[] content = new byte[256];
		for (int i = 0; i < content.length; i++) {
			content[i] = (byte) i;
		}
		Blob put = this.here.put("key", "image/png; a=\"ü\"", new ByteArrayInputStream(content));
		assertThat(put.key()).isEqualTo("key");
		assertThat(put.contentType()).isEqualTo("image/png; a=\"ü\"");
		assertThat(put.size()).isEqualTo(256);
		assertThat(put.sha256()).isEqualTo("40aff2e9d2d8922e47afd4648e6967497158785fbd1da870e7110266bf944880");
		assertThat(put.time().getNano() % 1_000_000).isZero();
		for (Blobs blobs : List.of(this.there, this.here)) {
			assertThat(blobs.find("key")).isEqualTo(put);
			assertThat(blobs.list("", "", 10)).containsExactly(put);
			try (BlobContent read = content(blobs, "key")) {
				assertThat(read.blob()).isEqualTo(put);
				assertThat(read.stream().readAllBytes()).isEqualTo(content);
				assertThat(read.stream().read()).isEqualTo(-1);
			}
		}
	}

	@Test
	void theTimeIsThatOfThePut() throws Exception {
		Instant first = put(this.here, "a", "1").time();
		Instant second = put(this.there, "a", "2").time();
		assertThat(second).isAfterOrEqualTo(first);
		assertThat(found(this.here, "a").time()).isEqualTo(second);
	}

	@Test
	void anEmptyBlobIsABlob() throws Exception {
		Blob put = put(this.here, "empty", "");
		assertThat(put.size()).isZero();
		assertThat(put.sha256()).isEqualTo("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
		assertThat(found(this.there, "empty")).isEqualTo(put);
		assertThat(text(this.there, "empty")).isEmpty();
	}

	@Test
	void aBlobOfManyMegabytesPassesThrough() throws Exception {
		Blob put = this.here.put("large", TEXT, new Generated(1, LARGE));
		assertThat(put.size()).isEqualTo(LARGE);
		assertThat(put.sha256()).isEqualTo(sha256(new Generated(1, LARGE)));
		try (BlobContent read = content(this.there, "large")) {
			assertThat(read.blob()).isEqualTo(put);
			assertSame(read.stream(), new Generated(1, LARGE));
		}
	}

	@Test
	void theContentIsReadToItsEndAndNotClosed() throws Exception {
		AtomicBoolean closed = new AtomicBoolean();
		InputStream content = new Generated(2, 100_000) {

			@Override
			public int read(byte[] target, int offset, int length) {
				return super.read(target, offset, Math.min(length, 7));
			}

			@Override
			public void close() {
				closed.set(true);
			}

		};
		assertThat(this.here.put("a", TEXT, content).size()).isEqualTo(100_000);
		assertThat(content.read()).isEqualTo(-1);
		assertThat(closed).isFalse();
	}

	@Test
	void aBlobIsReadInAnyPieces() throws Exception {
		this.here.put("a", TEXT, new Generated(3, 200_000));
		byte[] whole = new Generated(3, 200_000).readAllBytes();
		try (BlobContent read = content(this.there, "a")) {
			InputStream stream = read.stream();
			for (int i = 0; i < 1_000; i++) {
				assertThat(stream.read()).isEqualTo(whole[i] & 0xff);
			}
			assertThat(stream.read(new byte[0])).isZero();
			stream.skipNBytes(100_000);
			assertThat(stream.readNBytes(50_000)).isEqualTo(Arrays.copyOfRange(whole, 101_000, 151_000));
			assertThat(stream.readAllBytes()).isEqualTo(Arrays.copyOfRange(whole, 151_000, 200_000));
		}
	}

	@Test
	void aPutReplacesTheBlobWhole() throws Exception {
		this.here.put("a", "image/png", new Generated(4, 300_000));
		put(this.here, "b", "other");
		Blob second = this.there.put("a", TEXT, stream("short"));
		assertThat(found(this.here, "a")).isEqualTo(second);
		assertThat(second.size()).isEqualTo(5);
		assertThat(text(this.here, "a")).isEqualTo("short");
		assertThat(keys(this.here)).containsExactly("a", "b");
	}

	@Test
	void aDeletedBlobIsGone() throws Exception {
		put(this.here, "a", "1");
		put(this.here, "a/b", "2");
		assertThat(this.there.delete("a")).isTrue();
		assertThat(this.here.find("a")).isNull();
		assertThat(this.here.get("a")).isNull();
		assertThat(keys(this.here)).containsExactly("a/b");
		assertThat(this.here.delete("a")).isFalse();
		assertThat(this.there.delete("never")).isFalse();
		assertThat(this.view.in(this.namespace + "-never").delete("a")).isFalse();
		put(this.here, "a", "3");
		assertThat(text(this.there, "a")).isEqualTo("3");
	}

	// Whole or not at all.

	@Test
	void nothingIsThereBeforeItIsWhole() throws Exception {
		for (String before : new String[] { null, "before" }) {
			this.here.delete("a");
			if (before != null) {
				put(this.here, "a", before);
			}
			Halting content = new Halting(new Generated(5, LONG), LONG / 2);
			Future<Blob> putting = this.threads.submit(() -> this.here.put("a", TEXT, content));
			content.awaitHalt();
			for (Blobs blobs : List.of(this.here, this.there)) {
				if (before != null) {
					assertThat(text(blobs, "a")).isEqualTo(before);
					assertThat(found(blobs, "a").size()).isEqualTo(before.length());
					assertThat(keys(blobs)).containsExactly("a");
				}
				else {
					assertThat(blobs.find("a")).isNull();
					assertThat(blobs.get("a")).isNull();
					assertThat(keys(blobs)).isEmpty();
				}
			}
			content.goOn();
			assertThat(get(putting)).isEqualTo(found(this.there, "a"));
			assertThat(found(this.there, "a").sha256()).isEqualTo(sha256(new Generated(5, LONG)));
		}
	}

	@Test
	void nobodySeesABlobInPart() throws Exception {
		this.here.put("a", "of/1", stream("0"));
		put(this.here, "b", "0");
		AtomicBoolean over = new AtomicBoolean();
		List<Future<?>> readers = new ArrayList<>();
		AtomicInteger reads = new AtomicInteger();
		for (Blobs blobs : List.of(this.here, this.there)) {
			readers.add(this.threads.submit(() -> {
				while (!over.get()) {
					try (BlobContent read = content(blobs, "a")) {
						byte[] bytes = read.stream().readAllBytes();
						assertThat(read.blob().size()).isEqualTo(bytes.length);
						assertThat(read.blob().sha256()).isEqualTo(sha256(new ByteArrayInputStream(bytes)));
						assertThat(read.blob().contentType()).endsWith("/" + bytes.length);
					}
					Blob found = found(blobs, "a");
					assertThat(found.contentType()).endsWith("/" + found.size());
					assertThat(keys(blobs)).containsExactly("a", "b");
					reads.incrementAndGet();
				}
				return null;
			}));
		}
		Random random = new Random(1);
		for (int i = 0; i < 100 || reads.get() < 100; i++) {
			int size = random.nextInt(200_000);
			((i % 2 == 0) ? this.here : this.there).put("a", "of/" + size, new Generated(i, size));
			if (readers.stream().anyMatch(Future::isDone)) {
				break;
			}
		}
		over.set(true);
		for (Future<?> reader : readers) {
			get(reader);
		}
	}

	@Test
	void whatWasOpenedStaysAsItWas() throws Exception {
		this.here.put("a", "one/a", new Generated(6, LONG));
		this.here.put("b", "one/b", new Generated(7, LONG));
		try (BlobContent a = content(this.there, "a"); BlobContent b = content(this.here, "b")) {
			InputStream expected = new Generated(6, LONG);
			assertThat(a.stream().readNBytes(10)).isEqualTo(expected.readNBytes(10));
			this.here.put("a", "two/a", new Generated(8, LONG));
			this.there.delete("b");
			put(this.there, "b", "anew");
			assertThat(a.blob().contentType()).isEqualTo("one/a");
			assertSame(a.stream(), expected);
			assertSame(b.stream(), new Generated(7, LONG));
		}
		assertThat(found(this.there, "a").contentType()).isEqualTo("two/a");
		assertThat(text(this.here, "b")).isEqualTo("anew");
	}

	@Test
	void aContentThatFailsPutsNothingAndItsFailureComesOut() throws Exception {
		put(this.here, "there", "before");
		for (int good : List.of(0, 1, 100_000, LONG)) {
			IOException failure = new IOException("the source failed");
			IllegalStateException defect = new IllegalStateException("the source is broken");
			for (String key : List.of("there", "new")) {
				assertThatExceptionOfType(IOException.class)
					.isThrownBy(() -> this.here.put(key, TEXT, new Failing(good, failure)))
					.isSameAs(failure);
				assertThatExceptionOfType(IllegalStateException.class)
					.isThrownBy(() -> this.here.put(key, TEXT, new Failing(good, defect)))
					.isSameAs(defect);
			}
			assertThat(text(this.there, "there")).isEqualTo("before");
			assertThat(this.there.find("new")).isNull();
			assertThat(keys(this.here)).containsExactly("there");
		}
		put(this.here, "new", "after");
		assertThat(text(this.there, "new")).isEqualTo("after");
	}

	@Test
	void ofConcurrentPutsOfOneKeyOneStaysWhole() throws Exception {
		for (int round = 0; round < 5; round++) {
			List<Future<Blob>> puts = new ArrayList<>();
			CountDownLatch start = new CountDownLatch(1);
			for (int i = 0; i < 8; i++) {
				Blobs blobs = (i % 2 == 0) ? this.here : this.there;
				int seed = round * 8 + i;
				puts.add(this.threads.submit(() -> {
					start.await();
					return blobs.put("a", "of/" + seed, new Generated(seed, 500_000 + seed));
				}));
			}
			start.countDown();
			List<Blob> put = new ArrayList<>();
			for (Future<Blob> one : puts) {
				put.add(get(one));
			}
			Blob stayed = found(this.here, "a");
			assertThat(put).contains(stayed);
			assertThat(found(this.there, "a")).isEqualTo(stayed);
			assertThat(sha256(this.here, "a")).isEqualTo(stayed.sha256());
			assertThat(keys(this.there)).containsExactly("a");
		}
	}

	@Test
	void theLastPutToEndStays() throws Exception {
		Halting content = new Halting(stream("slow"), 2);
		Future<Blob> slow = this.threads.submit(() -> this.here.put("a", TEXT, content));
		content.awaitHalt();
		put(this.there, "a", "fast");
		assertThat(text(this.here, "a")).isEqualTo("fast");
		content.goOn();
		get(slow);
		assertThat(text(this.there, "a")).isEqualTo("slow");
	}

	@Test
	void aDeleteDuringAPutDeletesWhatWasThere() throws Exception {
		put(this.here, "a", "before");
		Halting content = new Halting(stream("after"), 2);
		Future<Blob> putting = this.threads.submit(() -> this.here.put("a", TEXT, content));
		content.awaitHalt();
		assertThat(this.there.delete("a")).isTrue();
		assertThat(this.there.find("a")).isNull();
		content.goOn();
		get(putting);
		assertThat(text(this.there, "a")).isEqualTo("after");
	}

	// Keys and listing.

	@Test
	void everyKeyIsAKey() throws Exception {
		for (String key : KEYS) {
			put(this.here, key, key);
		}
		for (String key : KEYS) {
			assertThat(found(this.there, key).key()).isEqualTo(key);
			assertThat(text(this.there, key)).isEqualTo(key);
		}
		assertThat(keys(this.there)).hasSize(KEYS.size());
		for (String key : KEYS) {
			assertThat(this.there.delete(key)).isTrue();
			assertThat(this.here.find(key)).isNull();
		}
		assertThat(keys(this.here)).isEmpty();
	}

	@Test
	void keysAreOrderedByTheirBytes() throws Exception {
		List<String> shuffled = new ArrayList<>(KEYS);
		shuffled.sort(Comparator.comparing(String::hashCode));
		for (String key : shuffled) {
			put(this.here, key, key);
		}
		List<String> sorted = sorted(KEYS);
		assertThat(keys(this.there)).isEqualTo(sorted);
		assertThat(this.there.list("", "", Limits.PAGE)).allMatch((blob) -> blob.size() == bytes(blob.key()).length);
		List<String> paged = new ArrayList<>();
		for (List<Blob> page = this.there.list("", "", 7); !page.isEmpty(); page = this.there.list("",
				page.get(page.size() - 1).key(), 7)) {
			page.forEach((blob) -> paged.add(blob.key()));
		}
		assertThat(paged).isEqualTo(sorted);
		assertThat(sorted).isNotEqualTo(KEYS.stream().sorted().toList());
	}

	@Test
	void everyListingIsWhatItAsksFor() throws Exception {
		for (String key : KEYS) {
			put(this.here, key, key);
		}
		List<String> sorted = sorted(KEYS);
		List<String> afters = List.of("", "\0", "a", "a/", "a/a", "a%bc", "A", "\udbff\udfff", "\uffff", "q");
		for (String prefix : List.of("", "a", "a/", "a/b", "a%", "%", "%2", ".", "..", "../", "/", "_", "\\", "\0",
				"a\0", "\ue000", "\uffff", "\ud83d\ude00", "é", "e", "A", "none", "aa")) {
			for (String after : afters) {
				for (int limit : new int[] { 1, 2, Limits.PAGE }) {
					List<String> expected = sorted.stream()
						.filter((key) -> key.startsWith(prefix))
						.filter((key) -> after.isEmpty() || Arrays.compareUnsigned(bytes(key), bytes(after)) > 0)
						.limit(limit)
						.toList();
					assertThat(keys(this.there.list(prefix, after, limit)))
						.as("prefix '%s', after '%s', limit %s", prefix, after, limit)
						.isEqualTo(expected);
				}
			}
		}
	}

	@Test
	void aPageIsFullWhileThereIsMore() throws Exception {
		int count = Limits.PAGE + 50;
		List<Future<?>> puts = new ArrayList<>();
		for (int part = 0; part < 4; part++) {
			int first = part;
			puts.add(this.threads.submit(() -> {
				for (int i = first; i < count; i += 4) {
					put(this.here, "key-" + (10_000 + i), "1");
				}
				return null;
			}));
		}
		for (Future<?> put : puts) {
			get(put);
		}
		List<Blob> page = this.there.list("key", "", Limits.PAGE);
		assertThat(page).hasSize(Limits.PAGE);
		assertThat(page.get(0).key()).isEqualTo("key-10000");
		assertThat(keys(this.there.list("key", page.get(page.size() - 1).key(), Limits.PAGE))).hasSize(50)
			.endsWith("key-" + (10_000 + count - 1));
	}

	@Test
	void keysAtTheirLimitAreKept() throws Exception {
		List<String> longest = List.of("k".repeat(1024), "k".repeat(1023), "k".repeat(1023) + "K", "é".repeat(512),
				"\ud83d\ude00".repeat(256), "\0".repeat(1024), "\udbff\udfff".repeat(256), "/".repeat(1024),
				"..".repeat(512), "K".repeat(1024));
		for (String key : longest) {
			put(this.here, key, key);
		}
		for (String key : longest) {
			assertThat(text(this.there, key)).isEqualTo(key);
			assertThat(keys(this.there.list(key, "", 1))).containsExactly(key);
			assertThat(keys(this.there.list("", key, Limits.PAGE))).doesNotContain(key);
		}
		assertThat(keys(this.there)).isEqualTo(sorted(longest));
		assertThat(keys(this.there.list("k".repeat(1000), "", 10))).containsExactly("k".repeat(1023),
				"k".repeat(1023) + "K", "k".repeat(1024));
		for (String key : longest) {
			assertThat(this.there.delete(key)).isTrue();
		}
		assertThat(keys(this.here)).isEmpty();
	}

	// Limits and tenants.

	@Test
	void whatIsNoKeyIsRefusedByName() {
		for (String over : List.of("k".repeat(1025), "é".repeat(512) + "k", "\ud83d\ude00".repeat(257))) {
			assertInvalid(() -> this.here.find(over), "1024");
			assertInvalid(() -> this.here.get(over), "1024");
			assertInvalid(() -> this.here.delete(over), "1024");
			assertInvalid(() -> put(this.here, over, "1"), "1024");
			assertInvalid(() -> this.here.list(over, "", 1), "1024");
			assertInvalid(() -> this.here.list("", over, 1), "1024");
		}
		for (String broken : List.of("", "\ud83d", "a\ude00b")) {
			assertInvalid(() -> this.here.find(broken), "key");
			assertInvalid(() -> this.here.get(broken), "key");
			assertInvalid(() -> this.here.delete(broken), "key");
			assertInvalid(() -> put(this.here, broken, "1"), "key");
		}
		assertInvalid(() -> this.here.list("\ud83d", "", 1), "prefix");
		assertInvalid(() -> this.here.list("", "\ud83d", 1), "after");
		assertThat(keys(this.here)).isEmpty();
	}

	@Test
	void aLimitOutOfBoundsIsRefused() {
		for (int limit : new int[] { Integer.MIN_VALUE, -1, 0, Limits.PAGE + 1, Integer.MAX_VALUE }) {
			assertInvalid(() -> this.here.list("", "", limit), String.valueOf(limit));
		}
	}

	@Test
	void whatIsNoContentTypeIsRefused() throws Exception {
		for (String type : List.of("", " ", "t".repeat(201), "a\nb", "a\0b", "a\ud83d")) {
			assertInvalid(() -> this.here.put("a", type, stream("1")), "content type");
		}
		assertThat(this.here.find("a")).isNull();
		String longest = "\ud83d\ude00".repeat(200);
		this.here.put("a", longest, stream("1"));
		assertThat(found(this.there, "a").contentType()).isEqualTo(longest);
	}

	@Test
	void whatIsNoNameIsRefused() {
		for (String name : List.of("", " ", "n".repeat(201), "\ud83d\ude00".repeat(201), "a\nb", "a\0b", "a\ud83d")) {
			assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(() -> this.view.in(name));
		}
	}

	@Test
	void namespacesNeverSeeEachOther() throws Exception {
		List<String> names = new ArrayList<>();
		for (String alike : List.of("", "-b", "_b", "/b", "/../" + this.namespace, "%b", ".b", ".", "..", "B", "b",
				" b", "\\b", "é", "e\u0301", "\ud83d\ude00", "\uffff", "n".repeat(100), "n".repeat(101))) {
			names.add(this.namespace + alike);
		}
		names.add("../" + this.namespace);
		names.add("../../" + this.namespace);
		for (String name : names) {
			put(this.view.in(name), "a", name);
			put(this.view.in(name), "only in " + name, name);
		}
		for (String name : names) {
			assertThat(text(this.otherView.in(name), "a")).isEqualTo(name);
			assertThat(keys(this.otherView.in(name))).containsExactly("a", "only in " + name);
		}
		assertThat(this.otherView.in(names.get(1)).delete("a")).isTrue();
		for (String name : names) {
			assertThat(this.view.in(name).find("a") == null).isEqualTo(name.equals(names.get(1)));
		}
	}

	// Ends.

	@Test
	void whatIsNotReadToItsEndCanBeClosed() throws Exception {
		this.here.put("a", TEXT, new Generated(9, LONG));
		for (int i = 0; i < 300; i++) {
			try (BlobContent read = content(this.there, "a")) {
				if (i % 2 == 0) {
					assertThat(read.stream().readNBytes(1000)).hasSize(1000);
				}
				read.close();
			}
		}
		assertThat(sha256(this.there, "a")).isEqualTo(sha256(new Generated(9, LONG)));
	}

	@Test
	void aCallOfAnInterruptedThreadIsDoneOrSaysThatItWasNot() throws Exception {
		put(this.here, "a", "before");
		List<Callable<?>> calls = List.of(() -> put(this.here, "b", "1"),
				() -> put(this.here, "b", String.valueOf(found(this.here, "a"))),
				() -> put(this.here, "b", String.valueOf(this.here.list("", "", 1))),
				() -> put(this.here, "b", String.valueOf(this.here.delete("never"))));
		for (Callable<?> call : calls) {
			boolean refused = false;
			Thread.currentThread().interrupt();
			try {
				call.call();
			}
			catch (MicroException.Cancelled ex) {
				refused = true;
			}
			finally {
				assertThat(Thread.interrupted()).isTrue();
			}
			assertThat(this.there.find("b") == null).isEqualTo(refused);
			this.there.delete("b");
		}
		put(this.here, "b", "2");
		assertThat(text(this.there, "b")).isEqualTo("2");
	}

	@Test
	void aClosedViewIsUnavailable() throws Exception {
		this.here.put("a", TEXT, new Generated(10, LONG));
		BlobContent read = content(this.here, "a");
		Halting content = new Halting(stream("half"), 2);
		Future<Blob> putting = this.threads.submit(() -> this.here.put("b", TEXT, content));
		content.awaitHalt();
		this.view.close();
		this.view.close();
		content.goOn();
		for (ThrowingCallable call : List.<ThrowingCallable>of(() -> this.here.find("a"), () -> this.here.get("a"),
				() -> this.here.delete("a"), () -> put(this.here, "a", "1"), () -> this.here.list("", "", 1),
				() -> this.view.in(this.namespace).find("a"))) {
			assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(call);
		}
		// What was open is read whole or not to its end, and nobody waits for ever.
		try (read) {
			assertSame(read.stream(), new Generated(10, LONG));
		}
		catch (IOException ex) {
			assertThat(ex).isNotNull();
		}
		assertThatExceptionOfType(ExecutionException.class).isThrownBy(() -> get(putting))
			.havingCause()
			.isInstanceOfAny(MicroException.Unavailable.class, MicroException.OutcomeUnknown.class);
		assertThat(this.there.find("b")).isNull();
		assertThat(found(this.there, "a").size()).isEqualTo(LONG);
	}

	private static Blob put(Blobs blobs, String key, String content) throws IOException {
		return blobs.put(key, Blobs.OCTET_STREAM, stream(content));
	}

	private static InputStream stream(String content) {
		return new ByteArrayInputStream(bytes(content));
	}

	private static Blob found(Blobs blobs, String key) {
		return Objects.requireNonNull(blobs.find(key), () -> "nothing under " + key);
	}

	private static BlobContent content(Blobs blobs, String key) {
		return Objects.requireNonNull(blobs.get(key), () -> "nothing under " + key);
	}

	private static String text(Blobs blobs, String key) throws IOException {
		try (BlobContent content = content(blobs, key)) {
			return new String(content.stream().readAllBytes(), StandardCharsets.UTF_8);
		}
	}

	private static String sha256(Blobs blobs, String key) throws IOException {
		try (BlobContent content = content(blobs, key)) {
			return sha256(content.stream());
		}
	}

	private static String sha256(InputStream content) throws IOException {
		try {
			MessageDigest digest = MessageDigest.getInstance("SHA-256");
			byte[] buffer = new byte[65_536];
			for (int read = content.read(buffer); read >= 0; read = content.read(buffer)) {
				digest.update(buffer, 0, read);
			}
			return HexFormat.of().formatHex(digest.digest());
		}
		catch (NoSuchAlgorithmException ex) {
			throw new IllegalStateException(ex);
		}
	}

	private static void assertSame(InputStream content, InputStream expected) throws IOException {
		byte[] buffer = new byte[65_536];
		for (int read = content.read(buffer); read >= 0; read = content.read(buffer)) {
			assertThat(Arrays.equals(Arrays.copyOf(buffer, read), expected.readNBytes(read))).isTrue();
		}
		assertThat(expected.read()).isEqualTo(-1);
	}

	private static List<String> keys(Blobs blobs) {
		return keys(blobs.list("", "", Limits.PAGE));
	}

	private static List<String> keys(List<Blob> listed) {
		return listed.stream().map(Blob::key).toList();
	}

	private static List<String> sorted(Collection<String> texts) {
		return texts.stream().sorted((one, other) -> Arrays.compareUnsigned(bytes(one), bytes(other))).toList();
	}

	private static byte[] bytes(String text) {
		return text.getBytes(StandardCharsets.UTF_8);
	}

	private static void assertInvalid(ThrowingCallable call, String named) {
		assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(call).withMessageContaining(named);
	}

	private static <T> T get(Future<T> future) throws Exception {
		return future.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
	}

	/**
	 * Bytes that look like any, made as they are read.
	 */
	private static class Generated extends InputStream {

		private long state;

		private long left;

		Generated(long seed, long size) {
			this.state = seed * 0x9E3779B97F4A7C15L + 1;
			this.left = size;
		}

		@Override
		public int read() {
			byte[] one = new byte[1];
			return (read(one, 0, 1) < 0) ? -1 : one[0] & 0xff;
		}

		@Override
		public int read(byte[] target, int offset, int length) {
			if (length == 0) {
				return 0;
			}
			if (this.left == 0) {
				return -1;
			}
			int count = (int) Math.min(this.left, length);
			for (int i = 0; i < count; i++) {
				this.state = this.state * 6364136223846793005L + 1442695040888963407L;
				target[offset + i] = (byte) (this.state >>> 56);
			}
			this.left -= count;
			return count;
		}

	}

	/**
	 * A content that fails after some bytes.
	 */
	private static final class Failing extends Generated {

		private final Exception failure;

		Failing(int good, Exception failure) {
			super(good, good);
			this.failure = failure;
		}

		@Override
		public int read(byte[] target, int offset, int length) {
			int read = super.read(target, offset, length);
			if (read < 0) {
				raise(this.failure);
			}
			return read;
		}

		@SuppressWarnings("unchecked")
		private static <X extends Exception> void raise(Exception failure) throws X {
			throw (X) failure;
		}

	}

	/**
	 * A content that halts in the middle until it is told to go on.
	 */
	private static final class Halting extends InputStream {

		private final InputStream content;

		private final CountDownLatch halted = new CountDownLatch(1);

		private final CountDownLatch goingOn = new CountDownLatch(1);

		private int left;

		Halting(InputStream content, int before) {
			this.content = content;
			this.left = before;
		}

		void awaitHalt() throws InterruptedException {
			assertThat(this.halted.await(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)).isTrue();
		}

		void goOn() {
			this.goingOn.countDown();
		}

		@Override
		public int read() throws IOException {
			byte[] one = new byte[1];
			return (read(one, 0, 1) < 0) ? -1 : one[0] & 0xff;
		}

		@Override
		public int read(byte[] target, int offset, int length) throws IOException {
			if (this.left == 0) {
				this.halted.countDown();
				try {
					this.goingOn.await();
				}
				catch (InterruptedException ex) {
					throw new IOException(ex);
				}
				this.left = Integer.MAX_VALUE;
			}
			int read = this.content.read(target, offset, Math.min(length, this.left));
			this.left -= Math.max(read, 0);
			return read;
		}

	}

}
