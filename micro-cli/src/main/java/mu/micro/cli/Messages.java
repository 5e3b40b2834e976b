package mu.micro.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;

import com.google.gson.JsonObject;
import mu.micro.Message;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * Messages as they are written on a command line and shown.
 */
final class Messages {

	/**
	 * More than a message may have, which says so itself.
	 */
	private static final int MAX_BODY = 2;

	private static final String HEADER = "--header";

	private Messages() {
	}

	/**
	 * Adds what says a message.
	 * @param spec the command
	 */
	static void add(CommandSpec spec) {
		spec.addPositional(Commands.positional("0", "1", "TOPIC", "The topic: any name."));
		spec.addPositional(Commands.positional("1", "1", "BODY",
				"What the message says; '-' reads standard input, '@FILE' a file, both as bytes."));
		spec.addOption(OptionSpec.builder(HEADER)
			.type(List.class)
			.auxiliaryTypes(String.class)
			.arity("1")
			.paramLabel("NAME=VALUE")
			.description("A header of the message; may be given several times.")
			.build());
	}

	/**
	 * Reads a message.
	 * @param terminal has standard input
	 * @param arguments what was written
	 * @return the message, under an id of its own
	 */
	static Message read(Terminal terminal, Arguments arguments) {
		Map<String, String> headers = new LinkedHashMap<>();
		List<String> written = arguments.parsed().matchedOptionValue(HEADER, List.of());
		for (String header : written) {
			int end = header.indexOf('=');
			if (end < 1) {
				throw Failure.usage(HEADER + " wants NAME=VALUE, not '" + Terminal.plain(header) + "'.");
			}
			headers.put(header.substring(0, end), header.substring(end + 1));
		}
		return Message.of(Input.read(terminal, arguments.words().get(1), "message's body", MAX_BODY))
			.withHeaders(headers);
	}

	/**
	 * Prints what a message says.
	 * @param terminal where to
	 * @param message the message
	 */
	static void print(Terminal terminal, Message message) {
		Content content = new Content(message.body());
		String text = content.printable();
		terminal.text((text != null) ? text : content.base64());
		if (text == null) {
			terminal.out().flush();
			terminal.err()
				.println("The message '" + Terminal.plain(message.id())
						+ "' is no plain text and is shown in base64: --output=json says so.");
		}
	}

	/**
	 * Writes a message as JSON.
	 * @param message the message
	 * @return the object
	 */
	static JsonObject json(Message message) {
		JsonObject json = new JsonObject();
		json.addProperty("id", message.id());
		JsonObject headers = new JsonObject();
		new TreeMap<>(message.headers()).forEach(headers::addProperty);
		json.add("headers", headers);
		Content content = new Content(message.body());
		String text = content.text();
		json.addProperty((text != null) ? "body" : "base64", (text != null) ? text : content.base64());
		return json;
	}

	/**
	 * Waits until all has come that was asked for.
	 * @param all counted down by what comes
	 */
	static void await(CountDownLatch all) {
		try {
			all.await();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

}
