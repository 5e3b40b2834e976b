package mu.micro.core;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * A process that seals a secret with the keys of a file as soon as it is told to.
 */
public final class SealingProcess {

	private SealingProcess() {
	}

	public static void main(String[] args) throws IOException {
		Keyring ring = Keyring.file(Path.of(args[0]));
		System.out.println("ready");
		System.in.read();
		System.out.println(ring.seals("micro").seal("a", "sesame".getBytes(StandardCharsets.UTF_8)));
	}

	static Process start(Path file) throws IOException {
		String java = ProcessHandle.current().info().command().orElseThrow();
		return new ProcessBuilder(java, "-Xmx64m", "-XX:TieredStopAtLevel=1", "-cp",
				System.getProperty("java.class.path"), SealingProcess.class.getName(), file.toString())
			.redirectError(ProcessBuilder.Redirect.INHERIT)
			.start();
	}

}
