package mu.micro.autoconfigure;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

import org.jspecify.annotations.Nullable;

/**
 * Finds the process that listens on a TCP port, as far as
 * <a href="https://man7.org/linux/man-pages/man5/proc_net.5.html">/proc</a> tells.
 */
final class PortHolder {

	private static final String LISTEN = "0A";

	private static final int LOCAL_ADDRESS = 1;

	private static final int STATE = 3;

	private static final int INODE = 9;

	private PortHolder() {
	}

	/**
	 * The holder of a port.
	 * @param port the port
	 * @return "process 123 (java -jar app.jar)", or null where that cannot be seen
	 */
	static @Nullable String of(int port) {
		Set<String> sockets = new HashSet<>();
		try {
			for (String table : Set.of("/proc/net/tcp", "/proc/net/tcp6")) {
				collect(Path.of(table), port, sockets);
			}
			return (sockets.isEmpty()) ? null : holder(sockets);
		}
		catch (IOException ex) {
			return null;
		}
	}

	private static void collect(Path table, int port, Set<String> into) throws IOException {
		if (!Files.isReadable(table)) {
			return;
		}
		String suffix = String.format(Locale.ROOT, ":%04X", port);
		for (String line : Files.readAllLines(table)) {
			String[] columns = line.trim().split("\\s+");
			if (columns.length > INODE && columns[LOCAL_ADDRESS].endsWith(suffix) && columns[STATE].equals(LISTEN)) {
				into.add("socket:[" + columns[INODE] + "]");
			}
		}
	}

	private static @Nullable String holder(Set<String> sockets) throws IOException {
		try (DirectoryStream<Path> processes = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
			for (Path process : processes) {
				if (holds(process.resolve("fd"), sockets)) {
					return describe(Long.parseLong(process.getFileName().toString()));
				}
			}
		}
		return null;
	}

	private static boolean holds(Path descriptors, Set<String> sockets) {
		try (DirectoryStream<Path> links = Files.newDirectoryStream(descriptors)) {
			for (Path link : links) {
				if (sockets.contains(Files.readSymbolicLink(link).toString())) {
					return true;
				}
			}
			return false;
		}
		catch (IOException ex) {
			return false;
		}
	}

	/*
	 * The program, and what it runs if that is a jar; other arguments may be secret.
	 */
	private static String describe(long pid) {
		ProcessHandle.Info info = ProcessHandle.of(pid).map(ProcessHandle::info).orElse(null);
		String program = (info != null) ? info.command().orElse("of another user") : "of another user";
		List<String> arguments = (info != null) ? List.of(info.arguments().orElse(new String[0])) : List.of();
		int jar = arguments.indexOf("-jar");
		String what = (jar >= 0 && jar + 1 < arguments.size()) ? " -jar " + arguments.get(jar + 1) : "";
		return "process " + pid + " (" + program + what + ")";
	}

}
