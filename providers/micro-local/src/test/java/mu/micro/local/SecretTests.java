package mu.micro.local;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

import mu.micro.Lease;
import mu.micro.MicroException;
import mu.micro.registry.Instance;
import mu.micro.registry.Registry;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class SecretTests {

	private static final Duration TTL = Duration.ofSeconds(30);

	@TempDir
	private Path directory;

	@TempDir
	private Path other;

	private final String namespace = "ns-" + UUID.randomUUID();

	@Test
	void registriesOverOneDirectoryMeetAndThoseOverTwoDoNot() throws Exception {
		byte[] secret = Secret.of(this.directory);
		try (LocalRegistry here = new LocalRegistry(this.directory);
				LocalRegistry there = new LocalRegistry(this.directory);
				MdnsRegistry onAir = new MdnsRegistry(secret);
				MdnsRegistry everybody = new MdnsRegistry();
				LocalRegistry stranger = new LocalRegistry(this.other)) {
			Lease lease = here.in(this.namespace).register(instance(1), TTL);
			await(there.in(this.namespace), instance(1));
			// By multicast, which the others can hear as well.
			await(onAir.in(this.namespace), instance(1));
			// The newer one, which would supersede the first.
			Lease strange = stranger.in(this.namespace).register(instance(2), TTL);
			everybody.in(this.namespace).register(instance(3), TTL);
			Awaitility.await()
				.during(Duration.ofMillis(1500))
				.until(() -> lease.held() && strange.held() && sees(here.in(this.namespace), instance(1))
						&& sees(there.in(this.namespace), instance(1)) && sees(onAir.in(this.namespace), instance(1))
						&& sees(stranger.in(this.namespace), instance(2))
						&& sees(everybody.in(this.namespace), instance(3)));
		}
	}

	@Test
	void allWhoComeAtOnceGetTheSameSecret() throws Exception {
		ExecutorService threads = Executors.newCachedThreadPool();
		try {
			CyclicBarrier start = new CyclicBarrier(8);
			List<Future<byte[]>> secrets = new ArrayList<>();
			for (int i = 0; i < start.getParties(); i++) {
				secrets.add(threads.submit(() -> {
					start.await(10, TimeUnit.SECONDS);
					return Secret.of(this.directory);
				}));
			}
			byte[] first = secrets.get(0).get(10, TimeUnit.SECONDS);
			assertThat(first).hasSize(32);
			for (Future<byte[]> secret : secrets) {
				assertThat(secret.get(10, TimeUnit.SECONDS)).isEqualTo(first);
			}
			assertThat(Secret.of(this.other)).hasSize(32).isNotEqualTo(first);
			assertThat(this.directory.toFile().list()).containsExactly("secret");
		}
		finally {
			threads.shutdownNow();
		}
	}

	@Test
	@DisabledOnOs(OS.WINDOWS)
	void onlyTheUserMayReadTheSecret() throws IOException {
		Secret.of(this.directory);
		assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(this.directory.resolve("secret"))))
			.isEqualTo("rw-------");
	}

	@Test
	void aSecretOfAnotherLengthIsSaidWithWhatToDo() throws IOException {
		Path file = this.directory.resolve("secret");
		for (int length : new int[] { 0, 31, 33 }) {
			Files.write(file, new byte[length]);
			assertThatExceptionOfType(IOException.class).isThrownBy(() -> Secret.of(this.directory))
				.withMessageContainingAll(file.toString(), "32 bytes", "delete it");
		}
		// The files do alone then.
		try (LocalRegistry here = new LocalRegistry(this.directory);
				LocalRegistry there = new LocalRegistry(this.directory)) {
			here.in(this.namespace).register(instance(1), TTL);
			await(there.in(this.namespace), instance(1));
		}
	}

	@Test
	void anEmptyKeyIsRefused() {
		assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(() -> new MdnsRegistry(new byte[0]));
	}

	private static void await(Registry registry, Instance instance) {
		Awaitility.await().pollInterval(Duration.ofMillis(10)).until(() -> sees(registry, instance));
	}

	private static boolean sees(Registry registry, Instance instance) {
		return registry.instances("service").equals(List.of(instance));
	}

	private static Instance instance(int port) {
		return new Instance("service", "latest", "a", "127.0.0.1", port, Map.of());
	}

}
