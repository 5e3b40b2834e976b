package mu.micro.benchmarks;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;

/**
 * How often something can be done in a second.
 */
final class Rate {

	private static final Duration ROUND = Duration.ofSeconds(2);

	private Rate() {
	}

	/**
	 * Measures for two seconds, after as many to warm up.
	 * @param callers how many threads do it at once
	 * @param step what they do
	 * @return how often they did it in a second, all together
	 * @throws Exception what it threw
	 */
	static double of(int callers, Step step) throws Exception {
		round(callers, step);
		return round(callers, step);
	}

	private static double round(int callers, Step step) throws Exception {
		long begin = System.nanoTime();
		long end = begin + ROUND.toNanos();
		LongAdder count = new LongAdder();
		AtomicReference<@Nullable Exception> failure = new AtomicReference<>();
		List<Thread> threads = new ArrayList<>();
		for (int i = 0; i < callers; i++) {
			Thread thread = new Thread(() -> {
				try {
					while (System.nanoTime() < end) {
						step.run();
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

	/**
	 * Does something with a directory of its own, which is deleted afterwards.
	 * @param <T> what comes of it
	 * @param work what to do
	 * @return what came of it
	 * @throws Exception what it threw
	 */
	static <T> T inDirectory(Work<T> work) throws Exception {
		Path directory = Files.createTempDirectory("micro-bench");
		try {
			return work.in(directory);
		}
		finally {
			delete(directory);
		}
	}

	static void delete(@Nullable Path directory) throws IOException {
		if (directory == null) {
			return;
		}
		try (Stream<Path> files = Files.walk(directory)) {
			files.sorted(Comparator.reverseOrder()).forEach((file) -> {
				try {
					Files.deleteIfExists(file);
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
	@FunctionalInterface
	interface Step {

		void run() throws Exception;

	}

	/**
	 * What is done in a directory.
	 *
	 * @param <T> what comes of it
	 */
	@FunctionalInterface
	interface Work<T> {

		T in(Path directory) throws Exception;

	}

}
