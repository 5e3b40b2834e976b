package mu.micro.benchmarks;

import java.util.Arrays;
import java.util.List;

/**
 * Runs the benchmarks that are named, or all.
 */
public final class Bench {

	private static final List<String> ALL = List.of("store");

	private Bench() {
	}

	/**
	 * Prints one table of ratios for each benchmark.
	 * @param args the benchmarks' names
	 * @throws Exception if one could not be run
	 */
	public static void main(String[] args) throws Exception {
		if (args.length > 0 && args[0].equals(StoreWriter.COMMAND)) {
			StoreWriter.main(args);
			return;
		}
		for (String name : (args.length > 0) ? Arrays.asList(args) : ALL) {
			if (!ALL.contains(name)) {
				System.err.println("There is no benchmark '" + name + "'; there are: " + String.join(", ", ALL));
				System.exit(1);
			}
			new StoreBench().run();
		}
	}

}
