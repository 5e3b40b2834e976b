package mu.micro.remote;

import java.io.IOException;
import java.time.Duration;
import java.util.Map;

import mu.micro.registry.Instance;

/**
 * A process that registers one instance, says so, and runs until its input ends.
 */
public final class RegisteredNode {

	private RegisteredNode() {
	}

	public static void main(String[] args) throws IOException {
		Instance instance = new Instance(args[2], args[3], args[4], args[5], Integer.parseInt(args[6]), Map.of());
		try (RemoteRegistry registry = new RemoteRegistry(args[0], Duration.ofSeconds(10))) {
			registry.in(args[1]).register(instance, Duration.parse(args[7]));
			System.out.println("registered");
			while (System.in.read() >= 0) {
				// Its parent lives.
			}
		}
	}

	static Process start(String address, String namespace, Instance instance, Duration ttl) throws IOException {
		String java = ProcessHandle.current().info().command().orElseThrow();
		Process process = new ProcessBuilder(java, "-Xmx64m", "-XX:TieredStopAtLevel=1", "-cp",
				System.getProperty("java.class.path"), RegisteredNode.class.getName(), address, namespace,
				instance.service(), instance.version(), instance.id(), instance.host(),
				Integer.toString(instance.port()), ttl.toString())
			.redirectError(ProcessBuilder.Redirect.INHERIT)
			.start();
		String said = process.inputReader().readLine();
		if (!"registered".equals(said)) {
			process.destroyForcibly();
			throw new IllegalStateException("the node said " + said);
		}
		return process;
	}

}
