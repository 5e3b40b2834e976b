package mu.micro.local;

import java.io.FileInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;

/**
 * One open registry, and the process it lives in. Its text is fit for a file name.
 *
 * @param scope where the process id means something: the same for all processes that see
 * each other's ids. It starts with the unit of the start time, which on Linux is clock
 * ticks, because wall clock is stepped
 * @param pid the process id
 * @param start when the process started; 0 if nobody knows
 * @param random distinguishes the registries of one process
 */
record Node(String scope, long pid, long start, String random) {

	private static final String TICKS = "t";

	private static final String MILLIS = "m";

	private static final Pattern TEXT = Pattern
		.compile("([" + TICKS + MILLIS + "][0-9a-f]{16})-(\\d{1,18})-(\\d{1,18})-([0-9a-f]{16})");

	private static final Path PROC = Path.of("/proc");

	/**
	 * What Linux calls the state of a process that has ended and was not waited for.
	 */
	private static final String ZOMBIE = "Z";

	/**
	 * Where the start time stands among the fields from the state on.
	 */
	private static final int START_FIELD = 19;

	private static final int STAT_BYTES = 1024;

	private static final long TOLERANCE_MILLIS = 2000;

	/**
	 * A new node of this process.
	 * @param random what distinguishes it
	 * @return the node
	 */
	static Node create(UUID random) {
		long pid = ProcessHandle.current().pid();
		try {
			Path namespace = Files.readSymbolicLink(PROC.resolve("self/ns/pid"));
			String boot = Files.readString(PROC.resolve("sys/kernel/random/boot_id"));
			Long start = startTicks(pid);
			if (start != null) {
				return new Node(TICKS + hash(boot + namespace), pid, start, hex(random));
			}
		}
		catch (IOException | UnsupportedOperationException ex) {
			// Not Linux, or it does not show all of this: go on with what Java knows.
		}
		long start = startMillis(ProcessHandle.current()).orElse(0L);
		return new Node(MILLIS + hash(hostName()), pid, start, hex(random));
	}

	/**
	 * Reads what {@link #toString()} wrote.
	 * @param text any text
	 * @return the node, or null if the text is none
	 */
	static @Nullable Node parse(String text) {
		Matcher matcher = TEXT.matcher(text);
		return matcher.matches() ? new Node(matcher.group(1), Long.parseLong(matcher.group(2)),
				Long.parseLong(matcher.group(3)), matcher.group(4)) : null;
	}

	/**
	 * Whether another node lives in the same process.
	 * @param other the other node
	 * @return whether it does
	 */
	boolean sameProcess(Node other) {
		return this.scope.equals(other.scope) && this.pid == other.pid && this.start == other.start;
	}

	/**
	 * Whether the process of another node is known to have ended.
	 * @param other the other node
	 * @return whether it has; false where its process id means nothing here
	 */
	boolean knowsDead(Node other) {
		if (!this.scope.equals(other.scope) || sameProcess(other)) {
			return false;
		}
		if (this.scope.startsWith(TICKS)) {
			try {
				Long start = startTicks(other.pid);
				return start == null || start != other.start;
			}
			catch (IOException ex) {
				return false;
			}
		}
		Optional<ProcessHandle> process = ProcessHandle.of(other.pid).filter(ProcessHandle::isAlive);
		long start = process.flatMap(Node::startMillis).orElse(other.start);
		return process.isEmpty() || (other.start != 0 && Math.abs(start - other.start) > TOLERANCE_MILLIS);
	}

	@Override
	public String toString() {
		return this.scope + "-" + this.pid + "-" + this.start + "-" + this.random;
	}

	// Asked several times a second for each node, hence by hand.
	private static @Nullable Long startTicks(long pid) throws IOException {
		byte[] bytes = new byte[STAT_BYTES];
		int length;
		try (InputStream stat = new FileInputStream("/proc/" + pid + "/stat")) {
			length = stat.read(bytes);
		}
		catch (FileNotFoundException ex) {
			return null;
		}
		String text = new String(bytes, 0, Math.max(length, 0), StandardCharsets.ISO_8859_1);
		// The command before the state is in parentheses and may hold anything.
		int at = text.lastIndexOf(')') + 2;
		if (text.startsWith(ZOMBIE, at)) {
			return null;
		}
		for (int field = 0; field < START_FIELD; field++) {
			at = text.indexOf(' ', at) + 1;
		}
		return Long.parseLong(text, at, text.indexOf(' ', at), 10);
	}

	private static Optional<Long> startMillis(ProcessHandle process) {
		return process.info().startInstant().map(Instant::toEpochMilli);
	}

	/**
	 * From the environment, because the resolver may take seconds.
	 */
	private static String hostName() {
		return System.getenv().getOrDefault("HOSTNAME", System.getenv().getOrDefault("COMPUTERNAME", "localhost"));
	}

	private static String hash(String text) {
		return hex(UUID.nameUUIDFromBytes(text.getBytes(StandardCharsets.UTF_8)));
	}

	private static String hex(UUID value) {
		return String.format("%016x", value.getMostSignificantBits() ^ value.getLeastSignificantBits());
	}

}
