package mu.micro.remote;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import mu.micro.Scoped;
import mu.micro.registry.Instance;
import mu.micro.registry.Registry;
import mu.micro.tck.RegistryContract;
import org.junit.jupiter.api.AfterEach;

class RemoteRegistryTests extends RegistryContract {

	private final TestServer server = new TestServer();

	private final List<Process> processes = new ArrayList<>();

	@AfterEach
	void endServerAndNodes() {
		this.processes.forEach(Process::destroyForcibly);
		this.server.close();
	}

	@Override
	protected Scoped<Registry> open() {
		return new RemoteRegistry(this.server.address(), Duration.ofSeconds(5));
	}

	@Override
	protected Duration settle() {
		return Duration.ZERO;
	}

	@Override
	protected Duration shortestTtl() {
		return Duration.ofSeconds(1);
	}

	@Override
	protected Node start(String namespace, Instance instance, Duration ttl) throws IOException {
		Process process = RegisteredNode.start(this.server.address(), namespace, instance, ttl);
		this.processes.add(process);
		return process::destroyForcibly;
	}

}
