package mu.micro.jdbc;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;

import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Processes that share a lock and nothing else: for five seconds, or a minute where the
 * property {@code micro.torture} is above 20.
 */
class SqliteSyncProcessesTests {

	private static final Duration TIME = Duration.ofSeconds((Integer.getInteger("micro.torture", 0) > 20) ? 60 : 5);

	@TempDir
	private Path directory;

	@Test
	@Timeout(300)
	void eightProcessesCountUnderALockOneOfThemKilledAndNothingIsLost() throws Exception {
		Path counter = this.directory.resolve("counter");
		List<CountingProcess> processes = new ArrayList<>();
		try {
			for (int i = 0; i < 8; i++) {
				processes.add(CountingProcess.start(this.directory.resolve("store.db"), counter));
			}
			List<CompletableFuture<Long>> counts = processes.stream()
				.map((process) -> CompletableFuture.supplyAsync(() -> counted(process),
						(task) -> new Thread(task).start()))
				.toList();
			long start = System.nanoTime();
			await(() -> Files.exists(counter) && value(counter) > 8);
			processes.get(0).kill();
			// The lock of the one that was killed is free within its ttl.
			long then = value(counter);
			await(() -> value(counter) > then + 8 && System.nanoTime() - start > TIME.toNanos());
			for (CountingProcess process : processes.subList(1, 8)) {
				process.end();
			}
			long sum = 0;
			for (int i = 0; i < 8; i++) {
				sum += counts.get(i).get();
				assertThat(processes.get(i).exit()).isEqualTo((i != 0) ? 0 : 137);
			}
			// The one that was killed may have counted and not said so.
			assertThat(value(counter)).isBetween(sum, sum + 1);
		}
		finally {
			processes.forEach(CountingProcess::kill);
		}
	}

	private static long counted(CountingProcess process) {
		try {
			return process.counted();
		}
		catch (Exception ex) {
			throw new IllegalStateException(ex);
		}
	}

	private static long value(Path counter) throws Exception {
		byte[] bytes = Files.readAllBytes(counter);
		return (bytes.length == 2 * Long.BYTES) ? ByteBuffer.wrap(bytes).getLong(Long.BYTES) : 0;
	}

	private static void await(Callable<Boolean> condition) {
		Awaitility.await().atMost(TIME.plusSeconds(60)).pollInterval(Duration.ofMillis(10)).until(condition);
	}

}
