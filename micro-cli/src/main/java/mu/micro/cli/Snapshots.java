package mu.micro.cli;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import com.google.gson.JsonObject;
import mu.micro.Limits;
import mu.micro.MicroException;
import mu.micro.store.Database;
import mu.micro.store.TableWrite;
import mu.micro.store.Write;
import org.jspecify.annotations.Nullable;

/**
 * Copies of a namespace's data: {@code store snapshot} and {@code store restore}.
 */
final class Snapshots {

	private static final int BUFFER = 256 * 1024;

	private final Terminal terminal;

	private final Clock clock;

	private final String namespace;

	/**
	 * Copies of the data of a namespace.
	 * @param terminal where to read and print
	 * @param clock tells how long entries stay
	 * @param namespace the namespace
	 */
	Snapshots(Terminal terminal, Clock clock, String namespace) {
		this.terminal = terminal;
		this.clock = clock;
		this.namespace = namespace;
	}

	/**
	 * The file that a command line names.
	 * @param words the words behind the command
	 * @param option the option that may name it instead
	 * @param arguments has the option
	 * @return a path, or {@code -} for the standard stream
	 * @throws Failure if it names none, or two, or one that is elsewhere
	 */
	static String file(List<String> words, String option, Arguments arguments) {
		String uri = arguments.text(option);
		if (words.isEmpty() == (uri == null)) {
			throw Failure.usage((words.isEmpty()) ? "No file is given: name one, or '-' for the standard stream."
					: "Two files are given: leave out " + option + ".");
		}
		if (uri == null) {
			return words.get(0);
		}
		try {
			if (uri.startsWith("file://")) {
				return Path.of(URI.create(uri)).toString();
			}
		}
		catch (IllegalArgumentException ex) {
			throw new Failure(Failure.USAGE, wrong(option, uri), ex);
		}
		throw Failure.usage(wrong(option, uri));
	}

	private static String wrong(String option, String uri) {
		return option + " wants a file on this machine, such as file:///tmp/store.jsonl, not '" + Terminal.plain(uri)
				+ "'.";
	}

	/**
	 * Writes all entries as they are at one moment.
	 * @param database where they are
	 * @param file where to write them; what is there is replaced when all are written
	 */
	void write(Database database, String file) {
		if (file.equals("-")) {
			try {
				write(database, this.terminal.bytes());
				return;
			}
			catch (UncheckedIOException | IOException ex) {
				throw new Failure(Failure.OTHER,
						"The snapshot is not whole: nobody took all that was written to standard output.", ex);
			}
		}
		try {
			Written written = WholeFile.write(Path.of(file), (out) -> write(database, out));
			tell(written, file);
		}
		catch (UncheckedIOException | IOException | InvalidPathException ex) {
			throw new Failure(Failure.OTHER, "Cannot write the snapshot to " + quoted(file)
					+ "; see that there is room, and that the folder is there and yours to write to.", ex);
		}
	}

	private Written write(Database database, OutputStream out) throws IOException {
		OutputStream buffer = new BufferedOutputStream(out, BUFFER);
		line(buffer, SnapshotLines.first(this.namespace, this.clock.instant().truncatedTo(ChronoUnit.MILLIS)));
		long[] entries = { 0 };
		long revision = database.snapshot((table, entry) -> {
			line(buffer, SnapshotLines.entry(table, entry));
			entries[0]++;
		});
		line(buffer, SnapshotLines.last(entries[0], revision));
		buffer.flush();
		return new Written(entries[0], revision);
	}

