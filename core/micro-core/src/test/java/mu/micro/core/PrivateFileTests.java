package mu.micro.core;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

@Timeout(60)
class PrivateFileTests {

	@TempDir
	private Path directory;

	@Test
	void whatIsThereIsReadAndNotReplaced() throws IOException {
		Path file = this.directory.resolve("file");
		assertThat(PrivateFile.read(file, 10)).isNull();
		assertThat(PrivateFile.readOrMake(file, 10, () -> new byte[] { 1, 2, 3 })).containsExactly(1, 2, 3);
		assertThat(PrivateFile.readOrMake(file, 2, () -> new byte[] { 4 })).containsExactly(1, 2);
		assertThat(PrivateFile.read(file, 10)).containsExactly(1, 2, 3);
		assertThat(this.directory.toFile().list()).containsExactly("file");
	}

	@Test
	void itsDirectoryIsMadeForThisUserOnly() throws IOException {
		Path file = this.directory.resolve("not/there/file");
		assertThat(PrivateFile.readOrMake(file, 10, () -> new byte[] { 1 })).containsExactly(1);
		if (file.getFileSystem().supportedFileAttributeViews().contains("posix")) {
			assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file.getParent())))
				.isEqualTo("rwx------");
		}
	}

	@Test
	void allThreadsThatComeAtOnceGetTheSame() throws Exception {
		ExecutorService threads = Executors.newCachedThreadPool();
		try {
			for (int round = 0; round < 50; round++) {
				Path file = this.directory.resolve("file" + round);
				AtomicInteger next = new AtomicInteger();
				CyclicBarrier start = new CyclicBarrier(8);
				List<Future<byte[]>> contents = new ArrayList<>();
				for (int i = 0; i < start.getParties(); i++) {
					contents.add(threads.submit(() -> {
						start.await(10, TimeUnit.SECONDS);
						return PrivateFile.readOrMake(file, 100, () -> content(next.incrementAndGet()));
					}));
				}
				Set<String> seen = new TreeSet<>();
				for (Future<byte[]> content : contents) {
					seen.add(Arrays.toString(content.get(10, TimeUnit.SECONDS)));
				}
				assertThat(seen).containsExactly(Arrays.toString(Files.readAllBytes(file)));
			}
			assertThat(this.directory.toFile().list()).hasSize(50);
		}
		finally {
			threads.shutdownNow();
		}
	}

	@Test
	void allProcessesThatComeAtOnceGetTheSame() throws Exception {
		Path file = this.directory.resolve("keys");
		List<Process> processes = new ArrayList<>();
		try {
			for (int i = 0; i < 4; i++) {
				processes.add(SealingProcess.start(file));
			}
			for (Process process : processes) {
				assertThat(process.inputReader().readLine()).isEqualTo("ready");
			}
			for (Process process : processes) {
				process.outputWriter().append("go\n").flush();
			}
			Keyring ring = Keyring.file(file);
			for (Process process : processes) {
				String sealed = process.inputReader().readLine();
				assertThat(ring.seals("micro").open("a", sealed)).asString().isEqualTo("sesame");
			}
			assertThat(this.directory.toFile().list()).containsExactly("keys");
		}
		finally {
			processes.forEach(Process::destroyForcibly);
		}
	}

	private static byte[] content(int number) {
		byte[] content = new byte[64];
		Arrays.fill(content, (byte) number);
		return content;
	}

}
