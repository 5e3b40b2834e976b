package mu.micro.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URLConnection;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import mu.micro.Limits;
import mu.micro.MicroException;
import mu.micro.blob.Blob;
import mu.micro.blob.BlobContent;
import mu.micro.blob.Blobs;
import mu.micro.remote.RemoteBlobs;
import picocli.CommandLine.Model.CommandSpec;

/**
 * Files that services keep: {@code blob}.
 */
final class BlobCommands {

	private static final String SERVICE = "store";

	private static final int BUFFER = 64 * 1024;

	private final Terminal terminal;

	private final Arguments arguments;

	/**
	 * A blob command.
	 * @param terminal where to read and print
	 * @param arguments what was written behind the command
	 */
	BlobCommands(Terminal terminal, Arguments arguments) {
		this.terminal = terminal;
		this.arguments = arguments;
	}

	/**
	 * Adds the commands.
	 * @param blob the command above them
	 */
	static void add(CommandSpec blob) {
		CommandSpec put = Commands.spec("put", "Put a file in the place of what was there.");
		put.addPositional(Commands.positional("0", "1", "KEY", "The blob's key."));
		put.addPositional(Commands.positional("1", "1", "FILE", "The file; '-' is standard input."));
		put.addOption(Commands.option("TYPE", "What it is, such as image/png (guessed from the name).",
				"--content-type", "-t"));
		put.usageMessage().footer("", "Such as: micro blob put reports/may.pdf may.pdf");
		blob.addSubcommand("put", put.addOption(Arguments.namespace("-d")));
		CommandSpec get = Commands.spec("get", "Write a blob to a file or to standard output, as it is.");
		get.addPositional(Commands.positional("0", "1", "KEY", "The blob's key."));
		get.addPositional(Commands.positional("1", "0..1", "FILE",
				"The file, replaced when the blob is there whole; '-', as when left out, is standard output."));
		blob.addSubcommand("get", get.addOption(Arguments.namespace("-d")));
		CommandSpec list = Commands.spec("list", "List the keys.");
		list.addPositional(Commands.positional("0", "0..1", "PREFIX", "What the keys begin with."));
		list.addOption(Commands.option("NUMBER", "How many at most (all).", "--limit", "-l"));
		list.addOption(Commands.option("KEY", "Begin after this key, in the order of the list; it need not be there.",
				"--after"));
		list.addOption(Commands.option(null, "Show sizes, content types and times too.", "--verbose", "-v"));
		blob.addSubcommand("list", list.addOption(Arguments.namespace("-d")));
		CommandSpec delete = Commands.spec("delete", "Delete one blob.");
		delete.addPositional(Commands.positional("0", "1", "KEY", "The blob's key."));
		blob.addSubcommand("delete", delete.addOption(Arguments.namespace("-d")));
	}

	/**
	 * Runs the command.
	 */
	void run() {
		switch (this.arguments.parsed().commandSpec().name()) {
			case "put" -> put();
			case "get" -> get();
			case "list" -> list();
			default -> delete();
		}
	}

	private void use(Consumer<Blobs> work) {
		String namespace = namespace();
		CoreService.use(this.terminal.options(), SERVICE, RemoteBlobs::new,
				(blobs) -> work.accept(blobs.in(namespace)));
	}

	private String namespace() {
		return this.arguments.namespace(this.terminal.environment());
	}

	private String key() {
		return this.arguments.words().get(0);
	}

	private Failure missing() {
		return new Failure(Failure.ANSWER,
				"There is no blob '" + Terminal.name(key()) + "' in '" + Terminal.plain(namespace()) + "'.");
	}

	private void put() {
		String file = this.arguments.words().get(1);
		boolean standard = file.equals("-");
		String guessed = URLConnection.guessContentTypeFromName((standard) ? key() : file);
		String type = this.arguments.text("--content-type", (guessed != null) ? guessed : Blobs.OCTET_STREAM);
		try (InputStream content = (standard) ? this.terminal.in() : Files.newInputStream(Path.of(file))) {
			use((blobs) -> {
				Blob put = put(blobs, type, content, file);
				if (this.terminal.options().json()) {
					this.terminal.json(json(put));
				}
			});
		}
		catch (IOException | InvalidPathException ex) {
			throw Input.unreadable(file, file, ex);
		}
	}

