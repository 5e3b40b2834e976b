package mu.micro.jdbc;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.stream.Collectors;

import mu.micro.store.Database;
import mu.micro.store.Entry;
import mu.micro.store.Store;
import mu.micro.store.TableWrite;
import mu.micro.store.Write;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A process that writes is killed again and again. The property {@code micro.torture}
 * says how often.
 */
class SqliteKillTests {

	private static final int ROUNDS = Integer.getInteger("micro.torture", 20);

	private static final int THREADS = 4;

	private static final int BATCH = 10;

	@TempDir
	private Path directory;

	@Test
	@Timeout(3600)
	void whatWasAcknowledgedIsThereAndNoBatchInPart() throws Exception {
		long seed = System.nanoTime();
		Random random = new Random(seed);
		Path file = this.directory.resolve("store.db");
		List<String> acknowledged = new ArrayList<>();
		for (int round = 0; round < ROUNDS; round++) {
			try (StoreProcess process = StoreProcess.prepare(Writing.class, file, "r" + round)) {
				process.go();
				int acknowledgements = 1 + random.nextInt(600);
				Awaitility.await()
					.atMost(Duration.ofSeconds(60))
					.pollInterval(Duration.ofMillis(1))
					.untilAsserted(
							() -> assertThat(process.lines()).as(process::errors).isGreaterThan(acknowledgements));
				// Anywhere between two acknowledgements.
				LockSupport.parkNanos(random.nextLong(TimeUnit.MILLISECONDS.toNanos(2)));
				process.kill();
				acknowledged.addAll(process.said());
			}
			try (JdbcDatabases databases = StoreProcess.open(file)) {
				check(databases.in("ns"), acknowledged, "seed " + seed + ", round " + round);
				// The next round has to do with what this one left.
				acknowledged.removeIf((line) -> random.nextInt(4) > 0);
			}
		}
		System.out.println("fault: a writer was killed " + ROUNDS + " times");
	}

	private static void check(Database database, List<String> acknowledged, String when) {
		Store singles = database.table("singles");
		List<Store> tables = List.of(database.table("batch-0"), database.table("batch-1"));
		for (String line : acknowledged) {
			String key = line.substring(2);
			if (line.startsWith("s ")) {
				assertIs(singles.get(key), key, when);
			}
			for (int i = 0; line.startsWith("b ") && i < BATCH; i++) {
				assertIs(tables.get(i % 2).get(key + "-" + i), key, when);
			}
		}
		// Also of those that were not acknowledged there is all or nothing.
		List<String> parts = new ArrayList<>();
		database.snapshot((table, entry) -> {
			if (table.startsWith("batch-")) {
				parts.add(new String(entry.value(), StandardCharsets.UTF_8));
			}
		});
		parts.stream()
			.collect(Collectors.groupingBy(Function.identity(), Collectors.counting()))
			.forEach((batch, count) -> assertThat(count).as(batch + " of " + when).isEqualTo(BATCH));
	}

	private static void assertIs(Entry entry, String value, String when) {
		assertThat(entry).as(value + " of " + when).isNotNull();
		assertThat(new String(entry.value(), StandardCharsets.UTF_8)).isEqualTo(value);
	}

	/**
	 * Writes entries and batches, with several threads, and says which are acknowledged.
	 */
	public static final class Writing implements StoreProcess.Job {

		@Override
		public StoreProcess.Work prepare(Path file, String[] args) {
			return () -> writeAll(StoreProcess.open(file).in("ns"), args[0]);
		}

		private static void writeAll(Database database, String round) throws InterruptedException {
			List<Thread> threads = new ArrayList<>();
			for (int i = 0; i < THREADS; i++) {
				String name = round + "-" + i;
				Thread thread = new Thread(() -> write(database, name));
				thread.start();
				threads.add(thread);
			}
			for (Thread thread : threads) {
				thread.join();
			}
		}

		private static void write(Database database, String name) {
			Store singles = database.table("singles");
			for (int i = 0; true; i++) {
				String key = name + "-" + i;
				byte[] value = key.getBytes(StandardCharsets.UTF_8);
				if (i % 4 == 3) {
					List<TableWrite> writes = new ArrayList<>();
					for (int j = 0; j < BATCH; j++) {
						writes.add(new TableWrite("batch-" + (j % 2), Write.put(key + "-" + j, value)));
					}
					database.apply(writes);
					StoreProcess.say("b " + key);
				}
				else {
					singles.put(key, value);
					StoreProcess.say("s " + key);
				}
				if (i % 8 == 0) {
					// Gives sweeping and shrinking something to be killed in.
					database.table("short")
						.put(Write.put(key, new byte[20_000]).withTtl(Duration.ofMillis(1 + i % 100)));
				}
			}
		}

	}

}
