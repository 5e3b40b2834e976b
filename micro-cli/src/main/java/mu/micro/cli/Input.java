package mu.micro.cli;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What a command is given: on the command line or, where that says {@code -} or
 * {@code @FILE}, on standard input or in a file.
 */
final class Input {

	private Input() {
	}

	/**
	 * Whether the bytes come from elsewhere.
	 * @param written what stands on the command line
	 * @return whether it names standard input or a file
	 */
	static boolean elsewhere(String written) {
		return written.equals("-") || written.startsWith("@");
	}

	/**
	 * Reads what is meant.
	 * @param terminal has standard input
	 * @param written what stands on the command line
	 * @param what what it is, for messages
	 * @param most how many MB may come from elsewhere
	 * @return the bytes; of what stands on the command line its UTF-8
	 * @throws Failure if it cannot be read, or is longer
	 */
	static byte[] read(Terminal terminal, String written, String what, int most) {
		try {
			if (written.equals("-")) {
				return read(terminal.in(), what, "standard input", most);
			}
			if (written.startsWith("@")) {
				try (InputStream file = Files.newInputStream(Path.of(written.substring(1)))) {
					return read(file, what, Terminal.plain(written.substring(1)), most);
				}
			}
			return written.getBytes(StandardCharsets.UTF_8);
		}
		catch (IOException | IllegalArgumentException ex) {
			throw unreadable(written, (written.startsWith("@")) ? written.substring(1) : written, ex);
		}
	}

	/**
	 * Says why something cannot be read.
	 * @param written what stands on the command line; {@code -} for standard input
	 * @param file the file that it names
	 * @param cause how reading failed
	 * @return the failure
	 */
	static Failure unreadable(String written, String file, Exception cause) {
		if (written.equals("-")) {
			return Failure.told(Failure.OTHER, "Cannot read standard input: " + cause.getMessage(), cause);
		}
		File there = new File(file);
		String why = (there.isDirectory()) ? "it is a directory."
				: (there.exists()) ? "check that you may read it." : "there is no such file.";
		return new Failure(Failure.USAGE, "Cannot read '" + Terminal.plain(written) + "': " + why, cause);
	}

	private static byte[] read(InputStream in, String what, String name, int most) throws IOException {
		int bytes = most * 1024 * 1024;
		byte[] read = in.readNBytes(bytes + 1);
		if (read.length > bytes) {
			throw Failure.usage("The " + what + " in " + name + " is larger than " + most + " MB.");
		}
		return read;
	}

}
