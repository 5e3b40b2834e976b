package mu.micro.local;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

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
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class DirectoryFilesTests {

	private static final Duration TTL = Duration.ofSeconds(30);

	private static final String NAMESPACE = "namespace";

	private static final String SERVICE = "service";

	@TempDir
	private Path parent;

	@Test
	void aFileInPlaceOfTheDirectoryIsSaidWithWhatToDo() throws IOException {
		Path file = Files.createFile(this.parent.resolve("registry"));
		for (Path directory : List.of(file, file.resolve("below"))) {
			assertThatExceptionOfType(MicroException.Unavailable.class)
				.isThrownBy(() -> new DirectoryRegistry(directory))
				.withMessageContainingAll(directory.toString(), "directory", "micro.data-dir");
			assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(() -> new LocalRegistry(directory))
				.withMessageContainingAll(directory.toString(), "micro.data-dir");
		}
	}

	@Test
	@DisabledOnOs(OS.WINDOWS)
	void aDirectoryThatMayNotBeReadIsSaidWithWhatToDo() throws IOException {
		Path directory = Files.createDirectory(this.parent.resolve("registry"),
				PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("---------")));
		if (Files.isReadable(directory)) {
			// Root reads everything: nothing is wrong then.
			assertThatCode(() -> new DirectoryRegistry(directory).close()).doesNotThrowAnyException();
			return;
		}
		assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(() -> new DirectoryRegistry(directory))
			.withMessageContainingAll(directory.toString(), "may not read and write", "micro.data-dir");
	}

	@Test
	@DisabledOnOs(OS.WINDOWS)
	void onlyTheUserMayReadTheFiles() throws IOException {
		Path directory = this.parent.resolve("micro").resolve("registry");
		try (DirectoryRegistry registry = new DirectoryRegistry(directory)) {
			registry.in(NAMESPACE).register(instance("a"), TTL);
			for (Path made : List.of(directory.getParent(), directory)) {
				assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(made))).isEqualTo("rwx------");
			}
			for (Path file : files(directory)) {
				assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file))).isEqualTo("rw-------");
			}
		}
	}

	@Test
	void whatIsNotOursIsIgnoredAndKept() throws IOException {
		for (String name : List.of("notes.txt", "x.json", "x.lock", "1-2-3.json", ".json", ".lock")) {
			Files.writeString(this.parent.resolve(name), "[]");
		}
		try (DirectoryRegistry registry = new DirectoryRegistry(this.parent)) {
			registry.in(NAMESPACE).register(instance("a"), TTL);
			assertThat(registry.in(NAMESPACE).services()).containsExactly(SERVICE);
		}
		assertThat(files(this.parent)).hasSize(6);
	}

	@Test
	void whatCannotBeReadIsIgnored() throws IOException {
		try (DirectoryRegistry writer = new DirectoryRegistry(this.parent);
				DirectoryRegistry reader = new DirectoryRegistry(this.parent)) {
			writer.in(NAMESPACE).register(instance("a"), TTL);
			Registry there = reader.in(NAMESPACE);
			await(() -> there.instances(SERVICE).size() == 1);
			Path file = announced();
			String whole = Files.readString(file);
			List<String> broken = List.of("", "[", "{}", "null", "\0\0\0", whole.substring(0, whole.length() - 1),
					whole.substring(0, whole.length() / 2), whole.replace("\"port\":1", "\"port\":0"),
					whole.replace("\"port\":1", "\"port\":\"x\""), whole.replace("sequence", "sequel"),
					whole.replace("\"node\":\"t", "\"node\":\"m"),
					whole.replaceFirst("\"sequence\":\\d+", "\"sequence\":" + Long.MAX_VALUE),
					whole + " ".repeat(5_000_000), "[".repeat(100_000));
			for (String content : broken) {
				Files.writeString(file, content);
				await(() -> there.instances(SERVICE).isEmpty());
				Files.writeString(file, whole.replace("\"port\":1", "\"port\":1,\"later\":{\"x\":[1]},\"more\":null"));
				await(() -> there.instances(SERVICE).size() == 1);
			}
		}
	}

	@Test
	void theFilesOfADeadProcessAreRemoved() throws IOException {
		RegistryProcess process = process("dead");
		process.kill();
		Files.writeString(sibling(announced(), ".tmp"), "half");
		assertThat(files(this.parent)).hasSize(3);
		try (DirectoryRegistry registry = new DirectoryRegistry(this.parent)) {
			assertThat(registry.in(NAMESPACE).services()).isEmpty();
			assertThat(files(this.parent)).isEmpty();
		}
	}

	@Test
	void announcementsWithoutALockAndOldLocksWithoutAnnouncementsAreRemoved() throws IOException {
		Node one = new Node("t0123456789abcdef", 1, 1, "0123456789abcdef");
		Node other = new Node("t0123456789abcdef", 2, 2, "0123456789abcdef");
		Node starting = new Node("t0123456789abcdef", 3, 3, "0123456789abcdef");
		Files.write(this.parent.resolve(one + ".json"),
				Announcement.write(List.of(new Announcement(one, 1, NAMESPACE, instance("a")))));
		Path old = Files.createFile(this.parent.resolve(other + ".lock"));
		Files.setLastModifiedTime(old, FileTime.from(Instant.now().minusSeconds(60)));
		Path young = Files.createFile(this.parent.resolve(starting + ".lock"));
		try (DirectoryRegistry registry = new DirectoryRegistry(this.parent)) {
			assertThat(registry.in(NAMESPACE).services()).isEmpty();
			assertThat(files(this.parent)).containsExactly(young);
		}
	}

	@Test
	void aLockOutlivesTheOtherRegistriesOfItsProcess() throws IOException {
		try (DirectoryRegistry registry = new DirectoryRegistry(this.parent)) {
			registry.in(NAMESPACE).register(instance("a"), TTL);
			Path lock = sibling(announced(), ".lock");
			try (DirectoryRegistry other = new DirectoryRegistry(this.parent)) {
				other.in(NAMESPACE).register(instance("b"), TTL);
				await(() -> other.in(NAMESPACE).instances(SERVICE).size() == 2);
			}
			RegistryProcess process = RegistryProcess.start(RegistryProcess.Kind.DIRECTORY, this.parent, NAMESPACE,
					instance("trying"), TTL, "-Dmicro.try=" + lock);
			process.kill();
			assertThat(process.errors()).contains("locked").doesNotContain("free");
		}
	}

	@Test
	void aRemovedDirectoryIsMadeAgain() {
		Path directory = this.parent.resolve("registry");
		try (DirectoryRegistry registry = new DirectoryRegistry(directory);
				DirectoryRegistry reader = new DirectoryRegistry(directory)) {
			Lease lease = registry.in(NAMESPACE).register(instance("a"), TTL);
			Registry there = reader.in(NAMESPACE);
			await(() -> there.instances(SERVICE).size() == 1);
			assertThat(directory.toFile().renameTo(this.parent.resolve("away").toFile())).isTrue();
			await(() -> files(directory).size() == 2);
			await(() -> there.instances(SERVICE).size() == 1);
			assertThat(lease.held()).isTrue();
			registry.in(NAMESPACE).register(instance("b"), TTL);
			await(() -> there.instances(SERVICE).size() == 2);
		}
	}

	@Test
	void whoRegistersLastIsNewestEvenIfItsClockIsSlow() {
		Clock slow = Clock.fixed(Instant.EPOCH, ZoneOffset.UTC);
		try (DirectoryRegistry first = new DirectoryRegistry(this.parent);
				DirectoryRegistry second = new DirectoryRegistry(this.parent, slow)) {
			Lease older = first.in(NAMESPACE).register(instance("a"), TTL);
			await(() -> second.in(NAMESPACE).instances(SERVICE).size() == 1);
			Lease newer = second.in(NAMESPACE).register(instance("a"), TTL);
			await(() -> !older.held());
			assertThat(newer.held()).isTrue();
		}
	}

	@Test
	void whatNoLongerFitsIntoTheFileIsRefusedAndTheRestStays() {
		try (DirectoryRegistry registry = new DirectoryRegistry(this.parent);
				DirectoryRegistry reader = new DirectoryRegistry(this.parent)) {
			Registry here = registry.in(NAMESPACE);
			Map<String, String> escaped = Map.of("k", "\u0001".repeat(1000));
			AtomicInteger count = new AtomicInteger();
			assertThatExceptionOfType(MicroException.Exhausted.class).isThrownBy(() -> {
				while (count.get() < 1000) {
					String id = "id-" + count.get();
					here.register(new Instance(SERVICE, "latest", id, "127.0.0.1", 1, escaped), TTL);
					count.incrementAndGet();
				}
			}).withMessageContaining("limit of 1048576");
			assertThat(here.instances(SERVICE)).hasSize(count.get());
			await(() -> reader.in(NAMESPACE).instances(SERVICE).size() == count.get());
		}
	}

	private RegistryProcess process(String id) throws IOException {
		return RegistryProcess.start(RegistryProcess.Kind.DIRECTORY, this.parent, NAMESPACE, instance(id), TTL);
	}

	private Path announced() {
		return files(this.parent).stream()
			.filter((file) -> file.toString().endsWith(".json"))
			.findFirst()
			.orElseThrow();
	}

	private static Path sibling(Path announced, String kind) {
		return announced.resolveSibling(announced.getFileName().toString().replace(".json", kind));
	}

	private static List<Path> files(Path directory) {
		try (Stream<Path> files = Files.list(directory)) {
			return files.toList();
		}
		catch (IOException ex) {
			return List.of();
		}
	}

	private static Instance instance(String id) {
		return new Instance(SERVICE, "latest", id, "127.0.0.1", 1, Map.of());
	}

	private static void await(BooleanSupplier condition) {
		Awaitility.await()
			.atMost(Duration.ofSeconds(10))
			.pollInterval(Duration.ofMillis(10))
			.until(condition::getAsBoolean);
	}

}
