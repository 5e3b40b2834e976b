package mu.micro.cli;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/**
 * What micro knows without asking a service, as picocli sees it. The model is built in
 * code, and only as much of it as a command line needs: reading annotations would cost a
 * good part of the start.
 */
final class Commands {

	/**
	 * The built-in commands, as the help page lists them.
	 */
	static final Map<String, String> ALL = all();

	/**
	 * Puts options that all commands have behind a command's own.
	 */
	private static final int COMMON = 1;

	private static final String FOOTER = "Exit codes: 0 done, 1 timed out or used wrongly, 2 not authorized,"
			+ " 3 endpoint written wrong, 4 no such service or Micro not reachable, 5 no such endpoint,"
			+ " 127 the service's error, 128 anything else.";

	private static final String[] SETTINGS = { "  --micro.gateway.port=8080       where HTTP and JSON are taken",
			"  --micro.proxy.port=8081         where gRPC is taken, and micro calls",
			"  --micro.server.port=10001       where the core services are",
			"  --micro.listen-address=IP       loopback; all addresses in the profile service",
			"  --micro.profile=local           local, service or test: defaults for the rest",
			"  --micro.namespace=micro         whose services these are",
			"  --micro.data-dir=~/.micro       where data is kept",
			"  --micro.server.services=LIST    core services to host, by name (all)",
			"  --micro.server.apps=LIST        gateway,proxy (in local both, else none)", "",
			"Each may be in the environment too, such as MICRO_GATEWAY_PORT, and every",
			"setting of the guide may stand here." };

	private Commands() {
	}

	private static Map<String, String> all() {
		Map<String, String> all = new LinkedHashMap<>();
		all.put("server", "Start Micro; Ctrl-C stops it.");
		all.put("services", "List the running services.");
		all.put("get", "Show one service: 'get service NAME'.");
		all.put("call", "Call an endpoint with JSON.");
		all.put("stream", "Call an endpoint that streams, with JSON.");
		all.put("store", "Read and write what services keep.");
		all.put("blob", "Put and get files that services keep.");
		all.put("config", "Read and change settings while services run.");
		all.put("broker", "Publish messages, and print those that come.");
		all.put("events", "Publish, read and consume messages that are kept.");
		all.put("lock", "Run a command while nobody else does.");
		all.put("debug", "Show the health and statistics of a service's nodes.");
		all.put("version", "Show the version.");
		all.put("help", "Show this page, or that of a command or service.");
		all.put("completion", "Print a script that completes commands in bash or zsh.");
		return Collections.unmodifiableMap(all);
	}

	/**
	 * The command line.
	 * @param names the built-in commands that are needed, others are ignored
	 * @return the parser, which leaves what is no built-in command to its positional
	 * parameters
	 */
	static CommandLine line(Iterable<String> names) {
		CommandSpec micro = spec("micro", "Micro's command line.");
		micro.addPositional(PositionalParamSpec.builder()
			.index("0..*")
			.arity("0..*")
			.type(List.class)
			.auxiliaryTypes(String.class)
			.hidden(true)
			.build());
		micro.parser().stopAtPositional(true);
		micro.usageMessage()
			.customSynopsis("micro [OPTIONS] COMMAND", "       micro [OPTIONS] SERVICE [ENDPOINT] [--FLAG VALUE]...")
			.footer("",
					"Every running service is a command too: 'micro helloworld --help' shows what it"
							+ " offers, 'micro helloworld --name Jane' calls Helloworld.Call. A program named micro-x"
							+ " on the PATH is the command x.",
					"", FOOTER);
		for (String name : names) {
			if (ALL.containsKey(name) && !micro.subcommands().containsKey(name)) {
				micro.addSubcommand(name, command(name));
			}
		}
		CommandLine line = new CommandLine(micro);
		line.setExpandAtFiles(false);
		line.setPosixClusteredShortOptionsAllowed(false);
		line.setInterpolateVariables(false);
		line.setColorScheme(CommandLine.Help.defaultColorScheme(Ansi.OFF));
		return line;
	}

