package mu.micro.autoconfigure;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerInterceptors;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.StreamObserver;
import mu.micro.MicroException;
import mu.micro.Scoped;
import mu.micro.autoconfigure.echo.EchoGrpc;
import mu.micro.autoconfigure.echo.Text;
import mu.micro.memory.MemoryRegistry;
import mu.micro.registry.Instance;
import mu.micro.registry.Registry;
import mu.micro.services.RegistryService;
import mu.micro.spring.InstanceMetadata;
import mu.micro.spring.MicroService;
import mu.micro.wire.debug.DebugGrpc;
import mu.micro.wire.debug.HealthRequest;
import mu.micro.wire.debug.StatsRequest;
import mu.micro.wire.errors.Error;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.grpc.client.ImportGrpcClients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

@ExtendWith(OutputCaptureExtension.class)
class ServiceAutoConfigurationTests {

	@Test
	void aServiceIsRegisteredWithItsSchemaOnceItsServerListens() {
		run(EchoApplication.class, (context) -> {
			Instance instance = instance(context);
			assertThat(instance.version()).isEqualTo("v7");
			assertThat(instance.host()).isEqualTo("127.0.0.1");
			assertThat(instance.id()).startsWith("echo-");
			assertThat(instance.metadata()).containsEntry("team", "blue")
				.containsEntry("more", "metadata")
				.hasEntrySatisfying(Instance.SCHEMA, (hash) -> assertThat(hash).hasSize(32));
		}, "micro.service.version=v7", "micro.service.metadata.team=blue");
	}

	@Test
	void aServiceIsCalledByName() {
		run(EchoApplication.class, (context) -> {
			EchoGrpc.EchoBlockingStub echo = context.getBean(EchoGrpc.EchoBlockingStub.class);
			assertThat(echo.call(text("hello")).getText()).isEqualTo("hello");
		});
	}

	@Test
	void theLeaseIsClosedBeforeTheLastCallIsAnswered() throws Exception {
		ConfigurableApplicationContext context = start(EchoApplication.class);
		Registry registry = context.getBean(Registry.class);
		EchoApplication.Echo echo = context.getBean(EchoApplication.Echo.class);
		CompletableFuture<Integer> left = new CompletableFuture<>();
		registry.watch("echo", (instances) -> {
			if (instances.isEmpty()) {
				left.complete(0);
			}
		});
		Instance instance = instance(context);
		ManagedChannel channel = channel(instance);
		try {
			CompletableFuture<Text> slow = new CompletableFuture<>();
			EchoGrpc.newStub(channel).call(text("slow"), observer(slow));
			assertThat(echo.entered.await(10, TimeUnit.SECONDS)).isTrue();
			CompletableFuture<Void> closing = CompletableFuture.runAsync(context::close);
			assertThat(left.get(10, TimeUnit.SECONDS)).isZero();
			assertThat(slow).isNotDone();
			echo.release.countDown();
			assertThat(slow.get(10, TimeUnit.SECONDS).getText()).isEqualTo("slow");
			closing.get(20, TimeUnit.SECONDS);
		}
		finally {
			echo.release.countDown();
			channel.shutdownNow();
		}
	}

