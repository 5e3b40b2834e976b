package mu.micro.proxy;

import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.MethodDescriptorProto;
import com.google.protobuf.DescriptorProtos.ServiceDescriptorProto;
import com.google.protobuf.Descriptors.DescriptorValidationException;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.EmptyProto;
import io.grpc.BindableService;
import io.grpc.Metadata;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import io.grpc.Status;
import io.grpc.protobuf.ProtoFileDescriptorSupplier;
import io.grpc.reflection.v1.ExtensionRequest;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.reflection.v1.ServiceResponse;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import mu.micro.MicroException;
import mu.micro.grpc.Reflection;
import mu.micro.grpc.Schema;
import mu.micro.registry.Instance;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class ReflectionTests {

	private static final List<String> OWN = List.of("grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
			"grpc.reflection.v1alpha.ServerReflection");

	private Stage stage;

	@BeforeEach
	void open() {
		this.stage = new Stage();
	}

	@AfterEach
	void close() throws Exception {
		this.stage.close();
	}

	/**
	 * A service in a file {@code service.proto}, which imports an equal file and a
	 * {@code types.proto} of its own.
	 */
	private static FileDescriptor file(String name) {
		FileDescriptorProto types = FileDescriptorProto.newBuilder()
			.setName("types.proto")
			.setPackage(name)
			.setSyntax("proto2")
			.addMessageType(DescriptorProto.newBuilder()
				.setName("Only" + name)
				.addExtensionRange(DescriptorProto.ExtensionRange.newBuilder().setStart(100).setEnd(200)))
			.addExtension(FieldDescriptorProto.newBuilder()
				.setName("more")
				.setNumber(100 + name.length())
				.setLabel(FieldDescriptorProto.Label.LABEL_OPTIONAL)
				.setType(FieldDescriptorProto.Type.TYPE_INT32)
				.setExtendee("." + name + ".Only" + name))
			.build();
		FileDescriptorProto service = FileDescriptorProto.newBuilder()
			.setName("service.proto")
			.setPackage(name)
			.setSyntax("proto3")
			.addDependency("types.proto")
			.addDependency("google/protobuf/empty.proto")
			.addService(ServiceDescriptorProto.newBuilder()
				.setName("Service")
				.addMethod(MethodDescriptorProto.newBuilder()
					.setName("Call")
					.setInputType("." + name + ".Only" + name)
					.setOutputType(".google.protobuf.Empty")))
			.build();
		try {
			FileDescriptor imported = FileDescriptor.buildFrom(types, new FileDescriptor[0]);
			return FileDescriptor.buildFrom(service, new FileDescriptor[] { imported, EmptyProto.getDescriptor() });
		}
		catch (DescriptorValidationException ex) {
			throw new IllegalStateException(ex);
		}
	}

	private static BindableService service(String name) {
		FileDescriptor file = file(name);
		ServiceDescriptor descriptor = ServiceDescriptor.newBuilder(name + ".Service")
			.setSchemaDescriptor((ProtoFileDescriptorSupplier) () -> file)
			.build();
		return () -> ServerServiceDefinition.builder(descriptor).build();
	}

	/**
	 * Starts a service and has its schema read: what a question finds unread it waits for
	 * no longer than a second.
	 */
	private void start(String name, BindableService service) throws Exception {
		this.stage.start(name, service);
		Awaitility.await()
			.atMost(Duration.ofSeconds(30))
			.ignoreExceptionsInstanceOf(MicroException.class)
			.until(() -> !this.stage.schemas.of(name).isEmpty());
	}

	private List<ServerReflectionResponse> ask(ServerReflectionRequest.Builder... requests) {
		return ask(ServerReflectionGrpc.newStub(this.stage.front), requests);
	}

	private static List<ServerReflectionResponse> ask(ServerReflectionGrpc.ServerReflectionStub stub,
			ServerReflectionRequest.Builder... requests) {
		Catcher<ServerReflectionResponse> answers = new Catcher<>();
		StreamObserver<ServerReflectionRequest> questions = stub.serverReflectionInfo(answers);
		for (ServerReflectionRequest.Builder request : requests) {
			questions.onNext(request.build());
		}
		questions.onCompleted();
		assertThat(answers.status()).isEqualTo(Status.Code.OK);
		return new ArrayList<>(answers.messages);
	}

	private static ServerReflectionRequest.Builder list() {
		return ServerReflectionRequest.newBuilder().setListServices("");
	}

	private static ServerReflectionRequest.Builder symbol(String name) {
		return ServerReflectionRequest.newBuilder().setFileContainingSymbol(name);
	}

	private static List<String> names(ServerReflectionResponse answer) {
		return answer.getListServicesResponse().getServiceList().stream().map(ServiceResponse::getName).toList();
	}

	private static List<FileDescriptorProto> files(ServerReflectionResponse answer) {
		return answer.getFileDescriptorResponse().getFileDescriptorProtoList().stream().map((bytes) -> {
			try {
				return FileDescriptorProto.parseFrom(bytes);
			}
			catch (com.google.protobuf.InvalidProtocolBufferException ex) {
				throw new IllegalStateException(ex);
			}
		}).toList();
	}

	@Test
	void listsTheServicesOfAll() throws Exception {
		assertThat(names(ask(list()).get(0))).containsExactlyElementsOf(OWN);
		start("alpha", service("alpha"));
		start("trial", new TrialService());
		assertThat(names(ask(list()).get(0))).containsOnlyOnce("alpha.Service", "trial.Trial").containsAll(OWN);
	}

	@Test
	void answersVersionOneAlphaToo() throws Exception {
		start("trial", new TrialService());
		var stub = io.grpc.reflection.v1alpha.ServerReflectionGrpc.newStub(this.stage.front);
		Catcher<io.grpc.reflection.v1alpha.ServerReflectionResponse> answers = new Catcher<>();
		var questions = stub.serverReflectionInfo(answers);
		questions.onNext(io.grpc.reflection.v1alpha.ServerReflectionRequest.newBuilder().setListServices("").build());
		questions.onCompleted();
		assertThat(answers.status()).isEqualTo(Status.Code.OK);
		assertThat(answers.messages.element().getListServicesResponse().getServiceList())
			.extracting(io.grpc.reflection.v1alpha.ServiceResponse::getName)
			.contains("trial.Trial");
	}

	@Test
	void answersWithTheFileAndAllThatItImports() throws Exception {
		start("alpha", service("alpha"));
		for (String asked : List.of("alpha.Service", "alpha.Service.Call")) {
			assertThat(files(ask(symbol(asked)).get(0))).extracting(FileDescriptorProto::getName)
				.containsExactly("service.proto", "types.proto", "google/protobuf/empty.proto");
		}
	}

	@Test
	void tellsFilesOfOneNameApart() throws Exception {
		start("alpha", service("alpha"));
		start("beta", service("beta"));
		List<ServerReflectionResponse> answers = ask(symbol("alpha.Service"), symbol("beta.Service"),
				symbol("beta.Onlybeta"));
		assertThat(files(answers.get(0))).extracting(FileDescriptorProto::getPackage).contains("alpha");
		List<FileDescriptorProto> beta = files(answers.get(1));
		assertThat(beta).extracting(FileDescriptorProto::getName)
			.containsExactly("beta/service.proto", "beta/types.proto", "google/protobuf/empty.proto");
		assertThat(beta.get(0).getDependencyList()).containsExactly("beta/types.proto", "google/protobuf/empty.proto");
		assertThat(files(answers.get(2))).extracting(FileDescriptorProto::getPackage).containsExactly("beta");
		for (FileDescriptorProto file : beta) {
			assertThat(files(ask(ServerReflectionRequest.newBuilder().setFileByFilename(file.getName())).get(0)))
				.contains(file);
		}
		Schema all = Reflection.read(this.stage.front, Duration.ofSeconds(10));
		assertThat(all.endpoints()).containsExactly("Service.Call", "Service.Call");
	}

	@Test
	void knowsExtensions() throws Exception {
		start("alpha", service("alpha"));
		List<ServerReflectionResponse> answers = ask(
				ServerReflectionRequest.newBuilder().setAllExtensionNumbersOfType("alpha.Onlyalpha"),
				ServerReflectionRequest.newBuilder()
					.setFileContainingExtension(
							ExtensionRequest.newBuilder().setContainingType("alpha.Onlyalpha").setExtensionNumber(105)),
				ServerReflectionRequest.newBuilder().setAllExtensionNumbersOfType("alpha.Nothing"),
				ServerReflectionRequest.newBuilder()
					.setFileContainingExtension(ExtensionRequest.newBuilder()
						.setContainingType("alpha.Onlyalpha")
						.setExtensionNumber(106)));
		assertThat(answers.get(0).getAllExtensionNumbersResponse().getExtensionNumberList()).containsExactly(105);
		assertThat(files(answers.get(1))).extracting(FileDescriptorProto::getName).containsExactly("types.proto");
		assertThat(answers.get(2).getErrorResponse().getErrorCode()).isEqualTo(Status.Code.NOT_FOUND.value());
		assertThat(answers.get(3).getErrorResponse().getErrorCode()).isEqualTo(Status.Code.NOT_FOUND.value());
	}

	@Test
	void answersForItself() {
		for (String own : OWN) {
			assertThat(files(ask(symbol(own)).get(0))).isNotEmpty();
		}
		assertThat(files(ask(symbol("errors.Error")).get(0))).isNotEmpty();
		assertThat(ask(symbol("grpc.health.v1.Nothing")).get(0).getErrorResponse().getErrorCode())
			.isEqualTo(Status.Code.NOT_FOUND.value());
	}

	@Test
	void anUnknownNameIsAnErrorInTheAnswerAndTheStreamGoesOn() {
		List<ServerReflectionResponse> answers = ask(symbol("gone.Gone"),
				ServerReflectionRequest.newBuilder().setFileByFilename("gone.proto"),
				ServerReflectionRequest.newBuilder(), list());
		assertThat(answers.get(0).getErrorResponse().getErrorCode()).isEqualTo(Status.Code.NOT_FOUND.value());
		assertThat(answers.get(0).getErrorResponse().getErrorMessage()).contains("gone.Gone");
		assertThat(answers.get(1).getErrorResponse().getErrorCode()).isEqualTo(Status.Code.NOT_FOUND.value());
		assertThat(answers.get(2).getErrorResponse().getErrorCode()).isEqualTo(Status.Code.INVALID_ARGUMENT.value());
		assertThat(names(answers.get(3))).isNotEmpty();
	}

	@Test
	void leavesOutServicesThatAreDownOrSilentWithoutWaitingForThemTwice() throws Exception {
		start("trial", new TrialService());
		this.stage.register(new Instance("down", "latest", "1", "127.0.0.1", 1, Map.of()));
		try (ServerSocket silent = new ServerSocket(0)) {
			this.stage.register(new Instance("silent", "latest", "1", "127.0.0.1", silent.getLocalPort(), Map.of()));
			long start = System.nanoTime();
			assertThat(names(ask(list()).get(0))).contains("trial.Trial");
			assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(4));
			Awaitility.await().pollDelay(Duration.ofMillis(1100)).untilAsserted(() -> {
				long again = System.nanoTime();
				assertThat(names(ask(list()).get(0))).contains("trial.Trial");
				assertThat(Duration.ofNanos(System.nanoTime() - again)).isLessThan(Duration.ofMillis(700));
			});
		}
	}

	@Test
	void theHeaderPassesTheQuestionOn() throws Exception {
		start("alpha", service("alpha"));
		start("beta", service("beta"));
		Metadata headers = new Metadata();
		headers.put(Headers.SERVICE, "beta");
		List<ServerReflectionResponse> answers = ask(
				ServerReflectionGrpc.newStub(this.stage.front)
					.withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers)),
				list(), symbol("beta.Service"));
		assertThat(names(answers.get(0))).contains("beta.Service").doesNotContain("alpha.Service");
		assertThat(files(answers.get(1))).extracting(FileDescriptorProto::getName).contains("service.proto");
	}

}
