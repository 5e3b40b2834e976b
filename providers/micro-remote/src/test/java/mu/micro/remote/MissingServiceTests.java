package mu.micro.remote;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import io.grpc.HandlerRegistry;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerMethodDefinition;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyServerBuilder;
import mu.micro.MicroException;
import mu.micro.blob.Blobs;
import mu.micro.config.Config;
import mu.micro.config.Json;
import mu.micro.grpc.Errors;
import mu.micro.grpc.Frames;
import mu.micro.store.Store;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Behind a proxy that finds none of the services: that is no answer of theirs.
 */
class MissingServiceTests {

	private static final Duration TIMEOUT = Duration.ofSeconds(5);

	private final List<AutoCloseable> open = new ArrayList<>();

	private Server proxy;

	private String address;

	@BeforeEach
	void start() throws IOException {
		this.proxy = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
			.fallbackHandlerRegistry(new Nobody())
			.build()
			.start();
		this.address = "127.0.0.1:" + this.proxy.getPort();
	}

	@AfterEach
	void stop() throws Exception {
		for (AutoCloseable closeable : this.open) {
			closeable.close();
		}
		this.proxy.shutdownNow();
	}

	@Test
	void aStoreThatIsNotThereIsNoEmptyStore() {
		RemoteDatabases databases = new RemoteDatabases(this.address, TIMEOUT);
		this.open.add(databases);
		Store table = databases.in("micro").table("micro");
		unavailable(() -> table.get("a"));
		unavailable(() -> table.put("a", new byte[0]));
		unavailable(databases::names);
	}

	@Test
	void blobsThatAreNotThereAreNotNone() {
		RemoteBlobs provider = new RemoteBlobs(this.address, TIMEOUT);
		this.open.add(provider);
		Blobs blobs = provider.in("micro");
		unavailable(() -> blobs.find("a"));
		unavailable(() -> blobs.get("a"));
		unavailable(() -> blobs.list("", "", 1));
		unavailable(() -> blobs.put("a", "text/plain", InputStream.nullInputStream()));
	}

	@Test
	void aConfigThatIsNotThereIsNoEmptyConfig() {
		RemoteConfig configs = new RemoteConfig(this.address, TIMEOUT);
		this.open.add(configs);
		Config config = configs.in("micro");
		unavailable(() -> config.get("a", false));
		unavailable(() -> config.set("a", Json.of(1), false));
	}

	@Test
	void aRegistryThatIsNotThereIsNoEmptyRegistry() {
		RemoteRegistry registry = new RemoteRegistry(this.address, TIMEOUT);
		this.open.add(registry);
		unavailable(() -> registry.in("micro").instances("a"));
	}

	private static void unavailable(ThrowingCallable call) {
		assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(call)
			.withMessageContaining("no such service is running")
			.havingCause()
			.isInstanceOfSatisfying(StatusRuntimeException.class,
					(ex) -> ex.getStatus().getCode().equals(Status.Code.NOT_FOUND));
	}

	private static final class Nobody extends HandlerRegistry {

		@Override
		public ServerMethodDefinition<?, ?> lookupMethod(String name, String authority) {
			ServerCallHandler<byte[], byte[]> handler = (call, headers) -> {
				StatusRuntimeException ex = Errors.toStatus("proxy",
						new MicroException.NotFound("no such service is running"));
				call.close(ex.getStatus(), (ex.getTrailers() != null) ? ex.getTrailers() : new Metadata());
				return new ServerCall.Listener<>() {
				};
			};
			return ServerMethodDefinition.create(Frames.method(name, MethodDescriptor.MethodType.UNARY), handler);
		}

	}

}
