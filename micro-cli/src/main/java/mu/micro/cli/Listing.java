package mu.micro.cli;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import mu.micro.wire.registry.Endpoint;
import mu.micro.wire.registry.Node;
import mu.micro.wire.registry.Service;
import mu.micro.wire.registry.Value;

/**
 * What the registry knows: {@code services} and {@code get service}.
 */
final class Listing {

	private static final int MAX_DEPTH = 32;

	private final Terminal terminal;

	Listing(Terminal terminal) {
		this.terminal = terminal;
	}

	/**
	 * Prints the names of all running services, sorted.
	 */
	void services() {
		try (Proxy proxy = new Proxy(this.terminal.options())) {
			TreeSet<String> names = new TreeSet<>();
			proxy.services().forEach((service) -> names.add(service.getName()));
			if (this.terminal.options().json()) {
				JsonArray json = new JsonArray();
				names.forEach(json::add);
				this.terminal.json(json);
			}
			else {
				names.forEach((name) -> this.terminal.out().println(Terminal.plain(name)));
			}
		}
	}

	/**
	 * Prints one service's versions, nodes and endpoints.
	 * @param name the service's name
	 */
	void service(String name) {
		try (Proxy proxy = new Proxy(this.terminal.options())) {
			List<Service> versions = proxy.service(name, true);
			if (this.terminal.options().json()) {
				JsonArray json = new JsonArray();
				versions.forEach((version) -> json.add(json(version)));
				this.terminal.json(json);
			}
			else {
				this.terminal.out().println("service  " + Terminal.plain(name));
				int contracts = Contracts.count(versions);
				if (contracts > 1) {
					this.terminal.out().println();
					this.terminal.out()
						.println(contracts
								+ " contracts of this name are running; the metadata's schema tells them apart.");
				}
				versions.forEach(this::print);
			}
		}
	}

	/**
	 * A node's address.
	 * @param node the node
	 * @return as {@code host:port}
	 */
	static String address(Node node) {
		String port = ":" + node.getPort();
		boolean whole = node.getPort() <= 0 || node.getAddress().endsWith(port);
		return (whole) ? node.getAddress() : node.getAddress() + port;
	}

	private void print(Service version) {
		PrintStream out = this.terminal.out();
		out.println();
		out.println("version  " + Terminal.plain(version.getVersion()));
		out.println();
		List<List<String>> rows = new ArrayList<>();
		rows.add(List.of("ID", "ADDRESS", "METADATA"));
		for (Node node : version.getNodesList()) {
			List<String> metadata = new TreeMap<>(node.getMetadataMap()).entrySet()
				.stream()
				.map((entry) -> entry.getKey() + "=" + entry.getValue())
				.toList();
			rows.add(List.of(node.getId(), address(node), String.join(",", metadata)));
		}
		this.terminal.table(rows);
		for (Endpoint endpoint : version.getEndpointsList()) {
			out.println();
			out.println("Endpoint: " + Terminal.plain(endpoint.getName()));
			if (endpoint.getMetadataCount() > 0) {
				out.println();
				out.println("Metadata: " + Terminal.plain(new TreeMap<>(endpoint.getMetadataMap()).toString()));
			}
			tree("Request", endpoint.getRequest());
			tree("Response", endpoint.getResponse());
		}
	}

	private void tree(String title, Value value) {
		PrintStream out = this.terminal.out();
		out.println();
		if (value.getValuesCount() == 0) {
			out.println(title + ": {}");
			return;
		}
		out.println(title + ": {");
		value.getValuesList().forEach((field) -> field(field, 1));
		out.println("}");
	}

	private void field(Value field, int depth) {
		String indent = "\t".repeat(depth);
		boolean open = field.getValuesCount() > 0 && depth < MAX_DEPTH;
		this.terminal.out()
			.println(indent + Terminal.plain(field.getName() + " " + field.getType()) + ((open) ? " {" : ""));
		if (open) {
			field.getValuesList().forEach((nested) -> field(nested, depth + 1));
			this.terminal.out().println(indent + "}");
		}
	}

	private static JsonObject json(Service version) {
		JsonObject json = new JsonObject();
		json.addProperty("name", version.getName());
		json.addProperty("version", version.getVersion());
		JsonArray nodes = new JsonArray();
		for (Node node : version.getNodesList()) {
			JsonObject each = new JsonObject();
			each.addProperty("id", node.getId());
			each.addProperty("address", address(node));
			each.add("metadata", json(node.getMetadataMap()));
			nodes.add(each);
		}
		json.add("nodes", nodes);
		JsonArray endpoints = new JsonArray();
		for (Endpoint endpoint : version.getEndpointsList()) {
			JsonObject each = new JsonObject();
			each.addProperty("name", endpoint.getName());
			each.add("request", json(endpoint.getRequest(), 0));
			each.add("response", json(endpoint.getResponse(), 0));
			each.add("metadata", json(endpoint.getMetadataMap()));
			endpoints.add(each);
		}
		json.add("endpoints", endpoints);
		return json;
	}

	private static JsonObject json(Value value, int depth) {
		JsonObject json = new JsonObject();
		json.addProperty("name", value.getName());
		json.addProperty("type", value.getType());
		if (value.getValuesCount() > 0 && depth < MAX_DEPTH) {
			JsonArray values = new JsonArray();
			value.getValuesList().forEach((nested) -> values.add(json(nested, depth + 1)));
			json.add("values", values);
		}
		return json;
	}

	private static JsonObject json(Map<String, String> map) {
		JsonObject json = new JsonObject();
		new TreeMap<>(map).forEach(json::addProperty);
		return json;
	}

}
