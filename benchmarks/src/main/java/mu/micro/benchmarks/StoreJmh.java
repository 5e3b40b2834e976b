package mu.micro.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * One caller: a read, and a durable write, of 100 bytes among ten thousand keys.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
public class StoreJmh {

	private static final int KEYS = 10_000;

	/**
	 * What is measured.
	 */
	@Param({ "micro", "same file", "bare" })
	public String target = "micro";

	private final byte[] value = new byte[100];

	private @Nullable Path directory;

	private @Nullable KeyValues values;

	@Setup(Level.Trial)
	public void open() throws IOException, SQLException {
		this.directory = Files.createTempDirectory("micro-bench");
		KeyValues opened = KeyValues.open(this.target, this.directory.resolve("store.db"));
		List<String> keys = new ArrayList<>();
		for (int i = 0; i < KEYS; i++) {
			keys.add("key-" + i);
		}
		for (int i = 0; i < KEYS; i += 1000) {
			opened.putAll(keys.subList(i, i + 1000), this.value);
		}
		this.values = opened;
	}

	@TearDown(Level.Trial)
	public void close() throws IOException, SQLException {
		values().close();
		Rate.delete(this.directory);
	}

	@Benchmark
	public byte @Nullable [] get() throws SQLException {
		return values().get(key());
	}

	@Benchmark
	public void put() throws SQLException {
		values().put(key(), this.value);
	}

	private static String key() {
		return "key-" + ThreadLocalRandom.current().nextInt(KEYS);
	}

	private KeyValues values() {
		if (this.values == null) {
			throw new IllegalStateException("not open");
		}
		return this.values;
	}

}
