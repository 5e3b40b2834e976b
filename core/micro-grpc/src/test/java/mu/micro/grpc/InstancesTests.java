package mu.micro.grpc;

import java.util.List;
import java.util.Map;

import mu.micro.MicroException;
import mu.micro.registry.Instance;
import mu.micro.wire.registry.Node;
import mu.micro.wire.registry.Service;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class InstancesTests {

	@Test
	void instancesGoOutAndComeBack() {
		List<Instance> instances = List.of(new Instance("foo", "v2", "a", "::1", 1, Map.of("zone", "one")),
				new Instance("foo", "latest", "b", "host", 2, Map.of()),
				new Instance("foo", "v2", "c", "10.0.0.1", 3, Map.of()));
		List<Service> services = Instances.toServices(instances);
		assertThat(services).extracting(Service::getVersion).containsExactly("latest", "v2");
		assertThat(services.get(1).getNodesList()).extracting(Node::getAddress)
			.containsExactly("[::1]:1", "10.0.0.1:3");
		assertThat(Instances.fromServices(services)).isEqualTo(instances);
	}

	@ParameterizedTest
	@CsvSource({ "host:1,0,host,1", "host,1,host,1", "host:1,2,host,1", "[::1]:1,0,::1,1", "[::1],1,::1,1",
			"::1,1,::1,1", "fe80::1:2,3,fe80::1:2,3" })
	void everyFormOfAnAddressIsRead(String address, long port, String expectedHost, int expectedPort) {
		Instance instance = read(Node.newBuilder().setId("a").setAddress(address).setPort(port));
		assertThat(instance.host()).isEqualTo(expectedHost);
		assertThat(instance.port()).isEqualTo(expectedPort);
	}

	@ParameterizedTest
	@ValueSource(strings = { "", ":", ":1", "host", "host:", "host:-1", "host:0", "host:65536", "host:a", "::1", "[]:1",
			"host:99999999999" })
	void whatIsNoAddressIsRefused(String address) {
		assertThatExceptionOfType(MicroException.Invalid.class)
			.isThrownBy(() -> read(Node.newBuilder().setId("a").setAddress(address)));
	}

	@Test
	void theMetadataOfAServiceIsThatOfItsNodesUnlessTheySayOtherwise() {
		Service service = Service.newBuilder()
			.setName("foo")
			.putMetadata("zone", "one")
			.putMetadata("team", "x")
			.addNodes(Node.newBuilder().setId("a").setAddress("host:1").putMetadata("zone", "two"))
			.build();
		Instance instance = Instances.fromServices(List.of(service)).get(0);
		assertThat(instance.metadata()).containsOnly(Map.entry("zone", "two"), Map.entry("team", "x"));
		assertThat(instance.version()).isEqualTo("latest");
	}

	private static Instance read(Node.Builder node) {
		return Instances.fromServices(List.of(Service.newBuilder().setName("foo").addNodes(node).build())).get(0);
	}

}
