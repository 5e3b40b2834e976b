package mu.micro.local;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

import mu.micro.blob.Blob;
import mu.micro.blob.BlobContent;
import mu.micro.blob.Blobs;
import mu.micro.core.BlobBytes;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Several processes with one directory, of which some are killed, and disks that are
 * full.
 */
@Timeout(180)
class FileBlobsProcessesTests {

	private static final int ROUNDS = 5;

	@TempDir
	private Path temporary;

	private Path directory() {
		return this.temporary.resolve("blobs");
	}

	@Test
	void aWriterThatIsKilledLeavesWhatWasThere() throws Exception {
		try (FileBlobs provider = new FileBlobs(directory(), Clock.systemUTC())) {
			Blobs blobs = provider.in("ns");
			blobs.put("key", "text/plain", new ByteArrayInputStream("before".getBytes(StandardCharsets.UTF_8)));
			try (BlobsProcess process = BlobsProcess.start(List.of(), directory(), "halt")) {
				process.awaitLines(1);
				process.kill();
			}
			assertThat(drafts()).hasSize(1);
			try (BlobContent content = Objects.requireNonNull(blobs.get("key"))) {
				assertThat(content.stream().readAllBytes()).asString(StandardCharsets.UTF_8).isEqualTo("before");
			}
		}
		Clock later = Clock.offset(Clock.systemUTC(), Duration.ofHours(2));
		try (FileBlobs provider = new FileBlobs(directory(), later)) {
			provider.in("other").put("a", "text/plain", new ByteArrayInputStream(new byte[1]));
			assertThat(drafts()).isEmpty();
		}
	}

	@Test
	void whatWasAcknowledgedIsThereAndAllIsWhole() throws Exception {
		long seed = System.nanoTime();
		Random random = new Random(seed);
		Map<String, String> acknowledged = new HashMap<>();
		for (int round = 0; round < ROUNDS; round++) {
			try (BlobsProcess process = BlobsProcess.start(List.of(), directory(), "r" + round)) {
				process.awaitLines(1 + random.nextInt(30));
				// Anywhere between two acknowledgements.
				LockSupport.parkNanos(random.nextLong(TimeUnit.MILLISECONDS.toNanos(5)));
				process.kill();
				for (String line : process.said()) {
					acknowledged.put(line.split(" ")[0], line.split(" ")[1]);
				}
			}
			int others = 0;
			Map<String, String> there = new HashMap<>();
			try (FileBlobs provider = new FileBlobs(directory(), Clock.systemUTC())) {
				for (Blob blob : provider.in("ns").list("", "", 100)) {
					assertThat(sha256(provider.in("ns"), blob)).as("seed " + seed).isEqualTo(blob.sha256());
					there.put(blob.key(), blob.sha256());
					if (!blob.sha256().equals(acknowledged.get(blob.key()))) {
						assertThat(blob.contentType()).as("seed " + seed).isEqualTo("r" + round);
						others++;
					}
				}
			}
			assertThat(there.keySet()).as("seed " + seed).containsAll(acknowledged.keySet());
			// It was killed before it could say so.
			assertThat(others).as("seed " + seed).isLessThanOrEqualTo(1);
			acknowledged = there;
		}
	}

	@Test
	void severalProcessesWriteWhileOthersRead() throws Exception {
		List<BlobsProcess> processes = new ArrayList<>();
		try (FileBlobs provider = new FileBlobs(directory(), Clock.systemUTC())) {
			Blobs blobs = provider.in("ns");
			for (String name : List.of("one", "two", "three")) {
				processes.add(BlobsProcess.start(List.of(), directory(), name));
			}
			processes.forEach((process) -> process.awaitLines(5));
			for (int i = 0; i < 100; i++) {
				assertThat(blobs.list("", "", 100)).hasSize(5);
				for (int key = 0; key < 5; key++) {
					try (BlobContent content = Objects.requireNonNull(blobs.get("key-" + key))) {
						assertThat(sha256(content)).isEqualTo(content.blob().sha256());
					}
				}
			}
			for (BlobsProcess process : processes) {
				process.awaitLines(20);
			}
		}
		finally {
			for (BlobsProcess process : processes) {
				process.close();
			}
		}
	}

	@Test
	@EnabledOnOs(OS.LINUX)
	void onAFullDiskTheFileIsNamedAndWhatIsThereStays() throws Exception {
		Files.createDirectory(directory());
		List<String> wrapper = List.of("unshare", "--map-root-user", "--mount", "bash", "-c",
				"mount -t tmpfs -o size=4m tmpfs " + directory() + " && exec \"$@\"", "limited");
		assumeWorks(wrapper);
		assertRefused(wrapper, 12);
	}

	@Test
	@EnabledOnOs(OS.LINUX)
	void whereAFileMayNotGrowItIsNamed() throws Exception {
		assertRefused(List.of("bash", "-c", "ulimit -f 100; exec \"$@\"", "limited"), 0);
		assertThat(drafts()).isEmpty();
	}

	private void assertRefused(List<String> wrapper, int count) throws Exception {
		try (BlobsProcess process = BlobsProcess.start(wrapper, directory(), "fill")) {
			List<String> said = process.await();
			assertThat(said).element(0)
				.asString()
				.startsWith("Unavailable")
				.contains(directory().resolve("ns/key-" + (said.size() - 1) + ".blob").toString(), "space");
			assertThat(said).hasSizeGreaterThanOrEqualTo(count + 1);
		}
	}

	private List<Path> drafts() throws IOException {
		try (Stream<Path> drafts = Files.list(directory().resolve(".writing"))) {
			return drafts.toList();
		}
	}

	private static String sha256(Blobs blobs, Blob blob) throws IOException {
		try (BlobContent content = Objects.requireNonNull(blobs.get(blob.key()))) {
			return sha256(content);
		}
	}

	private static String sha256(BlobContent content) throws IOException {
		return HexFormat.of().formatHex(BlobBytes.sha256().digest(content.stream().readAllBytes()));
	}

	private static void assumeWorks(List<String> wrapper) throws InterruptedException {
		List<String> command = new ArrayList<>(wrapper);
		command.add("true");
		boolean works;
		try {
			works = new ProcessBuilder(command).start().waitFor() == 0;
		}
		catch (IOException ex) {
			works = false;
		}
		Assumptions.assumeTrue(works, wrapper.get(0) + " is not here or may not be used");
	}

}
