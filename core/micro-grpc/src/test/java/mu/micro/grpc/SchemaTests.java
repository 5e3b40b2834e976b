package mu.micro.grpc;

import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;

import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.MethodDescriptorProto;
import com.google.protobuf.DescriptorProtos.ServiceDescriptorProto;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.protobuf.services.ProtoReflectionService;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import mu.micro.MicroException;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class SchemaTests {

	private static final Duration TIMEOUT = Duration.ofSeconds(10);

	@Test
	void whatIsReadIsWhatIsServed() throws Exception {
		try (TestInstance instance = new TestInstance("a", new TestInstance.Kinds("a"), new TestInstance.Others(),
				new HealthStatusManager().getHealthService(), ProtoReflectionServiceV1.newInstance())) {
			Schema schema = read(instance);
			assertThat(schema.hash()).isEqualTo(instance.schema()).matches("[0-9a-f]{32}");
			assertThat(schema.services()).extracting(ServiceDescriptor::getFullName)
				.containsExactly("kinds.Kinds", "others.Others");
			assertThat(schema.endpoints()).containsExactly("Kinds.Echo", "Kinds.Where", "Kinds.Ticks", "Others.Do");
			assertThat(schema.files()).extracting(FileDescriptor::getName)
				.containsExactly("google/protobuf/any.proto", "google/protobuf/timestamp.proto", "kinds.proto",
						"others.proto", "shapes.proto");
		}
	}

	@Test
	@SuppressWarnings("deprecation")
	void theOldReflectionIsReadToo() throws Exception {
		try (TestInstance instance = new TestInstance("a", new TestInstance.Kinds("a"),
				ProtoReflectionService.newInstance())) {
			assertThat(instance.services()).doesNotContain("grpc.reflection.v1.ServerReflection");
			assertThat(read(instance).hash()).isEqualTo(instance.schema());
		}
	}

	@Test
	void aServerWithoutReflectionIsSaid() throws Exception {
		try (TestInstance instance = new TestInstance("a", new TestInstance.Kinds("a"))) {
			assertThatExceptionOfType(MicroException.Unimplemented.class).isThrownBy(() -> read(instance));
		}
	}

	@Test
	void anInstanceThatIsGoneIsUnavailable() {
		TestInstance instance = TestInstance.kinds("a");
		int port = instance.port();
		instance.close();
		assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(() -> read(port));
	}

	@Test
	void differentContractsHaveDifferentHashes() {
		try (TestInstance kinds = TestInstance.kinds("a"); TestInstance others = TestInstance.others("b")) {
			assertThat(kinds.schema()).isNotEqualTo(others.schema());
		}
	}

	@Test
	void symbolsAreFoundInTheirFiles() throws Exception {
		try (TestInstance instance = TestInstance.kinds("a")) {
			Schema schema = read(instance);
			for (String symbol : List.of("kinds.Kinds", "kinds.Kinds.Echo", "kinds.Tree", "kinds.Tree.left",
					"kinds.Colour")) {
				assertThat(schema.fileOf(symbol)).as(symbol).isNotNull();
				assertThat(schema.fileOf(symbol).getName()).isEqualTo("kinds.proto");
			}
			assertThat(schema.fileOf("shapes.Shape.Point").getName()).isEqualTo("shapes.proto");
			for (String symbol : List.of("", "kinds", "kinds.", "kinds.Nothing", "kinds.Kinds.Nothing",
					"kinds.Tree.nothing", "Kinds", "kinds.Kinds.Echo.more", "kinds.Colour.more")) {
				assertThat(schema.fileOf(symbol)).as(symbol).isNull();
			}
		}
	}

	@Test
	void endpointsAreFoundBySimpleAndByFullName() throws Exception {
		try (TestInstance instance = TestInstance.kinds("a")) {
			Schema schema = read(instance);
			assertThat(schema.endpoint("Kinds.Echo").getFullName()).isEqualTo("kinds.Kinds.Echo");
			assertThat(schema.endpoint("kinds.Kinds.Echo").getFullName()).isEqualTo("kinds.Kinds.Echo");
			for (String endpoint : List.of("", ".", "Echo", "Kinds.", ".Echo", "Kinds.echo", "kinds.Echo",
					"Health.Check")) {
				assertThat(schema.endpoint(endpoint)).as(endpoint).isNull();
			}
		}
	}

	@Test
	void ofSeveralWithOneSimpleNameTheCalledServicesOwnIsMeant() {
		Schema schema = Schema.of(List.of(echo("a_b"), echo("c")), Set.of("a_b.Echo", "c.Echo"));
		assertThat(schema.endpoint("Echo.Call", "a-b").getFullName()).isEqualTo("a_b.Echo.Call");
		assertThat(schema.endpoint("Echo.Call", "c").getFullName()).isEqualTo("c.Echo.Call");
		assertThat(schema.endpoint("c.Echo.Call", "a-b").getFullName()).isEqualTo("c.Echo.Call");
		assertThat(schema.endpoint("Echo.Call", "other")).isNotNull();
	}

	private static FileDescriptorProto echo(String name) {
		return FileDescriptorProto.newBuilder()
			.setName(name + ".proto")
			.setPackage(name)
			.addMessageType(DescriptorProto.newBuilder().setName("Text"))
			.addService(ServiceDescriptorProto.newBuilder()
				.setName("Echo")
				.addMethod(MethodDescriptorProto.newBuilder()
					.setName("Call")
					.setInputType("." + name + ".Text")
					.setOutputType("." + name + ".Text")))
			.build();
	}

	@Test
	void filesThatDoNotFitAreRefused() {
		FileDescriptorProto one = FileDescriptorProto.newBuilder().setName("one").addDependency("two").build();
		FileDescriptorProto two = FileDescriptorProto.newBuilder().setName("two").addDependency("one").build();
		assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(() -> Schema.of(List.of(one, two), Set.of()))
			.withMessageContaining("circle");
		FileDescriptorProto twice = mu.micro.test.others.OthersProto.getDescriptor()
			.toProto()
			.toBuilder()
			.addMessageType(mu.micro.test.others.Task.getDescriptor().toProto())
			.build();
		assertThatExceptionOfType(MicroException.Invalid.class)
			.isThrownBy(() -> Schema.of(List.of(twice), Set.of("others.Others")))
			.withMessageContaining("others.proto");
	}

	private static Schema read(TestInstance instance) throws Exception {
		return read(instance.port());
	}

	private static Schema read(int port) throws Exception {
		ManagedChannel channel = Grpc.newChannelBuilder("dns:///127.0.0.1:" + port, InsecureChannelCredentials.create())
			.build();
		try {
			return Reflection.read(channel, TIMEOUT);
		}
		finally {
			channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
		}
	}

}