	@Test
	void aServiceStartsWithoutItsRegistryAndIsRegisteredOnceThatAnswers(CapturedOutput output) throws Exception {
		AtomicReference<Status> refusal = new AtomicReference<>(Status.UNAVAILABLE.withDescription("not up yet"));
		try (MemoryRegistry registry = new MemoryRegistry();
				RegistryService service = new RegistryService(registry, "micro", Duration.ofSeconds(1))) {
			Server server = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
				.addService(ServerInterceptors.intercept(service, refuseWith(refusal)))
				.build()
				.start();
			try (ConfigurableApplicationContext context = start(EchoApplication.class, "micro.registry.type=remote",
					"micro.remote.address=127.0.0.1:" + server.getPort())) {
				Awaitility.await()
					.atMost(Duration.ofSeconds(20))
					.untilAsserted(
							() -> assertThat(output).contains("'echo' is not registered yet").contains("not up yet"));
				refusal.set(Status.RESOURCE_EXHAUSTED.withDescription("too many nodes"));
				Awaitility.await()
					.atMost(Duration.ofSeconds(20))
					.untilAsserted(() -> assertThat(output).contains("too many nodes"));
				refusal.set(null);
				Awaitility.await()
					.atMost(Duration.ofSeconds(20))
					.untilAsserted(() -> assertThat(output).contains("'echo' is registered now"));
				assertThat(registry.in("micro").instances("echo")).hasSize(1);
			}
			finally {
				service.endWatches();
				server.shutdownNow();
			}
			assertThat(registry.in("micro").instances("echo")).isEmpty();
		}
	}

	@Test
	void aContextThatIsStoppedAndStartedIsRegisteredAgain() {
		run(EchoApplication.class, (context) -> {
			Registry registry = context.getBean(Registry.class);
			context.stop();
			assertThat(registry.instances("echo")).isEmpty();
			context.start();
			Instance instance = instance(context);
			ManagedChannel channel = channel(instance);
			try {
				assertThat(EchoGrpc.newBlockingStub(channel).call(text("again")).getText()).isEqualTo("again");
			}
			finally {
				channel.shutdownNow();
			}
		});
	}

	@Test
	void aMessageOf32MegabytesIsTaken() {
		run(EchoApplication.class, (context) -> {
			EchoGrpc.EchoBlockingStub echo = context.getBean(EchoGrpc.EchoBlockingStub.class)
				.withMaxInboundMessageSize(Integer.MAX_VALUE);
			String large = "x".repeat(31 * 1024 * 1024);
			assertThat(echo.call(text(large)).getText()).hasSameSizeAs(large);
		});
	}

	@Test
	void everyServiceAnswersDebug() {
		run(EchoApplication.class, (context) -> {
			context.getBean(EchoGrpc.EchoBlockingStub.class).call(text("counted"));
			ManagedChannel channel = channel(instance(context));
			try {
				DebugGrpc.DebugBlockingStub debug = DebugGrpc.newBlockingStub(channel);
				assertThat(debug.health(HealthRequest.getDefaultInstance()).getStatus()).isEqualTo("ok");
				Awaitility.await()
					.atMost(Duration.ofSeconds(5))
					.untilAsserted(() -> assertThat(debug.stats(StatsRequest.getDefaultInstance()).getRequests())
						.isEqualTo(1));
			}
			finally {
				channel.shutdownNow();
			}
		});
	}

	@Test
	void errorsOfHandlersHaveTheOneForm(CapturedOutput output) {
		run(EchoApplication.class, (context) -> {
			EchoGrpc.EchoBlockingStub echo = context.getBean(EchoGrpc.EchoBlockingStub.class);
			assertThat(error(echo, "missing", Status.Code.NOT_FOUND)).isEqualTo(Error.newBuilder()
				.setId("echo")
				.setCode(404)
				.setDetail("no such text")
				.setStatus("Not Found")
				.build());
			assertThat(error(echo, "defect", Status.Code.INTERNAL).getDetail())
				.isEqualTo("'echo' failed; its log says why");
			assertThat(output).contains("password is hunter2");
		});
	}

	@Test
	void anApplicationWithANameAloneIsAService() {
		run(Empty.class,
				(context) -> assertThat(context.getBean(Registry.class).services()).containsExactly("just-a-name"),
				"micro.service.name=just-a-name");
	}

	@Test
	void anApplicationWithoutServicesIsNone() {
		run(Empty.class, (context) -> assertThat(context.getBean(Registry.class).services()).isEmpty());
	}

