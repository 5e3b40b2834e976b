package mu.micro.grpc;

import java.util.Map;
import java.util.concurrent.TimeUnit;

import io.grpc.Channel;
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

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

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