	private static void line(OutputStream out, String line) {
		try {
			out.write(line.getBytes(StandardCharsets.UTF_8));
			out.write('\n');
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	private void tell(Written written, String file) {
		if (this.terminal.options().json()) {
			JsonObject json = new JsonObject();
			json.addProperty("namespace", this.namespace);
			json.addProperty("entries", written.entries);
			json.addProperty("revision", written.revision);
			this.terminal.json(json);
		}
		else {
			this.terminal.out()
				.println("Wrote " + entries(written.entries) + " of " + quoted(this.namespace) + " to " + quoted(file)
						+ ".");
		}
	}

	/**
	 * Writes the entries of a snapshot that have not expired, if the snapshot is whole.
	 * @param database where to write them
	 * @param file where the snapshot is
	 */
	void restore(Database database, String file) {
		String name = (file.equals("-")) ? "standard input" : quoted(file);
		try {
			Path path = (file.equals("-")) ? null : Path.of(file);
			if (path != null && Files.isRegularFile(path)) {
				restore(database, path, name);
				return;
			}
			// What can be read once only is kept, to be checked before it is used.
			Path copy = Files.createTempFile("micro-restore-", ".jsonl");
			copy.toFile().deleteOnExit();
			try (InputStream in = (path != null) ? Files.newInputStream(path) : this.terminal.in()) {
				Files.copy(in, copy, StandardCopyOption.REPLACE_EXISTING);
				restore(database, copy, name);
			}
			finally {
				Files.deleteIfExists(copy);
			}
		}
		catch (IOException | InvalidPathException ex) {
			throw new Failure(Failure.USAGE, "Cannot read the snapshot in " + name
					+ ": check that the file is there, and that it is text in UTF-8.", ex);
		}
	}

	private void restore(Database database, Path path, String name) throws IOException {
		try (Reader reader = new Reader(path, name)) {
			SnapshotEntry entry = reader.next();
			while (entry != null) {
				entry = reader.next();
			}
		}
		Batch batch = new Batch(database, this.clock);
		try (Reader reader = new Reader(path, name)) {
			for (SnapshotEntry entry = reader.next(); entry != null; entry = reader.next()) {
				batch.add(entry);
			}
			batch.write();
		}
		catch (MicroException ex) {
			if (batch.written > 0) {
				this.terminal.err()
					.println("Before it failed, " + entries(batch.written)
							+ " were restored; restoring all of it again does no harm.");
			}
			throw ex;
		}
		tell(batch);
	}

	private void tell(Batch batch) {
		if (this.terminal.options().json()) {
			JsonObject json = new JsonObject();
			json.addProperty("namespace", this.namespace);
			json.addProperty("entries", batch.written);
			json.addProperty("expired", batch.expired);
			this.terminal.json(json);
		}
		else {
			this.terminal.out()
				.println("Restored " + entries(batch.written) + " into " + quoted(this.namespace)
						+ ((batch.expired > 0) ? "; left out " + batch.expired + " that had expired." : "."));
		}
	}

	private static String entries(long count) {
		return count + ((count == 1) ? " entry" : " entries");
	}

	private static String quoted(String name) {
		return "'" + Terminal.plain(name) + "'";
	}

	private record Written(long entries, long revision) {
	}

	/**
	 * A snapshot that is read from its beginning to its end.
	 */
	private static final class Reader implements AutoCloseable {

		private final InputStreamReader in;

		private final Lines lines;

		private final String name;

		private long entries;

		Reader(Path path, String name) throws IOException {
			this.in = new InputStreamReader(Files.newInputStream(path), StandardCharsets.UTF_8.newDecoder());
			this.lines = new Lines(this.in, name);
			this.name = name;
			SnapshotLines.checkFirst(this.lines.next(), name);
		}

		@Nullable SnapshotEntry next() throws IOException {
			String line = this.lines.next();
			if (line == null) {
				throw Failure.usage("The snapshot in " + this.name + " is not whole: it ends after "
						+ Snapshots.entries(this.entries) + ", without its last line.");
			}
			SnapshotEntry entry = SnapshotLines.read(line, this.lines.place());
			if (entry == null) {
				end(line);
				return null;
			}
			this.entries++;
			return entry;
		}

		private void end(String line) throws IOException {
			long expected = SnapshotLines.entries(line);
			if (expected != this.entries) {
				throw Failure.usage("The snapshot in " + this.name + " is damaged: it has "
						+ Snapshots.entries(this.entries) + ", and its last line says " + expected + ".");
			}
			if (this.lines.next() != null) {
				throw Failure.usage("The snapshot in " + this.name + " is damaged: it goes on after its last line.");
			}
		}

		@Override
		public void close() throws IOException {
			this.in.close();
		}

	}

	/**
	 * Entries that are written together.
	 */
	private static final class Batch {

		private final Database database;

		private final Clock clock;

		private final Map<Map.Entry<String, String>, TableWrite> writes = new LinkedHashMap<>();

		private long bytes;

		private long written;

		private long expired;

		Batch(Database database, Clock clock) {
			this.database = database;
			this.clock = clock;
		}

		void add(SnapshotEntry entry) {
			Instant expires = entry.expires();
			Duration left = (expires != null) ? Duration.between(this.clock.instant(), expires) : null;
			if (left != null && left.toMillis() < 1) {
				this.expired++;
				return;
			}
			if (this.writes.size() == Limits.BATCH || this.bytes + entry.value().length > Limits.BATCH_BYTES) {
				write();
			}
			this.bytes += entry.value().length;
			this.writes.put(Map.entry(entry.table(), entry.key()), new TableWrite(entry.table(),
					Write.put(entry.key(), entry.value()).withTtl(left).withMetadata(entry.metadata())));
		}

		void write() {
			if (!this.writes.isEmpty()) {
				this.database.apply(List.copyOf(this.writes.values()));
				this.written += this.writes.size();
				this.writes.clear();
				this.bytes = 0;
			}
		}

	}

}
