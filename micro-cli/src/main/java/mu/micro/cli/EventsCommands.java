package mu.micro.cli;

import java.time.Clock;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import mu.micro.Limits;
import mu.micro.Message;
import mu.micro.Subscription;
import mu.micro.events.Delivery;
import mu.micro.events.Event;
import mu.micro.events.Events;
import mu.micro.events.From;
import mu.micro.events.Group;
import mu.micro.events.GroupState;
import mu.micro.remote.RemoteEvents;
import picocli.CommandLine.Model.CommandSpec;

/**
 * Messages that are kept: {@code events}.
 */
final class EventsCommands {

	private static final String SERVICE = "events";

	private static final String FROM = "--from";

	private static final Duration LONGEST = Duration.ofDays(36_500);

	private final Terminal terminal;

	private final Clock clock;

	private final Arguments arguments;

	/**
	 * An events command.
	 * @param terminal where to read and print
	 * @param clock tells what so long ago was
	 * @param arguments what was written behind the command
	 */
	EventsCommands(Terminal terminal, Clock clock, Arguments arguments) {
		this.terminal = terminal;
		this.clock = clock;
		this.arguments = arguments;
	}

	/**
	 * Adds the commands.
	 * @param events the command above them
	 */
	static void add(CommandSpec events) {
		CommandSpec publish = Commands.spec("publish", "Append a message to a topic, and print its offset there.");
		Messages.add(publish);
		publish.addOption(Commands.option("ID",
				"Tells the message from others: what the topic has under this id already is not appended again.",
				"--id"));
		publish.usageMessage().footer("", "Such as: micro events publish orders '{\"id\":1}' --id order-1");
		events.addSubcommand("publish", publish.addOption(Arguments.namespace()));
		CommandSpec consume = Commands.spec("consume",
				"Print the events of a topic that a group has not handled, and acknowledge each; Ctrl-C ends it.");
		topic(consume);
		consume.addOption(Commands.option("NAME", "The group, whose place is kept; needed.", "--group", "-g"));
		consume.addOption(Commands.option("FROM",
				"Where a group begins that is not there yet: start, now, an offset, a time such as"
						+ " 2026-01-31T12:00:00Z, or so long ago, such as 1h30m (start).",
				FROM));
		consume.addOption(Commands.option("NUMBER", "End after so many events.", "--count"));
		events.addSubcommand("consume", consume.addOption(Arguments.namespace()));
		CommandSpec read = Commands.spec("read", "Print events of a topic, whoever handled them.");
		topic(read);
		read.addOption(Commands.option("FROM",
				"Where to begin: start, an offset, a time such as 2026-01-31T12:00:00Z, or so long ago, such as 1h30m"
						+ " (start).",
				FROM));
		read.addOption(Commands.option("NUMBER", "How many at most (all).", "--limit", "-l"));
		read.addOption(Commands.option(null, "Show offsets, times and ids too, and of long bodies the beginning.",
				"--verbose", "-v"));
		events.addSubcommand("read", read.addOption(Arguments.namespace()));
		events.addSubcommand("topics", Commands.spec("topics", "List the topics that have an event or a group.")
			.addOption(Arguments.namespace()));
		CommandSpec groups = Commands.spec("groups", "Show how far the groups of a topic are.");
		topic(groups);
		events.addSubcommand("groups", groups.addOption(Arguments.namespace()));
		CommandSpec delete = Commands.spec("delete", "Delete what nobody needs any more.");
		CommandSpec group = Commands.spec("group",
				"Forget a group of a topic and its place; one that is consumed from right now begins again.");
		topic(group);
		group.addPositional(Commands.positional("1", "1", "GROUP", "The group."));
		delete.addSubcommand("group", group.addOption(Arguments.namespace()));
		events.addSubcommand("delete", delete);
	}

	private static void topic(CommandSpec spec) {
		spec.addPositional(Commands.positional("0", "1", "TOPIC", "The topic."));
	}

	/**
	 * Runs the command.
	 */
	void run() {
		switch (this.arguments.parsed().commandSpec().name()) {
			case "publish" -> runPublish();
			case "consume" -> runConsume();
			case "read" -> {
				From from = from();
				if (from instanceof From.Now) {
					throw Failure.usage(FROM + " now is for consuming: what is there now is all that can be read.");
				}
				long limit = this.arguments.number("--limit", Long.MAX_VALUE, 1, Long.MAX_VALUE);
				use((events) -> read(events, from, limit));
			}
			case "topics" -> use(this::topics);
			case "groups" -> use(this::groups);
			default -> use(this::deleteGroup);
		}
	}

	private String namespace() {
		return this.arguments.namespace(this.terminal.environment());
	}

	private void checkThere(Events events) {
		if (!events.topics().contains(topic())) {
			throw new Failure(Failure.ANSWER,
					"There is no topic '" + Terminal.name(topic()) + "' in '" + Terminal.plain(namespace()) + "'.");
		}
	}

	private void deleteGroup(Events events) {
		String group = this.arguments.words().get(1);
		if (!events.removeGroup(topic(), group)) {
			throw new Failure(Failure.ANSWER, "There is no group '" + Terminal.name(group) + "' of the topic '"
					+ Terminal.name(topic()) + "' in '" + Terminal.plain(namespace()) + "'.");
		}
	}

	private void use(Consumer<Events> work) {
		String namespace = namespace();
		CoreService.use(this.terminal.options(), SERVICE, RemoteEvents::new,
				(events) -> work.accept(events.in(namespace)));
	}

