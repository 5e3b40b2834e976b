package mu.micro.cli;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import mu.micro.Limits;
import mu.micro.core.Pages;
import mu.micro.remote.RemoteDatabases;
import mu.micro.store.Databases;
import mu.micro.store.Entry;
import mu.micro.store.Query;
import mu.micro.store.Store;
import mu.micro.store.When;
import mu.micro.store.Write;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * What services keep: {@code store}.
 */
final class StoreCommands {

	private static final String SERVICE = "store";

	private static final Duration SHORTEST_EXPIRY = Duration.ofMillis(1);

	private static final Duration LONGEST_EXPIRY = Duration.ofDays(36_500);

	private static final int MAX_VALUE = Limits.VALUE / (1024 * 1024);

	private final Terminal terminal;

	private final Clock clock;

	private final Arguments arguments;

	/**
	 * A store command.
	 * @param terminal where to read and print
	 * @param clock tells how long entries stay
	 * @param arguments what was written behind the command
	 */
	StoreCommands(Terminal terminal, Clock clock, Arguments arguments) {
		this.terminal = terminal;
		this.clock = clock;
		this.arguments = arguments;
	}

	/**
	 * Adds the commands.
	 * @param store the command above them
	 */
	static void add(CommandSpec store) {
		store.addSubcommand("read", read());
		store.addSubcommand("write", write());
		store.addSubcommand("list", list());
		CommandSpec delete = Commands.spec("delete", "Delete one entry.");
		delete.addPositional(Commands.positional("0", "1", "KEY", "The entry's key."));
		store.addSubcommand("delete", place(delete));
		store.addSubcommand("databases", Commands.spec("databases", "List the namespaces that have an entry."));
		CommandSpec tables = Commands.spec("tables", "List the tables that have an entry.");
		store.addSubcommand("tables", tables.addOption(database()));
		CommandSpec snapshot = Commands.spec("snapshot",
				"Write all entries of all tables of a namespace to a file, as they are at one moment.");
		snapshot.addPositional(Commands.positional("0", "0..1", "FILE", "The file, replaced when the snapshot is whole;"
				+ " '-' is standard output. It is JSON Lines, with values in base64."));
		snapshot.addOption(uri("--destination"));
		store.addSubcommand("snapshot", snapshot.addOption(database()));
		CommandSpec restore = Commands.spec("restore", "Write what is in a snapshot, if it is whole.");
		restore.addPositional(Commands.positional("0", "0..1", "FILE",
				"The file; '-' is standard input. Entries under other keys stay as they are, and what has expired since"
						+ " is left out."));
		restore.addOption(uri("--source"));
		store.addSubcommand("restore", restore.addOption(database()));
	}

	private static CommandSpec read() {
		CommandSpec read = Commands.spec("read", "Print the value of one entry, or of all with --prefix or --suffix.");
		read.addPositional(Commands.positional("0", "1", "KEY", "The entry's key."));
		read.addOption(Commands.option(null, "Read all entries whose keys begin with KEY.", "--prefix", "-p"));
		read.addOption(Commands.option(null, "Read all entries whose keys end with KEY.", "--suffix", "-s"));
		window(read);
		read.addOption(Commands.option(null, "Show keys, expiries and revisions too, and of long values the beginning.",
				"--verbose", "-v"));
		read.addOption(Commands.option(null, "Write the bytes of one value as they are.", "--raw"));
		return place(read);
	}

	private static CommandSpec write() {
		CommandSpec write = Commands.spec("write", "Write one entry, whatever was there.");
		write.addPositional(Commands.positional("0", "1", "KEY", "The entry's key."));
		write.addPositional(Commands.positional("1", "1", "VALUE",
				"The value; '-' reads standard input, '@FILE' a file, both as bytes."));
		write.addOption(Commands.option("TIME", "How long the entry stays, such as 10s, 500ms or 1h30m (for ever).",
				"--expiry", "-e"));
		write.addOption(Commands.option("REVISION",
				"Write only if the entry has this revision, which 'read --verbose' shows.", "--when-revision"));
		write.addOption(Commands.option(null, "Write only if there is no entry.", "--if-absent"));
		write.usageMessage().footer("", "Such as: micro store write greeting hello --expiry 1h");
		return place(write);
	}

	private static CommandSpec list() {
		CommandSpec list = Commands.spec("list", "List the keys.");
		list.addOption(Commands.option("TEXT", "What the keys begin with.", "--prefix", "-p"));
		list.addOption(Commands.option("TEXT", "What the keys end with.", "--suffix", "-s"));
		window(list);
		list.addOption(Commands.option("KEY", "Begin after this key, in the order of the list; it need not be there.",
				"--after"));
		return place(list);
	}

