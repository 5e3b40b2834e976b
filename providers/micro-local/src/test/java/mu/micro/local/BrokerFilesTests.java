package mu.micro.local;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

import mu.micro.Message;
import mu.micro.MicroException;
import mu.micro.broker.Broker;
import mu.micro.broker.BrokerSubscription;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

@Timeout(60)
class BrokerFilesTests {

	private static final String NAMESPACE = "namespace";

	private static final String TOPIC = "topic";

	@TempDir
	private Path parent;

	@Test
	void aFileInPlaceOfTheDirectoryIsSaidWithWhatToDo() throws IOException {
		Path file = Files.createFile(this.parent.resolve("broker"));
		assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(() -> new LocalBroker(file))
			.withMessageContainingAll(file.toString(), "broker", "directory", "micro.data-dir");
	}

	@Test
	@DisabledOnOs(OS.WINDOWS)
	void onlyTheUserMayReadTheFiles() throws IOException {
		Path directory = this.parent.resolve("micro").resolve("broker");
		try (LocalBroker broker = new LocalBroker(directory)) {
			broker.in(NAMESPACE).subscribe(TOPIC, (message) -> {
			});
			for (Path made : List.of(directory.getParent(), directory)) {
				assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(made))).isEqualTo("rwx------");
			}
			assertThat(files(directory)).hasSize(3);
			for (Path file : files(directory)) {
				assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file))).isEqualTo("rw-------");
			}
		}
	}

	@Test
	void whoOnlyPublishesNeedsNoFilesAndNoPort() throws IOException {
		try (LocalBroker broker = new LocalBroker(this.parent)) {
			broker.in(NAMESPACE).publish(TOPIC, message("1"));
			assertThat(names(this.parent)).containsExactly("secret");
		}
	}

	@Test
	void whatIsNotOursIsIgnoredAndKept() throws IOException {
		Files.writeString(this.parent.resolve("notes.txt"), "mine");
		Files.writeString(this.parent.resolve("x.lease"), "mine");
		Node stranger = new Node("t0123456789abcdef", 1, 1, "0123456789abcdef");
		try (LocalBroker broker = new LocalBroker(this.parent)) {
			Files.writeString(this.parent.resolve(stranger + ".lease"), "without a lock");
			broker.in(NAMESPACE).publish(TOPIC, message("1"));
		}
		assertThat(names(this.parent)).containsExactlyInAnyOrder("notes.txt", "x.lease", "secret");
	}

	@Test
	void aRemovedDirectoryIsMadeAgainByTheNextSubscription() {
		Path directory = this.parent.resolve("broker");
		Set<String> got = ConcurrentHashMap.newKeySet();
		try (LocalBroker subscriber = new LocalBroker(directory); LocalBroker publisher = new LocalBroker(directory)) {
			subscriber.in(NAMESPACE).subscribe(TOPIC, (message) -> got.add(message.id()));
			publisher.in(NAMESPACE).publish(TOPIC, message("1"));
			assertThat(directory.toFile().renameTo(this.parent.resolve("away").toFile())).isTrue();
			publisher.in(NAMESPACE).publish(TOPIC, message("nobody"));
			subscriber.in(NAMESPACE).subscribe("another topic", (message) -> {
			});
			publisher.in(NAMESPACE).publish(TOPIC, message("2"));
			await(() -> got.equals(Set.of("1", "2")));
		}
	}

	@Test
	void aThousandSubscriptionsGetWhatIsTheirs() {
		int count = 1000;
		AtomicInteger common = new AtomicInteger();
		AtomicInteger own = new AtomicInteger();
		AtomicInteger strayed = new AtomicInteger();
		try (LocalBroker subscriber = new LocalBroker(this.parent);
				LocalBroker publisher = new LocalBroker(this.parent)) {
			Broker there = subscriber.in(NAMESPACE);
			List<BrokerSubscription> subscriptions = new ArrayList<>();
			for (int i = 0; i < count; i++) {
				String topic = "topic-" + i;
				subscriptions.add(there.subscribe(TOPIC, (message) -> common.incrementAndGet()));
				subscriptions.add(there.subscribe(topic, (message) -> {
					own.incrementAndGet();
					if (!message.id().equals(topic)) {
						strayed.incrementAndGet();
					}
				}));
			}
			for (int i = 0; i < count; i++) {
				publisher.in(NAMESPACE).publish("topic-" + i, message("topic-" + i));
			}
			publisher.in(NAMESPACE).publish(TOPIC, message("to all"));
			await(() -> common.get() == count && own.get() == count);
			assertThat(strayed).hasValue(0);
			subscriptions.forEach(BrokerSubscription::close);
			publisher.in(NAMESPACE).publish(TOPIC, message("to nobody"));
			assertThat(common).hasValue(count);
		}
	}

	@Test
	void moreTopicsThanFitIntoTheFileAreRefusedAndTheRestStays() {
		String large = "😀".repeat(190);
		AtomicInteger subscribed = new AtomicInteger();
		AtomicInteger got = new AtomicInteger();
		try (LocalBroker subscriber = new LocalBroker(this.parent);
				LocalBroker publisher = new LocalBroker(this.parent)) {
			Broker there = subscriber.in(NAMESPACE);
			assertThatExceptionOfType(MicroException.Exhausted.class).isThrownBy(() -> {
				while (subscribed.get() < 10_000) {
					there.subscribe(subscribed + large, large, (message) -> got.incrementAndGet());
					subscribed.incrementAndGet();
				}
			}).withMessageContaining("subscribe to less");
			for (int i = 0; i <= subscribed.get(); i++) {
				publisher.in(NAMESPACE).publish(i + large, message("1"));
			}
			await(() -> got.get() == subscribed.get());
		}
	}

	@Test
	void anInterruptedThreadCanSubscribePublishAndClose() {
		Set<String> got = ConcurrentHashMap.newKeySet();
		try (LocalBroker publisher = new LocalBroker(this.parent)) {
			LocalBroker subscriber = new LocalBroker(this.parent);
			Thread.currentThread().interrupt();
			BrokerSubscription subscription = subscriber.in(NAMESPACE)
				.subscribe(TOPIC, (message) -> got.add(message.id()));
			subscriber.in(NAMESPACE).subscribe("another topic", (message) -> {
			});
			publisher.in(NAMESPACE).publish(TOPIC, message("1"));
			publisher.in(NAMESPACE).publish(TOPIC, message("2"));
			assertThat(Thread.interrupted()).isTrue();
			await(() -> got.equals(Set.of("1", "2")));
			Thread.currentThread().interrupt();
			subscription.close();
			subscriber.close();
			assertThat(Thread.interrupted()).isTrue();
		}
	}

	@Test
	@EnabledOnOs(OS.LINUX)
	void nothingIsLeftOpenOrRunning() throws IOException {
		openAndClose();
		Awaitility.await().until(() -> threads() == 0);
		List<String> before = descriptors();
		for (int i = 0; i < 5; i++) {
			openAndClose();
		}
		Awaitility.await().until(() -> threads() == 0);
		List<String> after = descriptors();
		before.forEach(after::remove);
		assertThat(after).isEmpty();
		assertThat(names(this.parent)).containsExactly("secret");
	}

	private void openAndClose() {
		Set<String> got = ConcurrentHashMap.newKeySet();
		try (LocalBroker one = new LocalBroker(this.parent);
				LocalBroker other = new LocalBroker(this.parent);
				LocalBroker unused = new LocalBroker(this.parent)) {
			one.in(NAMESPACE).subscribe(TOPIC, (message) -> got.add(message.id()));
			other.in(NAMESPACE).subscribe(TOPIC, "queue", (message) -> got.add(message.id()));
			one.in(NAMESPACE).publish(TOPIC, message("1"));
			other.in(NAMESPACE).publish(TOPIC, message("2"));
			unused.in(NAMESPACE).publish(TOPIC, message("3"));
			await(() -> got.size() == 3);
		}
	}

	private static long threads() {
		return Thread.getAllStackTraces()
			.keySet()
			.stream()
			.filter((thread) -> thread.getName().startsWith("micro-broker"))
			.count();
	}

	private List<String> descriptors() {
		List<String> descriptors = new ArrayList<>();
		for (Path descriptor : files(Path.of("/proc/self/fd"))) {
			try {
				String target = Files.readSymbolicLink(descriptor).toString();
				if (!target.startsWith("/") || target.startsWith(this.parent.toString())) {
					descriptors.add(target);
				}
			}
			catch (NoSuchFileException ex) {
				// Closed meanwhile.
			}
			catch (IOException ex) {
				throw new UncheckedIOException(ex);
			}
		}
		return descriptors;
	}

	private static List<Path> files(Path directory) {
		try (Stream<Path> files = Files.list(directory)) {
			return files.toList();
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	private static Set<String> names(Path directory) {
		Set<String> names = new HashSet<>();
		files(directory).forEach((file) -> names.add(file.getFileName().toString()));
		return names;
	}

	private static Message message(String id) {
		return new Message(id, Map.of(), new byte[0]);
	}

	private static void await(Callable<Boolean> condition) {
		Awaitility.await().atMost(Duration.ofSeconds(15)).pollInterval(Duration.ofMillis(10)).until(condition);
	}

}
