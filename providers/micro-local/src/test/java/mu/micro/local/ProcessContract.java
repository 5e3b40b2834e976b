package mu.micro.local;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

import mu.micro.Lease;
import mu.micro.Scoped;
import mu.micro.registry.Instance;
import mu.micro.registry.Registry;
import mu.micro.tck.RegistryContract;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * The contract, with nodes that are processes, and what such registries promise beyond
 * it.
 */
abstract class ProcessContract extends RegistryContract {

	private static final Duration TTL = Duration.ofSeconds(30);

	@TempDir
	private Path directory;

	private final RegistryProcess.Kind kind;

	private final List<RegistryProcess> processes = new ArrayList<>();

	private final String namespace = "ns-" + UUID.randomUUID();

	private final String service = "service-" + UUID.randomUUID();

	ProcessContract(RegistryProcess.Kind kind) {
		this.kind = kind;
	}

	@Override
	protected final Scoped<Registry> open() {
		return this.kind.open(this.directory);
	}

	@Override
	protected final Node start(String namespace, Instance instance, Duration ttl) throws IOException {
		return process(namespace, instance, ttl)::kill;
	}

	@AfterEach
	void killProcesses() {
		this.processes.forEach(RegistryProcess::kill);
	}

	@Test
	void whoeverRegistersLastHasTheInstanceAlsoAcrossProcesses() throws Exception {
		try (Scoped<Registry> registry = open()) {
			Registry here = registry.in(this.namespace);
			CountDownLatch lost = new CountDownLatch(1);
			Lease first = here.register(instance(1), TTL);
			first.onLost(lost::countDown);
			RegistryProcess process = process(this.namespace, instance(2), TTL);
			assertThat(lost.await(10, TimeUnit.SECONDS)).isTrue();
			first.close();
			await(() -> here.instances(this.service).equals(List.of(instance(2))));
			here.register(instance(3), TTL);
			await(() -> process.errors().contains("lost"));
			process.kill();
			assertThat(here.instances(this.service)).containsExactly(instance(3));
		}
	}

	@Test
	void aKilledProcessIsForgottenWithinFiveSeconds() throws Exception {
		try (Scoped<Registry> registry = open()) {
			Registry here = registry.in(this.namespace);
			RegistryProcess process = process(this.namespace, instance(1), TTL);
			await(() -> here.instances(this.service).size() == 1);
			process.kill();
			Awaitility.await().atMost(Duration.ofSeconds(5)).until(() -> here.instances(this.service).isEmpty());
		}
	}

	@Test
	void aProcessThatEndsInOrderIsForgotten() throws Exception {
		try (Scoped<Registry> registry = open()) {
			Registry here = registry.in(this.namespace);
			RegistryProcess process = process(this.namespace, instance(1), TTL);
			await(() -> here.instances(this.service).size() == 1);
			process.end();
			Awaitility.await().atMost(Duration.ofSeconds(10)).until(() -> here.instances(this.service).isEmpty());
		}
	}

	private RegistryProcess process(String namespace, Instance instance, Duration ttl) throws IOException {
		RegistryProcess process = RegistryProcess.start(this.kind, this.directory, namespace, instance, ttl);
		this.processes.add(process);
		return process;
	}

	private Instance instance(int port) {
		return new Instance(this.service, "latest", "a", "127.0.0.1", port, Map.of());
	}

	private static void await(BooleanSupplier condition) {
		Awaitility.await()
			.atMost(Duration.ofSeconds(10))
			.pollInterval(Duration.ofMillis(10))
			.until(condition::getAsBoolean);
	}

}