	private static void window(CommandSpec spec) {
		spec.addOption(Commands.option("NUMBER", "How many at most (all).", "--limit", "-l"));
		spec.addOption(Commands.option("NUMBER", "How many to leave out before (0).", "--offset", "-o"));
		spec.addOption(Commands.option("ORDER", "'asc' or 'desc', by the bytes of the keys (asc).", "--order"));
	}

	private static CommandSpec place(CommandSpec spec) {
		spec.addOption(Commands.option("NAME", "The table (micro).", "--table", "-t"));
		return spec.addOption(database());
	}

	private static OptionSpec database() {
		return Arguments.namespace("--database", "-d");
	}

	private static OptionSpec uri(String name) {
		return Commands.option("URI", "The file as file://PATH, as in Micro v3.", name);
	}

	/**
	 * Runs the command.
	 */
	void run() {
		switch (this.arguments.parsed().commandSpec().name()) {
			case "read" -> runRead();
			case "write" -> runWrite();
			case "list" -> runList();
			case "delete" -> runDelete();
			case "databases" -> use((databases) -> names(databases.names()));
			case "tables" -> {
				String namespace = namespace();
				use((databases) -> names(databases.in(namespace).tables()));
			}
			default -> runSnapshot();
		}
	}

	private void use(Consumer<Databases> work) {
		CoreService.use(this.terminal.options(), SERVICE, RemoteDatabases::new, work::accept);
	}

	private void useTable(Consumer<Store> work) {
		String namespace = namespace();
		String table = table();
		use((databases) -> work.accept(databases.in(namespace).table(table)));
	}

	private String namespace() {
		return this.arguments.namespace(this.terminal.environment());
	}

	private String table() {
		return this.arguments.text("--table", "micro");
	}

	private void names(Collection<String> names) {
		JsonItems json = new JsonItems(this.terminal);
		for (String name : names) {
			key(json, name);
		}
		end(json);
	}

	private void key(JsonItems json, String key) {
		if (this.terminal.options().json()) {
			json.add(new JsonPrimitive(key));
		}
		else {
			this.terminal.out().println(Terminal.name(key));
		}
	}

	private void end(JsonItems json) {
		if (this.terminal.options().json()) {
			json.end();
		}
	}

	private void runRead() {
		String key = this.arguments.words().get(0);
		boolean prefix = this.arguments.has("--prefix");
		boolean suffix = this.arguments.has("--suffix");
		boolean raw = this.arguments.has("--raw");
		if (raw && (prefix || suffix || this.arguments.has("--verbose") || this.terminal.options().json())) {
			throw Failure.usage("--raw writes one value and nothing else: leave out --prefix, --suffix, --verbose and"
					+ " --output=json.");
		}
		if (prefix || suffix) {
			useTable((table) -> readAll(pages(table, (prefix) ? key : "", (suffix) ? key : "", "", false)));
			return;
		}
		for (String option : List.of("--limit", "--offset", "--order")) {
			if (this.arguments.has(option)) {
				throw Failure.usage(option + " is for reading many entries: it goes with --prefix or --suffix.");
			}
		}
		useTable((table) -> readOne(key, table.get(key), raw));
	}

	private void readOne(String key, @Nullable Entry entry, boolean raw) {
		if (entry == null) {
			throw missing(key);
		}
		if (raw) {
			this.terminal.out().write(entry.value(), 0, entry.value().length);
		}
		else if (this.terminal.options().json()) {
			this.terminal.json(json(entry));
		}
		else {
			print(List.of(entry), true);
		}
	}

	private Failure missing(String key) {
		return new Failure(Failure.ANSWER, "There is no entry '" + Terminal.name(key) + "' in the table '"
				+ Terminal.plain(table()) + "' of '" + Terminal.plain(namespace()) + "'.");
	}

	private void readAll(Pages pages) {
		JsonItems json = new JsonItems(this.terminal);
		boolean first = true;
		for (List<Entry> page = pages.next(); !page.isEmpty(); page = pages.next()) {
			if (this.terminal.options().json()) {
				page.forEach((entry) -> json.add(json(entry)));
			}
			else {
				print(page, first);
			}
			first = false;
			if (this.terminal.out().checkError()) {
				return;
			}
		}
		end(json);
	}

