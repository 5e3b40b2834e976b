package mu.micro.cli;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.function.BiConsumer;
import java.util.function.Function;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.grpc.Deadline;
import mu.micro.wire.debug.DebugGrpc.DebugFutureStub;
import mu.micro.wire.debug.HealthRequest;
import mu.micro.wire.debug.HealthResponse;
import mu.micro.wire.debug.StatsRequest;
import mu.micro.wire.debug.StatsResponse;
import mu.micro.wire.registry.Node;
import mu.micro.wire.registry.Service;
import org.jspecify.annotations.Nullable;

/**
 * What nodes tell of themselves: {@code debug health} and {@code debug stats}.
 */
final class Debugging {

	private static final DateTimeFormatter STARTED = DateTimeFormatter.ofPattern("MMM d HH:mm:ss", Locale.ROOT);

	private final Terminal terminal;

	Debugging(Terminal terminal) {
		this.terminal = terminal;
	}

	/**
	 * Prints each node's health.
	 * @param service the service's name
	 * @throws Failure after the printing, if a node is not well
	 */
	void health(String service) {
		List<Answer<HealthResponse>> answers = ask(List.of(service),
				(stub) -> stub.health(HealthRequest.getDefaultInstance()));
		print(answers, List.of("STATUS"), (answer) -> List.of(answer.getStatus()),
				(answer, json) -> json.addProperty("status", answer.getStatus()));
		long ill = answers.stream()
			.filter((answer) -> answer.value == null || !answer.value.getStatus().equals("ok"))
			.count();
		if (ill > 0) {
			throw new Failure(Failure.ANSWER,
					ill + " of " + answers.size() + " nodes of '" + service + "' are not well; see above.");
		}
	}

	/**
	 * Prints what each node has done and uses.
	 * @param services the services' names
	 * @throws Failure after the printing, if a node did not answer
	 */
	void stats(List<String> services) {
		List<Answer<StatsResponse>> answers = ask(services, (stub) -> stub.stats(StatsRequest.getDefaultInstance()));
		print(answers, List.of("STARTED", "UPTIME", "MEMORY", "THREADS", "GC", "REQUESTS", "ERRORS"),
				(answer) -> List.of(started(answer.getStarted()), Time.text(Duration.ofSeconds(answer.getUptime())),
						memory(answer.getMemory()), Long.toUnsignedString(answer.getThreads()), gc(answer.getGc()),
						Long.toUnsignedString(answer.getRequests()), Long.toUnsignedString(answer.getErrors())),
				(answer, json) -> {
					json.addProperty("started", answer.getStarted());
					json.addProperty("uptime", answer.getUptime());
					json.addProperty("memory", answer.getMemory());
					json.addProperty("threads", answer.getThreads());
					json.addProperty("gc", answer.getGc());
					json.addProperty("requests", answer.getRequests());
					json.addProperty("errors", answer.getErrors());
				});
		Failure failure = answers.stream().map(Answer::failure).filter((each) -> each != null).findFirst().orElse(null);
		if (failure != null) {
			throw failure;
		}
	}

	// All nodes are asked at once: one that is away costs the others nothing.
	private <T> List<Answer<T>> ask(List<String> services, Function<DebugFutureStub, ? extends Future<T>> question) {
		try (Proxy proxy = new Proxy(this.terminal.options())) {
			List<Asked<T>> asked = new ArrayList<>();
			for (String service : services) {
				for (Service version : proxy.service(service, false)) {
					for (Node node : version.getNodesList()) {
						DebugFutureStub stub = proxy.debug(service, node.getId());
						asked.add(new Asked<>(service, version.getVersion(), node, stub.getCallOptions().getDeadline(),
								question.apply(stub)));
					}
				}
			}
			List<Answer<T>> answers = new ArrayList<>();
			for (Asked<T> each : asked) {
				try {
					answers.add(new Answer<>(each, each.answer.get(), null));
				}
				catch (ExecutionException ex) {
					Throwable cause = (ex.getCause() != null) ? ex.getCause() : ex;
					answers.add(new Answer<>(each, null, proxy.failure(each.service, each.deadline, cause)));
				}
			}
			return answers;
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new Failure(Failure.OTHER, "Interrupted.", ex);
		}
	}

	private <T> void print(List<Answer<T>> answers, List<String> columns, Function<T, List<String>> cells,
			BiConsumer<T, JsonObject> fields) {
		if (this.terminal.options().json()) {
			JsonArray json = new JsonArray();
			answers.forEach((answer) -> json.add(json(answer, fields)));
			this.terminal.json(json);
			return;
		}
		String header = "";
		List<List<String>> rows = new ArrayList<>();
		for (Answer<T> answer : answers) {
			Asked<T> asked = answer.asked;
			String next = "service  " + Terminal.plain(asked.service) + System.lineSeparator() + System.lineSeparator()
					+ "version  " + Terminal.plain(asked.version) + System.lineSeparator();
			if (!next.equals(header)) {
				this.terminal.table(rows);
				if (!rows.isEmpty()) {
					this.terminal.out().println();
				}
				rows.clear();
				this.terminal.out().println(next);
				header = next;
				List<String> titles = new ArrayList<>(List.of("ID", "ADDRESS"));
				titles.addAll(columns);
				rows.add(titles);
			}
			List<String> row = new ArrayList<>(List.of(asked.node.getId(), Listing.address(asked.node)));
			row.addAll((answer.value != null) ? cells.apply(answer.value) : List.of(answer.problem()));
			rows.add(row);
		}
		this.terminal.table(rows);
	}

	private static <T> JsonElement json(Answer<T> answer, BiConsumer<T, JsonObject> fields) {
		JsonObject json = new JsonObject();
		json.addProperty("service", answer.asked.service);
		json.addProperty("version", answer.asked.version);
		json.addProperty("node", answer.asked.node.getId());
		json.addProperty("address", Listing.address(answer.asked.node));
		if (answer.value != null) {
			fields.accept(answer.value, json);
		}
		else {
			json.addProperty("error", answer.problem());
		}
		return json;
	}

	private static String started(long seconds) {
		return STARTED.format(Instant.ofEpochSecond(seconds).atZone(ZoneId.systemDefault()));
	}

	private static String memory(long bytes) {
		return String.format(Locale.ROOT, "%.2fmb", bytes / (1024.0 * 1024.0));
	}

	private static String gc(long nanos) {
		return String.format(Locale.ROOT, "%.1fms", nanos / 1e6);
	}

	private record Asked<T>(String service, String version, Node node, @Nullable Deadline deadline, Future<T> answer) {
	}

	private record Answer<T>(Asked<T> asked, @Nullable T value, @Nullable Failure failure) {

		String problem() {
			return (this.failure != null) ? String.valueOf(this.failure.getMessage()) : "";
		}

	}

}
