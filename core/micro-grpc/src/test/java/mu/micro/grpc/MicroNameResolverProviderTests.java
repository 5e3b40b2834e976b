package mu.micro.grpc;

import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

import io.grpc.Channel;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.NameResolverRegistry;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import mu.micro.Lease;
import mu.micro.memory.MemoryRegistry;
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

}
