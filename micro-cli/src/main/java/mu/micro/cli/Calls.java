package mu.micro.cli;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Predicate;

import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.DynamicMessage;
import mu.micro.grpc.Schema;
import org.jspecify.annotations.Nullable;

/**
 * Calls to services: {@code call}, {@code stream}, and services as commands.
 */
final class Calls {

	private static final int MAX_INPUT = 64;

	private final Terminal terminal;

	Calls(Terminal terminal) {
		this.terminal = terminal;
	}

	/**
	 * Calls an endpoint with JSON and prints what it returns.
	 * @param service the service's name
	 * @param endpoint such as {@code Helloworld.Call}
	 * @param json the request, {@code -} for standard input or {@code @} and a file's
	 * name; null for an empty request or, where the endpoint takes a stream of them,
	 * those on standard input
	 * @param streams whether the endpoint may be one that streams
	 */
	void json(String service, String endpoint, @Nullable String json, boolean streams) {
		try (Proxy proxy = new Proxy(this.terminal.options())) {
			Contracts.Offer offer = new Contracts(proxy, service).offer((endpoints) -> endpoints.named(endpoint));
			Schema schema = offer.schema();
			MethodDescriptor method = new Endpoints(service, schema).named(endpoint);
			if (!streams && (method.isClientStreaming() || method.isServerStreaming())) {
				throw Failure.usage(endpoint + " of '" + service + "' streams: use 'micro stream " + service + " "
						+ endpoint + "'.");
			}
			boolean lines = method.isClientStreaming() && (json == null || json.equals("-"));
			DynamicMessage request = (lines) ? null
					: Requests.parse(schema, method.getInputType(), (json != null) ? body(json) : "{}", "");
			new Exchange(proxy.with(offer.options()), this.terminal, service, schema, method).run(request);
		}
	}

	/**
	 * Runs a service as a command.
	 * @param service the service's name
	 * @param args the words and flags after it
	 */
	void command(String service, List<String> args) {
		int end = 0;
		while (end < args.size() && !args.get(end).startsWith("-")) {
			end++;
		}
		List<String> words = args.subList(0, end);
		// Where the proxy is must be known before the service's flags can be.
		Predicate<String> notAddress = (name) -> !name.equals(Options.PROXY_ADDRESS);
		Options.Split reached = this.terminal.options().split(args.subList(end, args.size()), notAddress);
		try (Proxy proxy = new Proxy(reached.options())) {
			Contracts contracts = new Contracts(proxy, service);
			boolean page = words.isEmpty() && (args.isEmpty() || asksHelp(reached.rest(), (flag) -> true));
			Contracts.Offer offer = contracts.offer((endpoints) -> {
				if (!page) {
					endpoints.find(words);
				}
			});
			Schema schema = offer.schema();
			Usage usage = new Usage(this.terminal.with(offer.options()), service, schema, contracts.versions());
			if (page) {
				usage.service();
				return;
			}
			MethodDescriptor method = new Endpoints(service, schema).find(words);
			Flags flags = new Flags(schema, method.getInputType());
			if (asksHelp(reached.rest(), flags::wantsValue)) {
				if (words.isEmpty()) {
					usage.service();
				}
				else {
					usage.endpoint(method);
				}
				return;
			}
			Options.Split split = offer.options().split(reached.rest(), flags::has);
			boolean lines = method.isClientStreaming() && split.rest().isEmpty();
			DynamicMessage request = (lines) ? null : flags.parse(split.rest());
			new Exchange(proxy.with(split.options()), this.terminal.with(split.options()), service, schema, method)
				.run(request);
		}
	}

	// A flag's value may be -h; one that starts with two dashes is written behind a '='.
	private static boolean asksHelp(List<String> args, Predicate<String> wantsValue) {
		for (int i = 0; i < args.size(); i++) {
			String before = (i > 0) ? args.get(i - 1) : "";
			if (args.get(i).equals("--help") || (args.get(i).equals("-h") && !isFlagWithValue(before, wantsValue))) {
				return true;
			}
		}
		return false;
	}

	private static boolean isFlagWithValue(String arg, Predicate<String> wantsValue) {
		if (!arg.startsWith("--") || arg.indexOf('=') >= 0) {
			return false;
		}
		Options.Option option = Options.find(arg);
		return (option != null) ? option.label() != null : wantsValue.test(arg);
	}

	private String body(String json) {
		return new String(Input.read(this.terminal, json, "request", MAX_INPUT), StandardCharsets.UTF_8);
	}

}
