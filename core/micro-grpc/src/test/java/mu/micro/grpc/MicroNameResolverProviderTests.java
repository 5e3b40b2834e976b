package mu.micro.grpc;

import java.net.InetAddress;
import java.net.URI;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;

import io.grpc.Channel;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.NameResolver;
import io.grpc.NameResolverRegistry;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.SynchronizationContext;
import mu.micro.Lease;
import mu.micro.memory.MemoryRegistry;
import mu.micro.registry.Instance;
import mu.micro.registry.Registry;
import mu.micro.test.kinds.Ask;
import mu.micro.test.kinds.KindsGrpc;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

class MicroNameResolverProviderTests {

	private final MemoryRegistry registries = new MemoryRegistry();

	private final Registry registry = this.registries.in("micro");

	private final Channels channels = new Channels(this.registry, 1_000_000);

	private final TestInstance a = TestInstance.kinds("a");

	private final TestInstance b = TestInstance.kinds("b");

	private final List<Throwable> failures = new CopyOnWriteArrayList<>();

	@AfterEach
	void close() {
		this.channels.close();
		this.a.close();
		this.b.close();
		this.registries.close();
	}

	@Test
	void callsGoRoundTheInstances() {
		this.a.register(this.registry, "foo");
		this.b.register(this.registry, "foo");
		await(() -> places(this.channels.to("foo")).equals(Set.of("a", "b")));
	}

	@Test
	void instancesComeAndGoWhileCallsRunAndNoneFails() {
		Lease first = this.a.register(this.registry, "foo");
		Channel channel = this.channels.to("foo");
		await(() -> places(channel).equals(Set.of("a")));
		Lease second = this.b.register(this.registry, "foo");
		await(() -> places(channel).equals(Set.of("a", "b")));
		first.close();
		await(() -> places(channel).equals(Set.of("b")));
		this.a.register(this.registry, "foo");
		second.close();
		await(() -> places(channel).equals(Set.of("a")));
	}

