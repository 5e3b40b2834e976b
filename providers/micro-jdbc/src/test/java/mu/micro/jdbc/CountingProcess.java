package mu.micro.jdbc;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;

import mu.micro.sync.Lock;
import mu.micro.sync.Sync;

/**
 * A process that counts in a file under a lock, and says so each time, until it is killed
 * or its input ends. The file has the largest token seen and the count.
 */
public final class CountingProcess {

	private final Process process;

	private CountingProcess(Process process) {
		this.process = process;
	}

	public static void main(String[] args) throws IOException {
		Path counter = Path.of(args[1]);
		try (SqliteSync locks = new SqliteSync(Path.of(args[0]))) {
			Sync sync = locks.in("micro");
			while (System.in.available() == 0) {
				try (Lock lock = sync.lock("counter", Duration.ofSeconds(2), Duration.ofSeconds(30))) {
					if (lock == null) {
						throw new IllegalStateException("nothing in 30 seconds");
					}
					count(counter, lock.token());
				}
			}
		}
	}

	private static void count(Path counter, long token) throws IOException {
		try (FileChannel file = FileChannel.open(counter, StandardOpenOption.CREATE, StandardOpenOption.READ,
				StandardOpenOption.WRITE)) {
			ByteBuffer read = ByteBuffer.allocate(2 * Long.BYTES);
			file.read(read, 0);
			long fence = read.getLong(0);
			if (token <= fence) {
				throw new IllegalStateException("token " + token + " after " + fence);
			}
			Thread.yield();
			file.write(ByteBuffer.allocate(2 * Long.BYTES).putLong(token).putLong(read.getLong(Long.BYTES) + 1).flip(),
					0);
		}
		System.out.println("counted");
	}

	static CountingProcess start(Path store, Path counter) throws IOException {
		return new CountingProcess(new ProcessBuilder(List.of(ProcessHandle.current().info().command().orElseThrow(),
				"-Xmx64m", "-XX:TieredStopAtLevel=1", "-cp", System.getProperty("java.class.path"),
				CountingProcess.class.getName(), store.toString(), counter.toString()))
			.redirectError(ProcessBuilder.Redirect.INHERIT)
			.start());
	}

	/**
	 * Has it end once it has counted on.
	 */
	void end() throws IOException {
		this.process.outputWriter().write("\n");
		this.process.outputWriter().flush();
	}

	void kill() {
		// Its streams stay open: what it said last is still to be read.
		this.process.toHandle().destroyForcibly();
	}

	/**
	 * How often it counted, once it has ended.
	 */
	long counted() throws IOException {
		BufferedReader said = this.process.inputReader();
		return said.lines().filter("counted"::equals).count();
	}

	int exit() throws InterruptedException {
		return this.process.waitFor();
	}

}
