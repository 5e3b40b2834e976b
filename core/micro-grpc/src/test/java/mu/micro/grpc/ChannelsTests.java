package mu.micro.grpc;

import java.net.InetAddress;
import java.net.NetworkInterface;
import java.util.Map;
import java.util.concurrent.TimeUnit;

import io.grpc.Channel;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import mu.micro.MicroException;
import mu.micro.memory.MemoryRegistry;
import mu.micro.registry.Registry;
import mu.micro.test.kinds.Ask;
import mu.micro.test.kinds.Everything;
import mu.micro.test.kinds.KindsGrpc;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assumptions.assumeThat;

class ChannelsTests {

	private final MemoryRegistry registries = new MemoryRegistry();

	private final Registry registry = this.registries.in("micro");

	private final Channels channels = new Channels(this.registry, 1000);

	private final TestInstance a = TestInstance.kinds("a");

	@AfterEach
	void close() {
		this.channels.close();
		this.a.close();
		this.registries.close();
	}

	@Test
	void aChannelIsKeptForTheNextCall() {
		Channel channel = this.channels.to("foo");
		assertThat(this.channels.to("foo")).isSameAs(channel);
		assertThat(this.channels.to("bar")).isNotSameAs(channel);
		assertThat(this.channels.to("foo", "hash")).isNotSameAs(channel).isSameAs(this.channels.to("foo", "hash"));
	}

	@Test
	void aChannelLeadsToOneInstance() {
		Channel channel = this.channels.to(this.a.instance("foo", Map.of()));
		assertThat(KindsGrpc.newBlockingStub(channel).where(Ask.getDefaultInstance()).getId()).isEqualTo("a");
	}

	@Test
	void aChannelLeadsToAnInstanceAtAnIpv6Address() throws Exception {
		InetAddress loopback = InetAddress.getByName("::1");
		assumeThat(NetworkInterface.getByInetAddress(loopback)).isNotNull();
		try (TestInstance b = new TestInstance("b", loopback, new TestInstance.Kinds("b"))) {
			Channel channel = this.channels.to(b.instance("foo", Map.of()));
			assertThat(KindsGrpc.newBlockingStub(channel).where(Ask.getDefaultInstance()).getId()).isEqualTo("b");
			b.register(this.registry, "foo");
			assertThat(KindsGrpc.newBlockingStub(this.channels.to("foo")).where(Ask.getDefaultInstance()).getId())
				.isEqualTo("b");
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "two words", "a_b", "[::1]", "::x", "a/b", "a@b", "a?b", "a#b", "a%b", "günther" })
	void anInstanceWhoseHostIsNoneIsUnavailable(String host) {
		assertThatExceptionOfType(MicroException.Unavailable.class)
			.isThrownBy(() -> this.channels.to(this.a.instance("foo", host, Map.of())))
			.withMessageContainingAll("'a' of 'foo'", host, "is no address");
	}

	@ParameterizedTest
	@ValueSource(strings = { "host:1", "127.0.0.1:65535", "[::1]:1", "[fe80::1%eth0]:1", "a-b.c.d:1" })
	void anAddressIsATarget(String address) {
		assertThat(Grpc.newChannelBuilder(Channels.target(address), InsecureChannelCredentials.create())
			.build()
			.shutdownNow()
			.isShutdown()).isTrue();
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "host", "host:", ":1", "::1", "host:0", "host:65536", "host:x", "http://host:1",
			"host:1/a", "[]:1" })
	void whatIsNoAddressIsNoTarget(String address) {
		assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(() -> Channels.target(address))
			.withMessageContaining("write host:port");
	}

	@Test
	void theChannelUnusedForLongestIsClosedForOneTooMany() {
		ManagedChannel used = (ManagedChannel) this.channels.to("used");
		ManagedChannel unused = (ManagedChannel) this.channels.to("unused");
		for (int i = 0; i < Channels.MOST - 2; i++) {
			this.channels.to("service-" + i);
		}
		assertThat(this.channels.to("used")).isSameAs(used);
		this.channels.to("one-more");
		assertThat(unused.isShutdown()).isTrue();
		assertThat(used.isShutdown()).isFalse();
		assertThat(this.channels.to("unused")).isNotSameAs(unused);
	}

	@Test
	void aLargerAnswerThanAllowedEndsItsCall() {
		this.a.register(this.registry, "foo");
		Everything large = Everything.newBuilder().setText("x".repeat(2000)).build();
		assertThatExceptionOfType(StatusRuntimeException.class)
			.isThrownBy(() -> KindsGrpc.newBlockingStub(this.channels.to("foo")).echo(large))
			.matches((ex) -> ex.getStatus().getCode() == Status.Code.RESOURCE_EXHAUSTED);
	}

	@Test
	void closingEndsAllChannels() throws Exception {
		this.a.register(this.registry, "foo");
		ManagedChannel channel = (ManagedChannel) this.channels.to("foo");
		KindsGrpc.newBlockingStub(channel).where(Ask.getDefaultInstance());
		this.channels.close();
		this.channels.close();
		assertThat(channel.awaitTermination(5, TimeUnit.SECONDS)).isTrue();
		assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(() -> this.channels.to("foo"));
	}

}
