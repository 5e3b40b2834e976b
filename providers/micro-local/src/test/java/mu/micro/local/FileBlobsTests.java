package mu.micro.local;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

import mu.micro.MicroException;
import mu.micro.blob.Blob;
import mu.micro.blob.BlobContent;
import mu.micro.blob.Blobs;
import mu.micro.tck.TestClock;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * The files of {@link FileBlobs}: where they are, who can read them, and what is said of
 * damaged ones.
 */
@Timeout(60)
class FileBlobsTests {

	@TempDir
	private Path temporary;

	private final TestClock clock = new TestClock();

	private Path directory;

	private FileBlobs provider;

	@BeforeEach
	void openProvider() {
		this.directory = this.temporary.resolve("data/blobs");
		this.provider = new FileBlobs(this.directory, this.clock);
	}

	@AfterEach
	void closeProvider() {
		this.provider.close();
	}

	@Test
	void whoOnlyReadsMakesNothing() {
		Blobs blobs = this.provider.in("ns");
		assertThat(blobs.find("a")).isNull();
		assertThat(blobs.get("a")).isNull();
		assertThat(blobs.list("", "", 10)).isEmpty();
		assertThat(blobs.delete("a")).isFalse();
		assertThat(this.temporary).isEmptyDirectory();
	}

	@Test
	void aBlobIsAFileThatPeopleFind() throws IOException {
		Blobs blobs = this.provider.in("ns");
		put(blobs, "reports/2026.pdf", "content");
		Path file = this.directory.resolve("ns/reports%2f2026.pdf.blob");
		assertThat(Files.readString(file, StandardCharsets.ISO_8859_1)).startsWith("micro blob 1\n")
			.contains("ns", "reports/2026.pdf", "text/plain")
			.endsWith("content");
		assertThat(files()).containsExactly(file);
		blobs.delete("reports/2026.pdf");
		assertThat(files()).isEmpty();
	}

	@Test
	void namesOfFilesAreShortAndPlainAndTellTheirTexts() {
		for (String text : List.of("a", "..", ".", "/", "a/..", ".writing", "A.B", "~", "%2f", "\0", "é", "a.b",
				"\ud83d\ude00", "k".repeat(180))) {
			String name = BlobFileName.of(text);
			assertThat(name).matches("[a-z0-9%_-]([a-z0-9%._-]*[a-z0-9%_-])?").hasSizeLessThan(200);
			assertThat(new String(BlobFileName.known(name), StandardCharsets.UTF_8)).isEqualTo(text);
		}
		String one = BlobFileName.of("k".repeat(181));
		String other = BlobFileName.of("k".repeat(182));
		assertThat(one).hasSize(245).isNotEqualTo(other).startsWith("k".repeat(180) + "~");
		assertThat(BlobFileName.known(one)).hasSize(180);
		assertThat(BlobFileName.of("\ud83d\ude00".repeat(256))).hasSizeLessThan(250);
	}

	@Test
	void whatOthersPutIntoTheDirectoryIsLeftAlone() throws IOException {
		Blobs blobs = this.provider.in("ns");
		put(blobs, "a", "content");
		for (String name : List.of("a copy.blob", "A.blob", "notes.txt", ".blob", "%zz.blob", "%ff.blob", "b.tmp")) {
			Files.writeString(this.directory.resolve("ns").resolve(name), "of somebody else");
		}
		assertThat(blobs.list("", "", 10)).extracting(Blob::key).containsExactly("a");
		assertThat(blobs.find("A")).isNull();
	}