	private Blob put(Blobs blobs, String type, InputStream content, String file) {
		try {
			return blobs.put(key(), type, content);
		}
		catch (IOException ex) {
			throw Input.unreadable(file, file, ex);
		}
	}

	private void get() {
		List<String> words = this.arguments.words();
		String file = (words.size() > 1) ? words.get(1) : "-";
		boolean standard = file.equals("-");
		if (standard && this.terminal.options().json()) {
			throw Failure.usage("A blob on standard output is what it is: name a file, or leave out --output=json.");
		}
		use((blobs) -> {
			try (BlobContent content = blobs.get(key())) {
				if (content == null) {
					throw missing();
				}
				if (standard) {
					copy(content, this.terminal.bytes());
				}
				else {
					WholeFile.write(Path.of(file), (out) -> copy(content, out));
				}
				if (this.terminal.options().json()) {
					this.terminal.json(json(content.blob()));
				}
			}
			catch (IOException | InvalidPathException ex) {
				throw new Failure(Failure.OTHER, (standard)
						? "The blob is not whole: nobody took all that was written to standard output."
						: "Cannot write the blob to '" + Terminal.plain(file)
								+ "'; see that there is room, and that the folder is there and yours to write to.",
						ex);
			}
		});
	}

	private static long copy(BlobContent content, OutputStream out) throws IOException {
		byte[] buffer = new byte[BUFFER];
		for (int read = read(content, buffer); read >= 0; read = read(content, buffer)) {
			out.write(buffer, 0, read);
		}
		return content.blob().size();
	}

	// What cannot be read is told from what cannot be written.
	private static int read(BlobContent content, byte[] buffer) {
		try {
			return content.stream().read(buffer);
		}
		catch (IOException ex) {
			if (ex.getCause() instanceof MicroException cause) {
				throw cause;
			}
			throw new Failure(Failure.ANSWER,
					"The blob is not whole: " + Terminal.plain(String.valueOf(ex.getMessage())) + ".", ex);
		}
	}

	private void list() {
		List<String> words = this.arguments.words();
		String prefix = (words.isEmpty()) ? "" : words.get(0);
		long limit = this.arguments.number("--limit", 0, 0, Long.MAX_VALUE);
		use((blobs) -> {
			JsonItems json = new JsonItems(this.terminal);
			long left = (limit > 0) ? limit : Long.MAX_VALUE;
			String after = this.arguments.text("--after", "");
			boolean first = true;
			while (left > 0) {
				int wanted = (int) Math.min(left, Limits.PAGE);
				List<Blob> page = blobs.list(prefix, after, wanted);
				print(page, json, first);
				if (this.terminal.out().checkError()) {
					return;
				}
				first = false;
				left = (page.size() < wanted) ? 0 : left - wanted;
				after = (page.isEmpty()) ? after : page.get(page.size() - 1).key();
			}
			if (this.terminal.options().json()) {
				json.end();
			}
		});
	}

	private void print(List<Blob> page, JsonItems json, boolean header) {
		boolean verbose = this.arguments.has("--verbose");
		if (this.terminal.options().json()) {
			page.forEach((blob) -> json.add((verbose) ? json(blob) : new JsonPrimitive(blob.key())));
			return;
		}
		if (!verbose) {
			page.forEach((blob) -> this.terminal.out().println(Terminal.name(blob.key())));
			return;
		}
		List<List<String>> rows = new ArrayList<>();
		if (header) {
			rows.add(List.of("KEY", "SIZE", "TYPE", "TIME"));
		}
		for (Blob blob : page) {
			rows.add(List.of(Terminal.name(blob.key()), String.valueOf(blob.size()), blob.contentType(),
					blob.time().toString()));
		}
		this.terminal.table(rows);
	}

	private static JsonObject json(Blob blob) {
		JsonObject json = new JsonObject();
		json.addProperty("key", blob.key());
		json.addProperty("contentType", blob.contentType());
		json.addProperty("size", blob.size());
		json.addProperty("time", blob.time().toString());
		json.addProperty("sha256", blob.sha256());
		return json;
	}

	private void delete() {
		use((blobs) -> {
			if (!blobs.delete(key())) {
				throw missing();
			}
		});
	}

}
