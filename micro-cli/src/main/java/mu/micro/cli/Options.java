package mu.micro.cli;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;
import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;

/**
 * What every command takes.
 *
 * @param proxy where the proxy is, as it was written; from the environment unchecked
 * @param json whether output is for programs
 * @param timeout how long a call may take, if that was said
 * @param metadata what calls carry
 * @param stacktrace whether an error tells where it came from
 */
record Options(String proxy, boolean json, @Nullable Duration timeout, Map<String, String> metadata,
		boolean stacktrace) {

	static final String PROXY_ADDRESS = "proxy_address";

	static final String PROXY_VARIABLE = "MICRO_PROXY";

	static final String STACKTRACE = "stacktrace";

	static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(10);

	private static final Duration LONGEST_TIMEOUT = Duration.ofDays(365);

	/**
	 * All options but {@code --help}, which needs no value and ends the command.
	 */
	static final List<Option> ALL = List.of(
			new Option(PROXY_ADDRESS, "HOST:PORT",
					"Where Micro's proxy is (127.0.0.1:8081, or the environment's MICRO_PROXY)."),
			new Option("output", "FORMAT", "'text' for people or 'json' for programs (text)."),
			new Option("request_timeout", "TIME",
					"How long a call may take, such as 5s or 200ms (10s; streams have no limit)."),
			new Option("metadata", "KEY=VALUE", "Metadata that the call carries; may be repeated."),
			new Option(STACKTRACE, null, "Show where an error came from."));

	private static final int DEFAULT_PORT = 8081;

	private static final int MAX_PORT = 65535;

	private static final Pattern KEY = Pattern.compile("[0-9a-z_.-]+");

	Options {
		metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
	}

	/**
	 * What the environment says, else the defaults.
	 * @param environment the process's environment
	 * @return the options
	 */
	static Options of(Map<String, String> environment) {
		String proxy = environment.getOrDefault(PROXY_VARIABLE, "");
		return new Options((proxy.isEmpty()) ? "127.0.0.1:" + DEFAULT_PORT : proxy, false, null, Map.of(),
				!environment.getOrDefault("MICRO_STACKTRACE", "").isEmpty());
	}

	/**
	 * Changes one option.
	 * @param name the option's name, without dashes before it
	 * @param value its value
	 * @return the changed options
	 * @throws Failure if the value is wrong
	 */
	Options with(String name, String value) {
		return switch (name) {
			case PROXY_ADDRESS ->
				new Options(Address.of(value).toString(), this.json, this.timeout, this.metadata, this.stacktrace);
			case "output" -> new Options(this.proxy, json(value), this.timeout, this.metadata, this.stacktrace);
			case "request_timeout" -> new Options(this.proxy, this.json,
					Time.parse("--request_timeout", value, Duration.ofNanos(1), LONGEST_TIMEOUT, "up to a year"),
					this.metadata, this.stacktrace);
			case "metadata" -> withMetadata(value);
			case STACKTRACE -> new Options(this.proxy, this.json, this.timeout, this.metadata, true);
			default -> throw new IllegalArgumentException(name);
		};
	}

	private static boolean json(String value) {
		return switch (value) {
			case "json" -> true;
			case "text", "table" -> false;
			default -> throw Failure.usage("--output is 'text' or 'json', not '" + value + "'.");
		};
	}

	private Options withMetadata(String value) {
		int equals = value.indexOf('=');
		String key = (equals < 0) ? "" : value.substring(0, equals).toLowerCase(Locale.ROOT);
		String text = value.substring(equals + 1);
		if (!KEY.matcher(key).matches() || key.endsWith("-bin")
				|| text.chars().anyMatch((character) -> character < ' ' || character > '~')) {
			throw Failure.usage("--metadata wants key=value in printable ASCII, the key of letters, digits, '-', '_'"
					+ " and '.' and not ending in -bin, not '" + value + "'.");
		}
		return carrying(key, text);
	}

	/**
	 * Adds metadata, or replaces what is there under its key.
	 * @param key the key
	 * @param value the value
	 * @return the changed options
	 */
	Options carrying(String key, String value) {
		Map<String, String> changed = new LinkedHashMap<>(this.metadata);
		changed.put(key, value);
		return new Options(this.proxy, this.json, this.timeout, changed, this.stacktrace);
	}

	/**
	 * Takes the options out of what was written behind a service's name, where the
	 * service's own flags stand too.
	 * @param args what was written
	 * @param taken the names that the service uses itself, and that are left to it
	 * @return the changed options and what is left of the arguments, in their order
	 * @throws Failure if an option's value is missing or wrong
	 */
	Split split(List<String> args, Predicate<String> taken) {
		Options options = this;
		List<String> rest = new ArrayList<>();
		for (int i = 0; i < args.size(); i++) {
			String arg = args.get(i);
			int equals = arg.indexOf('=');
			String written = (equals < 0) ? arg : arg.substring(0, equals);
			Option option = find(written);
			if (option == null || taken.test(option.name)) {
				rest.add(arg);
			}
			else if (option.label == null) {
				options = options.with(option.name, "");
			}
			else if (equals >= 0) {
				options = options.with(option.name, arg.substring(equals + 1));
			}
			else if (i + 1 < args.size()) {
				options = options.with(option.name, args.get(++i));
			}
			else {
				throw Failure.usage(written + " needs a value: " + written + "=" + option.label + ".");
			}
		}
		return new Split(options, rest);
	}

	/**
	 * Finds an option.
	 * @param written as it stands on the command line, without its value
	 * @return the option, or null if it is none of these
	 */
	static @Nullable Option find(String written) {
		if (!written.startsWith("--")) {
			return null;
		}
		String name = written.substring(2).replace('-', '_');
		return ALL.stream().filter((option) -> option.name.equals(name)).findFirst().orElse(null);
	}

	/**
	 * How long something that ends by itself may take.
	 * @return the time said, else the default
	 */
	Duration limit() {
		return (this.timeout != null) ? this.timeout : DEFAULT_TIMEOUT;
	}

	/**
	 * The proxy's address.
	 * @return its host and port
	 * @throws Failure if the environment has a wrong one
	 */
	Address address() {
		try {
			return Address.of(this.proxy);
		}
		catch (Failure ex) {
			// An option's address was checked when it was read.
			throw Failure.usage(PROXY_VARIABLE + " in the environment: " + ex.getMessage());
		}
	}

	/**
	 * Where the proxy is.
	 *
	 * @param host its host, an IPv6 address without brackets
	 * @param port its port
	 */
	record Address(String host, int port) {

		static Address of(String written) {
			int colon = written.lastIndexOf(':');
			boolean alone = colon < 0 || written.endsWith("]");
			String host = (alone) ? written : written.substring(0, colon);
			boolean bracketed = host.startsWith("[") && host.endsWith("]");
			int port = (alone) ? DEFAULT_PORT : port(written.substring(colon + 1));
			if (host.isEmpty() || port < 1 || port > MAX_PORT || host.contains("/")
					|| (host.indexOf(':') >= 0 && !bracketed)) {
				throw Failure.usage("The proxy's address '" + Terminal.plain(written)
						+ "' is wrong: write it as host:port, such as 127.0.0.1:8081.");
			}
			return new Address((bracketed) ? host.substring(1, host.length() - 1) : host, port);
		}

		private static int port(String text) {
			return (text.matches("\\d{1,5}")) ? Integer.parseInt(text) : -1;
		}

		@Override
		public String toString() {
			return ((this.host.indexOf(':') >= 0) ? "[" + this.host + "]" : this.host) + ":" + this.port;
		}

	}

	/**
	 * One option.
	 *
	 * @param name as v3 spelled it, with underscores; dashes are read too
	 * @param label what its value is called, or null for an option without a value
	 * @param description for the help page
	 */
	record Option(String name, @Nullable String label, String description) {

		boolean hidden() {
			return this.name.equals(STACKTRACE);
		}

	}

	/**
	 * Options and what is left.
	 *
	 * @param options the options
	 * @param rest the other arguments
	 */
	record Split(Options options, List<String> rest) {
	}

}
