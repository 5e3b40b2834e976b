package mu.micro.local;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

import mu.micro.registry.Instance;
import mu.micro.registry.Registry;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class WithoutMulticastTests {

	private static final Duration TTL = Duration.ofSeconds(30);

	private static final Instance INSTANCE = new Instance("service", "latest", "a", "127.0.0.1", 1, Map.of());

	/**
	 * Not a multicast group: joining it fails.
	 */
	private static final String BROKEN = "-Dnet.mdns.ipv4=127.0.0.1";

	/**
	 * Nothing can be sent there.
	 */
	private static final String UNHEARD = "-Dnet.mdns.port=0";

	@TempDir
	private Path directory;

	@Test
	void theFilesDoAndItIsSaidOnce() throws Exception {
		try (LocalRegistry registry = new LocalRegistry(this.directory)) {
			Registry here = registry.in("namespace");
			RegistryProcess process = RegistryProcess.start(RegistryProcess.Kind.LOCAL, this.directory, "namespace",
					INSTANCE, TTL, BROKEN);
			try {
				Awaitility.await().until(() -> here.instances("service").size() == 1);
				Awaitility.await().until(() -> process.errors().contains("multicast"));
				assertThat(process.errors()).containsOnlyOnce("by the files in " + this.directory + " alone");
			}
			finally {
				process.kill();
			}
			Awaitility.await().atMost(Duration.ofSeconds(10)).until(() -> here.instances("service").isEmpty());
		}
	}

	@Test
	void whoDoesNotHearItselfGoesOnWithTheFiles() throws Exception {
		try (LocalRegistry registry = new LocalRegistry(this.directory)) {
			RegistryProcess process = RegistryProcess.start(RegistryProcess.Kind.LOCAL, this.directory, "namespace",
					INSTANCE, TTL, UNHEARD);
			try {
				Awaitility.await()
					.atMost(Duration.ofSeconds(20))
					.until(() -> process.errors().contains("by the files in " + this.directory + " alone"));
				assertThat(registry.in("namespace").instances("service")).containsExactly(INSTANCE);
			}
			finally {
				process.kill();
			}
		}
	}

	@Test
	void multicastAloneIsUnavailableAndSaysWhatToDo() {
		assertThatThrownBy(() -> RegistryProcess.start(RegistryProcess.Kind.MDNS, this.directory, "namespace", INSTANCE,
				TTL, BROKEN))
			.hasMessageContaining("Unavailable")
			.hasMessageContaining("micro.registry.type");
	}

}
