package mu.micro.benchmarks;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A process that takes part in a benchmark: it says that it is ready, begins when it is
 * told to, and says in one line what came of it.
 */
final class Program implements AutoCloseable {

	private final Process process;

	private final BufferedReader output;

	private Program(Process process) {
		this.process = process;
		this.output = process.inputReader();
	}

	/**
	 * Starts processes, each when the one before is ready: getting warm together they
	 * would compile for minutes.
	 * @param count how many
	 * @param command what {@link Bench} knows them by
	 * @param args their arguments
	 * @return the processes
	 * @throws IOException if one does not start
	 */
	static List<Program> start(int count, String command, Object... args) throws IOException {
		List<String> line = new ArrayList<>();
		line.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
		line.addAll(List.of("-Dslf4j.internal.verbosity=ERROR", "-cp", System.getProperty("java.class.path"),
				Bench.class.getName(), command));
		for (Object arg : args) {
			line.add(arg.toString());
		}
		List<Program> programs = new ArrayList<>();
		try {
			for (int i = 0; i < count; i++) {
				Program program = new Program(
						new ProcessBuilder(line).redirectError(ProcessBuilder.Redirect.INHERIT).start());
				programs.add(program);
				if (!"ready".equals(program.output.readLine())) {
					throw new IOException("a process for '" + command + "' did not get ready");
				}
			}
		}
		catch (IOException ex) {
			programs.forEach(Program::close);
			throw ex;
		}
		return programs;
	}

	/**
	 * Says from within a process that it is ready, and waits until it is told to begin,
	 * or to end.
	 * @throws IOException if nobody will tell any more
	 */
	static void ready() throws IOException {
		System.out.println("ready");
		await();
	}

	/**
	 * Waits from within a process until it is told something.
	 * @throws IOException if nobody will tell any more
	 */
	static void await() throws IOException {
		if (System.in.read() < 0) {
			throw new IOException("the benchmark has ended");
		}
	}

	/**
	 * Tells a process to begin, or to end.
	 * @throws IOException if it is gone
	 */
	void go() throws IOException {
		this.process.outputWriter().append('\n').flush();
	}

	/**
	 * What came of it.
	 * @return the numbers it says
	 * @throws IOException if it says none
	 */
	long[] result() throws IOException {
		String line = this.output.readLine();
		if (line == null) {
			throw new IOException("a process ended without a result");
		}
		String[] words = line.split(" ");
		long[] numbers = new long[words.length];
		for (int i = 0; i < numbers.length; i++) {
			numbers[i] = Long.parseLong(words[i]);
		}
		return numbers;
	}

	@Override
	public void close() {
		this.process.destroy();
		try {
			this.process.waitFor();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

}
