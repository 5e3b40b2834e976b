package mu.micro.cli;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

import com.google.gson.JsonElement;
import com.google.gson.JsonParser;
import mu.micro.MicroException;
import mu.micro.Subscription;
import mu.micro.config.Config;
import mu.micro.config.Json;
import mu.micro.core.JsonText;
import mu.micro.remote.RemoteConfig;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;

/**
 * Settings that change while services run: {@code config}.
 */
final class ConfigCommands {

	private static final String SERVICE = "config";

	private static final int MAX_VALUE = Config.DOCUMENT / (1024 * 1024);

	private final Terminal terminal;

	private final Arguments arguments;

	/**
	 * A config command.
	 * @param terminal where to read and print
	 * @param arguments what was written behind the command
	 */
	ConfigCommands(Terminal terminal, Arguments arguments) {
		this.terminal = terminal;
		this.arguments = arguments;
	}

	/**
	 * Adds the commands.
	 * @param config the command above them
	 */
	static void add(CommandSpec config) {
		CommandSpec get = Commands.spec("get", "Print what is set: a text as it is, all else as JSON.");
		get.addPositional(Commands.positional("0", "0..1", "PATH", "Such as db.pool.size; all without it."));
		get.addOption(Commands.option(null, "Print secrets, which are shown as [secret] otherwise.", "--secret", "-s"));
		config.addSubcommand("get", get.addOption(Arguments.namespace()));
		CommandSpec set = Commands.spec("set", "Set what is at a path. An object is merged into the one that is there;"
				+ " all else replaces what is there.");
		set.addPositional(Commands.positional("0", "1", "PATH", "Such as db.pool.size."));
		set.addPositional(Commands.positional("1", "1", "VALUE",
				"JSON, else it is a text; '-' reads standard input, '@FILE' a file, of which a last line break is left"
						+ " out."));
		set.addOption(Commands.option(null, "Encrypt it where it is kept.", "--secret", "-s"));
		set.usageMessage().footer("", "Such as: micro config set db.pool '{\"size\": 10}'");
		config.addSubcommand("set", set.addOption(Arguments.namespace()));
		CommandSpec del = Commands.spec("del", "Remove what is at a path.");
		del.addPositional(Commands.positional("0", "1", "PATH", "Such as db.pool."));
		config.addSubcommand("del", del.addOption(Arguments.namespace()));
		CommandSpec watch = Commands.spec("watch",
				"Print what is set now and after each change, each time as a line of JSON, which is null where nothing"
						+ " is set. Ctrl-C ends it.");
		watch.addPositional(Commands.positional("0", "0..1", "PATH", "Such as db.pool; all without it."));
		watch.addOption(
				Commands.option(null, "Print secrets, which are shown as [secret] otherwise.", "--secret", "-s"));
		config.addSubcommand("watch", watch.addOption(Arguments.namespace()));
	}

	/**
	 * Runs the command.
	 */
	void run() {
		List<String> words = this.arguments.words();
		String path = (words.isEmpty()) ? "" : words.get(0);
		boolean secret = this.arguments.has("--secret");
		switch (this.arguments.parsed().commandSpec().name()) {
			case "get" -> use((config) -> get(path, config.get(path, secret)));
			case "set" -> {
				Json value = value(words.get(1));
				use((config) -> config.set(path, value, secret));
			}
			case "del" -> {
				if (path.isEmpty()) {
					throw Failure.usage("The path is empty, which would remove everything: name what to remove.");
				}
				use((config) -> {
					if (!config.remove(path)) {
						throw missing(path);
					}
				});
			}
			default -> use((config) -> watch(config, path, secret));
		}
	}

	private void use(Consumer<Config> work) {
		String namespace = namespace();
		CoreService.use(this.terminal.options(), SERVICE, RemoteConfig::new,
				(configs) -> work.accept(configs.in(namespace)));
	}

	private String namespace() {
		return this.arguments.namespace(this.terminal.environment());
	}

	private void get(String path, @Nullable Json value) {
		if (value == null && !path.isEmpty()) {
			throw missing(path);
		}
		JsonElement json = (value != null) ? json(value) : JsonParser.parseString("{}");
		if (this.terminal.options().json()) {
			this.terminal.json(json);
		}
		else if (value instanceof Json.Text text && Content.printable(text.value())) {
			this.terminal.text(text.value());
		}
		else if (value instanceof Json.Struct) {
			this.terminal.indented(json);
		}
		else {
			this.terminal.json(json);
		}
	}

	private Failure missing(String path) {
		return new Failure(Failure.ANSWER, "Not found: nothing is set at '" + Terminal.plain(path) + "' in '"
				+ Terminal.plain(namespace()) + "'.");
	}

	private Json value(String written) {
		String text = new Content(Input.read(this.terminal, written, "value", MAX_VALUE)).text();
		if (text == null) {
			throw Failure.usage("The value in " + Terminal.plain(written) + " is no text in UTF-8.");
		}
		try {
			return JsonText.parse(text);
		}
		catch (MicroException.Invalid ex) {
			if (text.stripLeading().startsWith("{")) {
				throw new Failure(Failure.USAGE, "The value begins as a JSON object does, but " + ex.getMessage() + ".",
						ex);
			}
			return Json.of((Input.elsewhere(written)) ? text.replaceFirst("\\R\\z", "") : text);
		}
	}

	private void watch(Config config, String path, boolean secret) {
		// A watch waits for a service that is away; who has just started one is told.
		config.get(path, secret);
		CountDownLatch unheard = new CountDownLatch(1);
		Subscription watch = config.watch(path, secret, (value) -> {
			this.terminal.out().println((value != null) ? Terminal.line(json(value)) : "null");
			if (this.terminal.out().checkError()) {
				unheard.countDown();
			}
		});
		try (watch) {
			Duration timeout = this.terminal.options().timeout();
			if (timeout == null) {
				unheard.await();
			}
			else if (!unheard.await(timeout.toNanos(), TimeUnit.NANOSECONDS)) {
				throw new Failure(Failure.TIMEOUT, "The time that --request_timeout gave is over.");
			}
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new Failure(Failure.OTHER, "Interrupted.", ex);
		}
	}

	private static JsonElement json(Json value) {
		return JsonParser.parseString(JsonText.write(value));
	}

}