	@Test
	void aServiceNobodyRunsFailsAtOnceAndSaysSo() {
		Channel channel = this.channels.to("nobody");
		for (int i = 0; i < 3; i++) {
			StatusRuntimeException ex = catchThrowableOfType(StatusRuntimeException.class, () -> where(channel));
			assertThat(ex.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
			assertThat(ex.getStatus().getDescription()).contains("no instance of 'nobody' is running; start one");
		}
		this.a.register(this.registry, "nobody");
		await(() -> answers(channel));
	}

	@Test
	void whenTheLastInstanceIsGoneItsPlaceIsNotCalledAgain() {
		Lease lease = this.a.register(this.registry, "foo");
		Channel channel = this.channels.to("foo");
		assertThat(where(channel)).isEqualTo("a");
		lease.close();
		await(() -> !answers(channel));
		assertThatExceptionOfType(StatusRuntimeException.class).isThrownBy(() -> where(channel))
			.withMessageContaining("no instance of 'foo' is running");
		this.b.register(this.registry, "foo");
		await(() -> answers(channel));
		assertThat(where(channel)).isEqualTo("b");
	}

	@ParameterizedTest
	@ValueSource(strings = { "order-service", "two words", "günther", "日本", "a+b", "50%", "a/b", "a?b#c", "x:1", "😀",
			"@", "a&schema=b" })
	void anyNameIsATarget(String name) {
		this.a.register(this.registry, name);
		this.b.register(this.registry, "another");
		assertThat(where(this.channels.to(name))).isEqualTo("a");
		assertThat(where(this.channels.to(name, this.a.schema()))).isEqualTo("a");
	}

	@Test
	void aSchemaKeepsToItsInstances() {
		this.a.register(this.registry, "foo");
		this.registry.register(this.b.instance("foo", Map.of()), Duration.ofSeconds(30));
		assertThat(places(this.channels.to("foo", this.a.schema()))).containsExactly("a");
		assertThat(places(this.channels.to("foo", ""))).containsExactly("b");
		assertThatExceptionOfType(StatusRuntimeException.class)
			.isThrownBy(() -> where(this.channels.to("foo", "0123456789")))
			.withMessageContaining("no instance of 'foo'");
	}

	@Test
	void aHostThatIsANameIsLookedUp() {
		this.registry.register(this.a.instance("foo", "localhost", Map.of()), Duration.ofSeconds(30));
		assertThat(where(this.channels.to("foo"))).isEqualTo("a");
	}

	@Test
	void aHostThatNobodyKnowsIsSaid() {
		this.registry.register(this.a.instance("foo", "two words", Map.of()), Duration.ofSeconds(30));
		assertThatExceptionOfType(StatusRuntimeException.class).isThrownBy(() -> where(this.channels.to("foo")))
			.matches((ex) -> ex.getStatus().getCode() == Status.Code.UNAVAILABLE)
			.withMessageContaining("nobody knows the host 'two words'");
	}

	@Test
	void aSlowLookUpDelaysNeitherOthersNorTheEnd() throws Exception {
		CountDownLatch slow = new CountDownLatch(1);
		SynchronizationContext context = new SynchronizationContext((thread, failure) -> this.failures.add(failure));
		ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
		ExecutorService offload = Executors.newCachedThreadPool();
		try {
			NameResolver resolver = new MicroNameResolverProvider((host) -> {
				if (host.startsWith("slow")) {
					awaitLatch(slow);
				}
				return new InetAddress[] { InetAddress.getLoopbackAddress() };
			}).newNameResolver(URI.create("micro:///foo"), args(context, timer, offload));
			this.registry.register(this.a.instance("foo", "slow.example", Map.of()), Duration.ofSeconds(30));
			this.registry.register(this.b.instance("foo", "127.0.0.1", Map.of()), Duration.ofSeconds(30));
			Results results = new Results();
			context.execute(() -> resolver.start(results));
			await(() -> results.last.get() == 1);
			this.registry.register(new Instance("foo", "latest", "c", "quick.example", 1, Map.of()),
					Duration.ofSeconds(30));
			await(() -> results.last.get() == 2);
			CountDownLatch ended = new CountDownLatch(1);
			context.execute(() -> {
				resolver.shutdown();
				ended.countDown();
			});
			assertThat(ended.await(5, TimeUnit.SECONDS)).isTrue();
			assertThat(slow.getCount()).isOne();
			assertThat(this.failures).isEmpty();
		}
		finally {
			slow.countDown();
			timer.shutdownNow();
			offload.shutdownNow();
		}
	}

	@Test
	void anInstanceJoinsOnceItsHostIsKnown() throws Exception {
		CountDownLatch slow = new CountDownLatch(1);
		SynchronizationContext context = new SynchronizationContext((thread, failure) -> this.failures.add(failure));
		ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
		ExecutorService offload = Executors.newCachedThreadPool();
		try {
			NameResolver resolver = new MicroNameResolverProvider((host) -> {
				awaitLatch(slow);
				return new InetAddress[] { InetAddress.getLoopbackAddress() };
			}).newNameResolver(URI.create("micro:///foo"), args(context, timer, offload));
			for (int i = 0; i < 50; i++) {
				this.registry.register(new Instance("foo", "latest", "i" + i, "slow" + i, 1, Map.of()),
						Duration.ofSeconds(30));
			}
			Results results = new Results();
			context.execute(() -> resolver.start(results));
			slow.countDown();
			await(() -> results.last.get() == 50);
			context.execute(resolver::shutdown);
			assertThat(this.failures).isEmpty();
		}
		finally {
			slow.countDown();
			timer.shutdownNow();
			offload.shutdownNow();
		}
	}

	@Test
	void aTargetWithoutASchemeIsStillAnAddress() throws Exception {
		assertThat(NameResolverRegistry.getDefaultRegistry().getDefaultScheme()).isEqualTo("dns");
		ManagedChannel channel = Grpc
			.newChannelBuilder("127.0.0.1:" + this.a.port(), InsecureChannelCredentials.create())
			.build();
		assertThat(where(channel)).isEqualTo("a");
		channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
	}

	@Test
	void whatIsMissingIsSaid() {
		for (String target : List.of("micro:///", "micro:foo", "micro://foo")) {
			assertThatIllegalArgumentException()
				.isThrownBy(() -> Grpc.newChannelBuilder(target, InsecureChannelCredentials.create())
					.setNameResolverArg(MicroNameResolverProvider.REGISTRY, this.registry)
					.build())
				.withMessageContaining("micro:///name");
		}
		assertThatIllegalArgumentException()
			.isThrownBy(() -> Grpc.newChannelBuilder("micro:///foo", InsecureChannelCredentials.create()).build())
			.withMessageContaining("setNameResolverArg");
	}

	@Test
	void aClosedRegistryFailsCallsAtOnce() {
		this.registries.close();
		assertThatExceptionOfType(StatusRuntimeException.class).isThrownBy(() -> where(this.channels.to("foo")))
			.matches((ex) -> ex.getStatus().getCode() == Status.Code.UNAVAILABLE)
			.withMessageContaining("the registry is closed");
	}

	private static Set<String> places(Channel channel) {
		Set<String> places = new HashSet<>();
		for (int i = 0; i < 6; i++) {
			places.add(where(channel));
		}
		return places;
	}

	private static boolean answers(Channel channel) {
		try {
			where(channel);
			return true;
		}
		catch (StatusRuntimeException ex) {
			return false;
		}
	}

	private static String where(Channel channel) {
		return KindsGrpc.newBlockingStub(channel)
			.withDeadlineAfter(10, TimeUnit.SECONDS)
			.where(Ask.getDefaultInstance())
			.getId();
	}

	private static void await(BooleanSupplier condition) {
		Awaitility.await()
			.atMost(Duration.ofSeconds(10))
			.pollInterval(Duration.ofMillis(10))
			.until(condition::getAsBoolean);
	}

	private NameResolver.Args args(SynchronizationContext context, ScheduledExecutorService timer,
			ExecutorService offload) {
		return NameResolver.Args.newBuilder()
			.setDefaultPort(1)
			.setProxyDetector((address) -> null)
			.setSynchronizationContext(context)
			.setScheduledExecutorService(timer)
			.setOffloadExecutor(offload)
			.setServiceConfigParser(new NameResolver.ServiceConfigParser() {

				@Override
				public NameResolver.ConfigOrError parseServiceConfig(Map<String, ?> config) {
					return NameResolver.ConfigOrError.fromConfig(config);
				}

			})
			.setArg(MicroNameResolverProvider.REGISTRY, this.registry)
			.build();
	}

	private static void awaitLatch(CountDownLatch latch) {
		try {
			latch.await();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	/**
	 * How many addresses were told last.
	 */
	private static final class Results extends NameResolver.Listener2 {

		private final AtomicInteger last = new AtomicInteger(-1);

		@Override
		public void onResult(NameResolver.ResolutionResult result) {
			this.last.set(result.getAddressesOrError().getValue().size());
		}

		@Override
		public void onError(Status error) {
			this.last.set(-2);
		}

	}

}