	@Test
	@DisabledOnOs(OS.WINDOWS)
	void onlyThisUserCanReadThem() throws IOException {
		Blobs blobs = this.provider.in("ns");
		put(blobs, "a", "content");
		for (Path made : List.of(this.directory.getParent(), this.directory, this.directory.resolve("ns"),
				this.directory.resolve(".writing"))) {
			assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(made))).isEqualTo("rwx------");
		}
		assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(this.directory.resolve("ns/a.blob"))))
			.isEqualTo("rw-------");
	}

	// Damage.

	@Test
	void aFlippedBitInTheContentIsSaidBeforeItsEndAndByName() throws IOException {
		Blobs blobs = this.provider.in("ns");
		blobs.put("a", "text/plain", new ByteArrayInputStream(new byte[500_000]));
		Path file = this.directory.resolve("ns/a.blob");
		for (long place : new long[] { Files.size(file) - 500_000, Files.size(file) - 250_000, Files.size(file) - 1 }) {
			flip(file, place);
			try (BlobContent content = Objects.requireNonNull(blobs.get("a"))) {
				InputStream stream = content.stream();
				assertThat(stream.readNBytes(499_000)).hasSize(499_000);
				assertThatExceptionOfType(IOException.class).isThrownBy(() -> stream.readNBytes(1_000))
					.withMessageContainingAll(file.toString(), "damaged", "'a'");
			}
			flip(file, place);
		}
		try (BlobContent content = Objects.requireNonNull(blobs.get("a"))) {
			assertThat(content.stream().readAllBytes()).hasSize(500_000);
		}
	}

	@Test
	void aFlippedBitInTheHeaderIsSaidByName() throws IOException {
		Blobs blobs = this.provider.in("ns");
		put(blobs, "a", "");
		put(blobs, "b", "content");
		Path file = this.directory.resolve("ns/a.blob");
		for (long place = 0; place < Files.size(file); place++) {
			flip(file, place);
			damaged(() -> blobs.find("a"), file);
			damaged(() -> blobs.get("a"), file);
			damaged(() -> blobs.list("", "", 10), file);
			flip(file, place);
		}
		assertThat(blobs.list("b", "", 10)).hasSize(1);
		flip(file, 3);
		assertThat(blobs.list("", "a", 10)).hasSize(1);
		put(blobs, "a", "mended");
		assertThat(blobs.list("", "", 10)).hasSize(2);
		flip(file, 3);
		assertThat(blobs.delete("a")).isTrue();
		assertThat(blobs.find("a")).isNull();
	}

	@Test
	void aDamagedHeaderOfALongKeyIsAnErrorOfThePagesThatMayHaveItAlone() throws IOException {
		Blobs blobs = this.provider.in("ns");
		String key = "b".repeat(200);
		put(blobs, "a", "");
		put(blobs, key, "");
		put(blobs, "c", "");
		put(blobs, "d", "");
		Path file = this.directory.resolve("ns/" + BlobFileName.of(key) + ".blob");
		flip(file, 3);
		for (String after : List.of("", "a", "b", "b".repeat(180), "b".repeat(190))) {
			assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(() -> blobs.list("", after, 10))
				.withMessageEndingWith("delete " + file);
		}
		assertThat(blobs.list("", "b".repeat(179) + "c", 10)).hasSize(2);
		assertThat(blobs.list("", "c", 10)).hasSize(1);
		Files.delete(file);
		assertThat(blobs.list("", "", 10)).hasSize(3);
	}

	@Test
	void aFileThatWasCutIsSaidByName() throws IOException {
		Blobs blobs = this.provider.in("ns");
		put(blobs, "a", "content");
		Path file = this.directory.resolve("ns/a.blob");
		byte[] whole = Files.readAllBytes(file);
		int header = whole.length - "content".length();
		for (int length = 0; length < whole.length; length++) {
			Files.write(file, Arrays.copyOf(whole, length));
			if (length < header) {
				damaged(() -> blobs.find("a"), file);
				damaged(() -> blobs.get("a"), file);
			}
			else {
				// Who looks and lists does not read the content.
				assertThat(blobs.list("", "", 10)).containsExactly(blobs.find("a"));
				try (BlobContent content = Objects.requireNonNull(blobs.get("a"))) {
					assertThatExceptionOfType(IOException.class).isThrownBy(() -> content.stream().readAllBytes())
						.withMessageContainingAll(file.toString(), "'a'", "before its end");
				}
			}
		}
	}

	@Test
	void aFileUnderAnothersNameIsSaid() throws IOException {
		Blobs blobs = this.provider.in("ns");
		put(blobs, "a", "content");
		Files.copy(this.directory.resolve("ns/a.blob"), this.directory.resolve("ns/b.blob"));
		damaged(() -> blobs.find("b"), this.directory.resolve("ns/b.blob"));
		put(this.provider.in("other"), "c", "content");
		Files.copy(this.directory.resolve("ns/a.blob"), this.directory.resolve("other/a.blob"));
		damaged(() -> this.provider.in("other").find("a"), this.directory.resolve("other/a.blob"));
	}

	@Test
	void aDirectoryThatIsAFileIsNamed() throws IOException {
		Files.createDirectories(this.temporary.resolve("data"));
		Files.writeString(this.temporary.resolve("data/blobs"), "in the way");
		Blobs blobs = this.provider.in("ns");
		assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(() -> put(blobs, "a", "1"))
			.withMessageContainingAll(this.directory.toString(), "micro.blob.directory");
	}

	// Drafts.

	@Test
	void draftsOfTheDeadAreClearedAwayAndThoseOfTheLivingAreNot() throws IOException {
		Blobs blobs = this.provider.in("ns");
		put(blobs, "a", "1");
		Path old = Files.writeString(this.directory.resolve(".writing/old.tmp"), "left over");
		Path young = Files.writeString(this.directory.resolve(".writing/young.tmp"), "being written");
		Instant now = this.clock.instant();
		Files.setLastModifiedTime(old, FileTime.from(now));
		this.clock.advance(Duration.ofMinutes(50));
		put(blobs, "a", "2");
		assertThat(old).exists();
		Files.setLastModifiedTime(young, FileTime.from(this.clock.instant()));
		this.clock.advance(Duration.ofMinutes(11));
		put(blobs, "a", "3");
		assertThat(old).doesNotExist();
		assertThat(young).exists();
	}

	@Test
	void whoseDraftWasClearedAwayIsToldThatNothingWasPut() throws IOException {
		Blobs blobs = this.provider.in("ns");
		put(blobs, "a", "before");
		InputStream slow = new InputStream() {

			@Override
			public int read() throws IOException {
				try (Stream<Path> drafts = Files.list(FileBlobsTests.this.directory.resolve(".writing"))) {
					for (Path draft : drafts.toList()) {
						Files.delete(draft);
					}
				}
				return -1;
			}

		};
		assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(() -> blobs.put("a", "text/plain", slow))
			.withMessageContaining(this.directory.resolve("ns/a.blob").toString());
		try (BlobContent content = Objects.requireNonNull(blobs.get("a"))) {
			assertThat(content.stream().readAllBytes()).hasSize("before".length());
		}
	}

	@Test
	void aPutThatFailsLeavesNoFile() throws IOException {
		Blobs blobs = this.provider.in("ns");
		put(blobs, "a", "before");
		InputStream failing = new InputStream() {

			@Override
			public int read() throws IOException {
				throw new IOException("no more");
			}

		};
		assertThatExceptionOfType(IOException.class).isThrownBy(() -> blobs.put("b", "text/plain", failing));
		assertThat(files()).containsExactly(this.directory.resolve("ns/a.blob"));
	}

	@Test
	void whatIsOpenIsClosedWithTheProvider() throws IOException {
		Blobs blobs = this.provider.in("ns");
		put(blobs, "a", "content");
		BlobContent content = Objects.requireNonNull(blobs.get("a"));
		this.provider.close();
		assertThatExceptionOfType(IOException.class).isThrownBy(() -> content.stream().read())
			.withMessageContaining("closed");
		new FileBlobs(this.directory, Clock.systemUTC()).in("ns").delete("a");
	}

	private List<Path> files() throws IOException {
		try (Stream<Path> files = Files.walk(this.directory)) {
			return files.filter(Files::isRegularFile).toList();
		}
	}

	private static void put(Blobs blobs, String key, String content) throws IOException {
		blobs.put(key, "text/plain", new ByteArrayInputStream(content.getBytes(StandardCharsets.UTF_8)));
	}

	private static void flip(Path file, long place) throws IOException {
		try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
			bytes.seek(place);
			int was = bytes.read();
			bytes.seek(place);
			bytes.write(was ^ 0x10);
		}
	}

	private static void damaged(ThrowingCallable call, Path file) {
		assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(call)
			.withMessageContainingAll(file.toString(), "put it again or delete it");
	}

}
