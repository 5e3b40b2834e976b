package mu.micro.cli;

import java.time.Clock;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import mu.micro.remote.RemoteSync;
import mu.micro.sync.Lock;
import mu.micro.sync.Sync;
import picocli.CommandLine.Model.CommandSpec;

/**
 * What only one may do at a time: {@code lock}.
 */
final class LockCommands {

	/**
	 * Another has the lock.
	 */
	static final int TAKEN = 75;

	/**
	 * The lock was lost while the command ran.
	 */
	static final int LOST = 76;

	private static final String SERVICE = "sync";

	/**
	 * Tells the command its fencing token.
	 */
	private static final String TOKEN_VARIABLE = "MICRO_LOCK_TOKEN";

	private static final Duration DEFAULT_TTL = Duration.ofSeconds(15);

	private static final Duration FOREVER = Duration.ofDays(36_500);

	private final Terminal terminal;

	private final Clock clock;

	private final Arguments arguments;

	/**
	 * A lock command.
	 * @param terminal where to complain
	 * @param clock tells how long the lock is held
	 * @param arguments what was written behind the command
	 */
	LockCommands(Terminal terminal, Clock clock, Arguments arguments) {
		this.terminal = terminal;
		this.clock = clock;
		this.arguments = arguments;
	}

	/**
	 * Adds the commands.
	 * @param lock the command above them
	 */
	static void add(CommandSpec lock) {
		CommandSpec run = Commands.spec("run", "Take a lock, run a command, and give the lock back when it has ended.");
		run.addPositional(Commands.positional("0", "1", "NAME", "What to lock: any name."));
		run.addPositional(Commands.positional("1..*", "1..*", "COMMAND",
				"The command and its arguments, behind '--'. " + TOKEN_VARIABLE
						+ " in its environment is the fencing token: a number that is larger than that of every holder"
						+ " before."));
		run.addOption(Commands.option("TIME",
				"How long others wait for the lock when this machine dies (15s). A lock that cannot be renewed for"
						+ " nine tenths of this is lost.",
				"--ttl"));
		run.addOption(Commands.option("TIME",
				"How long to wait while another has the lock, such as 30s or 'forever' (0s).", "--wait"));
		run.addOption(Arguments.namespace());
		run.usageMessage()
			.customSynopsis("micro lock run [OPTIONS] NAME -- COMMAND...")
			.footer("", "Exit codes: the command's; " + Failure.NO_PROGRAM + " if there is none, " + Failure.CANNOT_RUN
					+ " if it cannot be run; " + TAKEN + " if another has the lock, and the command was not run; "
					+ LOST + " if the lock was lost and the command ended, with TERM and after a tenth of the"
					+ " ttl with KILL. Ctrl-C is the command's to heed.", "",
					"Such as: micro lock run nightly --wait 1m -- ./backup.sh --all");
		lock.addSubcommand("run", run);
	}

	/**
	 * Runs the command.
	 * @return the exit code
	 */
	int run() {
		List<String> words = this.arguments.words();
		String name = words.get(0);
		if (!this.arguments.parsed().originalArgs().contains("--")) {
			throw Failure.usage("Write the command behind '--', so that its options are not taken for micro's: micro"
					+ " lock run NAME -- COMMAND.");
		}
		Duration said = this.arguments.time("--ttl", Duration.ofSeconds(1), Sync.LONGEST_TTL, "from 1s to a day");
		Duration ttl = (said != null) ? said : DEFAULT_TTL;
		Duration wait = (this.arguments.text("--wait", "0s").equals("forever")) ? FOREVER : Time.parse("--wait",
				this.arguments.text("--wait", "0s"), Duration.ZERO, FOREVER, "at most a hundred years, or 'forever'");
		String namespace = this.arguments.namespace(this.terminal.environment());
		int[] code = { 0 };
		try (LockedProgram program = new LockedProgram(this.terminal, ttl.dividedBy(10))) {
			CoreService.use(this.terminal.options(), SERVICE,
					(address, timeout, channel) -> new RemoteSync(address, timeout, this.clock, channel), (syncs) -> {
						Lock lock = syncs.in(namespace).lock(name, ttl, wait);
						if (lock == null) {
							throw new Failure(TAKEN,
									"The lock '" + Terminal.plain(name) + "' in '" + Terminal.plain(namespace)
											+ "' is taken by another"
											+ ((wait.isZero()) ? ": try again later, or wait for it with --wait."
													: ", and was for all of the wait: try again later."));
						}
						try (lock) {
							code[0] = program.run(words.subList(1, words.size()), environment(lock), lock, name);
						}
					});
		}
		return code[0];
	}

	private Map<String, String> environment(Lock lock) {
		Map<String, String> environment = new HashMap<>(this.terminal.environment());
		environment.put(TOKEN_VARIABLE, String.valueOf(lock.token()));
		return environment;
	}

}
