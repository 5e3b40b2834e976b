package mu.micro.tck;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

import mu.micro.Scoped;
import mu.micro.sync.Lock;
import mu.micro.sync.Sync;

/**
 * A process that holds a lock: a node for {@link SyncContract} that is stopped and killed
 * by signals. A provider's test has a class whose {@code main} opens a view and calls
 * {@link #hold} with the arguments that {@link #start} gave it.
 */
public final class LockProcess implements SyncContract.Node {

	private final Process process;

	private final BufferedReader answers;

	private LockProcess(Process process) {
		this.process = process;
		this.answers = process.inputReader();
	}

	/**
	 * Starts a process that takes a lock.
	 * @param main the class to run, from this process's class path
	 * @param namespace the namespace
	 * @param name the lock's name
	 * @param ttl the lock's time to live
	 * @param more further arguments, which come first
	 * @return the process, which has the lock
	 * @throws IOException if it cannot be started
	 */
	public static LockProcess start(Class<?> main, String namespace, String name, Duration ttl, String... more)
			throws IOException {
		List<String> command = new ArrayList<>(List.of(ProcessHandle.current().info().command().orElseThrow(),
				"-Xmx64m", "-XX:TieredStopAtLevel=1", "-cp", System.getProperty("java.class.path"), main.getName()));
		command.addAll(List.of(more));
		command.addAll(List.of(namespace, name, ttl.toString()));
		LockProcess started = new LockProcess(
				new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start());
		String said = started.answers.readLine();
		if (!"locked".equals(said)) {
			started.kill();
			throw new IllegalStateException("the process said " + said);
		}
		return started;
	}

	/**
	 * What the process does: takes the lock, and answers until its input ends.
	 * @param sync the view
	 * @param arguments the arguments, of which the last three say what to lock
	 * @throws IOException if its parent cannot be heard
	 */
	public static void hold(Scoped<Sync> sync, String[] arguments) throws IOException {
		int last = arguments.length - 1;
		Lock lock = sync.in(arguments[last - 2])
			.lock(arguments[last - 1], Duration.parse(arguments[last]), Duration.ZERO);
		if (lock == null) {
			throw new IllegalStateException("the lock is taken");
		}
		AtomicBoolean lost = new AtomicBoolean();
		lock.onLost(() -> lost.set(true));
		System.out.println("locked");
		BufferedReader questions = new BufferedReader(new InputStreamReader(System.in));
		for (String question = questions.readLine(); question != null; question = questions.readLine()) {
			switch (question) {
				case "held" -> System.out.println(lock.held());
				case "lost" -> System.out.println(lost);
				default -> {
					lock.close();
					System.out.println("unlocked");
				}
			}
		}
		Runtime.getRuntime().halt(0);
	}

	@Override
	public boolean held() {
		return Boolean.parseBoolean(ask("held"));
	}

	@Override
	public boolean lost() {
		return Boolean.parseBoolean(ask("lost"));
	}

	@Override
	public void unlock() {
		ask("unlock");
	}

	@Override
	public void pause() {
		signal("STOP");
	}

	@Override
	public void resume() {
		signal("CONT");
	}

	@Override
	public void kill() {
		this.process.destroyForcibly();
	}

	private String ask(String question) {
		try {
			this.process.outputWriter().write(question + "\n");
			this.process.outputWriter().flush();
			return String.valueOf(this.answers.readLine());
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	private void signal(String name) {
		try {
			Process kill = new ProcessBuilder("kill", "-" + name, Long.toString(this.process.pid())).inheritIO()
				.start();
			if (!kill.waitFor(10, TimeUnit.SECONDS) || kill.exitValue() != 0) {
				throw new IllegalStateException("no signal " + name);
			}
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new IllegalStateException(ex);
		}
	}

}
