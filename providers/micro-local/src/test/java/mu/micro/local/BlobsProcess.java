package mu.micro.local;

import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import mu.micro.MicroException;
import mu.micro.blob.Blob;
import mu.micro.blob.Blobs;
import org.awaitility.Awaitility;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A process of its own that puts blobs, says on its standard output how that goes, and
 * ends when it is done, killed, or its parent is gone.
 */
public final class BlobsProcess implements AutoCloseable {

	private static final Duration PATIENCE = Duration.ofSeconds(60);

	private final Process process;

	private final Queue<String> said = new ConcurrentLinkedQueue<>();

	private final Thread listening = new Thread(this::listen);

	private BlobsProcess(Process process) {
		this.process = process;
		this.listening.setDaemon(true);
		this.listening.start();
	}

	/**
	 * Starts a process.
	 * @param wrapper what the command begins with, such as what limits the process
	 * @param directory where the blobs are
	 * @param job what it does: halt, fill, or the name it goes on putting blobs under
	 */
	static BlobsProcess start(List<String> wrapper, Path directory, String job) throws IOException {
		List<String> command = new ArrayList<>(wrapper);
		command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
		command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx128m", "-Xshare:auto", "-cp",
				System.getProperty("java.class.path"), BlobsProcess.class.getName(), directory.toString(), job));
		return new BlobsProcess(new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start());
	}

	private void listen() {
		try (BufferedReader lines = new BufferedReader(
				new InputStreamReader(this.process.getInputStream(), StandardCharsets.UTF_8))) {
			lines.lines().forEach(this.said::add);
		}
		catch (IOException | UncheckedIOException ex) {
			// Killed.
		}
	}

	List<String> said() {
		return List.copyOf(this.said);
	}

	/**
	 * Waits until it has said so many lines.
	 */
	void awaitLines(int count) {
		Awaitility.await()
			.atMost(PATIENCE)
			.pollInterval(Duration.ofMillis(1))
			.until(() -> this.said.size() >= count || !this.process.isAlive());
		assertThat(this.process.isAlive()).isTrue();
	}

	/**
	 * Waits until it has ended and all it said is known.
	 */
	List<String> await() throws InterruptedException {
		assertThat(this.process.waitFor(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)).isTrue();
		this.listening.join(PATIENCE.toMillis());
		return said();
	}

	/**
	 * Ends the process as SIGKILL does.
	 */
	void kill() throws InterruptedException {
		// Its streams stay open: what it said last is still to be read.
		this.process.toHandle().destroyForcibly();
		await();
	}

	@Override
	public void close() throws InterruptedException {
		kill();
	}

	public static void main(String[] args) throws Exception {
		Thread orphan = new Thread(BlobsProcess::endWithTheParent);
		orphan.setDaemon(true);
		orphan.start();
		try (FileBlobs blobs = new FileBlobs(Path.of(args[0]), Clock.systemUTC())) {
			Blobs mine = blobs.in("ns");
			switch (args[1]) {
				case "halt" -> mine.put("key", "text/plain", new Halting());
				case "fill" -> fill(mine);
				default -> goOn(mine, args[1]);
			}
		}
	}

	private static void goOn(Blobs blobs, String name) throws IOException {
		for (int i = 0; true; i++) {
			String key = "key-" + i % 5;
			byte[] content = content(name + "-" + i);
			say(key + " " + blobs.put(key, name, new ByteArrayInputStream(content)).sha256());
		}
	}

	private static void fill(Blobs blobs) throws IOException {
		byte[] content = new byte[300_000];
		for (int i = 0; true; i++) {
			try {
				blobs.put("key-" + i, "text/plain", new ByteArrayInputStream(content));
			}
			catch (MicroException ex) {
				say(ex.getClass().getSimpleName() + " " + ex.getMessage());
				for (Blob blob : blobs.list("", "", 1000)) {
					say(blob.key());
				}
				return;
			}
		}
	}

	/**
	 * Some bytes, as many as may be.
	 */
	private static byte[] content(String seed) {
		int times = 1 + Math.floorMod(seed.hashCode(), 50_000);
		return seed.repeat(times).getBytes(StandardCharsets.UTF_8);
	}

	private static void endWithTheParent() {
		try {
			while (System.in.read() >= 0) {
				continue;
			}
		}
		catch (IOException ex) {
			// The same.
		}
		Runtime.getRuntime().halt(9);
	}

	private static void say(String line) {
		System.out.println(line);
		System.out.flush();
	}

	/**
	 * Many bytes, and then nothing for ever.
	 */
	private static final class Halting extends InputStream {

		private int left = 1_000_000;

		@Override
		public int read() {
			if (this.left-- > 0) {
				return 'x';
			}
			say("halfway");
			try {
				new CountDownLatch(1).await();
			}
			catch (InterruptedException ex) {
				throw new IllegalStateException(ex);
			}
			return -1;
		}

	}

}
