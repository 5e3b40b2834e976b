package mu.micro.cli;

import java.time.Duration;
import java.util.List;
import java.util.Map;

import mu.micro.Limits;
import mu.micro.MicroException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/**
 * What was written behind a command.
 *
 * @param parsed the command, as picocli read it
 */
record Arguments(ParseResult parsed) {

	private static final String NAMESPACE = "--namespace";

	private static final String NAMESPACE_VARIABLE = "MICRO_NAMESPACE";

	/**
	 * The option that says which namespace is meant.
	 * @param others how else it is written
	 * @return the option
	 */
	static OptionSpec namespace(String... others) {
		String[] names = new String[others.length + 1];
		names[0] = NAMESPACE;
		System.arraycopy(others, 0, names, 1, others.length);
		return Commands.option("NAME", "The namespace (the environment's " + NAMESPACE_VARIABLE + ", else micro).",
				names);
	}

	/**
	 * Which namespace is meant.
	 * @param environment the process's environment
	 * @return the name of a namespace
	 * @throws Failure if it is no name
	 */
	String namespace(Map<String, String> environment) {
		String said = environment.getOrDefault(NAMESPACE_VARIABLE, "");
		String name = text(NAMESPACE, (said.isEmpty()) ? "micro" : said);
		try {
			return Limits.name("namespace", name);
		}
		catch (MicroException.Invalid ex) {
			throw new Failure(Failure.USAGE, "'" + Terminal.plain(name) + "' is no namespace: " + ex.getMessage() + ".",
					ex);
		}
	}

	/**
	 * The words that belong to no option.
	 * @return the words in their order
	 */
	List<String> words() {
		return this.parsed.matchedPositionals()
			.stream()
			.flatMap((positional) -> positional.stringValues().stream())
			.toList();
	}

	boolean has(String option) {
		return this.parsed.hasMatchedOption(option);
	}

	@Nullable String text(String option) {
		return this.parsed.matchedOptionValue(option, (String) null);
	}

	String text(String option, String other) {
		return this.parsed.matchedOptionValue(option, other);
	}

	/**
	 * An option that counts.
	 * @param option the option
	 * @param other its value where it is not given
	 * @param least the smallest number
	 * @param most the largest number
	 * @return the number
	 * @throws Failure if it is none, or out of bounds
	 */
	long number(String option, long other, long least, long most) {
		String written = text(option);
		if (written == null) {
			return other;
		}
		long number = (written.matches("\\d{1,18}")) ? Long.parseLong(written) : -1;
		if (number < least || number > most) {
			throw Failure.usage(option + " wants a whole number from " + least
					+ ((most == Long.MAX_VALUE) ? " up" : " to " + most) + ", not '" + Terminal.plain(written) + "'.");
		}
		return number;
	}

	/**
	 * An option that is a time.
	 * @param option the option
	 * @param least the shortest time
	 * @param most the longest time
	 * @param bounds both in words
	 * @return the time, or null if it is not given
	 * @throws Failure if it is none, or out of bounds
	 */
	@Nullable Duration time(String option, Duration least, Duration most, String bounds) {
		String written = text(option);
		return (written != null) ? Time.parse(option, written, least, most, bounds) : null;
	}

}
