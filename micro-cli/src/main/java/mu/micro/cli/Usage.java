package mu.micro.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.MethodDescriptor;
import mu.micro.grpc.Schema;
import mu.micro.wire.registry.Node;
import mu.micro.wire.registry.Service;

/**
 * Help pages of running services.
 */
final class Usage {

	private static final int MAX_SUMMARY = 30;

	private final Terminal terminal;

	private final String service;

	private final Schema schema;

	private final List<Service> versions;

	/**
	 * Help on a service.
	 * @param terminal where to print; its options name the node that told the schema,
	 * where there are several contracts
	 * @param service the service's name
	 * @param schema what it offers
	 * @param versions its instances, as far as they are known
	 */
	Usage(Terminal terminal, String service, Schema schema, List<Service> versions) {
		this.terminal = terminal;
		this.service = service;
		this.schema = schema;
		this.versions = versions;
	}

	/**
	 * Prints what a service offers.
	 */
	void service() {
		println("Usage: micro " + this.service + " [COMMAND] [--FLAG VALUE]...");
		println("");
		String running = String.join("; ",
				this.versions.stream()
					.map((version) -> "version " + Terminal.plain(version.getVersion()) + ", " + version.getNodesCount()
							+ ((version.getNodesCount() == 1) ? " node" : " nodes"))
					.toList());
		println("Calls the service " + this.service + ((running.isEmpty()) ? "." : " (" + running + ")."));
		contracts();
		println("");
		Endpoints endpoints = new Endpoints(this.service, this.schema);
		if (endpoints.all().isEmpty()) {
			println("It offers no commands.");
			return;
		}
		println("Commands:");
		List<List<String>> rows = new ArrayList<>();
		for (MethodDescriptor method : endpoints.all()) {
			rows.add(List.of("  " + endpoints.words(method), method.getService().getName() + "." + method.getName(),
					summary(method)));
		}
		this.terminal.table(rows);
		println("");
		println("See 'micro " + this.service + " COMMAND --help' for a command's flags.");
	}

	/**
	 * Prints what an endpoint takes and returns.
	 * @param method the endpoint
	 */
	void endpoint(MethodDescriptor method) {
		String words = new Endpoints(this.service, this.schema).words(method);
		Map<String, String> flags = new Flags(this.schema, method.getInputType()).known();
		println("Usage: micro " + this.service + " " + words + ((flags.isEmpty()) ? "" : " [--FLAG VALUE]..."));
		println("");
		println("Calls " + method.getService().getName() + "." + method.getName() + " of " + this.service + ".");
		contracts();
		if (method.isClientStreaming()) {
			println("Sends the messages on standard input, one JSON object per line; with flags, only theirs.");
		}
		println("");
		println("Flags:" + ((flags.isEmpty()) ? " none" : ""));
		this.terminal
			.table(flags.entrySet().stream().map((flag) -> List.of("  " + flag.getKey(), flag.getValue())).toList());
		println("");
		Descriptor output = method.getOutputType();
		println("Returns " + ((method.isServerStreaming()) ? "a stream, each message on a line:" : "JSON:")
				+ ((output.getFields().isEmpty()) ? " {}" : ""));
		this.terminal.table(output.getFields()
			.stream()
			.map((field) -> List.of("  " + field.getJsonName(), Flags.type(field)))
			.toList());
	}

	private void contracts() {
		int contracts = Contracts.count(this.versions);
		if (contracts > 1) {
			String shown = this.terminal.options().metadata().get(Proxy.INSTANCE.name());
			Node node = this.versions.stream()
				.flatMap((version) -> version.getNodesList().stream())
				.filter((candidate) -> candidate.getId().equals(shown))
				.findFirst()
				.orElseThrow();
			println(contracts + " contracts of this name are running; this page shows that of the node "
					+ Terminal.plain(node.getId() + " at " + Listing.address(node)) + ".");
		}
	}

	private String summary(MethodDescriptor method) {
		if (method.isClientStreaming()) {
			return "messages from standard input";
		}
		StringBuilder summary = new StringBuilder();
		for (FieldDescriptor field : method.getInputType().getFields()) {
			if (summary.length() + field.getName().length() > MAX_SUMMARY) {
				summary.append("...");
				break;
			}
			summary.append("--").append(field.getName()).append(' ');
		}
		return summary.toString();
	}

	private void println(String line) {
		this.terminal.out().println(line);
	}

}
