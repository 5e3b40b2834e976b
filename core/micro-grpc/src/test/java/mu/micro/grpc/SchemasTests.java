package mu.micro.grpc;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import io.grpc.Context;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.stub.StreamObserver;
import mu.micro.Lease;
import mu.micro.MicroException;
import mu.micro.memory.MemoryRegistry;
import mu.micro.registry.Instance;
import mu.micro.registry.Registry;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class SchemasTests {

	private final MemoryRegistry registries = new MemoryRegistry();

	private final Registry registry = this.registries.in("micro");

	private final Channels channels = new Channels(this.registry, 1_000_000);

	private final Schemas schemas = new Schemas(this.registry, this.channels, Duration.ofSeconds(10));

	private final TestInstance a = TestInstance.kinds("a");

	private final TestInstance b = TestInstance.kinds("b");

	private final TestInstance other = TestInstance.others("o");

	@AfterEach
	void close() {
		this.schemas.close();
		this.channels.close();
		this.a.close();
		this.b.close();
		this.other.close();
		this.registries.close();
	}

	@Test
	void aSchemaIsReadOnceForAllInstancesThatOfferIt() {
		this.a.register(this.registry, "foo");
		this.b.register(this.registry, "foo");
		for (int i = 0; i < 5; i++) {
			List<Schemas.Offer> offers = this.schemas.of("foo");
			assertThat(offers).hasSize(1);
			assertThat(offers.get(0).hash()).isEqualTo(this.a.schema()).isEqualTo(offers.get(0).schema().hash());
		}
		assertThat(this.a.reflected() + this.b.reflected()).isEqualTo(1);
		Awaitility.await().until(() -> this.schemas.of("foo").get(0).instances().size() == 2);
	}

	@Test
	void firstCallsAtTheSameTimeReadOnce() throws Exception {
		this.a.register(this.registry, "foo");
		ExecutorService callers = Executors.newFixedThreadPool(16);
		try {
			CountDownLatch start = new CountDownLatch(1);
			List<CompletableFuture<List<Schemas.Offer>>> answers = new ArrayList<>();
			for (int i = 0; i < 16; i++) {
				answers.add(CompletableFuture.supplyAsync(() -> {
					awaitLatch(start);
					return this.schemas.of("foo");
				}, callers));
			}
			start.countDown();
			for (CompletableFuture<List<Schemas.Offer>> answer : answers) {
				assertThat(answer.get()).hasSize(1);
			}
			assertThat(this.a.reflected()).isEqualTo(1);
		}
		finally {
			callers.shutdownNow();
		}
	}

	@Test
	void twoContractsUnderOneNameAreTwoOffers() {
		this.a.register(this.registry, "foo");
		this.b.register(this.registry, "foo");
		this.other.register(this.registry, "foo");
		Awaitility.await().until(() -> this.schemas.of("foo").size() == 2);
		List<Schemas.Offer> offers = this.schemas.of("foo");
		assertThat(offers).extracting(Schemas.Offer::hash).containsExactly(this.a.schema(), this.other.schema());
		assertThat(offers.get(0).instances()).extracting(Instance::id).containsExactly("a", "b");
		assertThat(offers.get(1).schema().endpoints()).containsExactly("Others.Do");
	}

	@Test
	void aNewContractIsSeenWhenItsInstanceIs() {
		Lease lease = this.a.register(this.registry, "foo");
		assertThat(this.schemas.of("foo").get(0).schema().endpoints()).contains("Kinds.Echo");
		lease.close();
		this.other.register(this.registry, "foo");
		Awaitility.await()
			.ignoreExceptionsInstanceOf(MicroException.NotFound.class)
			.until(() -> this.schemas.of("foo").get(0).schema().endpoints().equals(List.of("Others.Do")));
		assertThat(this.schemas.of("foo")).hasSize(1);
	}

	@Test
	void aServiceNobodyRunsIsNotFoundAndIsFoundOnceItRuns() {
		assertThatExceptionOfType(MicroException.NotFound.class).isThrownBy(() -> this.schemas.of("foo"))
			.withMessageContaining("no service 'foo' is running");
		Lease lease = this.a.register(this.registry, "foo");
		assertThat(this.schemas.of("foo")).hasSize(1);
		lease.close();
		Awaitility.await()
			.untilAsserted(() -> assertThatExceptionOfType(MicroException.NotFound.class)
				.isThrownBy(() -> this.schemas.of("foo")));
	}

	@Test
	void anInstanceThatTellsNoHashIsReadToo() {
		this.registry.register(this.a.instance("foo", Map.of()), Duration.ofSeconds(30));
		List<Schemas.Offer> offers = this.schemas.of("foo");
		assertThat(offers.get(0).hash()).isEmpty();
		assertThat(offers.get(0).schema().hash()).isEqualTo(this.a.schema());
	}

	@Test
	void anInstanceThatDiedIsSaidAndTriedAgain() {
		this.a.close();
		this.a.register(this.registry, "foo");
		for (int i = 0; i < 2; i++) {
			assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(() -> this.schemas.of("foo"));
		}
		this.b.register(this.registry, "foo");
		Awaitility.await()
			.ignoreExceptionsInstanceOf(MicroException.Unavailable.class)
			.until(() -> this.schemas.of("foo").size() == 1);
	}

	@Test
	void aBrokenSchemaIsTheCalleesDefect() {
		FileDescriptorProto one = FileDescriptorProto.newBuilder().setName("one").addDependency("two").build();
		FileDescriptorProto two = FileDescriptorProto.newBuilder().setName("two").addDependency("one").build();
		try (TestInstance broken = new TestInstance("b", new Reflecting(one, two))) {
			broken.register(this.registry, "foo");
			assertThatExceptionOfType(MicroException.Internal.class).isThrownBy(() -> this.schemas.of("foo"))
				.withMessageContaining("circle");
		}
	}

	@Test
	void instancesThatHangCostOneTimeoutAndNoOffer() {
		try (TestInstance hung = new TestInstance("hung", new Reflecting());
				Schemas impatient = new Schemas(this.registry, this.channels, Duration.ofSeconds(2))) {
			for (int i = 0; i < 10; i++) {
				this.registry.register(
						new Instance("foo", "latest", "h" + i, "127.0.0.1", hung.port(), Map.of("schema", "h" + i)),
						Duration.ofSeconds(30));
			}
			this.a.register(this.registry, "foo");
			long start = System.nanoTime();
			assertThat(impatient.of("foo")).extracting(Schemas.Offer::hash).containsExactly(this.a.schema());
			assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(8));
		}
	}

	@Test
	void anErrorWhileReadingIsToldAndTriedAgain() {
		AtomicInteger readings = new AtomicInteger();
		try (Schemas failing = new Schemas(this.registry, (service, hash) -> {
			if (readings.incrementAndGet() == 1) {
				throw new StackOverflowError("too deep");
			}
			return Schema.of(List.of());
		}, Duration.ofSeconds(1))) {
			this.a.register(this.registry, "foo");
			assertThatExceptionOfType(MicroException.Internal.class).isThrownBy(() -> failing.of("foo"))
				.withMessageContaining("too deep");
			assertThat(failing.of("foo")).hasSize(1);
		}
	}

	@Test
	void aCallerThatGivesUpSpoilsItForNobody() throws Exception {
		this.a.register(this.registry, "foo");
		CountDownLatch gaveUp = new CountDownLatch(1);
		try (Schemas slow = new Schemas(this.registry, (service, hash) -> {
			awaitLatch(gaveUp);
			return Reflection.read(this.channels.to(service, hash), Duration.ofSeconds(10));
		}, Duration.ofSeconds(10))) {
			AtomicReference<Throwable> failure = new AtomicReference<>();
			Thread caller = new Thread(() -> {
				Thread.currentThread().interrupt();
				try {
					slow.of("foo");
				}
				catch (MicroException ex) {
					failure.set(ex);
				}
			});
			caller.start();
			caller.join();
			gaveUp.countDown();
			assertThat(failure.get()).isInstanceOf(MicroException.Cancelled.class);
			Context.CancellableContext cancelled = Context.current().withCancellation();
			cancelled.cancel(null);
			cancelled.run(() -> assertThat(slow.of("foo")).hasSize(1));
			assertThat(this.a.reflected()).isEqualTo(1);
		}
	}

	@Test
	void onceClosedNothingIsWatched() {
		this.a.register(this.registry, "foo");
		this.schemas.of("foo");
		this.schemas.close();
		assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(() -> this.schemas.of("foo"));
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
	 * Tells of one service, in the given files; without files nothing at all.
	 */
	private static final class Reflecting extends ServerReflectionGrpc.ServerReflectionImplBase {

		private final List<FileDescriptorProto> files;

		Reflecting(FileDescriptorProto... files) {
			this.files = List.of(files);
		}

		@Override
		public StreamObserver<ServerReflectionRequest> serverReflectionInfo(
				StreamObserver<ServerReflectionResponse> call) {
			return new StreamObserver<>() {

				@Override
				public void onNext(ServerReflectionRequest request) {
					if (Reflecting.this.files.isEmpty()) {
						return;
					}
					ServerReflectionResponse.Builder answer = ServerReflectionResponse.newBuilder();
					if (request.hasListServices()) {
						answer.getListServicesResponseBuilder().addServiceBuilder().setName("broken.Broken");
					}
					else {
						Reflecting.this.files.forEach((file) -> answer.getFileDescriptorResponseBuilder()
							.addFileDescriptorProto(file.toByteString()));
					}
					call.onNext(answer.build());
				}

				@Override
				public void onError(Throwable failure) {
				}

				@Override
				public void onCompleted() {
					call.onCompleted();
				}

			};
		}

	}

}
