package mu.micro.benchmarks;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.ThreadLocalRandom;

/**
 * A process that writes for some time, one put in flight, and tells how many it did.
 */
final class StoreWriter {

	static final String COMMAND = "store-writer";

	private static final int KEYS = 10_000;

	/**
	 * Puts until all that does them is compiled.
	 */
	private static final int UNTIL_WARM = 20_000;

	private StoreWriter() {
	}

	/*
	 * Says "ready", begins when it reads a line, prints the count and the 99th percentile
	 * in microseconds.
	 */
	static void main(String[] args) throws Exception {
		try (KeyValues values = new KeyValues.Micro(Path.of(args[1]))) {
			byte[] value = new byte[100];
			for (int i = 0; i < UNTIL_WARM; i++) {
				values.put("key-" + i % KEYS, value);
			}
			Program.ready();
			long end = System.nanoTime() + Duration.ofMillis(Long.parseLong(args[2])).toNanos();
			long[] times = new long[4096];
			int count = 0;
			for (long now = System.nanoTime(); now < end;) {
				values.put("key-" + ThreadLocalRandom.current().nextInt(KEYS), value);
				long then = System.nanoTime();
				if (count == times.length) {
					times = Arrays.copyOf(times, 2 * count);
				}
				times[count++] = then - now;
				now = then;
			}
			Arrays.sort(times, 0, count);
			System.out.println(count + " " + times[(int) (count * 0.99)] / 1000);
		}
	}

}