	private String topic() {
		return this.arguments.words().get(0);
	}

	private void runPublish() {
		Message read = Messages.read(this.terminal, this.arguments);
		String id = this.arguments.text("--id");
		use((events) -> {
			Event event = events.append(topic(), (id != null) ? read.withId(id) : read);
			if (this.terminal.options().json()) {
				this.terminal.json(json(event));
			}
			else {
				this.terminal.out().println(event.offset());
			}
		});
	}

	private void runConsume() {
		String name = this.arguments.text("--group");
		if (name == null) {
			throw Failure.usage("Name the group whose place is kept with --group; 'micro events read' needs none.");
		}
		From from = from();
		long count = this.arguments.number("--count", Long.MAX_VALUE, 1, Long.MAX_VALUE);
		use((events) -> consume(events, Group.of(name).withFrom(from), count));
	}

	private void consume(Events events, Group group, long count) {
		CountDownLatch all = new CountDownLatch(1);
		AtomicLong left = new AtomicLong(count);
		try (Subscription consuming = events.consume(topic(), group, (delivery) -> {
			if (left.get() <= 0) {
				throw new IllegalStateException("no more were asked for");
			}
			print(delivery);
			if (this.terminal.out().checkError()) {
				all.countDown();
				throw new IllegalStateException("nobody takes what is printed");
			}
			if (left.decrementAndGet() == 0) {
				all.countDown();
			}
		})) {
			Messages.await(all);
		}
	}

	private void print(Delivery delivery) {
		if (this.terminal.options().json()) {
			JsonObject json = json(delivery.event());
			json.addProperty("attempt", delivery.attempt());
			json.addProperty("error", delivery.error());
			this.terminal.out().println(Terminal.line(json));
		}
		else {
			Messages.print(this.terminal, delivery.event().message());
		}
	}

	private From from() {
		String written = this.arguments.text(FROM, "start");
		if (written.equals("start")) {
			return From.START;
		}
		if (written.equals("now")) {
			return From.NOW;
		}
		if (written.matches("\\d+")) {
			return From.offset(this.arguments.number(FROM, 0, 0, Long.MAX_VALUE));
		}
		try {
			return From.time(Instant.parse(written));
		}
		catch (DateTimeException ex) {
			Duration ago = Time.parse(FROM, written, Duration.ZERO, LONGEST,
					"or start, now, an offset, or a time such as 2026-01-31T12:00:00Z");
			return From.time(this.clock.instant().minus(ago));
		}
	}

	private void read(Events events, From from, long limit) {
		JsonItems json = new JsonItems(this.terminal);
		boolean first = true;
		long next = (from instanceof From.Time time) ? events.offsetAt(topic(), time.time())
				: ((From.Offset) from).offset();
		long left = limit;
		while (left > 0) {
			List<Event> page = events.read(topic(), next, (int) Math.min(left, Limits.PAGE));
			if (page.isEmpty() && first) {
				checkThere(events);
			}
			if (page.isEmpty() || this.terminal.out().checkError()) {
				break;
			}
			if (this.terminal.options().json()) {
				page.forEach((event) -> json.add(json(event)));
			}
			else {
				print(page, first);
			}
			first = false;
			left -= page.size();
			next = page.get(page.size() - 1).offset() + 1;
		}
		if (this.terminal.options().json()) {
			json.end();
		}
	}

	private void print(List<Event> events, boolean header) {
		if (!this.arguments.has("--verbose")) {
			events.forEach((event) -> Messages.print(this.terminal, event.message()));
			return;
		}
		List<List<String>> rows = new ArrayList<>();
		if (header) {
			rows.add(List.of("OFFSET", "TIME", "ID", "BODY"));
		}
		for (Event event : events) {
			rows.add(List.of(String.valueOf(event.offset()), event.time().toString(),
					Terminal.name(event.message().id()), new Content(event.message().body()).cell()));
		}
		this.terminal.table(rows);
	}

	private static JsonObject json(Event event) {
		JsonObject json = new JsonObject();
		json.addProperty("topic", event.topic());
		json.addProperty("offset", event.offset());
		json.addProperty("time", event.time().toString());
		Messages.json(event.message()).entrySet().forEach((member) -> json.add(member.getKey(), member.getValue()));
		return json;
	}

	private void topics(Events events) {
		if (this.terminal.options().json()) {
			JsonItems json = new JsonItems(this.terminal);
			events.topics().forEach((topic) -> json.add(new JsonPrimitive(topic)));
			json.end();
		}
		else {
			events.topics().forEach((topic) -> this.terminal.out().println(Terminal.name(topic)));
		}
	}

	private void groups(Events events) {
		List<GroupState> groups = events.groups(topic());
		if (groups.isEmpty()) {
			checkThere(events);
		}
		if (this.terminal.options().json()) {
			JsonItems json = new JsonItems(this.terminal);
			for (GroupState group : groups) {
				JsonObject item = new JsonObject();
				item.addProperty("group", group.name());
				item.addProperty("next", group.next());
				item.addProperty("inFlight", group.inFlight());
				item.addProperty("waiting", group.waiting());
				json.add(item);
			}
			json.end();
			return;
		}
		List<List<String>> rows = new ArrayList<>();
		rows.add(List.of("GROUP", "NEXT", "IN FLIGHT", "WAITING"));
		for (GroupState group : groups) {
			rows.add(List.of(Terminal.name(group.name()), String.valueOf(group.next()),
					String.valueOf(group.inFlight()), String.valueOf(group.waiting())));
		}
		this.terminal.table(rows);
	}

}
