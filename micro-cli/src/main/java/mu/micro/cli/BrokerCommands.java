package mu.micro.cli;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

import mu.micro.Message;
import mu.micro.broker.Broker;
import mu.micro.broker.BrokerSubscription;
import mu.micro.remote.RemoteBroker;
import picocli.CommandLine.Model.CommandSpec;

/**
 * Messages for whoever listens now: {@code broker}.
 */
final class BrokerCommands {

	private static final String SERVICE = "broker";

	private final Terminal terminal;

	private final Arguments arguments;

	/**
	 * A broker command.
	 * @param terminal where to read and print
	 * @param arguments what was written behind the command
	 */
	BrokerCommands(Terminal terminal, Arguments arguments) {
		this.terminal = terminal;
		this.arguments = arguments;
	}

	/**
	 * Adds the commands.
	 * @param broker the command above them
	 */
	static void add(CommandSpec broker) {
		CommandSpec publish = Commands.spec("publish", "Hand a message to whoever subscribed to a topic.");
		Messages.add(publish);
		publish.usageMessage().footer("", "Such as: micro broker publish orders '{\"id\":1}' --header kind=placed");
		broker.addSubcommand("publish", publish.addOption(Arguments.namespace()));
		CommandSpec subscribe = Commands.spec("subscribe", "Print each message of a topic; Ctrl-C ends it.");
		subscribe.addPositional(Commands.positional("0", "1", "TOPIC", "The topic: any name."));
		subscribe.addOption(Commands.option("NAME", "Share the messages with all who name this queue.", "--queue"));
		subscribe.addOption(Commands.option("NUMBER",
				"End after printing so many messages; of a queue it may have taken more by then.", "--count"));
		broker.addSubcommand("subscribe", subscribe.addOption(Arguments.namespace()));
	}

	/**
	 * Runs the command.
	 */
	void run() {
		String topic = this.arguments.words().get(0);
		String namespace = this.arguments.namespace(this.terminal.environment());
		if (this.arguments.parsed().commandSpec().name().equals("publish")) {
			Message message = Messages.read(this.terminal, this.arguments);
			CoreService.use(this.terminal.options(), SERVICE, RemoteBroker::new,
					(brokers) -> brokers.in(namespace).publish(topic, message));
			return;
		}
		long count = this.arguments.number("--count", Long.MAX_VALUE, 1, Long.MAX_VALUE);
		CoreService.use(this.terminal.options(), SERVICE, RemoteBroker::new,
				(brokers) -> subscribe(brokers.in(namespace), topic, count));
	}

	private void subscribe(Broker broker, String topic, long count) {
		CountDownLatch all = new CountDownLatch(1);
		AtomicLong left = new AtomicLong(count);
		AtomicReference<BrokerSubscription> begun = new AtomicReference<>();
		AtomicBoolean warned = new AtomicBoolean();
		try (BrokerSubscription subscription = broker.subscribe(topic, this.arguments.text("--queue"), (message) -> {
			if (left.getAndDecrement() > 0) {
				print(message);
			}
			// At once, as Ctrl-C leaves no time for it.
			BrokerSubscription current = begun.get();
			if (current != null && current.dropped() > 0 && warned.compareAndSet(false, true)) {
				this.terminal.err().println("Messages come faster than they can be printed: some are dropped.");
			}
			if (left.get() <= 0 || this.terminal.out().checkError()) {
				all.countDown();
			}
		})) {
			begun.set(subscription);
			Messages.await(all);
			if (subscription.dropped() > 0) {
				this.terminal.err()
					.println(subscription.dropped() + " messages came faster than they could be printed.");
			}
		}
	}

	private void print(Message message) {
		if (this.terminal.options().json()) {
			this.terminal.out().println(Terminal.line(Messages.json(message)));
		}
		else {
			Messages.print(this.terminal, message);
		}
	}

}
