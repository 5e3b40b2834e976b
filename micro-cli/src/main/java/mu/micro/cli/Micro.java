package mu.micro.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

import com.google.gson.JsonObject;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * The {@code micro} command.
 */
public final class Micro {

	private final Map<String, String> environment;

	private final InputStream in;

	private final PrintStream out;

	private final PrintStream err;

	/**
	 * The command line in given surroundings. Programs it starts get the process's own
	 * standard streams.
	 * @param environment the environment, of which MICRO_PROXY, MICRO_STACKTRACE and PATH
	 * count
	 * @param in standard input
	 * @param out standard output
	 * @param err standard error
	 */
	public Micro(Map<String, String> environment, InputStream in, PrintStream out, PrintStream err) {
		this.environment = environment;
		this.in = in;
		this.out = out;
		this.err = err;
	}

	/**
	 * Runs one command and ends the process with its exit code.
	 * @param args the command line
	 */
	public static void main(String[] args) {
		new QuietStart();
		PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);
		PrintStream err = new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8);
		System.exit(new Micro(System.getenv(), System.in, out, err).run(args));
	}

	/**
	 * Runs one command.
	 * @param args the command line
	 * @return 0 if it was done; 1 if it timed out or was used wrongly, 2 if the caller is
	 * not authorized, 3 if the endpoint is written wrong, 4 if the service is unknown or
	 * Micro cannot be reached, 5 if the endpoint is unknown, 127 if the service answered
	 * with an error, 128 for anything else; or what the program ended with that ran in
	 * its place
	 */
	public int run(String... args) {
		try {
			return execute(args);
		}
		catch (Failure ex) {
			return failed(ex, args, ex.code(), String.valueOf(ex.getMessage()));
		}
		catch (RuntimeException | StackOverflowError | LinkageError ex) {
			return failed(ex, args, Failure.OTHER, "Something is wrong in micro itself (" + Terminal.plain("" + ex)
					+ "): see where with --stacktrace, and report it.");
		}
		finally {
			this.out.flush();
		}
	}

	private int failed(Throwable ex, String[] args, int code, String message) {
		this.out.flush();
		this.err.println(message);
		if (!this.environment.getOrDefault("MICRO_STACKTRACE", "").isEmpty()
				|| List.of(args).contains("--" + Options.STACKTRACE)) {
			ex.printStackTrace(this.err);
		}
		return code;
	}

	private int execute(String[] args) {
		ParseResult parsed;
		try {
			parsed = Commands.line(List.of(args)).parseArgs(args);
		}
		catch (ParameterException ex) {
			throw misused(ex);
		}
		List<String> command = new ArrayList<>();
		ParseResult last = parsed;
		while (last.hasSubcommand()) {
			last = last.subcommand();
			command.add(last.commandSpec().name());
		}
		Arguments arguments = new Arguments(last);
		List<String> words = arguments.words();
		Options options = Commands.options(Options.of(this.environment), parsed);
		Terminal terminal = new Terminal(options, this.environment, this.in, this.out, this.err);
		if (last.isUsageHelpRequested()) {
			return help(terminal, command);
		}
		if (parsed.isVersionHelpRequested()) {
			return version(terminal);
		}
		if (!command.isEmpty()) {
			return builtIn(terminal, command, arguments);
		}
		if (words.isEmpty()) {
			throw Failure.usage("No command is given; see 'micro help'.");
		}
		return other(terminal, words.get(0), words.subList(1, words.size()));
	}

	private static Failure misused(ParameterException ex) {
		String name = ex.getCommandLine().getCommandSpec().qualifiedName(" ");
		String help = name.replaceFirst("^micro", "micro help");
		CommandSpec spec = ex.getCommandLine().getCommandSpec();
		if (ex instanceof UnmatchedArgumentException unmatched && !spec.subcommands().isEmpty()
				&& !unmatched.getUnmatched().get(0).startsWith("-")) {
			String word = unmatched.getUnmatched().get(0);
			Set<String> known = spec.subcommands().keySet();
			String closest = Closest.to(word, known);
			if (closest == null && known.size() == 1) {
				closest = name + " " + known.iterator().next() + " " + Terminal.plain(word);
			}
			return new Failure(Failure.USAGE,
					"'" + name + "' has no command '" + Terminal.plain(word) + "'"
							+ ((closest != null) ? "; did you mean '" + closest + "'?" : ".") + " See '" + help + "'.",
					ex);
		}
		return new Failure(Failure.USAGE, Terminal.plain(String.valueOf(ex.getMessage())) + "; see '" + help + "'.",
				ex);
	}

	private int builtIn(Terminal terminal, List<String> command, Arguments arguments) {
		if (!arguments.parsed().commandSpec().subcommands().isEmpty()) {
			throw Failure.usage("'micro " + String.join(" ", command) + "' wants one more word; see 'micro help "
					+ String.join(" ", command) + "'.");
		}
		List<String> words = arguments.words();
		switch (command.get(0)) {
			case "server" -> {
				return Launch.server(words, this.environment);
			}
			case "services" -> new Listing(terminal).services();
			case "get" -> new Listing(terminal).service(words.get(0));
			case "call", "stream" -> new Calls(terminal).json(words.get(0), words.get(1),
					(words.size() > 2) ? words.get(2) : null, command.get(0).equals("stream"));
			case "debug" -> {
				Debugging debugging = new Debugging(terminal);
				if (command.get(1).equals("health")) {
					debugging.health(words.get(0));
				}
				else {
					debugging.stats(words);
				}
			}
			case "store" -> new StoreCommands(terminal, Clock.systemUTC(), arguments).run();
			case "blob" -> new BlobCommands(terminal, arguments).run();
			case "config" -> new ConfigCommands(terminal, arguments).run();
			case "broker" -> new BrokerCommands(terminal, arguments).run();
			case "events" -> new EventsCommands(terminal, Clock.systemUTC(), arguments).run();
			case "lock" -> {
				return new LockCommands(terminal, Clock.systemUTC(), arguments).run();
			}
			case "version" -> {
				return version(terminal);
			}
			case "help" -> {
				return help(terminal, words);
			}
			case "completion" -> {
				if (!words.isEmpty() && !List.of("bash", "zsh").contains(words.get(0))) {
					throw Failure
						.usage("There is completion for bash and zsh, not for '" + Terminal.plain(words.get(0)) + "'.");
				}
				this.out.print(Completion.script());
			}
			default -> throw new IllegalStateException(command.get(0));
		}
		return 0;
	}

	// What is not built in: a program of that name, else a running service.
	private int other(Terminal terminal, String name, List<String> args) {
		Path plugin = Launch.plugin(name, this.environment);
		if (plugin != null) {
			List<String> command = new ArrayList<>(List.of(plugin.toString()));
			command.addAll(args);
			Map<String, String> variables = new HashMap<>(this.environment);
			variables.put(Options.PROXY_VARIABLE, terminal.options().proxy());
			return Launch.run(command, variables);
		}
		try {
			new Calls(terminal).command(name, args);
			return 0;
		}
		catch (Failure.NoService ex) {
			String closest = Closest.to(name, Commands.ALL.keySet());
			throw new Failure(Failure.SERVICE,
					"'" + Terminal.plain(name) + "' is neither a command of micro nor a running service"
							+ ((closest != null) ? "; did you mean '" + closest + "'?" : ".")
							+ " See 'micro help' and 'micro services'.",
					ex);
		}
	}

	private int version(Terminal terminal) {
		String version = Micro.class.getPackage().getImplementationVersion();
		String known = (version != null) ? version : "unknown";
		if (terminal.options().json()) {
			JsonObject json = new JsonObject();
			json.addProperty("version", known);
			terminal.json(json);
		}
		else {
			this.out.println("micro version " + known);
		}
		return 0;
	}

	private int help(Terminal terminal, List<String> words) {
		if (!words.isEmpty() && !Commands.ALL.containsKey(words.get(0))) {
			List<String> args = new ArrayList<>(words.subList(1, words.size()));
			args.add("--help");
			return other(terminal, words.get(0), args);
		}
		CommandLine line = Commands.line((words.isEmpty()) ? Commands.ALL.keySet() : List.of(words.get(0)));
		for (String word : words) {
			CommandLine below = line.getSubcommands().get(word);
			if (below == null) {
				throw Failure.usage("'" + line.getCommandSpec().qualifiedName(" ") + "' has no command '"
						+ Terminal.plain(word) + "'.");
			}
			line = below;
		}
		line.usage(this.out, Ansi.OFF);
		return 0;
	}

}
