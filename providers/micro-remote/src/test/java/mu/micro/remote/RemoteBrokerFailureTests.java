package mu.micro.remote;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import io.grpc.Context;
import io.grpc.Server;
import mu.micro.Message;
import mu.micro.MicroException;
import mu.micro.broker.Broker;
import mu.micro.broker.BrokerSubscription;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

@Timeout(60)
class RemoteBrokerFailureTests {

	private final List<AutoCloseable> open = new ArrayList<>();

	private final List<String> heard = new CopyOnWriteArrayList<>();

	private TestServer server = new TestServer();

	@AfterEach
	void close() throws Exception {
		for (AutoCloseable closeable : this.open) {
			closeable.close();
		}
		this.server.close();
	}

	@Test
	void aSubscriptionGoesOnWhenTheServerIsBack() {
		Broker mine = broker(Duration.ofSeconds(10)).in("micro");
		mine.subscribe("t", this::hear);
		mine.subscribe("t", "q", this::hear);
		mine.publish("t", message("1"));
		TestServer.await(() -> this.heard.size() == 2);
		int port = this.server.port();
		this.server.close();
		assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(() -> {
			mine.publish("t", message("lost"));
			mine.publish("t", message("lost"));
		});
		this.server = new TestServer(port);
		// Nobody knows when they are back but by what arrives.
		TestServer.await(() -> {
			this.server.broker("micro").publish("t", message("2"));
			return this.heard.size() >= 4;
		});
		assertThat(this.heard).doesNotContain("lost");
	}

	@Test
	void aSubscriptionGoesOnWhenTheServerHasDrained() {
		Broker mine = broker(Duration.ofSeconds(10)).in("micro");
		mine.subscribe("t", this::hear);
		this.server.endWatches();
		mine.publish("t", message("1"));
		this.server.resumeWatches();
		TestServer.await(() -> {
			this.server.broker("micro").publish("t", message("2"));
			return this.heard.contains("2");
		});
	}

	@Test
	void aSubscriptionGoesOnThoughItsConnectionDiedInSilence() throws Exception {
		Relay relay = keep(new Relay(this.server.port()));
		Broker behind = keep(new RemoteBroker(relay.address(), Duration.ofSeconds(2), Duration.ofSeconds(3)))
			.in("micro");
		behind.subscribe("t", this::hear);
		relay.fallSilent();
		TestServer.await(() -> {
			this.server.broker("micro").publish("t", message("1"));
			return !this.heard.isEmpty();
		});
	}

	@Test
	void aQuietSubscriptionKeepsItsCall() {
		Broker mine = keep(new RemoteBroker(this.server.address(), Duration.ofSeconds(5), Duration.ofSeconds(3)))
			.in("micro");
		mine.subscribe("t", this::hear);
		int calls = this.server.calls();
		Awaitility.await()
			.during(Duration.ofSeconds(5))
			.atMost(Duration.ofSeconds(10))
			.until(() -> this.server.calls() == calls);
		this.server.broker("micro").publish("t", message("1"));
		TestServer.await(() -> this.heard.size() == 1);
	}

	@Test
	void whatWasDroppedIsCountedOverARestart() {
		CountDownLatch release = new CountDownLatch(1);
		Broker mine = broker(Duration.ofSeconds(10)).in("micro");
		BrokerSubscription subscription = mine.subscribe("t", (message) -> {
			awaitLatch(release);
			hear(message);
		});
		for (int i = 0; i < Broker.BACKLOG + 11; i++) {
			mine.publish("t", message("m" + i));
		}
		TestServer.await(() -> subscription.dropped() == 10);
		int port = this.server.port();
		this.server.close();
		this.server = new TestServer(port);
		TestServer.await(() -> {
			this.server.broker("micro").publish("t", message("more"));
			return subscription.dropped() > 10;
		});
		release.countDown();
		TestServer.await(() -> this.heard.size() > Broker.BACKLOG);
		assertThat(this.heard.subList(0, Broker.BACKLOG + 1)).doesNotContain("more");
	}

	@Test
	void aServerThatIsAwayIsNamed() {
		Broker mine = broker(Duration.ofSeconds(5)).in("micro");
		mine.publish("t", message("1"));
		this.server.close();
		TestServer.await(() -> {
			try {
				mine.publish("t", message("2"));
				return false;
			}
			catch (MicroException.OutcomeUnknown ex) {
				// It was sent before the connection's end was noticed.
				return false;
			}
			catch (MicroException.Unavailable ex) {
				return ex.getMessage().contains(this.server.address())
						&& ex.getMessage().contains("start it with 'micro server'");
			}
		});
		assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(() -> mine.subscribe("t", this::hear))
			.withMessageContainingAll(this.server.address(), "start it with 'micro server'");
		int port = this.server.port();
		this.server = new TestServer(port);
		mine.subscribe("t", this::hear);
		mine.publish("t", message("3"));
		TestServer.await(() -> this.heard.size() == 1);
	}

