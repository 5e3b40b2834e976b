package mu.micro.local;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;

import mu.micro.Lease;
import mu.micro.Scoped;
import mu.micro.registry.Instance;
import mu.micro.registry.Registry;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import static org.assertj.core.api.Assertions.assertThat;

class ClosingTests {

	private static final Duration TTL = Duration.ofSeconds(30);

	@TempDir
	private Path directory;

	private final String namespace = "ns-" + UUID.randomUUID();

	@ParameterizedTest
	@EnumSource
	@EnabledOnOs(OS.LINUX)
	void nothingIsLeftOpenOrRunning(RegistryProcess.Kind kind) {
		openAndClose(kind);
		Awaitility.await().until(() -> threads() == 0);
		List<String> before = descriptors();
		for (int i = 0; i < 5; i++) {
			openAndClose(kind);
		}
		Awaitility.await().until(() -> threads() == 0);
		List<String> after = descriptors();
		before.forEach(after::remove);
		assertThat(after).isEmpty();
		assertThat(this.directory).satisfiesAnyOf((left) -> assertThat(left).isEmptyDirectory(),
				(left) -> assertThat(left).isDirectoryContaining("glob:**/secret")
					.isDirectoryNotContaining((file) -> !file.endsWith("secret")));
	}

	@ParameterizedTest
	@EnumSource
	void openingAndClosingAtOnceLeavesNothing(RegistryProcess.Kind kind) {
		for (int i = 0; i < 5; i++) {
			kind.open(this.directory).close();
		}
		Awaitility.await().until(() -> threads() == 0);
	}

	@ParameterizedTest
	@EnumSource
	void anInterruptedThreadCanRegisterAndClose(RegistryProcess.Kind kind) {
		try (Scoped<Registry> other = kind.open(this.directory)) {
			Scoped<Registry> registry = kind.open(this.directory);
			Thread.currentThread().interrupt();
			Lease lease = registry.in(this.namespace).register(instance("a"), TTL);
			registry.in(this.namespace).register(instance("b"), TTL);
			assertThat(Thread.interrupted()).isTrue();
			Registry there = other.in(this.namespace);
			Awaitility.await().until(() -> there.instances("service").size() == 2);
			Thread.currentThread().interrupt();
			lease.close();
			registry.close();
			assertThat(Thread.interrupted()).isTrue();
			Awaitility.await().until(() -> there.instances("service").isEmpty());
		}
	}

	private void openAndClose(RegistryProcess.Kind kind) {
		try (Scoped<Registry> registry = kind.open(this.directory);
				Scoped<Registry> reader = kind.open(this.directory)) {
			registry.in(this.namespace).register(instance("a"), TTL).close();
			registry.in(this.namespace).register(instance("b"), TTL);
			registry.in(this.namespace).register(instance("b"), TTL);
			Registry there = reader.in(this.namespace);
			there.watch("service", (instances) -> {
			});
			Awaitility.await().until(() -> there.instances("service").size() == 1);
		}
	}

	private static Instance instance(String id) {
		return new Instance("service", "latest", id, "127.0.0.1", 1, Map.of());
	}

	private static long threads() {
		return Thread.getAllStackTraces()
			.keySet()
			.stream()
			.filter((thread) -> Stream.of("micro-", "SocketListener(micro-").anyMatch(thread.getName()::startsWith))
			.count();
	}

	/**
	 * What a registry may hold. The JVM opens other files whenever it likes, such as its
	 * control group's.
	 */
	private List<String> descriptors() {
		List<String> descriptors = new ArrayList<>();
		try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
			for (Path descriptor : (Iterable<Path>) open::iterator) {
				String target = target(descriptor);
				if (!target.startsWith("/") || target.startsWith(this.directory.toString())) {
					descriptors.add(target);
				}
			}
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		return descriptors;
	}

	private static String target(Path descriptor) throws IOException {
		try {
			return Files.readSymbolicLink(descriptor).toString();
		}
		catch (NoSuchFileException ex) {
			return "/closed";
		}
	}

}