	@Test
	void oneLineSaysTheProfileAndTheProviders(CapturedOutput output) {
		run(EchoApplication.class,
				(context) -> assertThat(output.getOut().lines().filter((line) -> line.contains("Micro profile")))
					.singleElement()
					.asString()
					.contains("test")
					.contains("registry memory"));
	}

	@Test
	void twoGrpcServicesOfOneSimpleNameAreRefused(CapturedOutput output) {
		assertThatThrownBy(() -> start(Twins.class));
		assertThat(output).contains("APPLICATION FAILED TO START")
			.contains("echo.Echo and twin.Echo are both called as 'Echo'")
			.contains("Rename one");
	}

	@Test
	void twoOfOneSimpleNameThatAreInThePackagesOfTheirServicesAreNot() {
		run(Namesakes.class,
				(context) -> assertThat(context.getBean(Registry.class).services()).contains("echo", "twin"));
	}

	@Test
	void aServiceWithoutANameIsRefused(CapturedOutput output) {
		assertThatThrownBy(() -> start(Nameless.class));
		assertThat(output).contains("APPLICATION FAILED TO START").contains("spring.application.name");
	}

	@Test
	void aWrongProfileIsExplained(CapturedOutput output) {
		assertThatThrownBy(() -> start(Empty.class, "micro.profile=clod"));
		assertThat(output).contains("APPLICATION FAILED TO START").contains("clod").contains("local, service, test");
	}

	@Test
	void aWrongProviderIsExplained(CapturedOutput output) {
		assertThatThrownBy(() -> start(Empty.class, "micro.registry.type=etc"));
		assertThat(output).contains("APPLICATION FAILED TO START")
			.contains("micro.registry.type")
			.contains("LOCAL")
			.contains("REMOTE");
	}

