package mu.micro.benchmarks;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;

import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * The SQLite store beside bare JDBC on the same file, and on one with nothing but keys
 * and values.
 */
final class StoreBench {

	private static final byte[] SMALL = new byte[100];

	void run() throws Exception {
		Table table = new Table();
		oneCaller(table);
		groupCommit(table);
		processes(table);
		System.out.println("Store against its budgets, operations a second");
		System.out.println();
		table.print();
		Table growth = new Table();
		keys(growth);
		values(growth);
		System.out.println("How the cost grows, operations a second of one caller");
		System.out.println();
		growth.print();
	}

	private static void oneCaller(Table table) throws Exception {
		Map<String, Double> scores = new HashMap<>();
		for (RunResult result : new Runner(new OptionsBuilder().include(StoreJmh.class.getName())
			.forks(1)
			.warmupIterations(2)
			.warmupTime(TimeValue.seconds(1))
			.measurementIterations(3)
			.measurementTime(TimeValue.seconds(2))
			.verbosity(VerboseMode.SILENT)
			.build()).run()) {
			scores.put(result.getPrimaryResult().getLabel() + " " + result.getParams().getParam("target"),
					result.getPrimaryResult().getScore());
		}
		table.add("get, one caller", of(scores, "get micro"), of(scores, "get same file"), 0.7);
		table.add("durable put, one caller", of(scores, "put micro"), of(scores, "put same file"), 0.9);
		table.add("get, beside keys and values alone", of(scores, "get micro"), of(scores, "get bare"), 0);
		table.add("durable put, beside keys and values alone", of(scores, "put micro"), of(scores, "put bare"), 0);
	}

	private static void groupCommit(Table table) throws Exception {
		double one = measure(1);
		for (int callers : new int[] { 4, 16, 64 }) {
			table.add("durable put, " + callers + " callers beside one", measure(callers), one,
					(callers == 16) ? 4 : 0);
		}
	}

	private static void processes(Table table) throws Exception {
		double one = measure(8);
		for (int count : new int[] { 1, 2, 4, 8 }) {
			Written written = write(count);
			table.add("durable put, " + count + " processes beside 8 callers in one", written.perSecond, one,
					(count == 8) ? 0.25 : 0);
			if (count == 8) {
				table.most("durable put, 8 processes, 99th percentile in ms", written.slow / 1000.0, 100);
			}
		}
	}

	private static Written write(int count) throws Exception {
		return Rate.inDirectory((directory) -> {
			Duration time = Duration.ofSeconds(5);
			List<Program> writers = Program.start(count, StoreWriter.COMMAND, directory.resolve("store.db"),
					time.toMillis());
			try {
				for (Program writer : writers) {
					writer.go();
				}
				long total = 0;
				long slow = 0;
				for (Program writer : writers) {
					long[] result = writer.result();
					total += result[0];
					slow = Math.max(slow, result[1]);
				}
				return new Written((double) total / time.toSeconds(), slow);
			}
			finally {
				writers.forEach(Program::close);
			}
		});
	}

	private static void keys(Table table) throws Exception {
		for (int count : new int[] { 1_000, 10_000, 100_000, 1_000_000 }) {
			double[] ours = keys("micro", count);
			double[] bare = keys("bare", count);
			String among = " among %,d keys".formatted(count);
			table.add("get" + among, ours[0], bare[0], 0);
			table.add("durable put" + among, ours[1], bare[1], 0);
			table.add("list up to 100" + among, ours[2], bare[2], 0);
		}
	}

	private static double[] keys(String target, int count) throws Exception {
		return Rate.inDirectory((directory) -> {
			try (KeyValues values = open(target, directory)) {
				fill(values, count, SMALL);
				return new double[] { Rate.of(1, () -> values.get(key(count))),
						Rate.of(1, () -> values.put(key(count), SMALL)),
						Rate.of(1, () -> values.list(key(count), 100)) };
			}
		});
	}

	private static void values(Table table) throws Exception {
		for (int size : new int[] { 100, 1_000, 10_000, 100_000, 1_000_000 }) {
			byte[] value = new byte[size];
			ThreadLocalRandom.current().nextBytes(value);
			double[] ours = values("micro", value);
			double[] bare = values("bare", value);
			String of = " of %,d bytes".formatted(size);
			table.add("get" + of, ours[0], bare[0], 0);
			table.add("durable put" + of, ours[1], bare[1], 0);
		}
	}

	private static double[] values(String target, byte[] value) throws Exception {
		return Rate.inDirectory((directory) -> {
			try (KeyValues values = open(target, directory)) {
				for (int i = 0; i < 100; i++) {
					values.put("key-" + i, value);
				}
				return new double[] { Rate.of(1, () -> values.get(key(100))),
						Rate.of(1, () -> values.put(key(100), value)) };
			}
		});
	}

	private static void fill(KeyValues values, int count, byte[] value) throws Exception {
		for (int i = 0; i < count; i += 1000) {
			List<String> keys = new ArrayList<>();
			for (int k = i; k < i + 1000; k++) {
				keys.add("key-" + k);
			}
			values.putAll(keys, value);
		}
	}

	private static double measure(int callers) throws Exception {
		return Rate.inDirectory((directory) -> {
			try (KeyValues values = open("micro", directory)) {
				fill(values, 10_000, SMALL);
				return Rate.of(callers, () -> values.put(key(10_000), SMALL));
			}
		});
	}

	private static <T> T of(Map<String, T> figures, String name) {
		return Objects.requireNonNull(figures.get(name), name);
	}

	private static KeyValues open(String target, Path directory) throws Exception {
		return KeyValues.open(target, directory.resolve("store.db"));
	}

	private static String key(int keys) {
		return "key-" + ThreadLocalRandom.current().nextInt(keys);
	}

	/**
	 * What some processes did.
	 *
	 * @param perSecond puts a second, all together
	 * @param slow the worst of their 99th percentiles, in microseconds
	 */
	private record Written(double perSecond, long slow) {
	}

}
