package mu.micro.benchmarks;

import java.util.Arrays;
import java.util.List;

/**
 * Runs the benchmarks that are named, or all.
 */
public final class Bench {

	private static final List<String> ALL = List.of("store", "events", "broker");

	private Bench() {
	}

	/**
	 * Prints one table of ratios for each benchmark.
	 * @param args the benchmarks' names
	 * @throws Exception if one could not be run
	 */
	public static void main(String[] args) throws Exception {
		if (args.length > 0 && takesPart(args)) {
			return;
		}
		for (String name : (args.length > 0) ? Arrays.asList(args) : ALL) {
			switch (name) {
				case "store" -> new StoreBench().run();
				case "events" -> new EventsBench().run();
				case "broker" -> new BrokerBench().run();
				default -> {
					System.err.println("There is no benchmark '" + name + "'; there are: " + String.join(", ", ALL));
					System.exit(1);
				}
			}
		}
	}

	/*
	 * Whether this is one of the processes that a benchmark started.
	 */
	private static boolean takesPart(String[] args) throws Exception {
		switch (args[0]) {
			case StoreWriter.COMMAND -> StoreWriter.main(args);
			case EventsBench.APPENDER -> EventsBench.append(args);
			case EventsBench.MEMBER -> EventsBench.consume(args);
			case EventsBench.LISTENER -> EventsBench.listen(args);
			case BrokerBench.SUBSCRIBER -> BrokerBench.subscribe(args);
			case BrokerBench.PUBLISHER -> BrokerBench.publish(args);
			default -> {
				return false;
			}
		}
		return true;
	}

}
