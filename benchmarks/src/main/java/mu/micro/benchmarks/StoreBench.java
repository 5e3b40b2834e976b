package mu.micro.benchmarks;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;
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

	private static final Duration ROUND = Duration.ofSeconds(2);

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
		Path directory = Files.createTempDirectory("micro-bench");
		List<Process> writers = new ArrayList<>();
		List<BufferedReader> outputs = new ArrayList<>();
		Duration time = Duration.ofSeconds(5);
		try {
			for (int i = 0; i < count; i++) {
				Process writer = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
						"-cp", System.getProperty("java.class.path"), Bench.class.getName(), StoreWriter.COMMAND,
						directory.resolve("store.db").toString(), String.valueOf(time.toMillis()))
					.redirectError(ProcessBuilder.Redirect.INHERIT)
					.start();
				writers.add(writer);
				outputs.add(writer.inputReader());
			}
			for (BufferedReader output : outputs) {
				if (!"ready".equals(output.readLine())) {
					throw new IOException("a writer could not start");
				}
			}
			for (Process writer : writers) {
				writer.outputWriter().append('\n').flush();
			}
			long total = 0;
			long slow = 0;
			for (BufferedReader output : outputs) {
				String[] words = String.valueOf(output.readLine()).split(" ");
				total += Long.parseLong(words[0]);
				slow = Math.max(slow, Long.parseLong(words[1]));
			}
			return new Written((double) total / time.toSeconds(), slow);
		}
		finally {
			writers.forEach(Process::destroy);
			for (Process writer : writers) {
				writer.waitFor();
			}
			delete(directory);
		}
	}

	private static void keys(Table table) throws Exception {
		for (int count : new int[] { 1_000, 10_000, 100_000, 1_000_000 }) {
			Map<String, double[]> figures = new HashMap<>();
			for (String target : List.of("micro", "bare")) {
				Path directory = Files.createTempDirectory("micro-bench");
				try (KeyValues values = open(target, directory)) {
					fill(values, count, SMALL);
					figures.put(target,
							new double[] { perSecond(values, 1, (it) -> it.get(key(count))),
									perSecond(values, 1, (it) -> it.put(key(count), SMALL)),
									perSecond(values, 1, (it) -> it.list(key(count), 100)) });
				}
				finally {
					delete(directory);
				}
			}
			String among = " among %,d keys".formatted(count);
			table.add("get" + among, of(figures, "micro")[0], of(figures, "bare")[0], 0);
			table.add("durable put" + among, of(figures, "micro")[1], of(figures, "bare")[1], 0);
			table.add("list up to 100" + among, of(figures, "micro")[2], of(figures, "bare")[2], 0);
		}
	}

	private static void values(Table table) throws Exception {
		for (int size : new int[] { 100, 1_000, 10_000, 100_000, 1_000_000 }) {
			byte[] value = new byte[size];
			ThreadLocalRandom.current().nextBytes(value);
			Map<String, double[]> figures = new HashMap<>();
			for (String target : List.of("micro", "bare")) {
				Path directory = Files.createTempDirectory("micro-bench");
				try (KeyValues values = open(target, directory)) {
					for (int i = 0; i < 100; i++) {
						values.put("key-" + i, value);
					}
					figures.put(target, new double[] { perSecond(values, 1, (it) -> it.get(key(100))),
							perSecond(values, 1, (it) -> it.put(key(100), value)) });
				}
				finally {
					delete(directory);
				}
			}
			String of = " of %,d bytes".formatted(size);
			table.add("get" + of, of(figures, "micro")[0], of(figures, "bare")[0], 0);
			table.add("durable put" + of, of(figures, "micro")[1], of(figures, "bare")[1], 0);
		}
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
		Path directory = Files.createTempDirectory("micro-bench");
		try (KeyValues values = open("micro", directory)) {
			fill(values, 10_000, SMALL);
			return perSecond(values, callers, (each) -> each.put(key(10_000), SMALL));
		}
		finally {
			delete(directory);
		}
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

	/*
	 * One round to warm up, one that counts.
	 */
	private static double perSecond(KeyValues values, int callers, Step step) throws Exception {
		round(values, callers, step);
		return round(values, callers, step);
	}

	private static double round(KeyValues values, int callers, Step step) throws Exception {
		long begin = System.nanoTime();
		long end = begin + ROUND.toNanos();
		LongAdder count = new LongAdder();
		AtomicReference<@Nullable Exception> failure = new AtomicReference<>();
		List<Thread> threads = new ArrayList<>();
		for (int i = 0; i < callers; i++) {
			Thread thread = new Thread(() -> {
				try {
					while (System.nanoTime() < end) {
						step.run(values);
						count.increment();
					}
				}
				catch (Exception ex) {
					failure.set(ex);
				}
			});
			thread.start();
			threads.add(thread);
		}
		for (Thread thread : threads) {
			thread.join();
		}
		Exception failed = failure.get();
		if (failed != null) {
			throw failed;
		}
		return count.sum() * 1e9 / (System.nanoTime() - begin);
	}

	static void delete(@Nullable Path directory) throws IOException {
		if (directory == null) {
			return;
		}
		try (Stream<Path> files = Files.walk(directory)) {
			files.sorted(Comparator.reverseOrder()).forEach((file) -> {
				try {
					Files.delete(file);
				}
				catch (IOException ex) {
					throw new UncheckedIOException(ex);
				}
			});
		}
	}

	/**
	 * What is repeated.
	 */
	private interface Step {

		void run(KeyValues values) throws Exception;

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