	private static CommandSpec command(String name) {
		CommandSpec spec = spec(name, ALL.getOrDefault(name, ""));
		switch (name) {
			case "server" -> {
				spec.addPositional(
						positional("0..*", "0..*", "SETTING", "A setting of the server, such as those below."));
				spec.usageMessage()
					.customSynopsis("micro server [SETTING...]")
					.footerHeading("%nSettings, with what holds without them:%n")
					.footer(SETTINGS);
				spec.parser().stopAtPositional(true).unmatchedOptionsArePositionalParams(true);
			}
			case "get" -> {
				CommandSpec service = spec("service", "Show a service's versions, nodes and endpoints.");
				service.addPositional(positional("0", "1", "NAME", "The service's name."));
				spec.addSubcommand("service", service);
			}
			case "call", "stream" -> {
				spec.addPositional(positional("0", "1", "SERVICE", "The service's name."));
				spec.addPositional(positional("1", "1", "ENDPOINT", "Such as Helloworld.Call."));
				spec.addPositional(positional("2", "0..1", "JSON",
						"The request; '-' reads standard input, '@FILE' a file." + ((name.equals("call")) ? ""
								: " An endpoint that takes a stream reads standard input, one JSON object per"
										+ " line.")));
			}
			case "debug" -> {
				CommandSpec health = spec("health", "Show the health of each node.");
				health.addPositional(positional("0", "1", "SERVICE", "The service's name."));
				spec.addSubcommand("health", health);
				CommandSpec stats = spec("stats", "Show what each node has done and uses.");
				stats.addPositional(positional("0..*", "1..*", "SERVICE", "The services' names."));
				spec.addSubcommand("stats", stats);
			}
			case "help" ->
				spec.addPositional(positional("0..*", "0..*", "COMMAND", "A command, or a service and its endpoint."));
			case "completion" -> {
				spec.addPositional(positional("0", "0..1", "SHELL", "bash or zsh; the script is for both."));
				spec.usageMessage().footer("", "Try it with: source <(micro completion)");
			}
			case "store" -> StoreCommands.add(spec);
			case "blob" -> BlobCommands.add(spec);
			case "config" -> ConfigCommands.add(spec);
			case "broker" -> BrokerCommands.add(spec);
			case "events" -> EventsCommands.add(spec);
			case "lock" -> LockCommands.add(spec);
			default -> {
			}
		}
		return spec;
	}

	/**
	 * A command without parameters, and with the options that all have.
	 * @param name the command's name
	 * @param description what it does
	 * @return the command, to be added to
	 */
	static CommandSpec spec(String name, String description) {
		CommandSpec spec = CommandSpec.create().name(name);
		for (Options.Option option : (name.equals("server")) ? List.<Options.Option>of() : Options.ALL) {
			spec.addOption(option(option, option.name(), option.hidden()));
			if (option.name().indexOf('_') >= 0) {
				spec.addOption(option(option, option.name().replace('_', '-'), true));
			}
		}
		spec.addOption(OptionSpec.builder("--help", "-h")
			.usageHelp(true)
			.order(COMMON)
			.description("Show this page.")
			.build());
		if (name.equals("micro")) {
			spec.addOption(OptionSpec.builder("--version").versionHelp(true).description("Show the version.").build());
		}
		spec.usageMessage()
			.descriptionHeading("%n")
			.description(description)
			.optionListHeading("%nOptions:%n")
			.commandListHeading("%nCommands:%n")
			.abbreviateSynopsis(true)
			.sortOptions(false);
		if (!name.equals("micro")) {
			spec.usageMessage().parameterListHeading("%n");
		}
		return spec;
	}

	private static OptionSpec option(Options.Option option, String written, boolean hidden) {
		OptionSpec.Builder builder = OptionSpec.builder("--" + written)
			.description(option.description())
			.order(COMMON)
			.hidden(hidden);
		if (option.label() != null) {
			builder.type(List.class).auxiliaryTypes(String.class).arity("1").paramLabel(option.label());
		}
		return builder.build();
	}

	/**
	 * An option of one command, which stands before those that all have.
	 * @param label what its value is called, or null for an option without a value
	 * @param description for the help page
	 * @param names how it is written, with dashes
	 * @return the option
	 */
	static OptionSpec option(@Nullable String label, String description, String... names) {
		OptionSpec.Builder builder = OptionSpec.builder(names).description(description);
		if (label != null) {
			builder.type(String.class).arity("1").paramLabel(label);
		}
		return builder.build();
	}

	/**
	 * A word behind a command.
	 * @param index where it stands, from 0, or a range of that
	 * @param arity how many there are
	 * @param label what it is called
	 * @param description for the help page
	 * @return the parameter
	 */
	static PositionalParamSpec positional(String index, String arity, String label, String description) {
		return PositionalParamSpec.builder()
			.index(index)
			.arity(arity)
			.required(!arity.startsWith("0"))
			.type(List.class)
			.auxiliaryTypes(String.class)
			.paramLabel(label)
			.description(description)
			.build();
	}

	/**
	 * Reads the options of a parsed command line.
	 * @param options what held before
	 * @param parsed a command and those below it
	 * @return the changed options
	 * @throws Failure if one has a wrong value
	 */
	static Options options(Options options, CommandLine.ParseResult parsed) {
		Options read = options;
		for (OptionSpec option : parsed.matchedOptions()) {
			String name = option.longestName().substring(2).replace('-', '_');
			if (Options.ALL.stream().anyMatch((known) -> known.name().equals(name))) {
				for (String value : (option.typeInfo().isMultiValue()) ? option.stringValues() : List.of("")) {
					read = read.with(name, value);
				}
			}
		}
		return (parsed.hasSubcommand()) ? options(read, parsed.subcommand()) : read;
	}

}