	private void print(List<Entry> entries, boolean header) {
		if (!this.arguments.has("--verbose")) {
			entries.forEach(this::print);
			return;
		}
		List<List<String>> rows = new ArrayList<>();
		if (header) {
			rows.add(List.of("KEY", "VALUE", "EXPIRY", "REVISION"));
		}
		Instant now = this.clock.instant();
		for (Entry entry : entries) {
			Instant expires = entry.expires();
			rows.add(List.of(Terminal.name(entry.key()), new Content(entry.value()).cell(),
					(expires != null) ? Time.text(Duration.between(now, expires)) : "none",
					String.valueOf(entry.revision())));
		}
		this.terminal.table(rows);
	}

	private void print(Entry entry) {
		Content content = new Content(entry.value());
		String text = content.printable();
		this.terminal.text((text != null) ? text : content.base64());
		if (text == null) {
			this.terminal.out().flush();
			this.terminal.err()
				.println("The value of '" + Terminal.plain(entry.key())
						+ "' is no plain text and is shown in base64: --raw writes it as it is.");
		}
	}

	private static JsonObject json(Entry entry) {
		JsonObject json = new JsonObject();
		json.addProperty("key", entry.key());
		Content content = new Content(entry.value());
		String text = content.text();
		json.addProperty((text != null) ? "value" : "base64", (text != null) ? text : content.base64());
		json.addProperty("revision", entry.revision());
		Instant expires = entry.expires();
		json.add("expires", (expires != null) ? new JsonPrimitive(expires.toString()) : JsonNull.INSTANCE);
		JsonObject metadata = new JsonObject();
		new TreeMap<>(entry.metadata()).forEach(metadata::addProperty);
		json.add("metadata", metadata);
		return json;
	}

	private void runWrite() {
		List<String> words = this.arguments.words();
		boolean absent = this.arguments.has("--if-absent");
		if (absent && this.arguments.has("--when-revision")) {
			throw Failure.usage("--if-absent and --when-revision exclude each other.");
		}
		long revision = this.arguments.number("--when-revision", 0, 1, Long.MAX_VALUE);
		When when = (absent) ? When.ABSENT : (revision > 0) ? When.revision(revision) : When.ALWAYS;
		Duration expiry = this.arguments.time("--expiry", SHORTEST_EXPIRY, LONGEST_EXPIRY,
				"from 1ms to a hundred years");
		byte[] value = Input.read(this.terminal, words.get(1), "value", MAX_VALUE);
		useTable((table) -> {
			long written = table.put(new Write(words.get(0), value, when, expiry, Map.of()));
			if (this.terminal.options().json()) {
				JsonObject json = new JsonObject();
				json.addProperty("revision", written);
				this.terminal.json(json);
			}
		});
	}

	private void runList() {
		useTable((table) -> {
			JsonItems json = new JsonItems(this.terminal);
			Pages pages = pages(table, this.arguments.text("--prefix", ""), this.arguments.text("--suffix", ""),
					this.arguments.text("--after", ""), true);
			for (List<Entry> page = pages.next(); !page.isEmpty(); page = pages.next()) {
				page.forEach((entry) -> key(json, entry.key()));
				if (this.terminal.out().checkError()) {
					return;
				}
			}
			end(json);
		});
	}

	private void runDelete() {
		String key = this.arguments.words().get(0);
		useTable((table) -> {
			if (!table.delete(key)) {
				throw missing(key);
			}
		});
	}

	private void runSnapshot() {
		String namespace = namespace();
		Snapshots snapshots = new Snapshots(this.terminal, this.clock, namespace);
		boolean snapshot = this.arguments.parsed().commandSpec().name().equals("snapshot");
		String file = Snapshots.file(this.arguments.words(), (snapshot) ? "--destination" : "--source", this.arguments);
		use((databases) -> {
			if (snapshot) {
				snapshots.write(databases.in(namespace), file);
			}
			else {
				snapshots.restore(databases.in(namespace), file);
			}
		});
	}

	private Pages pages(Store table, String prefix, String suffix, String after, boolean keysOnly) {
		int offset = (int) this.arguments.number("--offset", 0, 0, Integer.MAX_VALUE);
		// Micro v3's 0 is no limit either.
		long limit = this.arguments.number("--limit", 0, 0, Long.MAX_VALUE);
		boolean descending = switch (this.arguments.text("--order", "asc")) {
			case "asc" -> false;
			case "desc" -> true;
			default -> throw Failure
				.usage("--order is 'asc' or 'desc', not '" + Terminal.plain(this.arguments.text("--order", "")) + "'.");
		};
		Query query = new Query(prefix, suffix, after, offset, Limits.PAGE, descending, keysOnly);
		return new Pages(table, query, limit);
	}

}