	@Test
	void aSubscriptionThatCouldNotBeginIsNotTriedOn() {
		Broker mine = broker(Duration.ofMillis(500)).in("micro");
		mine.publish("t", message("warm"));
		this.server.pause();
		assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(() -> mine.subscribe("t", this::hear))
			.withMessageContaining("nothing within 500 ms");
		this.server.resume();
		int calls = this.server.calls();
		Awaitility.await()
			.during(Duration.ofSeconds(1))
			.atMost(Duration.ofSeconds(5))
			.until(() -> this.server.calls() == calls);
		this.server.broker("micro").publish("t", message("1"));
		mine.subscribe("t", this::hear);
		this.server.broker("micro").publish("t", message("2"));
		TestServer.await(() -> !this.heard.isEmpty());
		assertThat(this.heard).containsExactly("2");
	}

	@Test
	void whatIsNotAnsweredIsUnknown() {
		Broker mine = broker(Duration.ofMillis(500)).in("micro");
		mine.publish("t", message("warm"));
		this.server.broker("micro").subscribe("t", this::hear);
		this.server.pause();
		assertThatExceptionOfType(MicroException.OutcomeUnknown.class).isThrownBy(() -> mine.publish("t", message("1")))
			.withMessageContaining(this.server.address());
		TestServer.await(() -> this.heard.contains("1"));
	}

	@Test
	void anInterruptionEndsTheWaitForASubscription() throws Exception {
		Broker mine = broker(Duration.ofSeconds(30)).in("micro");
		mine.publish("t", message("warm"));
		this.server.pause();
		CompletableFuture<Throwable> failure = new CompletableFuture<>();
		Thread thread = new Thread(() -> {
			try {
				mine.subscribe("t", this::hear);
			}
			catch (MicroException ex) {
				failure.complete(ex);
			}
		});
		thread.setDaemon(true);
		int kept = this.server.kept();
		thread.start();
		TestServer.await(() -> this.server.kept() > kept);
		thread.interrupt();
		assertThat(failure.get(10, TimeUnit.SECONDS)).isInstanceOf(MicroException.Cancelled.class);
		this.server.resume();
		this.server.broker("micro").publish("t", message("1"));
		assertThat(this.heard).isEmpty();
	}

	@Test
	void aSubscriptionOutlivesTheCallItWasMadeIn() {
		Broker mine = broker(Duration.ofSeconds(10)).in("micro");
		Context.CancellableContext context = Context.current().withCancellation();
		context.run(() -> mine.subscribe("t", this::hear));
		context.cancel(null);
		mine.publish("t", message("1"));
		TestServer.await(() -> this.heard.size() == 1);
	}

	@Test
	void closingIsQuickThoughTheServerSaysNothing() {
		RemoteBroker leaving = broker(Duration.ofSeconds(1));
		for (int i = 0; i < 50; i++) {
			leaving.in("micro").subscribe("t" + i, "q", this::hear);
		}
		this.server.pause();
		long start = System.nanoTime();
		leaving.close();
		assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
	}

	@Test
	void whatIsNoMicroServerIsNamed() throws Exception {
		Server other = TestServer.withoutServices();
		this.open.add(other::shutdownNow);
		String address = "127.0.0.1:" + other.getPort();
		Broker broker = keep(new RemoteBroker(address, Duration.ofSeconds(10))).in("micro");
		assertThatExceptionOfType(MicroException.Unimplemented.class)
			.isThrownBy(() -> broker.publish("t", message("1")))
			.withMessageContainingAll(address, "broker", "micro.remote.address");
		assertThatExceptionOfType(MicroException.Unimplemented.class)
			.isThrownBy(() -> broker.subscribe("t", this::hear))
			.withMessageContainingAll(address, "broker", "micro.remote.address");
	}

	@Test
	void aServerThatSaysNothingIsNamedWithinTheTimeout() throws Exception {
		ServerSocket silent = keep(new ServerSocket(0, 1, InetAddress.getLoopbackAddress()));
		String address = "127.0.0.1:" + silent.getLocalPort();
		Broker broker = keep(new RemoteBroker(address, Duration.ofMillis(300))).in("micro");
		assertThatExceptionOfType(MicroException.class).isThrownBy(() -> broker.publish("t", message("1")))
			.withMessageContainingAll(address, "nothing within 300 ms");
		assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(() -> broker.subscribe("t", this::hear))
			.withMessageContainingAll(address, "nothing within 300 ms");
	}

	private RemoteBroker broker(Duration timeout) {
		return keep(new RemoteBroker(this.server.address(), timeout));
	}

	private <T extends AutoCloseable> T keep(T closeable) {
		this.open.add(0, closeable);
		return closeable;
	}

	private void hear(Message message) {
		this.heard.add(new String(message.body(), StandardCharsets.UTF_8));
	}

	private static Message message(String text) {
		return Message.of(text.getBytes(StandardCharsets.UTF_8));
	}

	private static void awaitLatch(CountDownLatch latch) {
		try {
			latch.await();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

}