	@Test
	@EnabledOnOs(OS.LINUX)
	void aPortInUseIsExplainedWithItsHolder(CapturedOutput output) throws Exception {
		try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
			assertThatThrownBy(() -> start(EchoApplication.class, "spring.grpc.server.port=" + taken.getLocalPort()));
			assertThat(output).contains("APPLICATION FAILED TO START")
				.contains("Port " + taken.getLocalPort() + " is already in use by process "
						+ ProcessHandle.current().pid())
				.contains("spring.grpc.server.port or SPRING_GRPC_SERVER_PORT in the environment");
		}
	}

	@Test
	void anotherContractUnderTheSameNameIsWarnedOf(CapturedOutput output) {
		run(EchoApplication.class, (context) -> assertThat(output).doesNotContain("a different contract"));
		run(Crowded.class, (context) -> assertThat(output).contains("Another 'echo'").contains("a different contract"));
	}

	private static Error error(EchoGrpc.EchoBlockingStub echo, String text, Status.Code code) {
		StatusRuntimeException[] thrown = new StatusRuntimeException[1];
		assertThatExceptionOfType(StatusRuntimeException.class).isThrownBy(() -> echo.call(text(text)))
			.satisfies((ex) -> thrown[0] = ex);
		assertThat(thrown[0].getStatus().getCode()).isEqualTo(code);
		try {
			return StatusProto.fromThrowable(thrown[0]).getDetails(0).unpack(Error.class);
		}
		catch (com.google.protobuf.InvalidProtocolBufferException ex) {
			throw new AssertionError(ex);
		}
	}

	private static Instance instance(ConfigurableApplicationContext context) {
		List<Instance> instances = context.getBean(Registry.class).instances("echo");
		assertThat(instances).hasSize(1);
		return instances.get(0);
	}

	private static ManagedChannel channel(Instance instance) {
		return ManagedChannelBuilder.forAddress(instance.host(), instance.port()).usePlaintext().build();
	}

	private static ServerInterceptor refuseWith(AtomicReference<Status> refusal) {
		return new ServerInterceptor() {

			@Override
			public <Q, R> ServerCall.Listener<Q> interceptCall(ServerCall<Q, R> call, Metadata headers,
					ServerCallHandler<Q, R> next) {
				Status status = refusal.get();
				if (status == null) {
					return next.startCall(call, headers);
				}
				call.close(status, new Metadata());
				return new ServerCall.Listener<>() {
				};
			}

		};
	}

	private static Text text(String text) {
		return Text.newBuilder().setText(text).build();
	}

	private static StreamObserver<Text> observer(CompletableFuture<Text> future) {
		return new StreamObserver<>() {

			@Override
			public void onNext(Text value) {
				future.complete(value);
			}

			@Override
			public void onError(Throwable failure) {
				future.completeExceptionally(failure);
			}

			@Override
			public void onCompleted() {
			}

		};
	}

	private static void run(Class<?> application, Consumer<ConfigurableApplicationContext> test, String... properties) {
		try (ConfigurableApplicationContext context = start(application, properties)) {
			test.accept(context);
		}
	}

	private static ConfigurableApplicationContext start(Class<?> application, String... properties) {
		SpringApplication spring = new SpringApplication(application);
		String[] arguments = new String[properties.length + 1];
		arguments[0] = "--micro.profile=test";
		for (int i = 0; i < properties.length; i++) {
			arguments[i + 1] = "--" + properties[i];
		}
		return spring.run(arguments);
	}

	@Configuration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	static class Empty {

	}

	@Configuration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	@Import(EchoApplication.Echo.class)
	@ImportGrpcClients(target = "micro:///echo", types = EchoGrpc.EchoBlockingStub.class)
	static class EchoApplication {

		@Bean
		InstanceMetadata more() {
			return () -> Map.of("more", "metadata");
		}

		@MicroService("echo")
		static class Echo extends EchoGrpc.EchoImplBase {

			private final CountDownLatch entered = new CountDownLatch(1);

			private final CountDownLatch release = new CountDownLatch(1);

			@Override
			public void call(Text request, StreamObserver<Text> response) {
				switch (request.getText()) {
					case "missing" -> throw new MicroException.NotFound("no such text");
					case "defect" -> throw new IllegalStateException("password is hunter2");
					case "slow" -> {
						this.entered.countDown();
						await();
					}
					default -> {
					}
				}
				response.onNext(request);
				response.onCompleted();
			}

			private void await() {
				try {
					this.release.await();
				}
				catch (InterruptedException ex) {
					Thread.currentThread().interrupt();
				}
			}

		}

	}

	/**
	 * An echo that finds another one of its name.
	 */
	@Configuration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	@Import(EchoApplication.Echo.class)
	static class Crowded {

		@Bean
		Scoped<Registry> registries() {
			MemoryRegistry registry = new MemoryRegistry();
			registry.in("micro")
				.register(new Instance("echo", "latest", "a", "127.0.0.1", 1, Map.of(Instance.SCHEMA, "different")),
						Duration.ofSeconds(30));
			return registry;
		}

	}

	@Configuration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	@Import(EchoApplication.Echo.class)
	static class Twins {

		@Bean
		@MicroService("other")
		mu.micro.autoconfigure.twin.EchoGrpc.EchoImplBase twin() {
			return new mu.micro.autoconfigure.twin.EchoGrpc.EchoImplBase() {
			};
		}

	}

	@Configuration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	static class Namesakes {

		@Bean
		@MicroService("echo")
		EchoGrpc.EchoImplBase echo() {
			return new EchoGrpc.EchoImplBase() {
			};
		}

		@Bean
		@MicroService("twin")
		mu.micro.autoconfigure.twin.EchoGrpc.EchoImplBase twin() {
			return new mu.micro.autoconfigure.twin.EchoGrpc.EchoImplBase() {
			};
		}

	}

	@Configuration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	static class Nameless {

		@Bean
		@MicroService
		EchoGrpc.EchoImplBase nameless() {
			return new EchoGrpc.EchoImplBase() {
			};
		}

	}

}
