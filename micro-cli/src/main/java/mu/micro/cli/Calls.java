package mu.micro.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Predicate;

import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.DynamicMessage;
import mu.micro.MicroException;
import mu.micro.grpc.Json;
import mu.micro.grpc.Schema;
import org.jspecify.annotations.Nullable;

/**
 * Calls to services: {@code call}, {@code stream}, and services as commands.
 */
final class Calls {

	private static final int MAX_INPUT = 64 * 1024 * 1024;

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
			Schema schema = proxy.schema(service);
			MethodDescriptor method = new Endpoints(service, schema).named(endpoint);
			if (!streams && (method.isClientStreaming() || method.isServerStreaming())) {
				throw Failure.usage(endpoint + " of '" + service + "' streams: use 'micro stream " + service + " "
						+ endpoint + "'.");
			}
			boolean lines = method.isClientStreaming() && (json == null || json.equals("-"));
			DynamicMessage request = (lines) ? null : parse(schema, method, (json != null) ? body(json) : "{}");
			new Exchange(proxy, this.terminal, service, schema, method).run(request);
		}
	}

	/**
	 * Runs a service as a command.
	 * @param service the service's name
	 * @param args the words and flags after it
	 */
	void command(String service, List<String> args) {
		boolean help = args.contains("--help") || args.contains("-h");
		int end = 0;
		while (end < args.size() && !args.get(end).startsWith("-")) {
			end++;
		}
		List<String> words = args.subList(0, end);
		List<String> written = args.subList(end, args.size())
			.stream()
			.filter((arg) -> !arg.equals("--help") && !arg.equals("-h"))
			.toList();
		// Where the proxy is must be known before the service's flags can be.
		Predicate<String> notAddress = (name) -> !name.equals(Options.PROXY_ADDRESS);
		Options.Split reached = this.terminal.options().split(written, notAddress);
		try (Proxy proxy = new Proxy(reached.options())) {
			Schema schema = proxy.schema(service);
			Endpoints endpoints = new Endpoints(service, schema);
			Terminal here = this.terminal.with(reached.options());
			if (words.isEmpty() && (help || args.isEmpty())) {
				new Usage(here, service, schema).service(proxy.service(service, false));
				return;
			}
			MethodDescriptor method = endpoints.find(words);
			if (help) {
				new Usage(here, service, schema).endpoint(method);
				return;
			}
			Flags flags = new Flags(schema, method.getInputType());
			Options.Split split = reached.options().split(reached.rest(), flags::has);
			boolean lines = method.isClientStreaming() && split.rest().isEmpty();
			DynamicMessage request = (lines) ? null : flags.parse(split.rest());
			new Exchange(proxy.with(split.options()), this.terminal.with(split.options()), service, schema, method)
				.run(request);
		}
	}

	private String body(String json) {
		try {
			if (json.equals("-")) {
				return read(this.terminal.in(), "standard input");
			}
			if (json.startsWith("@")) {
				try (InputStream file = Files.newInputStream(Path.of(json.substring(1)))) {
					return read(file, json.substring(1));
				}
			}
			return json;
		}
		catch (IOException | IllegalArgumentException ex) {
			throw new Failure(Failure.USAGE,
					"Cannot read '" + Terminal.plain(json) + "': check that the file is there.", ex);
		}
	}

	private static String read(InputStream in, String name) throws IOException {
		byte[] bytes = in.readNBytes(MAX_INPUT + 1);
		if (bytes.length > MAX_INPUT) {
			throw Failure.usage("The request in " + name + " is larger than 64 MB.");
		}
		return new String(bytes, StandardCharsets.UTF_8);
	}

	private static DynamicMessage parse(Schema schema, MethodDescriptor method, String json) {
		try {
			return Json.parse(schema, method.getInputType(), json);
		}
		catch (MicroException.Invalid ex) {
			throw Failure.usage("The request is " + Terminal.plain(String.valueOf(ex.getMessage())));
		}
	}

}
